//! System calls: a list of those that may be made (seccomp).
//!
//! On the list is what the daemon and the C libraries under it use to wait, to talk over sockets
//! that are open or of the kinds that it opens, to read and write files, and to run threads. Not
//! on it is what would be of use to nobody but an intruder: to execute, to trace, to mount, to
//! load, to enter namespaces, to make memory executable, to speak IP.

use std::collections::BTreeMap;
use std::io;

use nix::unistd::getpid;
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen as Len, SeccompCmpOp as Op,
    SeccompCondition, SeccompFilter, SeccompRule, TargetArch, apply_filter,
};

use super::{Extent, Keep};
use crate::{Error, Result};

/// What a call that is not on the list returns. C libraries try an older call where a newer one
/// is missing; any other error they would take for an answer.
const REFUSED: u32 = libc::ENOSYS.cast_unsigned();

type Compiled<T> = std::result::Result<T, BackendError>;

/// Calls on all architectures, whatever their arguments.
const CALLS: [libc::c_long; 77] = [
    // Waiting and time.
    libc::SYS_epoll_create1,
    libc::SYS_epoll_ctl,
    libc::SYS_epoll_pwait,
    libc::SYS_ppoll,
    libc::SYS_timerfd_create,
    libc::SYS_timerfd_settime,
    libc::SYS_timerfd_gettime,
    libc::SYS_clock_gettime,
    libc::SYS_clock_getres,
    libc::SYS_clock_nanosleep,
    libc::SYS_nanosleep,
    libc::SYS_gettimeofday,
    // Sockets of kinds that are open already.
    libc::SYS_bind,
    libc::SYS_listen,
    libc::SYS_accept4,
    libc::SYS_connect,
    libc::SYS_socketpair,
    libc::SYS_getsockname,
    libc::SYS_getpeername,
    libc::SYS_getsockopt,
    libc::SYS_setsockopt,
    libc::SYS_shutdown,
    libc::SYS_sendto,
    libc::SYS_sendmsg,
    libc::SYS_sendmmsg,
    libc::SYS_recvfrom,
    libc::SYS_recvmsg,
    libc::SYS_recvmmsg,
    // Files, as far as they are in reach.
    libc::SYS_openat,
    libc::SYS_close,
    libc::SYS_close_range,
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_pread64,
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_pwrite64,
    libc::SYS_lseek,
    libc::SYS_fstat,
    libc::SYS_statx,
    libc::SYS_faccessat,
    libc::SYS_readlinkat,
    libc::SYS_getdents64,
    libc::SYS_getcwd,
    libc::SYS_mkdirat,
    libc::SYS_unlinkat,
    libc::SYS_symlinkat,
    libc::SYS_renameat2,
    libc::SYS_ftruncate,
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    libc::SYS_fsync,
    libc::SYS_fdatasync,
    libc::SYS_fcntl,
    libc::SYS_dup,
    libc::SYS_dup3,
    libc::SYS_umask,
    // Memory and threads.
    libc::SYS_brk,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_madvise,
    libc::SYS_membarrier,
    libc::SYS_futex,
    libc::SYS_set_robust_list,
    libc::SYS_set_tid_address,
    libc::SYS_rseq,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_getrandom,
    // Signals, other processes, the end.
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_restart_syscall,
    libc::SYS_wait4,
    libc::SYS_exit,
    libc::SYS_exit_group,
];

/// Calls that say who one is; of no harm.
const OWN: [libc::c_long; 6] = [
    libc::SYS_getpid,
    libc::SYS_gettid,
    libc::SYS_getuid,
    libc::SYS_geteuid,
    libc::SYS_getgid,
    libc::SYS_getegid,
];

/// Older forms of the same that other architectures lack.
#[cfg(target_arch = "x86_64")]
const OLDER: [libc::c_long; 17] = [
    libc::SYS_epoll_wait,
    libc::SYS_poll,
    libc::SYS_time,
    libc::SYS_open,
    libc::SYS_stat,
    libc::SYS_lstat,
    libc::SYS_newfstatat,
    libc::SYS_access,
    libc::SYS_readlink,
    libc::SYS_mkdir,
    libc::SYS_unlink,
    libc::SYS_symlink,
    libc::SYS_rename,
    libc::SYS_renameat,
    libc::SYS_chmod,
    libc::SYS_dup2,
    libc::SYS_arch_prctl,
];
#[cfg(target_arch = "aarch64")]
const OLDER: [libc::c_long; 2] = [libc::SYS_newfstatat, libc::SYS_renameat];
#[cfg(target_arch = "riscv64")]
const OLDER: [libc::c_long; 1] = [libc::SYS_newfstatat];

