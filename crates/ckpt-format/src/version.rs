//! Version of the container, and the one check whether this library may read it.

use std::fmt;

use crate::error::FormatError;

/// Version of the container: a higher major may mean anything, a higher minor only adds what may be ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContainerVersion {
    /// Refused if unknown.
    pub major: u16,
    /// Ignored if higher.
    pub minor: u16,
}

impl ContainerVersion {
    /// What this library writes.
    pub const CURRENT: Self = Self { major: 1, minor: 0 };

    /// Whether this library reads files of this version.
    ///
    /// # Errors
    /// [`FormatError::UnsupportedVersion`] for another major version.
    pub fn check_readable(self) -> Result<(), FormatError> {
        if self.major == Self::CURRENT.major {
            Ok(())
        } else {
            Err(FormatError::UnsupportedVersion { found: self, readable: Self::CURRENT })
        }
    }
}

impl fmt::Display for ContainerVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}
