//! Readers that take whatever stands in a field's place: what has another form than is known is none, and
//! spoils nothing around it.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::{DateStyle, Id};

/// An id, or anything else in its place.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum LooseId {
    Id(Id),
    Other(IgnoredAny),
}

impl LooseId {
    pub(super) fn id(self) -> Option<String> {
        match self {
            Self::Id(id) => id.some().map(str::to_owned),
            Self::Other(IgnoredAny) => None,
        }
    }
}

/// A number where it is one; anything else in its place is none, and no reason to give up the
/// whole conversation.
pub(super) struct LooseNumber(pub(super) Option<u64>);

/// How a date is written, where it is one.
pub(super) struct DateProbe(pub(super) Option<DateStyle>);

impl<'de> Deserialize<'de> for LooseNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(match Scalar::deserialize(deserializer)? {
            Scalar::Number(number) => Some(number),
            Scalar::Text | Scalar::Other => None,
        }))
    }
}

impl<'de> Deserialize<'de> for DateProbe {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(match Scalar::deserialize(deserializer)? {
            Scalar::Number(_) => Some(DateStyle::Unix),
            Scalar::Text => Some(DateStyle::Iso),
            Scalar::Other => None,
        }))
    }
}

pub(super) fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(deserializer).map(|IgnoredAny| true)
}

pub(super) fn loose_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Id>, D::Error> {
    let id = Option::<LooseId>::deserialize(deserializer)?;
    Ok(id.and_then(LooseId::id).map(Id))
}

pub(super) fn loose_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    LooseNumber::deserialize(deserializer).map(|number| number.0)
}

/// Any JSON, of which only the kind and a number matter.
enum Scalar {
    Number(u64),
    Text,
    Other,
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ScalarVisitor;
        impl<'de> Visitor<'de> for ScalarVisitor {
            type Value = Scalar;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("anything")
            }
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Scalar, E> {
                Ok(Scalar::Number(number))
            }
            fn visit_str<E: de::Error>(self, _: &str) -> Result<Scalar, E> {
                Ok(Scalar::Text)
            }
            fn visit_i64<E: de::Error>(self, _: i64) -> Result<Scalar, E> {
                Ok(Scalar::Other)
            }
            fn visit_f64<E: de::Error>(self, _: f64) -> Result<Scalar, E> {
                Ok(Scalar::Other)
            }
            fn visit_bool<E: de::Error>(self, _: bool) -> Result<Scalar, E> {
                Ok(Scalar::Other)
            }
            fn visit_unit<E: de::Error>(self) -> Result<Scalar, E> {
                Ok(Scalar::Other)
            }
            fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<Scalar, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Scalar::Other)
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Scalar, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Scalar::Other)
            }
        }
        deserializer.deserialize_any(ScalarVisitor)
    }
}

pub(in crate::wire) fn nullable<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    Option::<Vec<T>>::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// What has another shape than is known is left out, instead of spoiling the whole conversation.
pub(in crate::wire) fn loose<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Loose<T> {
        Known(T),
        Other(IgnoredAny),
    }
    Ok(match Option::<Loose<T>>::deserialize(deserializer)? {
        Some(Loose::Known(value)) => Some(value),
        Some(Loose::Other(IgnoredAny)) | None => None,
    })
}
