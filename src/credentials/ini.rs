//! AWS's dialect of INI, in which the shared files are written: what Python's `configparser` reads, since botocore and
//! aws-cli read the files with it.
//!
//! A line that is indented deeper than the name above continues its value. An empty value that is continued is a block
//! of its own settings (`s3 =`). What `configparser` refuses is refused here, with its line. The INI crates differ:
//! they flatten the blocks, take quotes out of `credential_process`, or cut it at `#`.

/// What is wrong with a file.
#[derive(Debug, PartialEq)]
pub struct Wrong {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it, and the remedy.
    pub what: String,
}

/// A file's sections, in its order.
#[derive(Debug, Default)]
pub struct Sections(Vec<Section>);

/// A section: its name as it is written, and its settings.
#[derive(Debug, Default)]
pub struct Section {
    /// What stands between the brackets.
    pub name: String,
    /// The line of the brackets, from 1.
    pub line: usize,
    entries: Vec<Entry>,
}

/// A setting.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its name, in lower case.
    pub name: String,
    /// Its value. The lines of a value that is continued are separated by `\n`.
    pub value: String,
    /// Its line, from 1.
    pub line: usize,
}

/// The section whose settings hold for all others.
const FOR_ALL: &str = "DEFAULT";

impl Sections {
    /// Reads a file.
    pub fn read(bytes: &[u8]) -> Result<Self, Wrong> {
        let text = text(bytes)?;
        let mut sections: Vec<Section> = Vec::new();
        // The indentation of the line that the next ones could continue, and whether it is a setting.
        let (mut indent, mut is_setting) = (0, false);
        // Python translates the ends of lines of other systems.
        for (at, line) in text.replace("\r\n", "\n").split(['\n', '\r']).enumerate() {
            let wrong = |what: &str| Wrong { line: at + 1, what: what.into() };
            let content = line.trim_matches(is_space);
            if content.starts_with(['#', ';']) {
                continue;
            }
            if content.is_empty() {
                if let Some(entry) = sections.last_mut().and_then(|section| section.entries.last_mut())
                    && is_setting
                {
                    entry.value.push('\n');
                }
                continue;
            }
            let indented = line.chars().take_while(|c| is_space(*c)).count();
            if let Some(entry) = sections.last_mut().and_then(|section| section.entries.last_mut())
                && is_setting
                && indented > indent
            {
                entry.value.push('\n');
                entry.value.push_str(content);
                continue;
            }
            indent = indented;
            if let Some(name) = header(content) {
                match sections.iter().position(|section| section.name == name) {
                    Some(first) if name != FOR_ALL => {
                        let first = sections[first].line;
                        return Err(wrong(&format!("[{name}] is there twice, first in line {first}: join the two")));
                    }
                    // Its settings may stand in several places.
                    Some(first) => {
                        let section = sections.remove(first);
                        sections.push(section);
                    }
                    None => sections.push(Section { name: name.into(), line: at + 1, entries: Vec::new() }),
                }
                is_setting = false;
                continue;
            }
            let Some(section) = sections.last_mut() else {
                return Err(wrong(
                    "it stands before any section: begin the file with a line [default], then aws_access_key_id = … \
                     and aws_secret_access_key = …",
                ));
            };
            let setting = content.split_once(['=', ':']).map(|(name, value)| (name.trim_end_matches(is_space), value));
            let Some((name, value)) = setting.filter(|(name, _)| !name.is_empty()) else {
                return Err(wrong("it is neither a [section] nor name = value: mend it, or put a # before it"));
            };
            let name = name.to_ascii_lowercase();
            // The names are not shown: a secret that stands alone may be taken for one.
            if let Some(first) = section.get(&name) {
                return Err(wrong(&format!("its name stands in line {} already: remove one of them", first.line)));
            }
            let value = value.trim_matches(is_space).into();
            section.entries.push(Entry { name, value, line: at + 1 });
            is_setting = true;
        }
        Self(sections).finished()
    }

    /// Cuts the blank ends off the values, gives each section what holds for all, and tests the blocks.
    fn finished(mut self) -> Result<Self, Wrong> {
        for entry in self.0.iter_mut().flat_map(|section| &mut section.entries) {
            entry.value.truncate(entry.value.trim_end_matches(is_space).len());
            if entry.block().into_iter().flatten().any(|line| !line.contains('=')) {
                let what = "the indented lines below it are no name = value: put the value behind the equals sign";
                return Err(Wrong { line: entry.line, what: what.into() });
            }
        }
        if let Some(at) = self.0.iter().position(|section| section.name == FOR_ALL) {
            let all = self.0.remove(at).entries;
            for section in &mut self.0 {
                for entry in &all {
                    if section.get(&entry.name).is_none() {
                        section.entries.push(entry.clone());
                    }
                }
            }
        }
        Ok(self)
    }

    /// The names of all sections.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|section| section.name.as_str())
    }

    /// The last section that fits.
    pub fn last(&self, fits: impl Fn(&str) -> bool) -> Option<&Section> {
        self.0.iter().rfind(|section| fits(&section.name))
    }
}

impl Section {
    /// A setting, by its name in lower case.
    pub fn get(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.name == name)
    }

    /// The first setting whose name fits.
    pub fn find(&self, fits: impl Fn(&str) -> bool) -> Option<&Entry> {
        self.entries.iter().find(|entry| fits(&entry.name))
    }
}

