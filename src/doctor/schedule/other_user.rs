//! Programs that run another one as another user: `sudo -u web …`, `su - web -c …`.

use super::words::{PROGRAM, Word, base};

/// The programs that do that.
pub const CHANGERS: [&str; 8] = ["chpst", "doas", "gosu", "runuser", "setpriv", "setuidgid", "su", "sudo"];

/// The user that a command is run as.
#[derive(Clone, Debug, PartialEq)]
pub struct OtherUser {
    /// The user's name.
    pub name: String,
    /// Whether the command goes to the user's own shell, which may let nobody in.
    pub by_own_shell: bool,
}

impl OtherUser {
    /// The user in the words behind `program`; `None` if they do not say.
    pub fn of(program: &str, words: &[Word]) -> Option<Self> {
        let words: Vec<_> = words.iter().map(|(word, _)| word.as_str()).collect();
        let own_shell = words.iter().all(|word| !word.starts_with("-s") && !word.starts_with("--shell"));
        let (name, by_own_shell) = match program {
            "gosu" | "setuidgid" => (words.first().copied(), false),
            "runuser" if value(&words).is_some() => (value(&words), false),
            "su" | "runuser" => (Some(operand(&words)), own_shell),
            "sudo" => (value(&words).or(Some("root")), false),
            _ => (value(&words), false),
        };
        let name = name?.split(':').next().unwrap_or_default();
        let is_name =
            !name.is_empty() && !name.contains(['$', '`', '#']) && !name.starts_with(|c: char| c.is_ascii_digit());
        is_name.then(|| Self { name: name.into(), by_own_shell })
    }
}

/// Whether these words run the program, or hand a command that does to a shell.
pub fn runs_it(words: &[Word]) -> bool {
    words
        .iter()
        .take_while(|(word, _)| word != "send")
        .any(|(word, _)| base(word) == PROGRAM || (word.contains(PROGRAM) && word.contains(char::is_whitespace)))
}

/// What the option for the user says.
fn value<'a>(words: &[&'a str]) -> Option<&'a str> {
    let mut options = words.iter().copied().take_while(|word| *word != "--" && base(word) != PROGRAM).enumerate();
    options.find_map(|(at, word)| match word {
        "-u" | "--user" | "--reuid" | "--ruid" => words.get(at + 1).copied(),
        _ => ["--user=", "--reuid=", "-u"].iter().find_map(|option| word.strip_prefix(option)),
    })
}

/// The first word that is neither an option nor an option's value; root, if there is none.
fn operand<'a>(words: &[&'a str]) -> &'a str {
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match *word {
            "-c" | "--command" | "-s" | "--shell" | "-g" | "--group" | "-G" | "-w" => {
                words.next();
            }
            option if option.starts_with('-') => {}
            name => return name,
        }
    }
    "root"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_user_is_found_where_each_program_has_it() {
        for (command, name, by_own_shell) in [
            ("sudo -u web x", Some("web"), false),
            ("sudo -uweb x", Some("web"), false),
            ("sudo --user=web x", Some("web"), false),
            ("sudo -n x", Some("root"), false),
            ("su web -c x", Some("web"), true),
            ("su - web -c x", Some("web"), true),
            ("su -s /bin/sh web -c x", Some("web"), false),
            ("su web --shell=/bin/sh -c x", Some("web"), false),
            ("su -c x", Some("root"), true),
            ("runuser -u web -- x", Some("web"), false),
            ("runuser -l web -c x", Some("web"), true),
            ("setpriv --reuid web --clear-groups x", Some("web"), false),
            ("setpriv --reuid=1000 x", None, false),
            ("chpst -u web:www x", Some("web"), false),
            ("gosu web x", Some("web"), false),
            ("doas -u $NAME x", None, false),
        ] {
            let words: Vec<_> = command.split(' ').map(|word| (word.to_string(), false)).collect();
            let found = OtherUser::of(&words[0].0, &words[1..]);
            let expected = name.map(|name| OtherUser { name: name.into(), by_own_shell });
            assert_eq!(found, expected, "{command}");
        }
    }
}
