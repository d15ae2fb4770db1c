//! Keys as they come from variables and files, with what people copy along.

use pulse_echo_core::environment::Environment;

/// The variables that hold keys.
const VARIABLES: [&str; 4] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN"];

/// Refuses keys in the environment that cannot be whole, by the variable's name: a store would only say that they do
/// not fit.
pub fn are_whole(environment: Environment) -> Result<(), String> {
    for name in VARIABLES {
        if let Some(wrong) = environment.get(name).and_then(|value| wrong(&value)) {
            return Err(format!("{name} {wrong}"));
        }
    }
    Ok(())
}

/// What is wrong with a key: the end of a sentence, with the remedy, that does not show it.
pub fn wrong(value: &str) -> Option<&'static str> {
    let between = |first, last| value.len() > 1 && value.starts_with(first) && value.ends_with(last);
    if value != value.trim() {
        return Some(
            "has a blank or a line end at its beginning or its end: remove it (printf writes none, echo does)",
        );
    }
    if between('"', '"') || between('\'', '\'') {
        return Some("is in quotes, which would be a part of it: remove them");
    }
    if between('<', '>') {
        return Some("is a placeholder: write the key in its place");
    }
    value
        .contains(|c: char| !c.is_ascii() || c.is_ascii_control())
        .then_some("has a character that no key has, such as an invisible one or a typographic quote: copy it anew")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_copied_along_with_a_key_is_named() {
        for (value, what) in [
            ("secret\n", "line end"),
            ("secret\r", "line end"),
            (" secret", "a blank"),
            ("\"secret\"", "in quotes"),
            ("'secret'", "in quotes"),
            ("<YOUR_KEY>", "a placeholder"),
            ("\u{200b}secret", "no key has"),
            ("\u{201c}secret\u{201d}", "no key has"),
            ("sec\nret", "no key has"),
        ] {
            let variable = |name: &str| (name == "AWS_SECRET_ACCESS_KEY").then(|| value.to_string());
            let error = are_whole(Environment::new(&variable)).unwrap_err();
            assert!(error.starts_with("AWS_SECRET_ACCESS_KEY ") && error.contains(what), "{value:?}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
        for value in ["wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "minio\"admin", "a b", "\"", "<"] {
            assert_eq!(wrong(value), None, "{value}");
        }
    }
}
