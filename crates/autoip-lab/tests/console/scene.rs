//! The hosts of a page, and what happens on them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use autoip_lab::{Host, Process, Switch};
use nix::sys::signal::{Signal, killpg};

use crate::page::{Block, Page, Step};
use crate::stand_in;
use crate::transcript::{Values, Verdict};

/// For whatever a page waits for; the longest is the demo.
const LIMIT: Duration = Duration::from_secs(120);

/// Where a host's programs are, and where its commands are run.
const DESK: &str = "/run/desk";

/// Gives a program the host's files in place of the machine's, which it cannot change then.
const ENTER: &str = "\
set -e
cd \"$0\"
for part in etc run var; do mount --no-canonicalize --bind $part /$part; done
cd /run/desk
exec sh -c \"$1\"";

/// What a program may need of the machine's configuration.
const COPIED: [&str; 6] =
    ["passwd", "group", "nsswitch.conf", "ld.so.cache", "ld.so.conf", "protocols"];

/// A host with files of its own.
struct Guest {
    host: Host,
    files: PathBuf,
}

/// Everything that a page has set up.
pub(crate) struct Scene {
    guests: BTreeMap<String, Guest>,
    first: String,
    values: Values,
    /// Programs that go on.
    running: Vec<Process>,
    /// Programs whose output is still to come.
    awaited: Vec<(Process, String, Step)>,
    files: PathBuf,
    _switches: Vec<Switch>,
}

impl Scene {
    pub(crate) fn new(page: &Page) -> Self {
        let name = page.path.display().to_string().replace('/', "-");
        let files = Path::new(env!("CARGO_TARGET_TMPDIR")).join("console").join(name);
        let _ = fs::remove_dir_all(&files);
        let mut scene = Self {
            guests: BTreeMap::new(),
            first: "host".to_owned(),
            values: Values::default(),
            running: Vec::new(),
            awaited: Vec::new(),
            files,
            _switches: Vec::new(),
        };
        if let Some(plug) = page.links.first().and_then(|link| link.first()) {
            scene.first.clone_from(&plug.host);
        }
        for link in &page.links {
            let switch = Switch::new();
            for plug in link {
                let host = &scene.guest(&plug.host).host;
                let cable = match &plug.mac {
                    Some(mac) => {
                        let mac = mac.parse().expect("a MAC address");
                        host.connect_with_mac(&switch, &plug.interface, mac)
                    }
                    None => host.connect(&switch, &plug.interface),
                };
                drop(cable);
            }
            scene._switches.push(switch);
        }
        scene
    }

    fn guest(&mut self, name: &str) -> &Guest {
        self.guests.entry(name.to_owned()).or_insert_with(|| {
            let files = self.files.join(name);
            for directory in ["etc/autoip/hooks.d", "run/desk", "var/lib", "var/tmp"] {
                fs::create_dir_all(files.join(directory)).unwrap();
            }
            for file in COPIED {
                // Not every machine has all of them.
                let _ = fs::copy(Path::new("/etc").join(file), files.join("etc").join(file));
            }
            stand_in::install(&files.join("run/desk"));
            Guest { host: Host::new(name), files }
        })
    }

