//! The last words of a job, without what looks like a key, a token or a password: they go to people and into chats.

use pulse_echo_core::job::TAIL_LIMIT;
use pulse_echo_core::text::printable;

/// In place of a secret.
const HIDDEN: &str = "***";

/// What the name of a secret has in it.
const IN_NAMES: [&str; 9] =
    ["passw", "passphrase", "pwd", "secret", "token", "credential", "authorization", "cookie", "apikey"];

/// How the name of a secret ends.
const ENDS: [&str; 6] = ["key", "keyid", "key_id", "key-id", "auth", "pass"];

/// The word in front of a secret in a header.
const SCHEMES: [&str; 4] = ["bearer", "basic", "digest", "token"];

/// How keys of well-known services begin.
const BEGINNINGS: [&str; 12] =
    ["AKIA", "ASIA", "ghp_", "gho_", "ghs_", "github_pat_", "glpat-", "xox", "sk-", "sk_", "rk_live_", "eyJ"];

/// How what follows a name and a colon begins if it tells what went wrong: `cannot read the token: no such file`.
const TELLS: [&str; 22] = [
    "no",
    "not",
    "is",
    "permission",
    "access",
    "connection",
    "context",
    "operation",
    "invalid",
    "expired",
    "timeout",
    "timed",
    "failed",
    "error",
    "cannot",
    "could",
    "unable",
    "unexpected",
    "unknown",
    "missing",
    "status",
    "request",
];

/// The end of an output, as text that may be told, at most 200 bytes; `is_cut` if there was more before.
pub fn last_words(output: &[u8], is_cut: bool) -> Option<String> {
    let text = String::from_utf8_lossy(output);
    let mut text = &*text;
    if is_cut {
        // A secret cut in two would not be known.
        text = text.split_once(['\n', ' ']).map_or("", |(_, rest)| rest);
    }
    // Of a line that was written over again and again, the last is left.
    let last = |line: &str| line.trim_end().rsplit('\r').next().unwrap_or_default().trim().to_string();
    let lines = text.lines().map(|line| masked(&printable(&last(line)))).filter(|line| !line.is_empty());
    let text = lines.collect::<Vec<_>>().join("\n");
    let mut from = text.ceil_char_boundary(text.len().saturating_sub(TAIL_LIMIT));
    if from > 0 {
        // It begins with a whole word.
        from += text[from..].find(char::is_whitespace).map_or(0, |at| at + 1);
    }
    Some(text[from..].trim().to_string()).filter(|text| !text.is_empty())
}

/// The line with `***` for what looks like a secret.
fn masked(line: &str) -> String {
    let mut shown = String::new();
    let mut rest = line;
    // Whether the word before says that a secret follows, and whether only behind `=` or `:`.
    let (mut follows, mut if_assigned) = (false, false);
    // Within how many words a user's password may come, as in `-u bob:hunter2`.
    let mut of_user = 0_u8;
    // Whether mysql or one of its tools has come.
    let mut is_mysql = false;
    let mut last = "";
    loop {
        let (between, after) = rest.split_at(until(rest, is_of_word));
        shown.push_str(between);
        let end = until(after, |c| !is_of_word(c));
        if end == 0 {
            return shown;
        }
        let word = &after[..end];
        let before = between.as_bytes().last();
        follows |= if_assigned && between.contains(['=', ':']) && !(between == ": " && tells(after));
        // A path or an address may also stand behind a colon.
        follows |= of_user > 0 && between.contains(':') && before != Some(&b' ') && !word.starts_with('/');
        let of_url = if before == Some(&b':') { user_of_url(after) } else { None };
        let is_scheme = SCHEMES.iter().any(|scheme| word.eq_ignore_ascii_case(scheme));
        let (kept, hidden) = if follows && !is_scheme {
            follows = false;
            (0, value_length(after, before))
        } else if let Some(length) = of_url {
            (2, length)
        } else if is_mysql && word.starts_with("-p") {
            (2, value_length(&after[2..], before))
        } else if looks_random(word) {
            (0, end)
        } else {
            (end, 0)
        };
        shown.push_str(&after[..kept]);
        if hidden > 0 {
            shown.push_str(HIDDEN);
        }
        if_assigned = names_secret(word);
        follows |= (if_assigned && (word.starts_with('-') || (last == "export" && between == " ")))
            || (is_scheme && word.len() > 5);
        of_user = if is_user_option(word) { 2 } else { of_user.saturating_sub(1) };
        let program = &word[word.rfind('/').map_or(0, |at| at + 1)..];
        is_mysql |= program.starts_with("mysql") || program.starts_with("mariadb");
        last = word;
        rest = &after[kept + hidden..];
    }
}

