//! The client against a service that a test plays.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use autoip_control::service::GetInfo;
use autoip_control::{Call, Claim, Client, Error, Event, Metrics, Monitor, Refusal};

const LIMIT: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(50);

/// A path for a socket of one test.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let place = std::env::temp_dir().join(format!("autoip-{}-{name}", std::process::id()));
        Self(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Answers one connection by `answer`, which gets each call and the stream.
fn serve(
    place: &Place,
    answer: impl Fn(&Call, &mut UnixStream) + Send + 'static,
) -> JoinHandle<Vec<Call>> {
    let listener = UnixListener::bind(&place.0).unwrap();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let (mut calls, mut message) = (Vec::new(), Vec::new());
        let mut byte = [0];
        while stream.read(&mut byte).is_ok_and(|length| length == 1) {
            if byte == [0] {
                let call = Call::parse(&std::mem::take(&mut message)).unwrap();
                answer(&call, &mut stream);
                calls.push(call);
            } else {
                message.push(byte[0]);
            }
        }
        calls
    })
}

#[test]
fn a_call_waits_for_its_reply() {
    let place = Place::new("call");
    let service = serve(&place, |_, stream| {
        stream.write_all(br#"{"parameters":{"text":"autoip_"#).unwrap();
        stream.write_all(b"up 1\"}}\0").unwrap();
    });
    let mut client = Client::connect(&place.0, LIMIT).unwrap();
    assert_eq!(client.call(&Metrics {}).unwrap().text, "autoip_up 1");
    assert_eq!(client.call(&Metrics {}).unwrap().text, "autoip_up 1");
    drop(client);
    let calls = service.join().unwrap();
    assert_eq!(calls.len(), 2);
    assert_eq!(calls[0].method, "net.autoip.Manager.Metrics");
    assert!(!calls[0].more);
}

#[test]
fn replies_come_until_the_last_one() {
    let place = Place::new("more");
    let service = serve(&place, |_, stream| {
        let event = r#"{"interface_removed":{"time":1,"interface":"eth0"}}"#;
        let more = format!("{{\"parameters\":{event},\"continues\":true}}\0");
        let last = format!("{{\"parameters\":{event}}}\0");
        stream.write_all(format!("{more}{more}{last}").as_bytes()).unwrap();
    });
    let client = Client::connect(&place.0, LIMIT).unwrap();
    let events: Vec<_> = client.call_more(&Monitor { interface: None }).unwrap().collect();
    assert_eq!(events.len(), 3);
    assert!(events.iter().all(|event| matches!(event, Ok(Event::InterfaceRemoved(_)))));
    assert!(service.join().unwrap()[0].more);
}

#[test]
fn what_the_service_refuses_is_an_error_of_its_own() {
    let place = Place::new("refused");
    let _service = serve(&place, |_, stream| {
        let error = "net.autoip.Manager.NotManaged";
        let reply = format!(r#"{{"error":"{error}","parameters":{{"interface":"eth7"}}}}"#);
        stream.write_all(format!("{reply}\0").as_bytes()).unwrap();
    });
    let mut client = Client::connect(&place.0, LIMIT).unwrap();
    let error = client.call(&Claim { interface: "eth7".to_owned(), addr: None }).unwrap_err();
    let expected = Refusal::NotManaged { interface: "eth7".to_owned() };
    assert!(matches!(&error, Error::Refused(refusal) if *refusal == expected), "{error:?}");
    assert_eq!(error.to_string(), "eth7 is not managed; \"autoipctl status\" shows what is");
}

#[test]
fn a_service_that_says_nothing_is_given_up() {
    let place = Place::new("silent");
    let _service = serve(&place, |_, _| {});
    let mut client = Client::connect(&place.0, SHORT).unwrap();
    let error = client.call(&GetInfo {}).unwrap_err();
    assert!(matches!(error, Error::TimedOut(SHORT)), "{error:?}");
    let mut replies = client.call_more(&Monitor { interface: None }).unwrap();
    replies.set_limit(Some(SHORT));
    for _ in 0..2 {
        // It may still come: a limit that is over ends nothing.
        assert!(matches!(replies.next(), Some(Err(Error::TimedOut(SHORT)))));
    }
}

#[test]
fn a_service_that_talks_rubbish_is_named_so() {
    for (name, rubbish) in [
        ("rubbish", b"HTTP/1.1 400 Bad Request\0".as_slice()),
        ("other", b"{\"parameters\":{\"text\":7}}\0"),
        ("list", b"{\"parameters\":[]}\0"),
    ] {
        let place = Place::new(name);
        let _service = serve(&place, move |_, stream| stream.write_all(rubbish).unwrap());
        let mut client = Client::connect(&place.0, LIMIT).unwrap();
        let error = client.call(&Metrics {}).unwrap_err();
        assert!(matches!(error, Error::Garbled(_)), "{name}: {error:?}");
    }
}

#[test]
fn an_endless_reply_is_not_taken_in() {
    let place = Place::new("endless");
    let _service = serve(&place, |_, stream| while stream.write_all(&[b'a'; 1 << 16]).is_ok() {});
    let mut client = Client::connect(&place.0, LIMIT).unwrap();
    let error = client.call(&Metrics {}).unwrap_err();
    assert!(matches!(error, Error::Garbled(_)), "{error:?}");
}

#[test]
fn where_nobody_listens_the_path_is_named() {
    let place = Place::new("nobody");
    let error = Client::connect(&place.0, LIMIT).unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");
    assert!(error.to_string().contains(place.0.to_str().unwrap()), "{error}");
    let listener = UnixListener::bind(&place.0).unwrap();
    let closer = thread::spawn(move || drop(listener.accept().unwrap()));
    let mut client = Client::connect(&place.0, LIMIT).unwrap();
    closer.join().unwrap();
    assert!(matches!(client.call(&GetInfo {}).unwrap_err(), Error::Closed));
}
