//! The envelope of Varlink: a call and its replies, as JSON.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

/// A call of a method.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// The name of the interface, a dot, and the name of the method.
    pub method: String,
    /// Its parameters by their names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters: Option<Map<String, Value>>,
    /// Whether any number of replies is welcome.
    #[serde(default, deserialize_with = "flag", skip_serializing_if = "is_false")]
    pub more: bool,
    /// Whether no reply is wanted.
    #[serde(default, deserialize_with = "flag", skip_serializing_if = "is_false")]
    pub oneway: bool,
    /// Whether the connection is to change to another protocol; never done here.
    #[serde(default, deserialize_with = "flag", skip_serializing_if = "is_false")]
    pub upgrade: bool,
}

/// A reply to a call, or one of several.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    /// What was asked for, or what belongs to the error, by names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters: Option<Map<String, Value>>,
    /// Whether another reply follows.
    #[serde(default, skip_serializing_if = "is_false")]
    pub continues: bool,
    /// The name of the interface, a dot, and the name of the error, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes the field by reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

/// A flag of a call; null is as good as nothing.
fn flag<'de, D: Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    Option::<bool>::deserialize(from).map(Option::unwrap_or_default)
}

impl Call {
    /// Reads a message without its end.
    ///
    /// # Errors
    ///
    /// What makes it no call, as a sentence.
    pub fn parse(message: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(message).map_err(|error| format!("not a Varlink call: {error}"))
    }

    /// The message with its end.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        framed(self)
    }
}

impl Reply {
    /// A reply that carries `parameters`.
    #[must_use]
    pub fn new(parameters: &impl Serialize) -> Self {
        Self { parameters: Some(to_object(parameters)), ..Self::default() }
    }

    /// Reads a message without its end.
    ///
    /// # Errors
    ///
    /// What makes it no reply, as a sentence.
    pub fn parse(message: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(message).map_err(|error| format!("not a Varlink reply: {error}"))
    }

    /// The message with its end.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        framed(self)
    }
}

/// The members of a structure by their names.
pub(crate) fn to_object(structure: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(structure) {
        Ok(Value::Object(object)) => object,
        other => unreachable!("messages are structures with names: {other:?}"),
    }
}

fn framed(message: &impl Serialize) -> Vec<u8> {
    let mut bytes =
        serde_json::to_vec(message).expect("messages have text for keys and finite numbers");
    bytes.push(0);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_has_the_form_of_varlink() {
        let call = Call::parse(br#"{"method":"a.b.C"}"#).unwrap();
        assert_eq!(call.method, "a.b.C");
        assert!(call.parameters.is_none() && !call.more && !call.oneway && !call.upgrade);
        assert_eq!(call.to_bytes(), b"{\"method\":\"a.b.C\"}\0");
        let text = r#"{"method":"a.b.C","parameters":{"x":1},"more":true,"oneway":true}"#;
        let call = Call::parse(text.as_bytes()).unwrap();
        assert!(call.more && call.oneway);
        let null = r#"{"method":"a.b.C","parameters":null,"more":null,"upgrade":null}"#;
        let call = Call::parse(null.as_bytes()).unwrap();
        assert!(call.parameters.is_none() && !call.more && !call.upgrade);
        let call = Call::parse(text.as_bytes()).unwrap();
        assert_eq!(call.to_bytes(), format!("{text}\0").into_bytes());
    }

    #[test]
    fn a_reply_has_the_form_of_varlink() {
        let reply = Reply::parse(br#"{"error":"a.b.E","parameters":{"reason":"no"}}"#).unwrap();
        assert_eq!(reply.error.as_deref(), Some("a.b.E"));
        let more = Reply { continues: true, ..Reply::default() };
        assert_eq!(more.to_bytes(), b"{\"continues\":true}\0");
    }

    #[test]
    fn rubbish_is_refused_with_a_sentence() {
        let deep = "[".repeat(100_000);
        for rubbish in ["", "{", "[]", "3", "{\"method\":3}", "\u{1}\u{2}", "{}", &deep] {
            let error = Call::parse(rubbish.as_bytes()).unwrap_err();
            assert!(error.starts_with("not a Varlink call: "), "{error}");
        }
        assert!(Call::parse(&[0xff, 0xfe]).is_err());
        assert!(Reply::parse(br#"{"parameters":[]}"#).is_err());
    }
}