/// How long a text is up to a character that ends it. By a pointer, so that the search is in the program only once.
fn until(text: &str, is_end: fn(char) -> bool) -> usize {
    text.find(is_end).unwrap_or(text.len())
}

/// Whether behind a word such as `-u` stands a user, perhaps with a password.
fn is_user_option(word: &str) -> bool {
    word.starts_with("-u") || word.starts_with("-U") || word.ends_with("-user")
}

/// What may stand within a word, a name, or a key.
fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '+' | '/' | '~' | '%' | '$' | '!' | '#' | '*' | '^' | '@')
}

/// How long a secret is: to the quote that it stands in, else to a blank or a quote.
fn value_length(text: &str, before: Option<&u8>) -> usize {
    until(
        text,
        match before {
            Some(b'"') => |c| c == '"',
            Some(b'\'') => |c| c == '\'',
            _ => |c| c.is_whitespace() || matches!(c, '"' | '\''),
        },
    )
}

/// How long user and password of an address are that begins with its two slashes, if it has some.
fn user_of_url(text: &str) -> Option<usize> {
    let text = text.strip_prefix("//")?;
    text[..until(text, |c| c.is_whitespace() || matches!(c, '/' | '?' | '"'))].rfind('@')
}

/// Whether a text behind a colon tells what went wrong: by its first word, or by an HTTP status.
fn tells(text: &str) -> bool {
    let (word, rest) = text.split_at(until(text, |c| matches!(c, ' ' | ':')));
    let is_status = word.len() == 3 && word.bytes().all(|b| b.is_ascii_digit()) && rest.starts_with(' ');
    is_status || (!rest.is_empty() && TELLS.iter().any(|first| word.eq_ignore_ascii_case(first)))
}

fn names_secret(word: &str) -> bool {
    let name = word.to_ascii_lowercase();
    IN_NAMES.iter().any(|part| name.contains(part)) || ENDS.iter().any(|end| name.ends_with(end))
}

/// Whether a word looks as if chance had made it. A path does not, unless a part of it does.
fn looks_random(word: &str) -> bool {
    if word.len() >= 16 && BEGINNINGS.iter().any(|beginning| word.starts_with(beginning)) {
        return true;
    }
    // AWS's secrets have slashes in them, and so have the lines of a private key.
    let is_whole =
        matches!(word.len(), 40 | 64..) && word.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/".contains(&b));
    (is_whole && is_mixed(word))
        || word.split(['/', '.']).any(|part| {
            let is_hex = part.len() >= 32 && part.bytes().all(|b| b.is_ascii_hexdigit());
            // The parts of a file's name, such as Backup-2026-11-28, are words and numbers.
            is_hex || (part.len() >= 20 && part.split(['-', '_']).any(is_mixed))
        })
}

