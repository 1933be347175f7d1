//! The interface `org.varlink.service`, which every Varlink service has: what is there, and the
//! errors that any method may have.

use serde::{Deserialize, Serialize};

use crate::method::Method;

/// The name of the interface.
pub const INTERFACE: &str = "org.varlink.service";

/// The interface in Varlink's own language.
pub const DESCRIPTION: &str = "\
# What a Varlink service tells about itself.
interface org.varlink.service

# Who made the service, and the interfaces that it has.
method GetInfo() -> (
  vendor: string,
  product: string,
  version: string,
  url: string,
  interfaces: []string
)

# An interface in Varlink's own language.
method GetInterfaceDescription(interface: string) -> (description: string)

# There is no such interface.
error InterfaceNotFound (interface: string)

# The interface has no such method.
error MethodNotFound (method: string)

# The interface has the method, and the service does not.
error MethodNotImplemented (method: string)

# A parameter is missing, unknown, or has a value that is not allowed.
error InvalidParameter (parameter: string)

# The caller may not call the method.
error PermissionDenied ()

# The method has to be called with \"more\".
error ExpectedMore ()
";

/// Asks who made the service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GetInfo {}

/// Who made the service, and the interfaces that it has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Info {
    /// Who made it.
    pub vendor: String,
    /// The program.
    pub product: String,
    /// Its version.
    pub version: String,
    /// Where more is to be found.
    pub url: String,
    /// The names of its interfaces.
    pub interfaces: Vec<String>,
}

impl Info {
    /// What `product` of this `version` says.
    #[must_use]
    pub fn new(product: &str, version: &str) -> Self {
        Self {
            vendor: "autoip".to_owned(),
            product: product.to_owned(),
            version: version.to_owned(),
            url: String::new(),
            interfaces: vec![INTERFACE.to_owned(), crate::INTERFACE.to_owned()],
        }
    }
}

/// Asks for the text of an interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GetInterfaceDescription {
    /// The name of the interface.
    pub interface: String,
}

/// The text of an interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    /// In Varlink's own language.
    pub description: String,
}

impl Method for GetInfo {
    const NAME: &'static str = "org.varlink.service.GetInfo";
    type Reply = Info;
}

impl Method for GetInterfaceDescription {
    const NAME: &'static str = "org.varlink.service.GetInterfaceDescription";
    type Reply = Description;
}
