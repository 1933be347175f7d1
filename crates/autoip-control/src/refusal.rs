//! Why a call is refused: the errors of `net.autoip.Manager` and those of `org.varlink.service`.

use std::fmt;
use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::message::{Reply, to_object};

/// Why a call is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The host has no such interface.
    NoSuchInterface {
        /// Its name.
        interface: String,
    },
    /// The interface is not managed by this daemon.
    NotManaged {
        /// Its name.
        interface: String,
    },
    /// The interface is managed already.
    AlreadyManaged {
        /// Its name.
        interface: String,
    },
    /// The interface cannot be managed or used.
    Unsuitable {
        /// Its name.
        interface: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The address is not on the interface, or there is none.
    NoAddress {
        /// The interface.
        interface: String,
        /// The address.
        addr: Option<Ipv4Addr>,
    },
    /// It cannot be done at present.
    Refused {
        /// Why.
        reason: String,
    },
    /// More at a time than the daemon allows.
    TooMany {
        /// What.
        reason: String,
    },
    /// The configuration has an error.
    BadConfiguration {
        /// Which.
        reason: String,
    },
    /// The service has no such interface.
    InterfaceNotFound {
        /// Its name.
        interface: String,
    },
    /// The interface has no such method.
    MethodNotFound {
        /// Its name.
        method: String,
    },
    /// The service does not have this method of the interface.
    MethodNotImplemented {
        /// Its name.
        method: String,
    },
    /// A parameter is missing, unknown, or has a value that is not allowed.
    InvalidParameter {
        /// Its name.
        parameter: String,
    },
    /// The caller may not call the method.
    PermissionDenied,
    /// The method has to be called with "more".
    ExpectedMore,
    /// An error that this version does not know.
    Other {
        /// The name of its interface, a dot, and its name.
        error: String,
    },
}

/// The parameters of all errors together.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Details {
    #[serde(skip_serializing_if = "Option::is_none")]
    interface: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    addr: Option<Ipv4Addr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameter: Option<String>,
}

const MANAGER: &str = "net.autoip.Manager.";
const SERVICE: &str = "org.varlink.service.";

impl Refusal {
    /// The name of the error, with that of its interface before it.
    #[must_use]
    pub fn name(&self) -> String {
        let (interface, name) = match self {
            Self::NoSuchInterface { .. } => (MANAGER, "NoSuchInterface"),
            Self::NotManaged { .. } => (MANAGER, "NotManaged"),
            Self::AlreadyManaged { .. } => (MANAGER, "AlreadyManaged"),
            Self::Unsuitable { .. } => (MANAGER, "Unsuitable"),
            Self::NoAddress { .. } => (MANAGER, "NoAddress"),
            Self::Refused { .. } => (MANAGER, "Refused"),
            Self::TooMany { .. } => (MANAGER, "TooMany"),
            Self::BadConfiguration { .. } => (MANAGER, "BadConfiguration"),
            Self::InterfaceNotFound { .. } => (SERVICE, "InterfaceNotFound"),
            Self::MethodNotFound { .. } => (SERVICE, "MethodNotFound"),
            Self::MethodNotImplemented { .. } => (SERVICE, "MethodNotImplemented"),
            Self::InvalidParameter { .. } => (SERVICE, "InvalidParameter"),
            Self::PermissionDenied => (SERVICE, "PermissionDenied"),
            Self::ExpectedMore => (SERVICE, "ExpectedMore"),
            Self::Other { error } => ("", error.as_str()),
        };
        format!("{interface}{name}")
    }

    /// The reply that says so.
    #[must_use]
    pub fn to_reply(&self) -> Reply {
        let parameters = to_object(&self.details());
        let parameters = (!parameters.is_empty()).then_some(parameters);
        Reply { error: Some(self.name()), parameters, continues: false }
    }

