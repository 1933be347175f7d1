//! A call, checked: which method, with which parameters, and what its caller must be allowed.
//!
//! Used by servers. What is wrong with a call comes out as the [`Refusal`] that it gets.

use serde_json::{Map, Value};

use crate::message::Call;
use crate::method::{
    AddInterface, Claim, Method, Metrics, Monitor, Probe, Reannounce, Release, Reload,
    RemoveInterface, Status, Watch,
};
use crate::refusal::Refusal;
use crate::service::{self, GetInfo, GetInterfaceDescription};

/// Any call that a daemon answers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the method of its name")]
pub enum Request {
    GetInfo(GetInfo),
    GetInterfaceDescription(GetInterfaceDescription),
    AddInterface(AddInterface),
    RemoveInterface(RemoveInterface),
    Status(Status),
    Monitor(Monitor),
    Claim(Claim),
    Release(Release),
    Reannounce(Reannounce),
    Probe(Probe),
    Watch(Watch),
    Metrics(Metrics),
    Reload(Reload),
}

impl Request {
    /// Reads the parameters of a call.
    ///
    /// # Errors
    ///
    /// The refusal that Varlink has for a method that does not exist, for a parameter that is
    /// missing, unknown or has a wrong value, for a stream that was called without "more", and for
    /// an "upgrade", which is never done.
    pub fn parse(call: Call) -> Result<Self, Refusal> {
        let Call { method, parameters, more, oneway: _, upgrade } = call;
        if upgrade {
            return Err(Refusal::MethodNotImplemented { method });
        }
        let parameters = parameters.unwrap_or_default();
        let request = match method.as_str() {
            GetInfo::NAME => read(parameters).map(Self::GetInfo),
            GetInterfaceDescription::NAME => read(parameters).map(Self::GetInterfaceDescription),
            AddInterface::NAME => read(parameters).map(Self::AddInterface),
            RemoveInterface::NAME => read(parameters).map(Self::RemoveInterface),
            Status::NAME => read(parameters).map(Self::Status),
            Monitor::NAME => read(parameters).map(Self::Monitor),
            Claim::NAME => read(parameters).map(Self::Claim),
            Release::NAME => read(parameters).map(Self::Release),
            Reannounce::NAME => read(parameters).map(Self::Reannounce),
            Probe::NAME => read(parameters).map(Self::Probe),
            Watch::NAME => read(parameters).map(Self::Watch),
            Metrics::NAME => read(parameters).map(Self::Metrics),
            Reload::NAME => read(parameters).map(Self::Reload),
            _ => Err(unknown(method)),
        }?;
        if matches!(request, Self::Monitor(_) | Self::Watch(_)) && !more {
            return Err(Refusal::ExpectedMore);
        }
        Ok(request)
    }

    /// Whether the call changes something, or has something sent on a link.
    #[must_use]
    pub fn changes(&self) -> bool {
        match self {
            Self::GetInfo(_)
            | Self::GetInterfaceDescription(_)
            | Self::Status(_)
            | Self::Monitor(_)
            | Self::Metrics(_) => false,
            Self::AddInterface(_)
            | Self::RemoveInterface(_)
            | Self::Claim(_)
            | Self::Release(_)
            | Self::Reannounce(_)
            | Self::Probe(_)
            | Self::Watch(_)
            | Self::Reload(_) => true,
        }
    }
}

fn unknown(method: String) -> Refusal {
    let interface = method.rsplit_once('.').map_or("", |(interface, _)| interface);
    if [crate::INTERFACE, service::INTERFACE].contains(&interface) {
        Refusal::MethodNotFound { method }
    } else {
        Refusal::InterfaceNotFound { interface: interface.to_owned() }
    }
}

fn read<M: Method>(parameters: Map<String, Value>) -> Result<M, Refusal> {
    serde_json::from_value(Value::Object(parameters.clone())).map_err(|error| {
        let parameter = culprit::<M>(&parameters, &error.to_string());
        Refusal::InvalidParameter { parameter }
    })
}

