//! The confined processes. Each confines itself, tries, and panics where it finds what should not
//! be; an error says why nothing can be shown here.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::net::TcpListener;
use std::os::fd::AsRawFd;
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::path::PathBuf;
use std::process::Command;
use std::thread;

use autoip_linux::confine::{
    Account, Extent, Keep, Places, keep_network_capabilities, restrict_calls, restrict_files,
};
use autoip_linux::{Channel, IfIndex, Message, PacketSocket, Timer, Worker, boottime, seed};

type Shown = Result<(), String>;

/// The directory of a confined process.
pub(crate) fn dir_of(pid: u32) -> PathBuf {
    std::env::temp_dir().join(format!("autoip-confine-{pid}"))
}

/// A directory with one to read, one to write, and a file outside of both.
struct Dirs(PathBuf);

impl Dirs {
    fn new() -> Self {
        let dir = dir_of(std::process::id());
        for part in ["read", "write"] {
            fs::create_dir_all(dir.join(part)).unwrap();
        }
        for file in ["outside", "read/file", "write/file"] {
            fs::write(dir.join(file), "text").unwrap();
        }
        Self(dir)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn places(&self) -> Places {
        let missing = self.path("missing");
        Places {
            read: vec![self.path("read"), missing.clone()],
            write: vec![self.path("write"), missing],
        }
    }

    fn restrict(&self) -> Shown {
        match restrict_files(&self.places()).unwrap() {
            Extent::Whole | Extent::Part => Ok(()),
            Extent::Nothing => Err("this kernel has no Landlock".to_owned()),
        }
    }
}

/// The kind of error that something failed with; a panic where it worked.
#[track_caller]
fn refused<T>(result: std::io::Result<T>) -> ErrorKind {
    match result {
        Ok(_) => panic!("it was not refused"),
        Err(error) => error.kind(),
    }
}

pub(crate) fn files() -> Shown {
    let dirs = Dirs::new();
    let open = File::open(dirs.path("outside")).unwrap();
    dirs.restrict()?;
    assert_eq!(refused(File::open(dirs.path("outside"))), ErrorKind::PermissionDenied);
    assert_eq!(refused(fs::read_dir(&dirs.0)), ErrorKind::PermissionDenied);
    assert_eq!(refused(File::open("/etc/passwd")), ErrorKind::PermissionDenied);
    assert_eq!(refused(File::create(dirs.path("new"))), ErrorKind::PermissionDenied);
    assert_eq!(fs::read_to_string(dirs.path("read/file")).unwrap(), "text");
    assert_eq!(refused(fs::write(dirs.path("read/file"), "x")), ErrorKind::PermissionDenied);
    assert_eq!(refused(fs::remove_file(dirs.path("read/file"))), ErrorKind::PermissionDenied);
    // As addresses are remembered, and as sockets for clients are made.
    fs::write(dirs.path("write/new"), "y").unwrap();
    fs::rename(dirs.path("write/new"), dirs.path("write/file")).unwrap();
    assert_eq!(fs::read_to_string(dirs.path("write/file")).unwrap(), "y");
    drop(UnixListener::bind(dirs.path("write/socket")).unwrap());
    fs::remove_file(dirs.path("write/socket")).unwrap();
    // What is open stays open.
    assert_eq!(open.metadata().unwrap().len(), 4);
    Ok(())
}

pub(crate) fn tcp() -> Shown {
    let dirs = Dirs::new();
    match restrict_files(&dirs.places()).unwrap() {
        Extent::Whole => {}
        Extent::Part | Extent::Nothing => return Err("this kernel's Landlock is older".to_owned()),
    }
    assert_eq!(refused(TcpListener::bind("127.0.0.1:0")), ErrorKind::PermissionDenied);
    Ok(())
}

/// A line of `/proc/self/status`.
fn status(name: &str) -> String {
    let text = fs::read_to_string("/proc/thread-self/status").unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim_start_matches(':').trim().to_owned()
}

/// CAP_NET_ADMIN and CAP_NET_RAW.
const NETWORK: &str = "0000000000003000";

fn need_capabilities() -> Shown {
    let effective = u64::from_str_radix(&status("CapEff"), 16).unwrap();
    match effective & 0x3000 {
        0x3000 => Ok(()),
        _ => Err("CAP_NET_ADMIN and CAP_NET_RAW are missing".to_owned()),
    }
}

pub(crate) fn capabilities() -> Shown {
    need_capabilities()?;
    let may_drop = u64::from_str_radix(&status("CapEff"), 16).unwrap() >> 8 & 1 == 1;
    keep_network_capabilities().unwrap();
    assert_eq!((status("CapEff"), status("CapPrm")), (NETWORK.to_owned(), NETWORK.to_owned()));
    assert_eq!((status("CapInh"), status("NoNewPrivs")), ("0".repeat(16), "1".to_owned()));
    if may_drop {
        assert_eq!(status("CapBnd"), NETWORK);
    }
    assert!(nix::unistd::sethostname("x").is_err(), "CAP_SYS_ADMIN is gone");
    PacketSocket::arp(IfIndex::new(1).unwrap()).unwrap();
    Ok(())
}

pub(crate) fn account() -> Shown {
    need_capabilities()?;
    if status("Uid").split_whitespace().next() != Some("0") {
        return Err("only root can become somebody else".to_owned());
    }
    let account = Account::named("nobody").ok_or("there is no user nobody")?;
    assert_eq!(Account::named("no such user"), None);
    account.assume().map_err(|error| error.to_string())?;
    keep_network_capabilities().unwrap();
    let uid = status("Uid").split_whitespace().next().unwrap().to_owned();
    assert_ne!(uid, "0");
    assert_eq!((status("CapEff"), status("Groups")), (NETWORK.to_owned(), String::new()));
    PacketSocket::arp(IfIndex::new(1).unwrap()).unwrap();
    Ok(())
}

fn restrict(keep: Keep) -> Shown {
    match restrict_calls(keep).unwrap() {
        Extent::Whole | Extent::Part => Ok(()),
        Extent::Nothing => Err("this kernel or machine has no filter for calls".to_owned()),
    }
}

/// What the kernel says to a question about drivers that leads nowhere: it looks at the question
/// only if the call is let through.
fn ask_for_driver() -> nix::Result<()> {
    let socket = UnixDatagram::unbound().unwrap();
    #[expect(unsafe_code, reason = "the filter judges the call itself")]
    // SAFETY: the kernel finds no ifreq at this address, and says so.
    let result = unsafe {
        libc::ioctl(socket.as_raw_fd(), libc::SIOCETHTOOL, std::ptr::null_mut::<libc::ifreq>())
    };
    nix::errno::Errno::result(result).map(drop)
}

pub(crate) fn drivers() -> Shown {
    assert_eq!(ask_for_driver(), Err(nix::errno::Errno::EFAULT), "before");
    restrict(Keep { drivers: true, ..Keep::default() })?;
    assert_eq!(ask_for_driver(), Err(nix::errno::Errno::EFAULT), "kept");
    Ok(())
}

pub(crate) fn refused_calls() -> Shown {
    let parent = nix::unistd::getppid();
    restrict(Keep::default())?;
    assert_eq!(status("Seccomp"), "2");
    let none = ErrorKind::Unsupported;
    assert_eq!(refused(Command::new("/bin/true").status()), none, "a new process");
    assert_eq!(refused(TcpListener::bind("127.0.0.1:0")), none, "an IP socket");
    let missing = |result: nix::Result<()>| assert_eq!(result, Err(nix::errno::Errno::ENOSYS));
    missing(nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNS));
    missing(nix::sys::signal::kill(parent, None));
    missing(nix::unistd::chdir("/"));
    missing(ask_for_driver());
    missing(nix::unistd::sethostname("x"));
    let one = std::num::NonZeroUsize::new(4096).unwrap();
    let executable = nix::sys::mman::ProtFlags::PROT_READ | nix::sys::mman::ProtFlags::PROT_EXEC;
    let flags = nix::sys::mman::MapFlags::MAP_PRIVATE;
    #[expect(unsafe_code, reason = "a mapping is memory")]
    // SAFETY: the mapping, should there be one, is not used.
    let mapped = unsafe { nix::sys::mman::mmap_anonymous(None, one, executable, flags) };
    missing(mapped.map(drop));
    Ok(())
}