    fn details(&self) -> Details {
        let mut details = Details::default();
        match self.clone() {
            Self::NoSuchInterface { interface }
            | Self::NotManaged { interface }
            | Self::AlreadyManaged { interface }
            | Self::InterfaceNotFound { interface } => details.interface = Some(interface),
            Self::Unsuitable { interface, reason } => {
                (details.interface, details.reason) = (Some(interface), Some(reason));
            }
            Self::NoAddress { interface, addr } => {
                (details.interface, details.addr) = (Some(interface), addr);
            }
            Self::Refused { reason }
            | Self::TooMany { reason }
            | Self::BadConfiguration { reason } => details.reason = Some(reason),
            Self::MethodNotFound { method } | Self::MethodNotImplemented { method } => {
                details.method = Some(method);
            }
            Self::InvalidParameter { parameter } => details.parameter = Some(parameter),
            Self::PermissionDenied | Self::ExpectedMore | Self::Other { .. } => {}
        }
        details
    }

    /// Reads an error out of a reply. Parameters that are missing count as empty.
    #[must_use]
    pub fn from_error(error: &str, parameters: Option<Map<String, Value>>) -> Self {
        let parameters = Value::Object(parameters.unwrap_or_default());
        let details: Details = serde_json::from_value(parameters).unwrap_or_default();
        let interface = details.interface.unwrap_or_default();
        let reason = details.reason.unwrap_or_default();
        let method = details.method.unwrap_or_default();
        let addr = details.addr;
        match error.strip_prefix(MANAGER) {
            Some("NoSuchInterface") => return Self::NoSuchInterface { interface },
            Some("NotManaged") => return Self::NotManaged { interface },
            Some("AlreadyManaged") => return Self::AlreadyManaged { interface },
            Some("Unsuitable") => return Self::Unsuitable { interface, reason },
            Some("NoAddress") => return Self::NoAddress { interface, addr },
            Some("Refused") => return Self::Refused { reason },
            Some("TooMany") => return Self::TooMany { reason },
            Some("BadConfiguration") => return Self::BadConfiguration { reason },
            Some(_) | None => {}
        }
        match error.strip_prefix(SERVICE) {
            Some("InterfaceNotFound") => Self::InterfaceNotFound { interface },
            Some("MethodNotFound") => Self::MethodNotFound { method },
            Some("MethodNotImplemented") => Self::MethodNotImplemented { method },
            Some("InvalidParameter") => {
                Self::InvalidParameter { parameter: details.parameter.unwrap_or_default() }
            }
            Some("PermissionDenied") => Self::PermissionDenied,
            Some("ExpectedMore") => Self::ExpectedMore,
            Some(_) | None => Self::Other { error: error.to_owned() },
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchInterface { interface } => {
                write!(f, "this host has no interface {interface}")
            }
            Self::NotManaged { interface } => {
                write!(f, "{interface} is not managed; \"autoipctl status\" shows what is")
            }
            Self::AlreadyManaged { interface } => write!(f, "{interface} is managed already"),
            Self::Unsuitable { interface, reason } => {
                write!(f, "interface {interface} {reason}")
            }
            Self::NoAddress { interface, addr: Some(addr) } => {
                write!(f, "{interface} does not have the address {addr}")
            }
            Self::NoAddress { interface, addr: None } => {
                write!(f, "{interface} has no link-local address at present")
            }
            Self::Refused { reason }
            | Self::TooMany { reason }
            | Self::BadConfiguration { reason } => f.write_str(reason),
            Self::InterfaceNotFound { interface } => {
                write!(f, "the service has no interface {interface}; is it autoipd?")
            }
            Self::MethodNotFound { method } | Self::MethodNotImplemented { method } => {
                write!(f, "the daemon has no method {method}; is it an older one?")
            }
            Self::InvalidParameter { parameter } => {
                write!(f, "the daemon does not accept the parameter \"{parameter}\"")
            }
            Self::PermissionDenied => {
                f.write_str("only root and members of the group netdev may do that")
            }
            Self::ExpectedMore => f.write_str("this method has to be called with \"more\""),
            Self::Other { error } => write!(f, "the daemon says {error}"),
        }
    }
}

impl std::error::Error for Refusal {}
