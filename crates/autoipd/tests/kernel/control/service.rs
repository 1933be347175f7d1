//! The service as any Varlink client sees it, and its socket as a file.

use std::env;
use std::fs;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::Command;

use autoip_control::service::{GetInfo, GetInterfaceDescription};
use autoip_control::{DESCRIPTION, Refusal};
use autoip_lab::{Signal, Switch};

use crate::controlled::{Controlled, PATIENCE, await_socket};
use crate::station::{QUICK, SOON, X};

pub(crate) fn it_describes_itself() {
    let switch = Switch::new();
    let controlled = Controlled::new(&switch, QUICK);
    let info = controlled.call(&GetInfo {}).unwrap();
    assert_eq!(
        (info.product.as_str(), info.version.as_str()),
        ("autoipd", env!("CARGO_PKG_VERSION"))
    );
    assert_eq!(info.interfaces, ["org.varlink.service", "net.autoip.Manager"]);
    for interface in info.interfaces {
        let asked = GetInterfaceDescription { interface: interface.clone() };
        let text = controlled.call(&asked).unwrap().description;
        assert!(text.contains(&format!("interface {interface}\n")), "{text}");
        assert_eq!(text == DESCRIPTION, interface == "net.autoip.Manager");
    }
    let interface = "net.autoip.Other".to_owned();
    let refusal = controlled.refusal(&GetInterfaceDescription { interface: interface.clone() });
    assert_eq!(refusal, Refusal::InterfaceNotFound { interface });
}

/// What the PyPI package `varlink` makes of it: it reads the description by itself and converts
/// calls and replies by it.
const SCRIPT: &str = r#"
import sys, varlink
address = "unix:" + sys.argv[1]
with varlink.Client.new_with_address(address) as client:
    info = client.get_interfaces()
    assert "net.autoip.Manager" in info, info
    with client.open("net.autoip.Manager") as manager:
        status = manager.Status()
        [eth0] = status["interfaces"]
        assert eth0["interface"] == "eth0" and eth0["state_number"] in range(5), eth0
        assert eth0["timing"]["is_rfc3927"] is False, eth0
        replies = list(manager.Status("eth0", _more=True))
        assert len(replies) == 1, replies
        events = manager.Monitor(_more=True)
        first = next(events)
        assert first["state_changed"]["interface"] == "eth0", first
    with client.open("net.autoip.Manager") as manager:
        text = manager.Metrics()["text"]
        assert "autoip_interfaces 1" in text, text
        for call in [lambda: manager.Claim("eth9"), lambda: manager.AddInterface("eth0")]:
            try:
                call()
            except varlink.VarlinkError as error:
                name = error.error()
                assert name.startswith("net.autoip.Manager."), name
            else:
                raise AssertionError("not refused")
        manager.Reannounce("eth0")
        manager.Release("eth0")
        probe = manager.Probe("eth0", "192.168.7.7", "fast")
        assert probe["free"] is True, probe
print("understood")
"#;

pub(crate) fn an_independent_client_understands_it() {
    // A virtual environment can be named where the system has no such package.
    let python = env::var_os("PYTHON").unwrap_or("python3".into());
    let found = Command::new(&python).args(["-c", "import varlink"]).output();
    if !found.is_ok_and(|output| output.status.success()) {
        autoip_lab::skip("no python3 (or what PYTHON names) with the package varlink is there");
    }
    let switch = Switch::new();
    let mut controlled = Controlled::new(&switch, QUICK);
    controlled.station.expect_announcement(X);
    let mut command = Command::new(python);
    command.args(["-c", SCRIPT]).arg(&controlled.path);
    let client = controlled.station.host.spawn(command);
    let status = client.wait(PATIENCE);
    assert!(status.success() && client.log_contains("understood"), "{:#?}", client.log());
}

pub(crate) fn the_socket_comes_and_goes_with_the_daemon() {
    let switch = Switch::new();
    let controlled = Controlled::new(&switch, QUICK);
    let mode = fs::metadata(&controlled.path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o666, "everybody may connect");
    // Another daemon leaves it alone and runs without one.
    let options = format!("-i eth9 --control {}", controlled.path.display());
    let second = controlled.station.start(&options);
    second.wait_log(SOON * 5, |line| line.contains("another daemon listens at"));
    second.wait_log(SOON * 5, |line| line.contains("waiting for it"));
    second.signal(Signal::SIGTERM);
    assert!(second.wait(SOON * 5).success());
    controlled.call(&GetInfo {}).unwrap();
    controlled.daemon.signal(Signal::SIGTERM);
    assert!(controlled.daemon.wait(SOON * 5).success());
    assert!(!controlled.path.exists(), "the file is gone");
    // What a killed one left is replaced.
    drop(UnixListener::bind(&controlled.path).unwrap());
    let options = format!("-i eth0 --control {}", controlled.path.display());
    let third = controlled.station.start(&options);
    await_socket(&controlled.path);
    third.signal(Signal::SIGKILL);
    third.wait(SOON * 5);
    let _fourth = controlled.station.start(&options);
    await_socket(&controlled.path);
}

/// As in `printf ... | nc -U`: the client says that it has no more to say, and waits.
pub(crate) fn half_closed_connections_get_their_answer() {
    let switch = Switch::new();
    let controlled = Controlled::new(&switch, QUICK);
    let mut stream = UnixStream::connect(&controlled.path).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let call = "{\"method\":\"org.varlink.service.GetInfo\"}\0";
    // Several at once, one of them without a wish for an answer.
    let quiet = "{\"method\":\"net.autoip.Manager.Reannounce\",\"oneway\":true}\0";
    let parameters = r#"{"interface":"eth0","addr":"192.168.7.7","profile":"fast"}"#;
    let method = "net.autoip.Manager.Probe";
    let slow = format!("{{\"method\":\"{method}\",\"parameters\":{parameters}}}\0");
    stream.write_all(format!("{call}{quiet}{call}{slow}").as_bytes()).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let mut replies: Vec<_> = text.split_terminator('\0').collect();
    assert_eq!(replies.pop(), Some("{\"parameters\":{\"free\":true}}"), "{text}");
    assert_eq!(replies.len(), 2, "{text}");
    assert!(replies.iter().all(|reply| reply.contains("\"product\":\"autoipd\"")), "{text}");
}
