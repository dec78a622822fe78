//! An open file of the system.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;

use rustix::fs::{FallocateFlags, Mode, OFlags};
use rustix::io::{Errno, retry_on_intr};

use super::check_direct;
use crate::storage::{Access, StorageFile};

/// An open regular file.
#[derive(Debug)]
pub(super) struct LocalFile {
    file: File,
    append: bool,
    direct: bool,
    reveal: Reveal,
}

/// What [`StorageFile::reveal`] has to do.
#[derive(Debug, Clone, Copy)]
enum Reveal {
    /// Give the file this mode.
    Mode(Mode),
    /// Nothing: the file system has no modes to hide a file with.
    Nothing,
    /// Refuse: the handle did not make the file, so it does not know.
    Unknown,
}

impl LocalFile {
    /// A file that was opened.
    pub(super) fn opened(file: File, access: Access) -> Self {
        LocalFile { file, append: access == Access::Append, direct: false, reveal: Reveal::Unknown }
    }

    /// A file that was just made with mode 0666, of which the kernel took the umask (or what the directory's access
    /// list says in its place): hides it, and keeps the mode for later. The umask itself cannot be read without setting
    /// it, which other threads would notice.
    pub(super) fn created(file: File) -> io::Result<Self> {
        let mode = Mode::from_raw_mode(rustix::fs::fstat(&file)?.st_mode);
        let reveal = match retry_on_intr(|| rustix::fs::fchmod(&file, Mode::RUSR | Mode::WUSR)) {
            Ok(()) => Reveal::Mode(mode),
            Err(Errno::PERM | Errno::OPNOTSUPP | Errno::NOSYS) => Reveal::Nothing,
            Err(error) => return Err(error.into()),
        };
        Ok(LocalFile { file, append: false, direct: false, reveal })
    }
}

impl StorageFile for LocalFile {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        if self.direct {
            check_direct(offset, bytes)?;
        }
        Ok(retry_on_intr(|| match self.append {
            true => rustix::io::write(&self.file, bytes),
            false => rustix::io::pwrite(&self.file, bytes, offset),
        })?)
    }

    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<usize> {
        if self.direct {
            check_direct(offset, bytes)?;
        }
        Ok(retry_on_intr(|| rustix::io::pread(&self.file, &mut *bytes, offset))?)
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn set_length(&mut self, length: u64) -> io::Result<()> {
        self.file.set_len(length)
    }

    /// Where the file system cannot take room in advance, only the length is set: writing may then still find it full.
    fn allocate(&mut self, length: u64) -> io::Result<()> {
        if length == 0 {
            return Ok(());
        }
        match retry_on_intr(|| rustix::fs::fallocate(&self.file, FallocateFlags::empty(), 0, length)) {
            Ok(()) => Ok(()),
            Err(Errno::OPNOTSUPP | Errno::NOSYS) if self.length()? < length => self.set_length(length),
            Err(Errno::OPNOTSUPP | Errno::NOSYS) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn set_direct(&mut self, direct: bool) -> bool {
        if direct != self.direct && !self.append && switch_direct(&self.file, direct).is_ok() {
            self.direct = direct;
        }
        self.direct
    }

    fn reveal(&mut self) -> io::Result<()> {
        match self.reveal {
            Reveal::Mode(mode) => Ok(retry_on_intr(|| rustix::fs::fchmod(&self.file, mode))?),
            Reveal::Nothing => Ok(()),
            Reveal::Unknown => {
                let text = "only the handle that made a file knows the mode to reveal it with";
                Err(io::Error::new(io::ErrorKind::Unsupported, text))
            }
        }
    }

    /// Not repeated when interrupted, as std's would be: what an interrupted sync left behind is not documented.
    fn sync(&mut self) -> io::Result<()> {
        Ok(rustix::fs::fsync(&self.file)?)
    }

    /// Never repeated: the descriptor is gone whatever close says, and may belong to another file by then. An
    /// interrupted close has closed.
    fn close(self: Box<Self>) -> io::Result<()> {
        match nix::unistd::close(OwnedFd::from(self.file)) {
            Ok(()) | Err(nix::errno::Errno::EINTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

fn switch_direct(file: &File, direct: bool) -> rustix::io::Result<()> {
    let mut flags = rustix::fs::fcntl_getfl(file)?;
    flags.set(OFlags::DIRECT, direct);
    rustix::fs::fcntl_setfl(file, flags)
}
