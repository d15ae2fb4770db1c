//! The environment of a process: its variables by name.

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