fn is_mixed(word: &str) -> bool {
    let has = |is: fn(&u8) -> bool| word.as_bytes().iter().any(is);
    has(u8::is_ascii_digit) && has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_secret_is_hidden_and_the_rest_stays() {
        for (line, shown) in [
            ("password=hunter2 host=db", "password=*** host=db"),
            ("PGPASSWORD=a&b,c psql", "PGPASSWORD=*** psql"),
            ("{\"password\": \"my pass phrase\", \"user\": \"bob\"}", "{\"password\": \"***\", \"user\": \"bob\"}"),
            ("{\"user\":\"bob\",\"apiKey\":\"x\"}", "{\"user\":\"bob\",\"apiKey\":\"***\"}"),
            ("mysql --password hunter2 -u root", "mysql --password *** -u root"),
            ("--api-key=abc", "--api-key=***"),
            ("Authorization: Bearer abc.def", "Authorization: Bearer ***"),
            ("curl -H 'Authorization: Basic dTpw'", "curl -H 'Authorization: Basic ***'"),
            ("Bearer abc failed", "Bearer *** failed"),
            ("cannot push to https://bob:hunter2@git.example/x.git", "cannot push to https://***@git.example/x.git"),
            ("postgres://u:p@db:5432/x?sslmode=off", "postgres://***@db:5432/x?sslmode=off"),
            ("key AKIAIOSFODNN7EXAMPLE is denied", "key *** is denied"),
            ("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", HIDDEN),
            ("remote: ghp_0123456789abcdef0123 expired", "remote: *** expired"),
            ("jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.sig", "jwt ***"),
            ("MIIEpAIBAAKCAQEA7bq+X/9zK0aZ1yq2mN3vB4cD5eF6gH7iJ8kL9mN0oP1qR2s", HIDDEN),
            ("0123456789abcdef0123456789abcdef", HIDDEN),
            ("AWS_SESSION_TOKEN: x", "AWS_SESSION_TOKEN: ***"),
            ("token='a b' and more", "token='***' and more"),
            ("the new password: swordfish is set", "the new password: *** is set"),
            ("password: no", "password: ***"),
            ("PASSWORD=no password", "PASSWORD=*** password"),
            ("+ curl -s -u backup:Tr0ub4dor https://x/y", "+ curl -s -u backup:*** https://x/y"),
            ("+ curl --user=backup:a&b -x 'http://p'", "+ curl --user=backup:*** -x 'http://p'"),
            ("+ curl -U 'bob:a b' --proxy-user :c -ud:e", "+ curl -U 'bob:*** b' --proxy-user :*** -ud:***"),
            ("+ /usr/bin/mysqldump -uroot -pTr0ub4dor:1 db", "+ /usr/bin/mysqldump -uroot -p*** db"),
            ("mariadb-dump '-pa b' db", "mariadb-dump '-p***' db"),
            ("+ export API_KEY hunter2", "+ export API_KEY ***"),
            ("sas sv=2026&sig=aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5zA7bC9d%3D", "sas sv=2026&sig=***"),
            ("id AIzaSyD-9tSrke72PouQMnMX-a7eZSW0jkFMBWY", "id ***"),
            (
                "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/x, Signature=0123456789abcdef0123456789abcdef",
                "AWS4-HMAC-SHA256 Credential=*** Signature=***",
            ),
        ] {
            assert_eq!(masked(line), shown);
        }
        for line in [
            "pg_dump: error: password authentication failed for user \"bob\"",
            "rsync: write failed on \"/srv/Backup-2026/db/Data1/x.tar.gz\": No space left on device (28)",
            "12:30:45 ERROR: duplicate key value violates unique constraint \"orders_pkey\"",
            "see https://example.com/help?id=7 or ops@example.com",
            "token expired; the key is not known",
            "failed to refresh the token: cannot fetch token: 401 Unauthorized",
            "cannot read /run/secret: No such file; password: permission denied",
            "error: credentials: context deadline exceeded",
            "tar: /srv/Backup-2026-11-28-Full_Copy.tar.gz: Cannot write: No space left on device",
            "/usr/local/bin/backup: line 3: 4711 Killed",
            "mysqldump -u root: Got error: 1045: Access denied for user 'root'@'localhost' -p",
            "mkdir -pv /srv/x: File exists; ssh -p2222 db: connection refused",
            "rsync -u web:/srv/x /y && git push -u https://git.example/x.git failed",
            "bash: export: API_KEY: is read-only; the export of API_KEY failed",
            "bash: export: API_KEY was not set",
            "docker run -u bob nginx:latest failed",
            "sudo: -u: unknown user bob: no such user",
            "",
        ] {
            assert_eq!(masked(line), line);
        }
    }

    #[test]
    fn the_last_words_are_the_end_of_the_output_in_whole_words() {
        let said = |output: &str, is_cut| last_words(output.as_bytes(), is_cut);
        assert_eq!(said("one\n\n  two \n", false).as_deref(), Some("one\ntwo"));
        assert_eq!(said("", false), None);
        assert_eq!(said(" \n\t\n", false), None);
        assert_eq!(said("10 %\r55 %\r100 %\r\nready\u{1b}[0m\n", false).as_deref(), Some("100 %\nready[0m"));
        let long = said(&format!("{} the end", "word ".repeat(100)), false).unwrap();
        assert!(long.len() <= TAIL_LIMIT && long.len() > 190, "{long}");
        assert!(long.starts_with("word ") && long.ends_with("the end"), "{long}");
        assert_eq!(said(&"é".repeat(150), false).unwrap(), "é".repeat(100), "one word is cut");
        assert_eq!(last_words(b"a\xffb", false).as_deref(), Some("a\u{fffd}b"));
    }

    #[test]
    fn a_secret_is_hidden_before_the_text_is_cut() {
        let said = |output: &str, is_cut| last_words(output.as_bytes(), is_cut).unwrap_or_default();
        let text = format!("password={} {}", "x".repeat(120), "word ".repeat(36));
        assert!(!said(&text, false).contains("xx"), "{}", said(&text, false));
        assert_eq!(said("hunter2 tail", true), "tail", "what was cut may be half of a secret");
        assert_eq!(said(&"x".repeat(50), true), "");
    }
}