    /// Runs a block to its end, or until what goes on has written what it should.
    pub(crate) fn play(&mut self, block: &Block) {
        let name = block.host.clone().unwrap_or_else(|| self.first.clone());
        if let Some(path) = &block.file {
            let path = self.guest(&name).files.join(path.trim_start_matches('/'));
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, block.lines.join("\n") + "\n").unwrap();
            return;
        }
        let steps = block.steps();
        let last = steps.len() - 1;
        for (at, step) in steps.into_iter().enumerate() {
            let command = self.values.fill_in(&step.command);
            if block.soon {
                self.repeat(&name, &command, &step);
            }
            let process = self.start(&name, &command);
            if at == last && block.meanwhile {
                let first = step.output.iter().take(1).cloned().collect();
                let begun = Step { output: first, command, interrupt: None };
                self.await_output(block, &begun, &process, false);
                self.awaited.push((process, block.place.clone(), step));
            } else if at == last && block.goes_on {
                self.await_output(block, &step, &process, false);
                self.running.push(process);
            } else {
                self.finish(block, &step, &process, if at == last { block.exit } else { 0 });
            }
        }
    }

    /// Runs a command until its output is that of the page, or for as long as is reasonable.
    fn repeat(&mut self, host: &str, command: &str, step: &Step) {
        let deadline = Instant::now() + LIMIT;
        while Instant::now() < deadline {
            let process = self.start(host, command);
            process.wait(LIMIT);
            let log = process.log();
            let lines = log.iter().map(|line| &*line.text);
            if let Verdict::Whole(_, 0) = self.values.compare(&step.output, lines, false) {
                return;
            }
            // What changes in between is another program's business, and cannot be waited for.
            thread::sleep(Duration::from_millis(200));
        }
    }

    fn start(&mut self, host: &str, command: &str) -> Process {
        let guest = self.guest(host);
        let path = std::env::var("PATH").unwrap_or_default();
        let mut enter = Command::new("unshare");
        enter.args(["--mount", "sh", "-c", ENTER]).arg(&guest.files).arg(command);
        enter.env("PATH", format!("{DESK}/bin:{path}:/usr/sbin:/sbin")).env("LC_ALL", "C");
        guest.host.spawn(enter)
    }

    /// Waits until a command has ended, interrupts it where the page does, and looks at all that
    /// it wrote.
    fn finish(&mut self, block: &Block, step: &Step, process: &Process, exit: i32) {
        if let Some(at) = step.interrupt {
            let before = Step {
                command: step.command.clone(),
                output: step.output[..at].to_vec(),
                interrupt: None,
            };
            self.await_output(block, &before, process, false);
            // As a terminal does: to all processes of the command.
            let _ = killpg(process.pid(), Signal::SIGINT);
        }
        self.await_output(block, step, process, true);
        let status = process.wait(LIMIT);
        let Block { place, .. } = block;
        // Whoever is interrupted may end as he likes.
        assert!(
            status.code() == Some(exit) || step.interrupt.is_some(),
            "{place}: `{}` ended with {status}, not with {exit}",
            step.command
        );
    }

    /// Waits until a command has written what it should; and nothing else by its end, if that is
    /// waited for.
    fn await_output(&mut self, block: &Block, step: &Step, process: &Process, to_end: bool) {
        let (place, command) = (&block.place, &step.command);
        let values = process.wait_for(LIMIT, |lines, ended| {
            let lines = lines.iter().map(|line| &*line.text).filter(|line| !line.trim().is_empty());
            match self.values.compare(&step.output, lines, block.exact) {
                Verdict::Whole(_, more) if more > 0 && to_end && ended => {
                    panic!("{place}: `{command}` wrote {more} lines that are not on the page")
                }
                Verdict::Whole(values, _) if ended || !to_end => Some(values),
                Verdict::Whole(..) => None,
                Verdict::Lacking(line) if ended => {
                    panic!("{place}: `{command}` has ended without writing\n  {line}")
                }
                Verdict::Lacking(_) => None,
                Verdict::Wrong(line, actual) => {
                    panic!("{place}: `{command}` should write\n  {line}\nand wrote\n  {actual}")
                }
            }
        });
        let Some(values) = values else {
            panic!("{place}: `{command}` has not written what it should within {LIMIT:?}");
        };
        self.values = values;
    }

    /// Looks at what was to go on until the end of the page.
    pub(crate) fn end(mut self) {
        for (process, place, step) in std::mem::take(&mut self.awaited) {
            let block = Block { place, ..Block::default() };
            self.await_output(&block, &step, &process, false);
        }
        let _ = fs::remove_dir_all(&self.files);
    }
}
