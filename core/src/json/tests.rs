use serde::Deserialize;

use super::*;

#[derive(Debug, Default, PartialEq)]
struct Cup {
    size_ml: Option<u32>,
    label: Option<String>,
}

impl Object for Cup {
    const WHAT: &'static str = "a cup";
    const FIELDS: &'static [&'static str] = &["size_ml", "label"];

    fn read<'de, A: MapAccess<'de>>(&mut self, field: &str, map: &mut A) -> Result<(), A::Error> {
        match field {
            "size_ml" => {
                self.size_ml = Some(map.next_value_seed(&Whole { unit: "millilitres", min: 1, max: 900 })?);
            }
            _ => self.label = Some(map.next_value()?),
        }
        Ok(())
    }
}

fn refusal(text: &str) -> String {
    read::<Cup>(text.as_bytes(), Unknown::Refused).unwrap_err().to_string()
}

#[test]
fn an_unknown_field_is_refused_with_its_place_and_the_nearest_known_one() {
    let text = "{\n  \"label\": \"tea\",\n  \"sizeml\": 3}";
    assert_eq!(refusal(text), "\"sizeml\" is not a field of a cup; did you mean \"size_ml\"? (line 3, column 10)");
    let far = refusal("{\"colour\": 1}");
    assert!(far.contains("its fields are size_ml, label"), "{far}");
    assert!(read::<Cup>(text.as_bytes(), Unknown::Ignored).is_ok());
}

#[test]
fn a_wrong_type_a_wrong_range_and_a_double_name_their_field() {
    assert_eq!(
        refusal("{\"size_ml\": \"big\"}"),
        "size_ml: it is the text \"big\", but must be a whole number of millilitres from 1 to 900 (line 1, column \
         17)"
    );
    for value in ["0", "901", "99999999999", "-1", "1.5", "1e23", "null", "true", "[1]", "{}"] {
        let error = refusal(&format!("{{\"size_ml\": {value}}}"));
        assert!(error.starts_with("size_ml: it is ") && error.contains("from 1 to 900"), "{error}");
    }
    assert!(refusal("{\"label\": \"a\", \"label\": \"b\"}").starts_with("label: it is there twice"));
}

#[test]
fn what_is_written_is_a_line_for_each_field_that_is_there() {
    let cup = [("size_ml", Some(3.into())), ("none", None), ("label", Some("a \"b\"".into()))];
    assert_eq!(write(&cup), "{\n  \"size_ml\": 3,\n  \"label\": \"a \\\"b\\\"\"\n}\n");
    assert_eq!(write(&[("none", None)]), "{}\n");
}

#[test]
fn broken_json_is_refused_with_its_place() {
    for (text, why) in [
        ("", "it is empty; the least is {}"),
        ("{", "the text ends within an object (line 1, column 1)"),
        ("{\n\"label\": }", "(line 2, column 10)"),
        ("{} x", "there is more after the end"),
        ("{\"label\": \"a\nb\"}", "a text has a line end"),
        ("{\"label\": \"\\q\"}", "there is a \\ with an unknown letter"),
        ("{'label': 1}", "the name of a field must be in double quotes (\")"),
        ("{\n// ours\n\"label\": \"a\"}", "and JSON has no comments (line 2, column 1)"),
        ("label: a", "there is no JSON value (line 1, column 1)"),
        ("{\0}\0", "it is UTF-16, or no text; save it as UTF-8"),
        ("{\"label\": \"a\",}", "there is a comma too many"),
        ("[]", "it is a list, but must be a cup: an object such as {\"size_ml\": …} (line 1, column 1)"),
        ("{\"label\": 1}", "label: it is the number 1, but must be a text"),
        ("{\"label\": {}}", "label: it is an object, but must be a text"),
        ("{\"label\": null}", "label: it is null, but must be a text"),
        ("\u{feff}{}", "byte order mark"),
    ] {
        let error = refusal(text);
        assert!(error.contains(why), "{text:?}: {error}");
    }
    assert!(read::<Cup>(b"{\"label\": \"\xff\"}", Unknown::Refused).is_err());
    let utf_16 = read::<Cup>(b"\xff\xfe{\0}\0", Unknown::Refused).unwrap_err().to_string();
    assert!(utf_16.contains("UTF-16"), "{utf_16}");
}

#[test]
fn a_text_that_is_quoted_is_not_quoted_at_length() {
    let long = "x".repeat(60_000);
    for text in [format!("{{\"{long}\": 1}}"), format!("{{\"size_ml\": \"{long}\"}}")] {
        let error = refusal(&text);
        assert!(error.len() < 300 && error.contains("xx…xx") && error.contains("size_ml"), "{error}");
    }
}

#[test]
fn the_place_of_a_field_is_its_name_not_a_string_that_looks_like_it() {
    let text = b"{\"label\": \"size_ml\",\n \"size_ml\" : 3}";
    let error = Error::of_field(text, "size_ml", "too small");
    assert_eq!((error.line, error.column), (2, 2));
    assert_eq!(error.to_string(), "size_ml: too small (line 2, column 2)");
}

#[test]
fn a_struct_is_read_from_an_object_alone_and_a_list_and_a_missing_value_as_they_are() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Inner {
        size: u32,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Outer {
        one: Option<Inner>,
        #[serde(default)]
        many: Vec<Inner>,
        #[serde(default)]
        named: std::collections::BTreeMap<String, Inner>,
        #[serde(default)]
        pair: (u8, Option<String>),
    }

    let read = from_slice::<Outer>;
    let text =
        br#"{"one": {"size": 1, "new": [{}]}, "many": [{"size": 2}], "named": {"a": {"size": 3}}, "pair": [4, "b"]}"#;
    let inner = |size| Inner { size };
    let outer = Outer {
        one: Some(inner(1)),
        many: vec![inner(2)],
        named: [("a".to_string(), inner(3))].into(),
        pair: (4, Some("b".into())),
    };
    assert_eq!(read(text).unwrap(), outer);
    let none = Outer { one: None, many: Vec::new(), named: [].into(), pair: (0, None) };
    assert_eq!((read(b"{}").unwrap(), read(b"{\"one\": null}").unwrap()), (none, read(b"{}").unwrap()));
    for list in ["[null]", r#"{"one": [1]}"#, r#"{"many": [[2]]}"#, r#"{"named": {"a": [3]}}"#] {
        let error = Error::from(read(list.as_bytes()).unwrap_err());
        assert!(error.message.contains("it is a list, but must be struct "), "{list}: {error}");
    }
    assert!(read(b"{} {}").is_err());
}