/// The parameter that `complaint` is about: one without which it would be another complaint, or
/// none; else one that is missing, whose name the complaint quotes.
fn culprit<M: Method>(parameters: &Map<String, Value>, complaint: &str) -> String {
    let missing = |name: &str| format!("missing field `{name}`");
    let lacks = complaint.starts_with("missing field");
    let is_at_fault = |name: &&String| {
        let mut others = parameters.clone();
        others.remove(name.as_str());
        let Err(error) = serde_json::from_value::<M>(Value::Object(others)) else { return true };
        let error = error.to_string();
        // Where one is missing, it is no wonder that another one is missed as well.
        error != complaint && !(lacks && error == missing(name))
    };
    let found = parameters.keys().find(is_at_fault).map(String::as_str);
    found.or_else(|| complaint.split('`').nth(1)).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(method: &str, parameters: &str) -> Result<Request, Refusal> {
        let text = format!(r#"{{"method":"{method}","parameters":{parameters}}}"#);
        Request::parse(Call::parse(text.as_bytes()).unwrap())
    }

    #[test]
    fn reads_parameters_by_their_names() {
        let request =
            parse("net.autoip.Manager.Probe", r#"{"addr":"10.0.0.7","interface":"eth0"}"#);
        let probe =
            Probe { interface: "eth0".to_owned(), addr: [10, 0, 0, 7].into(), profile: None };
        assert_eq!(request, Ok(Request::Probe(probe)));
        let bare = Call::parse(br#"{"method":"net.autoip.Manager.Status"}"#).unwrap();
        assert_eq!(Request::parse(bare), Ok(Request::Status(Status::default())));
        let null = parse("net.autoip.Manager.Status", r#"{"interface":null}"#);
        assert_eq!(null, Ok(Request::Status(Status::default())));
    }

    #[test]
    fn names_the_parameter_that_is_wrong() {
        for (method, parameters, wrong) in [
            ("Claim", r"{}", "interface"),
            ("Claim", r#"{"interface":3}"#, "interface"),
            ("Claim", r#"{"interface":"a","addr":"10.0.0.300"}"#, "addr"),
            ("Claim", r#"{"interface":"a","addr":[]}"#, "addr"),
            ("Claim", r#"{"interface":"a","address":"169.254.7.7"}"#, "address"),
            ("Claim", r#"{"addr":"169.254.7.7"}"#, "interface"),
            ("AddInterface", r#"{"interface":"a","mode":"sometimes"}"#, "mode"),
            ("Metrics", r#"{"interface":"a"}"#, "interface"),
            ("Probe", r#"{"interface":"a","addr":"10.0.0.1","profile":"slow"}"#, "profile"),
            ("Probe", r#"{"interface":"a"}"#, "addr"),
            ("Probe", r#"{"addr":"10.0.0.1"}"#, "interface"),
            ("Probe", "{}", "interface"),
            ("AddInterface", r#"{"interface":"a","range":{"first":"169.254.1.1"}}"#, "range"),
        ] {
            let refusal = parse(&format!("net.autoip.Manager.{method}"), parameters).unwrap_err();
            let expected = Refusal::InvalidParameter { parameter: wrong.to_owned() };
            assert_eq!(refusal, expected, "{method} {parameters}");
        }
    }

    #[test]
    fn names_what_does_not_exist() {
        for method in ["net.autoip.Manager.Reboot", "org.varlink.service.Reboot"] {
            let expected = Refusal::MethodNotFound { method: method.to_owned() };
            assert_eq!(parse(method, "{}"), Err(expected));
        }
        for (method, interface) in [("net.autoip.Other.Status", "net.autoip.Other"), ("Status", "")]
        {
            let expected = Refusal::InterfaceNotFound { interface: interface.to_owned() };
            assert_eq!(parse(method, "{}"), Err(expected));
        }
    }

    #[test]
    fn nothing_becomes_another_protocol() {
        let method = "net.autoip.Manager.Status";
        let call =
            Call::parse(br#"{"method":"net.autoip.Manager.Status","upgrade":true}"#).unwrap();
        let expected = Refusal::MethodNotImplemented { method: method.to_owned() };
        assert_eq!(Request::parse(call), Err(expected));
    }

    #[test]
    fn streams_must_be_asked_for() {
        let refusal = parse("net.autoip.Manager.Monitor", "{}").unwrap_err();
        assert_eq!(refusal, Refusal::ExpectedMore);
        let more = Call::parse(br#"{"method":"net.autoip.Manager.Monitor","more":true}"#).unwrap();
        assert!(Request::parse(more).is_ok());
    }

    proptest! {
        /// Whatever a client sends is a request or a refusal.
        #[test]
        fn nothing_makes_it_panic(
            method in "(net.autoip.Manager.(Claim|Probe|Status|Watch)|[a-z.]{0,20})",
            names in proptest::collection::vec("(interface|addr|mode|x)", 0..4),
            value in r#"("[ !#-~&&[^\\]]{0,20}"|[0-9]{1,30}|null|\[\])"#,
            rubbish in proptest::collection::vec(any::<u8>(), 0..60),
        ) {
            let members: Vec<_> = names.iter().map(|name| format!(r#""{name}":{value}"#)).collect();
            let parameters = members.join(",");
            let text = format!(r#"{{"method":"{method}","parameters":{{{parameters}}}}}"#);
            for message in [text.as_bytes(), &rubbish] {
                let Ok(call) = Call::parse(message) else { continue };
                if let Err(refusal) = Request::parse(call) {
                    prop_assert!(refusal.to_reply().error.is_some());
                }
            }
        }
    }
}
