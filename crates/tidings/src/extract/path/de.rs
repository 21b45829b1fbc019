//! All variables as serde sees them.

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{Deserializer, Visitor};

use super::PathRejection;
use super::value::{Value, other_number};
use crate::message::Parts;

/// The variables of a message.
pub(super) struct Variables<'de> {
    parts: &'de Parts,
}

impl<'de> Variables<'de> {
    pub(super) fn new(parts: &'de Parts) -> Self {
        Self { parts }
    }

    fn values(&self) -> impl ExactSizeIterator<Item = Value<'de>> + Clone + use<'de> {
        let variables = self.parts.variables();
        variables.map(|(name, text)| Value { name, text })
    }

    /// The variable where there is one alone.
    fn only(&self) -> Result<Value<'de>, PathRejection> {
        let mut values = self.values();
        match (values.next(), values.len()) {
            (Some(value), 0) => Ok(value),
            _ => Err(other_number(self.values().len(), 1)),
        }
    }

    fn tuple<V: Visitor<'de>>(&self, takes: usize, visitor: V) -> Result<V::Value, PathRejection> {
        let values = self.values();
        if values.len() != takes {
            return Err(other_number(values.len(), takes));
        }
        visitor.visit_seq(SeqDeserializer::new(values))
    }
}

macro_rules! of_the_only_one {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, PathRejection> {
            self.only()?.$method(visitor)
        })*
    };
}

impl<'de> Deserializer<'de> for Variables<'de> {
    type Error = PathRejection;

    of_the_only_one! {
        deserialize_any deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_i128 deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_f32 deserialize_f64 deserialize_char deserialize_str deserialize_string deserialize_bytes
        deserialize_byte_buf deserialize_option deserialize_identifier
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, PathRejection> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, PathRejection> {
        visitor.visit_unit()
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(
        self,
        visitor: V,
    ) -> Result<V::Value, PathRejection> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, PathRejection> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, PathRejection> {
        visitor.visit_seq(SeqDeserializer::new(self.values()))
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, PathRejection> {
        self.tuple(len, visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, PathRejection> {
        self.tuple(len, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, PathRejection> {
        let entries = self.values().map(|value| (value.name, value));
        visitor.visit_map(MapDeserializer::new(entries))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, PathRejection> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, PathRejection> {
        self.only()?.deserialize_enum(name, variants, visitor)
    }
}
