//! The title of a process: what `ps` shows in place of its command line.
//!
//! The kernel shows the memory in which it left arguments and environment for the program at its
//! start. To change the title is to write there.

use std::ffi::CString;
use std::fs;

use nix::sys::prctl;

/// What stands before the first number in `/proc/self/stat` that can be found by counting: the
/// name of the program, which may hold anything, in parentheses.
const NAME_END: char = ')';
/// Fields 48 to 51 of that file, counted from the one behind the name, which is the third.
const ARG_START: usize = 48 - 3;

/// The memory in which the title stands.
#[derive(Clone, Copy, Debug)]
pub struct Title {
    start: usize,
    len: usize,
}

impl Title {
    /// Takes the memory of arguments and environment for titles; `None` where it cannot be found.
    /// From then on the program's own view of its arguments is gone.
    ///
    /// Must be called while the process has one thread, and at most once.
    #[must_use]
    pub fn claim() -> Option<Self> {
        let stat = fs::read_to_string("/proc/self/stat").ok()?;
        let title = find(&stat)?;
        // The C library looks for variables where it is told to; it copies what is set anew.
        for (name, value) in std::env::vars_os() {
            #[expect(unsafe_code, reason = "other threads could be reading the environment")]
            // SAFETY: there is one thread, as the caller promises.
            unsafe {
                std::env::set_var(name, value);
            }
        }
        Some(title)
    }

    /// Sets the title. What does not fit is cut off.
    pub fn set(&self, text: &str) {
        let room = self.len - 1;
        let text = &text.as_bytes()[..text.len().min(room)];
        #[expect(unsafe_code, reason = "the kernel put it there, and Rust does not know of it")]
        // SAFETY: the kernel mapped these bytes for the arguments and the environment, writable
        // and for as long as the process lives. Nothing else uses them: the environment was
        // copied, and the standard library reads arguments only when it is asked to.
        unsafe {
            let start = std::ptr::with_exposed_provenance_mut::<u8>(self.start);
            std::ptr::write_bytes(start, 0, self.len);
            std::ptr::copy_nonoverlapping(text.as_ptr(), start, text.len());
        }
    }
}

/// Sets the short name of this thread, up to 15 bytes of it.
pub fn set_name(name: &str) {
    if let Ok(name) = CString::new(name) {
        let _ = prctl::set_name(&name);
    }
}

/// Where arguments and environment stand, by the text of a `stat` file.
fn find(stat: &str) -> Option<Title> {
    let (_, fields) = stat.rsplit_once(NAME_END)?;
    let mut fields = fields.split_whitespace().skip(ARG_START).map(str::parse::<usize>);
    let mut next = || fields.next()?.ok().filter(|&address| address != 0);
    let (arg_start, arg_end, env_start, env_end) = (next()?, next()?, next()?, next()?);
    // The kernel follows a title into the environment where that is next to it.
    let end = if env_start == arg_end { env_end } else { arg_end };
    let len = end.checked_sub(arg_start).filter(|&len| len > 1)?;
    Some(Title { start: arg_start, len })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stat(name: &str, places: [usize; 4]) -> String {
        let numbers = vec!["0"; ARG_START - 1].join(" ");
        let [a, b, c, d] = places;
        format!("1 ({name}) S {numbers} {a} {b} {c} {d} 0\n")
    }

    #[test]
    fn the_place_is_found_behind_any_name() {
        for name in ["autoipd", "a) S 1 2", ""] {
            let title = find(&stat(name, [100, 120, 120, 200])).unwrap();
            assert_eq!((title.start, title.len), (100, 100), "{name}");
        }
    }

    #[test]
    fn an_environment_elsewhere_is_left_alone() {
        let title = find(&stat("autoipd", [100, 120, 130, 200])).unwrap();
        assert_eq!((title.start, title.len), (100, 20));
    }

    #[test]
    fn without_places_there_is_no_title() {
        assert!(find(&stat("autoipd", [0, 0, 0, 0])).is_none());
        assert!(find(&stat("autoipd", [100, 90, 90, 80])).is_none());
        assert!(find("nonsense").is_none());
        assert!(find(&fs::read_to_string("/proc/self/stat").unwrap()).is_some());
    }
}
