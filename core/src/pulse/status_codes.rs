//! The field `status` of a pulse.

use std::fmt;

use serde::de::{Deserializer, Error as _, SeqAccess, Visitor};

use crate::json::Whole;

const STATUS: Whole = Whole { unit: "", min: 100, max: 599 };

/// One code or a list of them.
pub(super) struct StatusCodes;

impl<'de> serde::de::DeserializeSeed<'de> for StatusCodes {
    type Value = Vec<u16>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<u16>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for StatusCodes {
    type Value = Vec<u16>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a status code from 100 to 599, or a list of them")
    }

    fn visit_u64<E: serde::de::Error>(self, code: u64) -> Result<Vec<u16>, E> {
        (&STATUS).visit_u64(code).map(|code| vec![narrow(code)])
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<u16>, A::Error> {
        let mut codes = Vec::new();
        while let Some(code) = list.next_element_seed(&STATUS)? {
            codes.push(narrow(code));
        }
        if codes.is_empty() {
            return Err(A::Error::custom("the list is empty, so no answer would do"));
        }
        Ok(codes)
    }
}

fn narrow(code: u32) -> u16 {
    u16::try_from(code).expect("the range ends at 599")
}
