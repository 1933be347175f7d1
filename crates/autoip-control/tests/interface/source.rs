//! A source of values for our types that knows only the description: it gives each member what the
//! description says, and an error where the type has another set of members or variants.

use std::collections::BTreeSet;

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{Deserializer, EnumAccess, Error as _, IntoDeserializer, Unexpected, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::{Map, Value, json};

use super::language::{Interface, Kind};

type Error = serde::de::value::Error;

/// Which of several possible values is given.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Choice {
    /// Whether what is optional is there.
    pub(crate) optional: bool,
    /// The number of the variant, beginning anew after the last.
    pub(crate) variant: usize,
}

/// A value of `kind`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source<'i> {
    pub(crate) interface: &'i Interface,
    pub(crate) kind: &'i Kind,
    pub(crate) choice: Choice,
}

impl<'i> Source<'i> {
    fn of(self, kind: &'i Kind) -> Self {
        Self { kind, ..self }
    }

    fn variant(self, variants: &'i [String]) -> &'i str {
        &variants[self.choice.variant % variants.len()]
    }

    /// The members that are there.
    fn members(self, members: &'i [(String, Kind)]) -> impl Iterator<Item = (&'i str, Self)> {
        members
            .iter()
            .filter(move |(_, kind)| self.choice.optional || !matches!(kind, Kind::Optional(_)))
            .map(move |(name, kind)| (name.as_str(), self.of(kind)))
    }

    /// The value as JSON.
    pub(crate) fn to_json(self) -> Value {
        match self.interface.resolve(self.kind) {
            Kind::Bool => json!(true),
            Kind::Int => json!(7),
            Kind::Text => json!("169.254.7.7"),
            Kind::Optional(kind) => self.of(kind).to_json(),
            Kind::List(kind) => json!([self.of(kind).to_json()]),
            Kind::Enumeration(variants) => json!(self.variant(variants)),
            Kind::Structure(members) => {
                let members = self.members(members);
                let object: Map<_, _> =
                    members.map(|(name, value)| (name.to_owned(), value.to_json())).collect();
                Value::Object(object)
            }
            Kind::Named(_) => unreachable!("names are looked up"),
        }
    }
}

/// Whether a type has just these members or variants.
fn compare(name: &str, ours: &[&str], described: &[&str]) -> Result<(), Error> {
    let ours: BTreeSet<_> = ours.iter().collect();
    let described: BTreeSet<_> = described.iter().collect();
    let different: Vec<_> = ours.symmetric_difference(&described).collect();
    if different.is_empty() {
        return Ok(());
    }
    Err(Error::custom(format!("{name}: {different:?} is in one and not in the other")))
}

impl<'de> IntoDeserializer<'de, Error> for Source<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Source<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.interface.resolve(self.kind) {
            Kind::Bool => visitor.visit_bool(true),
            Kind::Int => visitor.visit_i64(7),
            // Text that is an IPv4 address as well, for members that want one.
            Kind::Text => visitor.visit_str("169.254.7.7"),
            Kind::List(kind) => {
                visitor.visit_seq(SeqDeserializer::new([self.of(kind)].into_iter()))
            }
            Kind::Structure(members) => {
                visitor.visit_map(MapDeserializer::new(self.members(members)))
            }
            Kind::Enumeration(variants) => visitor.visit_str(self.variant(variants)),
            Kind::Optional(_) => Err(Error::invalid_type(Unexpected::Option, &visitor)),
            Kind::Named(_) => unreachable!("names are looked up"),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let Kind::Optional(kind) = self.kind else {
            let kind = self.kind;
            return Err(Error::custom(format!("{kind:?} is optional here and not described so")));
        };
        visitor.visit_some(self.of(kind))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let Kind::Structure(members) = self.interface.resolve(self.kind) else {
            return Err(Error::custom(format!("{name} is described as {:?}", self.kind)));
        };
        let described: Vec<_> = members.iter().map(|(name, _)| name.as_str()).collect();
        compare(name, fields, &described)?;
        self.deserialize_any(visitor)
    }

    /// An enumeration of ours is one of the description where its variants are bare. Where they
    /// hold something it is a structure of which one member is there.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        ours: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.interface.resolve(self.kind) {
            Kind::Enumeration(variants) => {
                let described: Vec<_> = variants.iter().map(String::as_str).collect();
                compare(name, ours, &described)?;
                let variant: serde::de::value::StrDeserializer<'_, Error> =
                    self.variant(variants).into_deserializer();
                visitor.visit_enum(variant)
            }
            Kind::Structure(members) => {
                let described: Vec<_> = members.iter().map(|(name, _)| name.as_str()).collect();
                compare(name, ours, &described)?;
                let (name, kind) = &members[self.choice.variant % members.len()];
                let Kind::Optional(kind) = kind else {
                    return Err(Error::custom(format!("{name} is not described as optional")));
                };
                let one = std::iter::once((name.as_str(), self.of(kind)));
                visitor.visit_enum(OneMember(MapDeserializer::new(one)))
            }
            Kind::Bool
            | Kind::Int
            | Kind::Text
            | Kind::Optional(_)
            | Kind::List(_)
            | Kind::Named(_) => {
                Err(Error::custom(format!("{name} is described as {:?}", self.kind)))
            }
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map identifier ignored_any
    }
}

/// A structure of which one member is there, as an enumeration.
struct OneMember<'de, I: Iterator<Item = (&'de str, Source<'de>)>>(MapDeserializer<'de, I, Error>);

impl<'de, I: Iterator<Item = (&'de str, Source<'de>)>> EnumAccess<'de> for OneMember<'de, I> {
    type Error = Error;
    type Variant = <MapAccessDeserializer<'de, I> as EnumAccess<'de>>::Variant;

    fn variant_seed<T: serde::de::DeserializeSeed<'de>>(
        self,
        seed: T,
    ) -> Result<(T::Value, Self::Variant), Error> {
        serde::de::value::MapAccessDeserializer::new(self.0).variant_seed(seed)
    }
}

type MapAccessDeserializer<'de, I> =
    serde::de::value::MapAccessDeserializer<MapDeserializer<'de, I, Error>>;
