//! Files out of reach but for a few places (Landlock).

use std::io;
use std::path::PathBuf;

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetError, RulesetStatus,
};

use super::Extent;
use crate::{Error, Result};

/// What is asked of the kernel, if it knows that much: this version also restricts devices and
/// TCP.
const VERSION: ABI = ABI::V5;

/// Where a process may still go. Places that are not there are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// Files and directories to read from.
    pub read: Vec<PathBuf>,
    /// Directories in which files and sockets may be made, replaced and removed.
    pub write: Vec<PathBuf>,
}

/// Takes away the access of this process to all files outside `places`, and to TCP. Files that are
/// open stay open. The process can no longer gain privileges by executing a program.
pub fn restrict_files(places: &Places) -> Result<Extent> {
    let restricted = restrict(places);
    restricted.map_err(|error| Error::new("restrict access to files", io::Error::other(error)))
}

fn restrict(places: &Places) -> std::result::Result<Extent, RulesetError> {
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let write = read
        | AccessFs::WriteFile
        | AccessFs::Truncate
        | AccessFs::MakeReg
        | AccessFs::MakeDir
        | AccessFs::MakeSock
        | AccessFs::MakeSym
        | AccessFs::RemoveFile;
    let mut ruleset = Ruleset::default()
        .handle_access(AccessFs::from_all(VERSION))?
        .handle_access(AccessNet::from_all(VERSION))?
        .create()?;
    for (paths, access) in [(&places.read, read), (&places.write, write)] {
        for path in paths {
            let Ok(place) = PathFd::new(path) else { continue };
            let access = if path.is_dir() { access } else { of_a_file(access) };
            ruleset = ruleset.add_rule(PathBeneath::new(place, access))?;
        }
    }
    Ok(match ruleset.restrict_self()?.ruleset {
        RulesetStatus::FullyEnforced => Extent::Whole,
        RulesetStatus::PartiallyEnforced => Extent::Part,
        RulesetStatus::NotEnforced => Extent::Nothing,
    })
}

/// What of this access makes sense for a file that is no directory.
fn of_a_file(access: BitFlags<AccessFs>) -> BitFlags<AccessFs> {
    access & AccessFs::from_file(VERSION)
}
