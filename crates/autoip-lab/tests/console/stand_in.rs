//! The programs that pages name, as far as they are ours, and what stands in for others.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::ExitCode;

use crate::page::Page;

/// The names under which this test is one of our programs.
const PROGRAMS: [&str; 4] = ["autoipd", "avahi-autoipd", "zcip", CONTROL];
const CONTROL: &str = "autoipctl";

/// On a virtual host everybody is root.
const SUDO: &str = "#!/bin/sh\nexec \"$@\"\n";

/// Everything has been built already; what is run is what was built for the tests.
const CARGO: &str = concat!(
    "#!/bin/sh\ncase \"$*\" in\n",
    "'build --release -p autoipd -p autoipctl') ;;\n",
    "'run --release -p autoip-lab -- demo') exec '",
    env!("CARGO_BIN_EXE_autoip-lab"),
    "' demo ;;\n",
    "*) echo \"no stand-in for cargo $*\" >&2; exit 1 ;;\nesac\n",
);

/// Is the program by whose name this was started, if it is one.
pub(crate) fn run() -> Option<ExitCode> {
    let name = std::env::args_os().next()?;
    let name = Path::new(&name).file_name()?.to_str()?.to_owned();
    let arguments = std::env::args_os();
    if name == CONTROL {
        return Some(autoipctl::main_with(arguments));
    }
    PROGRAMS.contains(&&*name).then(|| autoipd::main_with(arguments))
}

/// Puts all of them below `directory`: into `bin`, and into `target/release` as cargo does.
pub(crate) fn install(directory: &Path) {
    let bin = directory.join("bin");
    fs::create_dir_all(&bin).unwrap();
    fs::create_dir_all(directory.join("target")).unwrap();
    symlink("../bin", directory.join("target/release")).unwrap();
    let this = std::env::current_exe().unwrap();
    for name in PROGRAMS {
        let program = bin.join(name);
        if fs::hard_link(&this, &program).is_err() {
            fs::copy(&this, &program).unwrap();
        }
    }
    for (name, script) in [("sudo", SUDO), ("cargo", CARGO)] {
        let path = bin.join(name);
        fs::write(&path, script).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
}

/// A program that the page wants and this machine has not, or lets nobody but root run.
pub(crate) fn missing(page: &Page) -> Option<String> {
    let consoles = page.blocks.iter().filter(|block| block.file.is_none());
    let steps = consoles.flat_map(|block| block.steps());
    let programs = steps.filter_map(|step| program(&step.command).map(str::to_owned));
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let installed = |name: &str| {
        let directories = std::env::split_paths(&paths);
        directories.into_iter().any(|directory| directory.join(name).is_file())
    };
    let ours = |name: &str| PROGRAMS.contains(&name) || name == "cargo" || name.contains('/');
    // It becomes another user, which the kernel permits in no user namespace of ours.
    let confined = fs::read_to_string("/proc/self/setgroups").is_ok_and(|it| it.trim() == "deny");
    let wanting_root = |name: &str| name == "tcpdump" && confined;
    let needed = ["unshare".to_owned(), "mount".to_owned()];
    needed
        .into_iter()
        .chain(programs)
        .find(|name| !ours(name) && (!installed(name) || wanting_root(name)))
}

/// The name of the program that a command starts.
fn program(command: &str) -> Option<&str> {
    command.split_whitespace().find(|word| *word != "sudo" && !word.contains('='))
}
