//! The life of the runner: one job after the other until the daemon has gone.

use std::fs;
use std::path::PathBuf;

use autoip_linux::{Channel, ChildEnds, Facts, Message};
use tracing::error;

use super::directory::Directory;
use super::job::{Job, MESSAGE_MAX};
use super::program::{Ended, Program};
use super::{Plan, Programs};

/// The search path of programs that do not inherit one.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The runner from its beginning to its end: the exit status.
pub(super) fn life(plan: &Plan, channel: &Channel) -> i32 {
    if let Some((title, text)) = &plan.title {
        title.set(text);
    }
    let status = serve(plan, channel);
    if let Some(path) = &plan.goes_with_us {
        // Somebody may have removed it already.
        let _ = fs::remove_file(path);
    }
    status
}

/// Serves the daemon at the other end of `channel`.
fn serve(plan: &Plan, channel: &Channel) -> i32 {
    let ends = match ChildEnds::collect() {
        Ok(ends) => ends,
        Err(error) => {
            error!("{error}");
            return 1;
        }
    };
    let mut shelf = Shelf::new(&plan.programs);
    let mut buffer = vec![0; MESSAGE_MAX];
    loop {
        let message = match channel.receive(&mut buffer) {
            Ok(Message::Bytes(len)) => &buffer[..len],
            Ok(Message::Nothing) => continue,
            Ok(Message::End) | Err(_) => return 0,
        };
        let mut status = 0;
        if let Some(mut job) = Job::decode(message) {
            if !plan.inherit {
                add_environment(&mut job);
            }
            for path in shelf.programs() {
                let program = Program { path: &path, job: &job, plan };
                match program.run(channel, &ends) {
                    Ended::Itself(0) => {}
                    Ended::Itself(failure) => status = failure,
                    Ended::WithDaemon => return 0,
                }
            }
        }
        if !matches!(channel.send(&status.to_ne_bytes()), Ok(true)) {
            return 0;
        }
    }
}

/// Where programs are found.
enum Shelf {
    Directory(Directory),
    Script(PathBuf),
}

impl Shelf {
    fn new(programs: &Programs) -> Self {
        match programs {
            Programs::Directory(path) => Self::Directory(Directory::new(path.clone())),
            Programs::Script(path) => Self::Script(path.clone()),
        }
    }

    fn programs(&mut self) -> Vec<PathBuf> {
        match self {
            Self::Directory(directory) => directory.programs(),
            Self::Script(path) => vec![path.clone()],
        }
    }
}

/// What scripts find beside what the daemon says: the path, and what dhcpcd tells its own about
/// the interface.
fn add_environment(job: &mut Job) {
    job.set("PATH", PATH);
    let Some(facts) = Facts::of(&job.interface) else {
        return job.set("ifcarrier", "unknown");
    };
    job.set("ifcarrier", if facts.carrier() { "up" } else { "down" });
    job.set("ifflags", facts.flags);
    job.set("ifmtu", facts.mtu);
    job.set("ifwireless", u8::from(facts.wireless));
}
