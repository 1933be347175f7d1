//! The lock of an interface.

use std::os::fd::{AsRawFd, OwnedFd};
use std::{fs, process};

use autoip_linux::{Acquire, IfIndex, InterfaceLock};
use nix::sched::{CloneFlags, unshare};
use nix::sys::socket::{
    AddressFamily, Backlog, SockFlag, SockType, UnixAddr, bind, connect, listen, socket,
};

fn held(index: u32) -> InterfaceLock {
    match InterfaceLock::acquire(IfIndex::new(index).unwrap()).unwrap() {
        Acquire::Held(lock) => lock,
        other @ (Acquire::Taken { .. } | Acquire::Untrusted { .. }) => panic!("{other:?}"),
    }
}

pub(crate) fn taken() {
    let lock = held(3);
    let _other_interface = held(4);
    match InterfaceLock::acquire(IfIndex::new(3).unwrap()).unwrap() {
        Acquire::Taken { by, command } => {
            assert_eq!(by, Some(i32::try_from(process::id()).unwrap()));
            let comm = fs::read_to_string("/proc/self/comm").unwrap();
            assert_eq!(command.as_deref(), Some(comm.trim_end()));
        }
        other @ (Acquire::Held(_) | Acquire::Untrusted { .. }) => panic!("{other:?}"),
    }
    drop(lock);
    held(3);
}

pub(crate) fn namespaces() {
    let _here = held(3);
    unshare(CloneFlags::CLONE_NEWNET).unwrap();
    held(3);
}

/// Somebody without rights who takes the name and does not listen does not keep us away.
pub(crate) fn squatted() {
    let name = UnixAddr::new_abstract(b"autoip/4").unwrap();
    let squatter = socket(AddressFamily::Unix, SockType::Stream, SockFlag::empty(), None).unwrap();
    bind(squatter.as_raw_fd(), &name).unwrap();
    let acquired = InterfaceLock::acquire(IfIndex::new(4).unwrap()).unwrap();
    assert!(matches!(acquired, Acquire::Untrusted { uid: None }), "{acquired:?}");
}

/// Nor does somebody who listens and leaves everybody waiting.
pub(crate) fn stopped_up() {
    let name = UnixAddr::new_abstract(b"autoip/5").unwrap();
    let stream = || {
        let flags = SockFlag::SOCK_NONBLOCK;
        socket(AddressFamily::Unix, SockType::Stream, flags, None).unwrap()
    };
    let squatter = stream();
    bind(squatter.as_raw_fd(), &name).unwrap();
    listen(&squatter, Backlog::new(0).unwrap()).unwrap();
    let askers: Vec<_> = (0..4).map(|_| stream()).collect();
    let connected = |asker: &OwnedFd| connect(asker.as_raw_fd(), &name).is_ok();
    assert!(!askers.iter().all(connected), "its queue is full");
    let acquired = InterfaceLock::acquire(IfIndex::new(5).unwrap()).unwrap();
    assert!(matches!(acquired, Acquire::Untrusted { uid: None }), "{acquired:?}");
}

/// A daemon that is asked often still says who it is.
pub(crate) fn asked_often() {
    let lock = held(6);
    for _ in 0..50 {
        let acquired = InterfaceLock::acquire(IfIndex::new(6).unwrap()).unwrap();
        assert!(matches!(acquired, Acquire::Taken { by: Some(_), .. }), "{acquired:?}");
        lock.turn_away();
    }
}
