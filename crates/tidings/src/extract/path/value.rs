//! One variable as serde sees it.

use serde::de::value::BorrowedStrDeserializer;
use serde::de::{Deserializer, EnumAccess, Error as _, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

use super::PathRejection;

/// A variable and its value.
#[derive(Clone, Copy)]
pub(super) struct Value<'de> {
    pub(super) name: &'de str,
    pub(super) text: &'de str,
}

impl Value<'_> {
    fn expected(self, expected: impl Into<String>) -> PathRejection {
        PathRejection::Value {
            name: self.name.to_owned(),
            value: self.text.to_owned(),
            expected: expected.into(),
        }
    }

    /// Says of which variable the text was that serde did not like.
    fn named(self, error: PathRejection) -> PathRejection {
        match error {
            PathRejection::Handler { error } => self.expected(format!("another value ({error})")),
            value @ PathRejection::Value { .. } => value,
        }
    }
}

macro_rules! parsed {
    ($($method:ident $visit:ident $expected:literal)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, PathRejection> {
            let value = self.text.parse().map_err(|_| self.expected($expected))?;
            visitor.$visit(value).map_err(|error| self.named(error))
        })*
    };
}

impl<'de> Deserializer<'de> for Value<'de> {
    type Error = PathRejection;

    parsed! {
        deserialize_bool visit_bool "true or false"
        deserialize_i8 visit_i8 "a whole number from -128 to 127"
        deserialize_i16 visit_i16 "a whole number from -32768 to 32767"
        deserialize_i32 visit_i32 "a whole number of 32 bits"
        deserialize_i64 visit_i64 "a whole number of 64 bits"
        deserialize_i128 visit_i128 "a whole number of 128 bits"
        deserialize_u8 visit_u8 "a whole number from 0 to 255"
        deserialize_u16 visit_u16 "a whole number from 0 to 65535"
        deserialize_u32 visit_u32 "a whole number of 32 bits, not negative"
        deserialize_u64 visit_u64 "a whole number of 64 bits, not negative"
        deserialize_u128 visit_u128 "a whole number of 128 bits, not negative"
        deserialize_f32 visit_f32 "a number"
        deserialize_f64 visit_f64 "a number"
        deserialize_char visit_char "one character"
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, PathRejection> {
        let visited = visitor.visit_borrowed_str(self.text);
        visited.map_err(|error| self.named(error))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, PathRejection> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, PathRejection> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, PathRejection> {
        if !variants.contains(&self.text) {
            return Err(self.expected(format!("one of {}", variants.join(", "))));
        }
        visitor.visit_enum(self)
    }

    forward_to_deserialize_any! {
        str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

impl<'de> EnumAccess<'de> for Value<'de> {
    type Error = PathRejection;
    type Variant = <BorrowedStrDeserializer<'de, PathRejection> as EnumAccess<'de>>::Variant;

    fn variant_seed<V: serde::de::DeserializeSeed<'de>>(
        self,
        seed: V,
    ) -> Result<(V::Value, Self::Variant), PathRejection> {
        BorrowedStrDeserializer::new(self.text).variant_seed(seed)
    }
}

impl<'de> IntoDeserializer<'de, PathRejection> for Value<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl serde::de::Error for PathRejection {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        let error = message.to_string();
        Self::Handler { error }
    }
}

/// That the route has another number of variables than the handler takes.
pub(super) fn other_number(has: usize, takes: usize) -> PathRejection {
    PathRejection::custom(format_args!("it has {has}, the handler takes {takes}"))
}