impl Entry {
    /// The lines of its block, if it has one.
    fn block(&self) -> Option<impl Iterator<Item = &str>> {
        let lines = self.value.strip_prefix('\n')?.split('\n');
        Some(lines.map(|line| line.trim_matches(is_space)).filter(|line| !line.is_empty()))
    }

    /// A setting of its block; the last one counts.
    pub fn nested(&self, name: &str) -> Option<&str> {
        let settings = self.block()?.filter_map(|line| line.split_once('='));
        settings.filter(|(known, _)| known.trim_matches(is_space) == name).last().map(|(_, value)| value.trim())
    }
}

/// The text of a file. A byte order mark and NUL bytes come from editors that save as UTF-16, and Python refuses them.
fn text(bytes: &[u8]) -> Result<&str, Wrong> {
    let line_of = |at: usize| bytes[..at].split(|byte| *byte == b'\n').count();
    let remedy = "save the file as plain UTF-8";
    let text = std::str::from_utf8(bytes)
        .map_err(|error| Wrong { line: line_of(error.valid_up_to()), what: format!("it is not UTF-8: {remedy}") })?;
    if text.starts_with('\u{feff}') {
        return Err(Wrong { line: 1, what: format!("the file begins with a byte order mark: {remedy} without it") });
    }
    match text.find('\0') {
        Some(at) => Err(Wrong { line: line_of(at), what: format!("there is a NUL byte: {remedy}") }),
        None => Ok(text),
    }
}

/// The name in a line that begins with brackets; it reaches to the last bracket. What follows is ignored.
fn header(content: &str) -> Option<&str> {
    let (name, _) = content.strip_prefix('[')?.rsplit_once(']')?;
    Some(name).filter(|name| !name.is_empty())
}

/// What Python takes for white space.
fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str, section: &str, name: &str) -> Option<String> {
        let sections = Sections::read(text.as_bytes()).unwrap_or_else(|wrong| panic!("{text:?}: {wrong:?}"));
        Some(sections.last(|known| known == section)?.get(name)?.value.clone())
    }

    #[test]
    fn a_file_as_people_write_it() {
        for (text, expected) in [
            ("# mine\n[default]\na = 1\r\nA2=2\n", Some("1")),
            ("[default]\n  a = 1\n  b = 2\n", Some("1")),
            ("\t[default]\n\ta = 1\n", Some("1")),
            ("[default] # mine\n\n; not this\na: 1", Some("1")),
            ("[default]\rA = x=y:z\rb=", Some("x=y:z")),
            ("[default]\na =\nb = 2\n", Some("")),
            ("[default]\na = 1 ; kept\n", Some("1 ; kept")),
            ("[default]\na = 1\n  2\n\n  3\n\n", Some("1\n2\n\n3")),
            ("[default]\na = 1\n # a comment\n  2\nb = 3", Some("1\n2")),
            ("[DEFAULT]\na = 1\nb = 1\n[default]\nb = 2\n[DEFAULT]\nc = 3", Some("1")),
            ("[ default ]\na = 1\n[Default]\na = 2\n", None),
        ] {
            assert_eq!(value(text, "default", "a").as_deref(), expected, "{text:?}");
        }
        assert_eq!(value("[DEFAULT]\na = 1\n[x]\na = 2", "x", "a").as_deref(), Some("2"));
        assert_eq!(value("[a [b] c] d\nx = 1", "a [b] c", "x").as_deref(), Some("1"));
    }

    #[test]
    fn a_block_has_settings_of_its_own() {
        let text = "[default]\ns3 =\n    region = nested\n\taddressing_style=path \nregion = eu-west-1\n";
        assert_eq!(value(text, "default", "region").as_deref(), Some("eu-west-1"));
        let sections = Sections::read(text.as_bytes()).unwrap();
        let s3 = sections.last(|name| name == "default").unwrap().get("s3").unwrap();
        assert_eq!((s3.nested("addressing_style"), s3.nested("x")), (Some("path"), None));
    }

    #[test]
    fn what_python_refuses_is_refused_with_its_line() {
        for (text, line, what) in [
            (&b"a = 1\n[default]\n"[..], 1, "stands before any section"),
            (b"{\"AccessKeyId\": \"x\"}", 1, "stands before any section"),
            (b"[default]\na = 1\nno line\n", 3, "neither a [section] nor name = value"),
            (b"[default]\n= 1\n", 2, "neither a [section] nor name = value"),
            (b"[]\n", 1, "stands before any section"),
            (b"[x]\n[]\n", 2, "neither"),
            (b"[a]\nx = 1\n\n[a]\n", 4, "[a] is there twice, first in line 1"),
            (b"[a]\nx = 1\nX = 2\n", 3, "its name stands in line 2 already"),
            (b"[a]\nx =\n  AKIA\n", 2, "the indented lines below it are no name = value"),
            (b"[a]\n# caf\xe9\n", 2, "it is not UTF-8"),
            (b"\xff\xfe[\0a\0]\0\n\0", 1, "it is not UTF-8"),
            (b"[\0a\0]\0\n\0", 1, "NUL byte"),
            (b"\xef\xbb\xbf[a]\n", 1, "byte order mark"),
        ] {
            let wrong = Sections::read(text).unwrap_err();
            assert!(wrong.line == line && wrong.what.contains(what), "{text:?}: {wrong:?}");
        }
    }
}
