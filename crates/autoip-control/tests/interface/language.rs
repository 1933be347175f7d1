//! A reader of Varlink's interface language, for tests alone: it panics on what it does not know.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// A description, read.
#[derive(Debug, Default)]
pub(crate) struct Interface {
    pub(crate) name: String,
    pub(crate) types: BTreeMap<String, Kind>,
    pub(crate) methods: BTreeMap<String, Described>,
    pub(crate) errors: BTreeMap<String, Kind>,
}

/// A method of a description.
#[derive(Debug)]
pub(crate) struct Described {
    pub(crate) parameters: Kind,
    pub(crate) reply: Kind,
}

/// What a member may hold.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    Bool,
    Int,
    Text,
    Optional(Box<Kind>),
    List(Box<Kind>),
    Named(String),
    Structure(Vec<(String, Kind)>),
    Enumeration(Vec<String>),
}

pub(crate) fn parse(text: &str) -> Interface {
    let mut reader = Reader { words: words(text) };
    let mut interface = Interface::default();
    assert_eq!(reader.next(), "interface");
    interface.name = reader.next();
    while !reader.words.is_empty() {
        let (keyword, name) = (reader.next(), reader.next());
        assert!(name.starts_with(|c: char| c.is_ascii_uppercase()), "{name}");
        let known = match keyword.as_str() {
            "type" => interface.types.insert(name.clone(), reader.kind()).is_some(),
            "error" => interface.errors.insert(name.clone(), reader.kind()).is_some(),
            "method" => {
                let parameters = reader.kind();
                reader.expect("->");
                let reply = reader.kind();
                let method = Described { parameters, reply };
                interface.methods.insert(name.clone(), method).is_some()
            }
            _ => panic!("{keyword} is no keyword"),
        };
        assert!(!known, "{name} is described twice");
    }
    interface
}

/// The words and signs of a description, the last first; comments are left out.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    for line in text.lines() {
        let mut line = line.split('#').next().unwrap_or_default().to_owned();
        for sign in ["[]", "->", "(", ")", ":", ",", "?"] {
            line = line.replace(sign, &format!(" {sign} "));
        }
        words.extend(line.split_whitespace().map(str::to_owned));
    }
    words.reverse();
    words
}

struct Reader {
    words: Vec<String>,
}

impl Reader {
    fn next(&mut self) -> String {
        self.words.pop().expect("the description ends too early")
    }

    fn expect(&mut self, word: &str) {
        assert_eq!(self.next(), word);
    }

    fn kind(&mut self) -> Kind {
        match self.next().as_str() {
            "?" => Kind::Optional(Box::new(self.kind())),
            "[]" => Kind::List(Box::new(self.kind())),
            "bool" => Kind::Bool,
            "int" => Kind::Int,
            "string" => Kind::Text,
            "(" => self.members(),
            name => {
                assert!(name.starts_with(|c: char| c.is_ascii_uppercase()), "{name}");
                Kind::Named(name.to_owned())
            }
        }
    }

    /// What stands between parentheses: members of a structure, or variants.
    fn members(&mut self) -> Kind {
        let (mut members, mut variants) = (Vec::new(), Vec::new());
        while self.words.last().is_some_and(|word| word != ")") {
            let name = self.next();
            assert!(is_member_name(&name), "{name} cannot be the name of a member");
            if self.words.last().is_some_and(|word| word == ":") {
                self.expect(":");
                members.push((name, self.kind()));
            } else {
                variants.push(name);
            }
            if self.words.last().is_some_and(|word| word == ",") {
                self.expect(",");
            }
        }
        self.expect(")");
        assert!(members.is_empty() || variants.is_empty(), "{members:?} {variants:?}");
        if variants.is_empty() { Kind::Structure(members) } else { Kind::Enumeration(variants) }
    }
}

/// As Varlink's grammar has it: `[A-Za-z](_?[A-Za-z0-9])*`.
fn is_member_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !name.contains("__")
        && !name.ends_with('_')
}

impl Interface {
    /// A kind with the name of a type looked up.
    pub(crate) fn resolve<'k>(&'k self, kind: &'k Kind) -> &'k Kind {
        match kind {
            Kind::Named(name) => {
                self.types.get(name).unwrap_or_else(|| panic!("there is no type {name}"))
            }
            Kind::Bool
            | Kind::Int
            | Kind::Text
            | Kind::Optional(_)
            | Kind::List(_)
            | Kind::Structure(_)
            | Kind::Enumeration(_) => kind,
        }
    }

    /// Asserts that `json` is a value of `kind`: no member too many, none missing.
    #[track_caller]
    pub(crate) fn assert_holds(&self, kind: &Kind, json: &Value) {
        match (self.resolve(kind), json) {
            (Kind::Bool, Value::Bool(_)) | (Kind::Text, Value::String(_)) => {}
            (Kind::Int, Value::Number(number)) => assert!(number.is_i64(), "{number}"),
            (Kind::Optional(kind), json) => self.assert_holds(kind, json),
            (Kind::List(kind), Value::Array(values)) => {
                values.iter().for_each(|value| self.assert_holds(kind, value));
            }
            (Kind::Enumeration(variants), Value::String(variant)) => {
                assert!(variants.contains(variant), "{variant} is none of {variants:?}");
            }
            (Kind::Structure(members), Value::Object(object)) => {
                for (name, value) in object {
                    let member = members.iter().find(|(known, _)| known == name);
                    let (_, kind) = member.unwrap_or_else(|| panic!("{name} is not described"));
                    self.assert_holds(kind, value);
                }
                for (name, kind) in members {
                    let optional = matches!(kind, Kind::Optional(_));
                    assert!(optional || object.contains_key(name), "{name} is missing");
                }
            }
            (kind, json) => panic!("{json} is no {kind:?}"),
        }
    }

    /// The names of all types that `kind` is made of.
    pub(crate) fn collect_types(&self, kind: &Kind, names: &mut BTreeSet<String>) {
        match kind {
            Kind::Named(name) => {
                names.insert(name.clone());
                self.collect_types(self.resolve(kind), names);
            }
            Kind::Optional(kind) | Kind::List(kind) => self.collect_types(kind, names),
            Kind::Structure(members) => {
                members.iter().for_each(|(_, kind)| self.collect_types(kind, names));
            }
            Kind::Bool | Kind::Int | Kind::Text | Kind::Enumeration(_) => {}
        }
    }
}
