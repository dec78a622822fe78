//! Which system calls can fail with what, and what the store calls it then.

/// What a call that changes names may say.
const NAMES: &[&str] = &["EIO", "ENOSPC", "EDQUOT", "EACCES", "EROFS"];
/// What an open may say.
const OPEN: &[&str] = &["EIO", "EACCES", "EMFILE", "ENFILE", "EINTR", "ENOSPC", "EDQUOT", "EROFS"];
/// What a sync, or a close that syncs, may say.
const SYNC: &[&str] = &["EIO", "ENOSPC", "EDQUOT", "EINTR"];

/// Errors that each system call can give. `EINTR` is among them where the kernel's pages or the manual say so.
const FAULTS: &[(&str, &[&str])] = &[
    ("clone", &["EAGAIN", "ENOMEM"]),
    ("clone3", &["EAGAIN", "ENOMEM"]),
    ("close", SYNC),
    ("fallocate", &["EIO", "ENOSPC", "EDQUOT", "EINTR", "EFBIG", "EOPNOTSUPP"]),
    ("fchmod", &["EIO", "EACCES", "EPERM", "EROFS", "EINTR"]),
    ("fcntl", &["EINVAL", "EMFILE"]),
    ("fdatasync", SYNC),
    ("flock", &["EAGAIN", "EINTR", "ENOLCK"]),
    ("fstat", &["EIO", "ENOMEM"]),
    ("fstatfs", &["EIO", "EINTR", "ENOMEM"]),
    ("fsync", SYNC),
    ("ftruncate", &["EIO", "ENOSPC", "EINTR", "EROFS"]),
    ("getdents64", &["EIO", "EINTR", "ENOMEM"]),
    ("getrandom", &["EINTR", "ENOSYS"]),
    ("linkat", &["EIO", "ENOSPC", "EDQUOT", "EACCES", "EROFS", "EMLINK", "EPERM", "EXDEV"]),
    ("mkdir", NAMES),
    ("mkdirat", NAMES),
    ("newfstatat", &["EIO", "EACCES", "ENOMEM"]),
    ("open", OPEN),
    ("openat", OPEN),
    ("openat2", OPEN),
    ("pread64", &["EIO", "EINTR"]),
    ("pwrite64", &["EIO", "ENOSPC", "EDQUOT", "EFBIG", "EINTR", "EINVAL"]),
    ("read", &["EIO", "EINTR"]),
    ("rename", NAMES),
    ("renameat", NAMES),
    ("renameat2", &["EIO", "ENOSPC", "EDQUOT", "EACCES", "EROFS", "EINTR", "EINVAL", "EXDEV"]),
    ("statfs", &["EIO", "EINTR", "ENOMEM"]),
    ("statx", &["EIO", "EACCES", "ENOMEM"]),
    ("unlink", NAMES),
    ("unlinkat", NAMES),
    ("write", &["EIO", "ENOSPC", "EDQUOT", "EFBIG", "EINTR"]),
];

/// Calls that fail only if the program is wrong or memory is gone, and the two that mark where a scenario is.
const HARMLESS: &[&str] = &[
    "brk",
    "exit",
    "futex",
    "getpid",
    "gettid",
    "lseek",
    "madvise",
    "mmap",
    "mprotect",
    "mremap",
    "munmap",
    "prctl",
    "readlink",
    "readlinkat",
    "restart_syscall",
    "rseq",
    "rt_sigaction",
    "rt_sigprocmask",
    "sched_getaffinity",
    "sched_yield",
    "set_robust_list",
    "sigaltstack",
    "uname",
];

/// Errors that go on once they begin. An interruption does not: whoever repeats the call would never end.
const LASTING: &[&str] = &["EIO", "ENOSPC", "EDQUOT", "EACCES", "EROFS", "EMFILE"];

/// Errors that the call can give; none if it has no business failing.
///
/// # Panics
/// If nobody has said of this call whether it can fail.
pub(crate) fn errors_of(syscall: &str) -> Option<(&'static str, &'static [&'static str])> {
    if let Some(found) = FAULTS.iter().find(|(name, _)| *name == syscall) {
        return Some(*found);
    }
    assert!(HARMLESS.contains(&syscall), "{syscall}: say in faults.rs whether it can fail, and how");
    None
}

/// Whether an error goes on once it begins.
pub(crate) fn lasts(errno: &str) -> bool {
    LASTING.contains(&errno)
}

/// Whether the store may give an error this code when the system said `errno` to `syscall`.
pub(crate) fn may_be_called(syscall: &str, errno: &str, code: &str) -> bool {
    let meaning = match errno {
        "ENOSPC" | "EDQUOT" | "EFBIG" => "no_space",
        "EACCES" | "EPERM" | "EROFS" => "permission",
        "EAGAIN" if syscall == "flock" => "locked",
        _ => "io",
    };
    // A sync that failed is called by what it means, and so is who asks once more.
    code == meaning || code == "durability_unknown"
}
