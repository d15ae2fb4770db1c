//! The environment of a process: its variables by name.

use std::collections::BTreeMap;
use std::ffi::OsString;

/// The variables of a process. One that is ours and not UTF-8 is an error that names it: to pass it over would be to
/// take it for unset. Others' are passed over.
pub fn readable(variables: impl Iterator<Item = (OsString, OsString)>) -> Result<BTreeMap<String, String>, String> {
    let mut all = BTreeMap::new();
    for (name, value) in variables {
        let Ok(name) = name.into_string() else { continue };
        match value.into_string() {
            Ok(value) => drop(all.insert(name, value)),
            Err(_) if is_ours(&name) => {
                return Err(format!("the environment variable {name} is not UTF-8: correct it, or unset it"));
            }
            Err(_) => {}
        }
    }
    Ok(all)
}

fn is_ours(name: &str) -> bool {
    ["AWS_", "PULSE_ECHO_"].iter().any(|prefix| name.starts_with(prefix))
        || name.to_ascii_lowercase().ends_with("_proxy")
        || name == "HOME"
}

/// Looks up environment variables. Only a program's `main.rs` reads the real environment; tests give their own.
#[derive(Clone, Copy)]
pub struct Environment<'a>(&'a dyn Fn(&str) -> Option<String>);

impl<'a> Environment<'a> {
    /// The environment that `lookup` answers for.
    pub fn new(lookup: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self(lookup)
    }

    /// The value of a variable. An empty value counts as unset: shells, unit files and emulators write it so.
    pub fn get(&self, name: &str) -> Option<String> {
        (self.0)(name).filter(|value| !value.is_empty())
    }

    /// The first of several variables that is set.
    pub fn first(&self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| self.get(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_of_ours_that_is_not_utf_8_is_refused_by_name_and_others_are_passed_over() {
        use std::os::unix::ffi::OsStringExt;
        let read = |name: &str| {
            let bad = (OsString::from(name), OsString::from_vec(vec![b'a', 0xff]));
            readable([("LANG".into(), "C".into()), bad].into_iter())
        };
        for name in ["AWS_SECRET_ACCESS_KEY", "PULSE_ECHO_HOST", "https_proxy", "NO_PROXY", "HOME"] {
            assert!(read(name).unwrap_err().contains(&format!("{name} is not UTF-8")), "{name}");
        }
        assert_eq!(read("PS1").unwrap().into_iter().collect::<Vec<_>>(), [("LANG".into(), "C".into())]);
    }

    #[test]
    fn an_empty_variable_is_as_if_it_were_not_set() {
        let lookup = |name: &str| match name {
            "EMPTY" => Some(String::new()),
            "SET" => Some("value".into()),
            _ => None,
        };
        let environment = Environment::new(&lookup);
        assert_eq!(environment.get("EMPTY"), None);
        assert_eq!(environment.get("UNSET"), None);
        assert_eq!(environment.first(&["UNSET", "EMPTY", "SET"]), Some("value".into()));
    }
}
