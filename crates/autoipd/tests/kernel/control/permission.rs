//! Who may do what: strangers read, root and the group netdev change.

use std::env;
use std::fs;
use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::thread;

use autoip_control::{
    Claim, Client, Error, Method, Metrics, Monitor, Probe, Reannounce, Refusal, Release, Reload,
    RemoveInterface, Status, Watch,
};
use autoip_lab::Switch;

use super::change;
use crate::controlled::{Controlled, PATIENCE, await_socket, eth};
use crate::station::{QUICK, Station, autoipd};

/// The environment variable that makes this program the client of another user, and names the
/// socket.
const STRANGER: &str = "AUTOIPD_TEST_STRANGER";
/// The user and group "nobody".
const NOBODY: u32 = 65_534;
/// The number of the group netdev in the tests.
const GROUP: u32 = 4711;

/// Whether a call got through; panics at what is neither yes nor no.
fn is_allowed<M: Method>(path: &Path, method: &M) -> bool {
    match Client::connect(path, PATIENCE).unwrap().call(method) {
        Err(Error::Refused(Refusal::PermissionDenied)) => false,
        Ok(_) | Err(Error::Refused(_)) => true,
        Err(error) => panic!("{}: {error}", M::NAME),
    }
}

/// Plays the client of another user where the program was started as such, and says what it was
/// allowed.
pub(crate) fn play_a_stranger() -> Option<ExitCode> {
    let path = env::var_os(STRANGER)?;
    let path = Path::new(&path);
    let interface = eth(0);
    let addr = [192, 168, 7, 7].into();
    let add = change::add(&interface);
    let claim = Claim { interface: interface.clone(), addr: None };
    let probe = Probe { interface: interface.clone(), addr, profile: None };
    let watch = Watch { interface: interface.clone(), addr, defend: None };
    let monitor = Client::connect(path, PATIENCE).unwrap().call_more(&Monitor::default());
    let allowed = [
        ("Status", is_allowed(path, &Status::default())),
        ("Metrics", is_allowed(path, &Metrics {})),
        ("Monitor", matches!(monitor.unwrap().next(), Some(Ok(_)))),
        ("AddInterface", is_allowed(path, &add)),
        ("Claim", is_allowed(path, &claim)),
        ("Reannounce", is_allowed(path, &Reannounce { interface: None })),
        ("Release", is_allowed(path, &Release { interface: interface.clone() })),
        ("Reload", is_allowed(path, &Reload {})),
        ("Watch", {
            let watching = Client::connect(path, PATIENCE).unwrap().call_more(&watch).unwrap();
            let first = watching.into_iter().next();
            !matches!(first, Some(Err(Error::Refused(Refusal::PermissionDenied))))
        }),
        ("Probe", is_allowed(path, &Probe { interface: "none".to_owned(), ..probe })),
        ("RemoveInterface", is_allowed(path, &RemoveInterface { interface })),
    ];
    let names: Vec<_> =
        allowed.iter().filter(|(_, allowed)| *allowed).map(|(name, _)| *name).collect();
    // One user alone does not get every place.
    let places: Vec<_> = (0..40)
        .filter_map(|_| {
            let mut client = Client::connect(path, PATIENCE).ok()?;
            client.call(&Status::default()).ok()?;
            Some(client)
        })
        .collect();
    let text = format!("may: {}\nplaces: {}\n", names.join(" "), places.len());
    io::stdout().write_all(text.as_bytes()).unwrap();
    Some(ExitCode::SUCCESS)
}

/// Starts this program as the client of another user.
fn stranger(controlled: &Controlled, gid: u32) -> Vec<String> {
    open_the_way(&controlled.path);
    let mut command = Command::new("/proc/self/exe");
    // The program may lie where the other user cannot look, so it is opened by number.
    command.env(STRANGER, &controlled.path).uid(NOBODY).gid(gid);
    let output = thread::scope(|scope| {
        scope.spawn(|| controlled.station.host.run(|| command.output())).join().unwrap()
    });
    let output = match output {
        Ok(output) => output,
        Err(error) => autoip_lab::skip(&format!("no program can run as another user: {error}")),
    };
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{err}");
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

/// The directory of a test is for its user alone.
fn open_the_way(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let dir = path.parent().unwrap();
    fs::set_permissions(dir, fs::Permissions::from_mode(0o755)).unwrap();
}

pub(crate) fn strangers_read_and_change_nothing() {
    let switch = Switch::new();
    let controlled = Controlled::new(&switch, QUICK);
    let lines = stranger(&controlled, NOBODY);
    assert_eq!(lines, ["may: Status Metrics Monitor", "places: 16"]);
    assert_eq!(controlled.status().interfaces.len(), 1, "nothing has changed");
}

pub(crate) fn members_of_the_group_change_things() {
    let switch = Switch::new();
    let station = Station::new(&switch);
    let path = station.memory.dir().join("control");
    fs::create_dir_all(station.memory.dir()).unwrap();
    let groups = station.memory.dir().join("group");
    fs::write(&groups, format!("root:x:0:\nnetdev:x:{GROUP}:\n")).unwrap();
    let options = format!("{QUICK} --control {}", path.display());
    let daemon = autoipd(&options, station.memory.dir());
    // The daemon sees the group file of the test in the place of the machine's.
    let script = "mount --bind \"$0\" /etc/group && exec \"$@\"";
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", script]).arg(&groups);
    command.arg(daemon.get_program()).args(daemon.get_args());
    if Command::new("unshare").args(["--mount", "true"]).output().is_ok_and(|o| o.status.success())
    {
        let daemon = station.host.spawn(command);
        await_socket(&path);
        let controlled = Controlled { station, daemon, path };
        let [may, places] = &stranger(&controlled, GROUP)[..] else { panic!("two lines") };
        assert_eq!(may.split(' ').count(), 12, "all methods: {may}");
        assert_eq!(places, "places: 40", "members are not counted as strangers");
    } else {
        autoip_lab::skip("no mount namespace can be had");
    }
}