/// Has the kernel refuse this process all system calls but those on the list and what `keep` asks
/// for; it may still end itself. Must be called while the process has one thread: others would not
/// be restricted.
pub fn restrict_calls(keep: Keep) -> Result<Extent> {
    let Ok(arch) = TargetArch::try_from(std::env::consts::ARCH) else {
        return Ok(Extent::Nothing);
    };
    let failed = |error: io::Error| Error::new("restrict system calls", error);
    let program = filter(arch, keep).map_err(|error| failed(io::Error::other(error)))?;
    match apply_filter(&program) {
        Ok(()) => Ok(Extent::Whole),
        // A kernel without seccomp, or without its filters.
        Err(seccompiler::Error::Prctl(error) | seccompiler::Error::Seccomp(error))
            if matches!(error.raw_os_error(), Some(libc::EINVAL | libc::ENOSYS)) =>
        {
            Ok(Extent::Nothing)
        }
        Err(error) => Err(failed(io::Error::other(error))),
    }
}

fn filter(arch: TargetArch, keep: Keep) -> Compiled<BpfProgram> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = BTreeMap::new();
    for call in CALLS.into_iter().chain(OWN).chain(OLDER) {
        rules.insert(number(call), Vec::new());
    }
    let family = |family: libc::c_int| argument(0, Op::Eq, wide(family));
    rules.insert(
        number(libc::SYS_socket),
        vec![family(libc::AF_UNIX)?, family(libc::AF_NETLINK)?, family(libc::AF_PACKET)?],
    );
    // Threads, and no processes.
    let thread = wide(libc::CLONE_THREAD);
    rules.insert(number(libc::SYS_clone), vec![argument(0, Op::MaskedEq(thread), thread)?]);
    let executable = Op::MaskedEq(wide(libc::PROT_EXEC));
    for call in [libc::SYS_mmap, libc::SYS_mprotect] {
        rules.insert(number(call), vec![argument(2, executable.clone(), 0)?]);
    }
    // Names for threads and, in newer C libraries, for memory.
    let names = [libc::PR_SET_NAME, libc::PR_SET_VMA];
    let named = names.map(|option| argument(0, Op::Eq, wide(option)));
    rules.insert(number(libc::SYS_prctl), named.into_iter().collect::<Compiled<_>>()?);
    // Sockets that do not wait, as the standard library asks for them; and names of drivers, with
    // all of ethtool: which of its commands is meant stands in memory that a filter does not see.
    let mut requests = vec![u64::from(u32::try_from(libc::FIONBIO).unwrap_or_default())];
    if keep.drivers {
        requests.push(u64::from(u32::try_from(libc::SIOCETHTOOL).unwrap_or_default()));
    }
    let control = requests.into_iter().map(|request| argument(1, Op::Eq, request));
    rules.insert(number(libc::SYS_ioctl), control.collect::<Compiled<_>>()?);
    let own = getpid().as_raw();
    rules.insert(number(libc::SYS_tgkill), vec![argument(0, Op::Eq, wide(own))?]);
    if let Some(worker) = keep.worker {
        let (pid, signal) = (wide(worker), wide(libc::SIGKILL));
        let conditions = vec![
            SeccompCondition::new(0, Len::Dword, Op::Eq, pid)?,
            SeccompCondition::new(1, Len::Dword, Op::Eq, signal)?,
        ];
        rules.insert(number(libc::SYS_kill), vec![SeccompRule::new(conditions)?]);
    }
    let filter =
        SeccompFilter::new(rules, SeccompAction::Errno(REFUSED), SeccompAction::Allow, arch)?;
    filter.try_into()
}

/// A call is allowed when this argument fits.
fn argument(index: u8, op: Op, value: u64) -> Compiled<SeccompRule> {
    SeccompRule::new(vec![SeccompCondition::new(index, Len::Dword, op, value)?])
}

/// The type of these numbers differs between machines.
fn number(call: impl Into<i64>) -> i64 {
    call.into()
}

fn wide(value: libc::c_int) -> u64 {
    u64::from(value.cast_unsigned())
}
