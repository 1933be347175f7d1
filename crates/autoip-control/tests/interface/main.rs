//! The interface description against the types of this crate: what one says the other says too.
//!
//! `language` reads Varlink's language, `source` feeds a type of ours with what the description
//! says that it should hold, and complains of every member that only one of the two has.
#![expect(clippy::unwrap_used, reason = "tests panic to fail")]

mod language;
mod source;

use std::collections::BTreeSet;
use std::fmt::Debug;

use autoip_control::service::{self, GetInfo, GetInterfaceDescription};
use autoip_control::{
    AddInterface, Call, Claim, Method, Metrics, Monitor, Probe, Reannounce, Refusal, Release,
    Reload, RemoveInterface, Reply, Request, Status, Watch,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, to_value};

use language::{Interface, Kind, parse};
use source::{Choice, Source};

/// How many choices among variants are tried; no enumeration has more.
const VARIANTS_MAX: usize = 12;

/// Holds the type `T` to the members `kind`, with and without what is optional, and returns all
/// the values that were made on the way.
#[track_caller]
fn agree<T: DeserializeOwned + Serialize>(interface: &Interface, kind: &Kind) -> Vec<T> {
    let mut values = Vec::new();
    for optional in [true, false] {
        for variant in 0..VARIANTS_MAX {
            let choice = Choice { optional, variant };
            let source = Source { interface, kind, choice };
            let value = T::deserialize(source).unwrap_or_else(|error| panic!("{kind:?}: {error}"));
            let json = to_value(&value).unwrap();
            interface.assert_holds(kind, &json);
            values.push(value);
        }
    }
    values
}

/// Holds a method to its description, by its parameters, its reply and its name.
#[track_caller]
fn method<M: Method + Debug + PartialEq>(interface: &Interface, seen: &mut BTreeSet<String>) {
    let (owner, name) = M::NAME.rsplit_once('.').unwrap();
    assert_eq!(owner, interface.name);
    let described = interface.methods.get(name).unwrap_or_else(|| panic!("no method {name}"));
    seen.insert(name.to_owned());
    for parameters in agree::<M>(interface, &described.parameters) {
        let Value::Object(object) = to_value(&parameters).unwrap() else { panic!("no structure") };
        let call = Call {
            method: M::NAME.to_owned(),
            parameters: Some(object),
            more: true,
            oneway: false,
            upgrade: false,
        };
        let bytes = call.to_bytes();
        let (end, message) = bytes.split_last().unwrap();
        assert_eq!(*end, 0);
        assert_eq!(Call::parse(message).unwrap(), call);
        let request = Request::parse(call).unwrap();
        assert!(format!("{request:?}").contains(&format!("{parameters:?}")), "{request:?}");
    }
    for reply in agree::<M::Reply>(interface, &described.reply) {
        let bytes = Reply::new(&reply).to_bytes();
        let read = Reply::parse(&bytes[..bytes.len() - 1]).unwrap();
        let read: M::Reply =
            serde_json::from_value(Value::Object(read.parameters.unwrap())).unwrap();
        assert_eq!(to_value(read).unwrap(), to_value(reply).unwrap());
    }
}

#[test]
fn every_method_is_as_described() {
    let interface = parse(autoip_control::DESCRIPTION);
    let mut seen = BTreeSet::new();
    assert_eq!(interface.name, autoip_control::INTERFACE);
    method::<AddInterface>(&interface, &mut seen);
    method::<RemoveInterface>(&interface, &mut seen);
    method::<Status>(&interface, &mut seen);
    method::<Monitor>(&interface, &mut seen);
    method::<Claim>(&interface, &mut seen);
    method::<Release>(&interface, &mut seen);
    method::<Reannounce>(&interface, &mut seen);
    method::<Probe>(&interface, &mut seen);
    method::<Watch>(&interface, &mut seen);
    method::<Metrics>(&interface, &mut seen);
    method::<Reload>(&interface, &mut seen);
    assert_eq!(seen, interface.methods.keys().cloned().collect());
}

#[test]
fn the_service_interface_is_as_described() {
    let interface = parse(service::DESCRIPTION);
    let mut seen = BTreeSet::new();
    assert_eq!(interface.name, service::INTERFACE);
    method::<GetInfo>(&interface, &mut seen);
    method::<GetInterfaceDescription>(&interface, &mut seen);
    assert_eq!(seen, interface.methods.keys().cloned().collect());
}

/// Every error of the description is known by its name and keeps its parameters on the way.
#[test]
fn every_error_is_as_described() {
    for description in [autoip_control::DESCRIPTION, service::DESCRIPTION] {
        let interface = parse(description);
        assert!(!interface.errors.is_empty());
        for (name, kind) in &interface.errors {
            let error = format!("{}.{name}", interface.name);
            for optional in [true, false] {
                let choice = Choice { optional, variant: 0 };
                let json = Source { interface: &interface, kind, choice }.to_json();
                let Value::Object(object) = json.clone() else { panic!("no structure") };
                let refusal = Refusal::from_error(&error, Some(object));
                assert!(!matches!(refusal, Refusal::Other { .. }), "{error} is not known");
                let reply = refusal.to_reply();
                assert_eq!(reply.error.as_deref(), Some(error.as_str()));
                let parameters = Value::Object(reply.parameters.unwrap_or_default());
                assert_eq!(parameters, json, "{error}");
                assert!(!refusal.to_string().is_empty());
            }
        }
    }
}

/// A type or an enumeration that nothing uses would be described for nobody.
#[test]
fn every_type_is_used() {
    let interface = parse(autoip_control::DESCRIPTION);
    let mut used = BTreeSet::new();
    for method in interface.methods.values() {
        interface.collect_types(&method.parameters, &mut used);
        interface.collect_types(&method.reply, &mut used);
    }
    for kind in interface.errors.values() {
        interface.collect_types(kind, &mut used);
    }
    assert_eq!(used, interface.types.keys().cloned().collect());
}

/// The test itself notices what it is there for.
#[test]
fn a_difference_is_noticed() {
    let described = "interface a.b\nmethod M() -> (interface: string, addr: ?string)";
    let interface = parse(described);
    let kind = &interface.methods["M"].reply;
    let source = |kind| Source { interface: &interface, kind, choice: Choice::default() };
    <Claim as serde::Deserialize>::deserialize(source(kind)).unwrap();
    let missing = <Release as serde::Deserialize>::deserialize(source(kind));
    assert!(missing.unwrap_err().to_string().contains("addr"));
    let extra = <AddInterface as serde::Deserialize>::deserialize(source(kind));
    assert!(extra.unwrap_err().to_string().contains("mode"));
    let holds = std::panic::catch_unwind(|| {
        parse(described).assert_holds(kind, &serde_json::json!({"interface": 3}));
    });
    assert!(holds.is_err());
}
