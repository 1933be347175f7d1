//! The life of the runner: one job after the other until the daemon has gone.

use autoip_linux::{Channel, ChildEnds, Facts, Message};
use tracing::error;

use super::Plan;
use super::directory::Directory;
use super::job::{Job, MESSAGE_MAX};
use super::program::{Ended, Program};

/// The search path of programs that do not inherit one.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Serves the daemon at the other end of `channel`; the exit status.
pub(super) fn serve(plan: &Plan, channel: &Channel) -> i32 {
    let ends = match ChildEnds::collect() {
        Ok(ends) => ends,
        Err(error) => {
            error!("{error}");
            return 1;
        }
    };
    let mut directory = Directory::new(plan.directory.clone());
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
            for path in directory.programs() {
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