/// A little of everything that the daemon does in its life.
pub(crate) fn allowed_calls() -> Shown {
    let dirs = Dirs::new();
    restrict(Keep::default())?;
    let sum = thread::scope(|scope| {
        let threads: Vec<_> = (0..4u64).map(|n| scope.spawn(move || n)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum::<u64>()
    });
    assert_eq!(sum, 6);
    seed().unwrap();
    Timer::new().unwrap().set(Some(boottime())).unwrap();
    thread::sleep(std::time::Duration::from_millis(1));
    fs::create_dir_all(dirs.path("write/a/b")).unwrap();
    fs::write(dirs.path("write/a/b/c"), vec![1; 100_000]).unwrap();
    fs::rename(dirs.path("write/a/b/c"), dirs.path("write/c")).unwrap();
    assert_eq!(fs::read(dirs.path("write/c")).unwrap().len(), 100_000);
    assert_eq!(fs::read_dir(dirs.path("write/a/b")).unwrap().count(), 0);
    File::open(dirs.path("write/c")).unwrap().sync_data().unwrap();
    let (one, other) = Channel::pair().unwrap();
    assert!(one.send(b"x").unwrap());
    assert_eq!(other.receive(&mut [0; 8]).unwrap(), Message::Bytes(1));
    let listener = UnixListener::bind(dirs.path("write/socket")).unwrap();
    listener.set_nonblocking(true).unwrap();
    assert_eq!(refused(listener.accept()), ErrorKind::WouldBlock);
    let datagram = UnixDatagram::unbound().unwrap();
    assert_eq!(refused(datagram.connect(dirs.path("nobody"))), ErrorKind::NotFound);
    fs::remove_file(dirs.path("write/c")).unwrap();
    Ok(())
}

/// Waits for the word of its master, which never comes.
fn idle(channel: Channel) -> i32 {
    let _ = channel.receive(&mut [0]);
    0
}

pub(crate) fn worker() -> Shown {
    let (one, _channel) = Worker::start(idle).unwrap();
    let (other, other_channel) = Worker::start(idle).unwrap();
    restrict(Keep { worker: Some(one.pid()), ..Keep::default() })?;
    one.kill();
    other.kill();
    assert_eq!(one.wait().map(|status| status.success()), Some(false), "it was killed");
    drop(other_channel);
    assert_eq!(other.wait().map(|status| status.success()), Some(true), "it was not");
    Ok(())
}

pub(crate) fn everything() -> Shown {
    need_capabilities()?;
    let dirs = Dirs::new();
    dirs.restrict()?;
    keep_network_capabilities().unwrap();
    restrict(Keep::default())?;
    fs::write(dirs.path("write/file"), "x").unwrap();
    assert_eq!(refused(File::open(dirs.path("outside"))), ErrorKind::PermissionDenied);
    assert_eq!(refused(Command::new("/bin/true").status()), ErrorKind::Unsupported);
    Ok(())
}

/// Within a filter of calls the kernel seems to have neither Landlock nor filters.
pub(crate) fn lacking() -> Shown {
    let dirs = Dirs::new();
    restrict(Keep::default())?;
    assert_eq!(restrict_files(&dirs.places()).unwrap(), Extent::Nothing);
    assert_eq!(restrict_calls(Keep::default()).unwrap(), Extent::Nothing);
    assert_eq!(fs::read_to_string(dirs.path("outside")).unwrap(), "text");
    Ok(())
}
