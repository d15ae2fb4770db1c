//! AWS's dialect of INI, as the shared files are written in it.
//!
//! Sections in brackets, `name = value` below, comments on lines of their own, and indented lines, which belong to the
//! value above (`s3 =` and its settings) and say nothing to us. The INI crates flatten those blocks, take quotes out of
//! `credential_process` or cut it at `#`.

/// A file's sections: each name and value with the section that it stands in.
pub struct Sections<'a> {
    names: Vec<&'a str>,
    entries: Vec<(&'a str, &'a str, &'a str)>,
}

impl<'a> Sections<'a> {
    /// Reads a file's text. Skips lines that it does not understand, as the SDKs do.
    pub fn of(text: &'a str) -> Self {
        let (mut names, mut entries) = (Vec::new(), Vec::new());
        let mut section = None;
        for line in text.lines() {
            if line.starts_with(['#', ';', ' ', '\t']) {
                continue;
            }
            if let Some((name, _)) = line.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
                section = Some(name.trim());
                names.push(name.trim());
            } else if let (Some(section), Some((name, value))) = (section, line.split_once('=')) {
                entries.push((section, name.trim(), value.trim()));
            }
        }
        Self { names, entries }
    }

    /// Whether there is such a section.
    pub fn has(&self, section: &str) -> bool {
        self.names.contains(&section)
    }

    /// A whole value, such as a command line. The last of several counts. An empty value counts as unset.
    pub fn line(&self, section: &str, name: &str) -> Option<&'a str> {
        let is_it = |entry: &&(&str, &str, &str)| entry.0 == section && entry.1.eq_ignore_ascii_case(name);
        self.entries.iter().rfind(is_it).map(|(_, _, value)| *value).filter(|value| !value.is_empty())
    }

    /// The first word of a value, which is all of a key's or a region's; what follows white space is a comment.
    pub fn word(&self, section: &str, name: &str) -> Option<&'a str> {
        self.line(section, name).and_then(|value| value.split_whitespace().next())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credentials_file_as_people_write_it() {
        let text = "# mine\n[default]\naws_access_key_id = AKIA1 ; old\r\nAWS_SECRET_ACCESS_KEY=se/c+ret=#x\n\
                    [ other ]\naws_access_key_id=AKIA2\naws_access_key_id=AKIA3\nregion =\nno line\n";
        let sections = Sections::of(text);
        assert_eq!(sections.word("default", "aws_access_key_id"), Some("AKIA1"));
        assert_eq!(sections.word("default", "aws_secret_access_key"), Some("se/c+ret=#x"));
        assert_eq!(sections.word("other", "aws_access_key_id"), Some("AKIA3"));
        assert_eq!(sections.word("other", "region"), None);
        assert_eq!(sections.line("default", "aws_access_key_id"), Some("AKIA1 ; old"));
        assert!(sections.has("other") && !sections.has("third"));
    }

    #[test]
    fn what_is_indented_belongs_to_the_line_above() {
        let text = "[profile a]\ns3 =\n    region = nested\n\tregion = nested\nregion = eu-west-1\n";
        assert_eq!(Sections::of(text).word("profile a", "region"), Some("eu-west-1"));
        assert_eq!(Sections::of("region = before any section").word("", "region"), None);
    }
}
