//! The hosts' keys: a file with one key a line, changed by the command `key` and by the server, which reads it again
//! while it runs.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use pulse_echo_core::name::Name;

use super::make;
use crate::private;
use crate::s3::{HostKey, KeyPair};

/// For how long a key is valid beside its successor, if that is not used.
const OVERLAP: SignedDuration = SignedDuration::from_hours(7 * 24);

const FILE: &str = "host-keys";

const HEAD: &str = "# HOST ACCESS-KEY SECRET MADE [VALID-UNTIL]: changed by pulse-echo-local key, and read again by a \
                    running server\n";

/// A host's key, as the file has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The key.
    pub key: HostKey,
    /// When it was made.
    pub made: Timestamp,
}

/// The path of the file in the data folder.
pub fn file(folder: &Path) -> PathBuf {
    folder.join(FILE)
}

/// Reads all keys; none if there is no file. The error names the file and the line.
pub fn read(folder: &Path) -> Result<Vec<Entry>, String> {
    let file = file(folder);
    match fs::read_to_string(&file) {
        Ok(text) => parse(&text).map_err(|why| format!("{}: {why}", file.display())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(format!("cannot read the hosts' keys in {}: {}", file.display(), private::explained(&error))),
    }
}

/// Changes the keys. Nobody else changes them meanwhile, and a change that fails leaves the file as it is.
pub fn change<T>(folder: &Path, act: impl FnOnce(&mut Vec<Entry>) -> Result<T, String>) -> Result<T, String> {
    change_and_tell(folder, act, |_| Ok(()))
}

/// Changes the keys, and tells of it once the change is on the disk. If it cannot be told, it is taken back.
pub fn change_and_tell<T>(
    folder: &Path,
    act: impl FnOnce(&mut Vec<Entry>) -> Result<T, String>,
    tell: impl FnOnce(&T) -> Result<(), String>,
) -> Result<T, String> {
    let cannot = |error: io::Error| {
        format!("cannot change the hosts' keys in {}: {}", file(folder).display(), private::explained(&error))
    };
    let write = |entries: &[Entry]| private::replace(folder, FILE, &text(entries), private::FOR_OWNER);
    let lock = File::open(folder).map_err(cannot)?;
    lock.lock().map_err(cannot)?;
    let before = read(folder)?;
    let mut entries = before.clone();
    let done = act(&mut entries)?;
    if entries != before {
        write(&entries).map_err(cannot)?;
    }
    tell(&done).map_err(|why| match write(&before) {
        Ok(()) => format!("{why}; no key was changed"),
        Err(error) => format!("{why}; and the change of the keys cannot be taken back: {error}"),
    })?;
    Ok(done)
}

/// Makes the first key of a host.
pub fn add(entries: &mut Vec<Entry>, host: &Name, now: Timestamp) -> Result<KeyPair, String> {
    if entries.iter().any(|entry| entry.key.host == *host) {
        return Err(format!("{host} has a key already; key rotate {host} makes another, key remove {host} ends it"));
    }
    Ok(push(entries, host, now))
}

/// Makes a further key of a host. The one that it uses stays valid until the new one was used, at most seven days. A
/// newer one that was not used until now ends at once.
pub fn rotate(entries: &mut Vec<Entry>, host: &Name, now: Timestamp) -> Result<KeyPair, String> {
    let is_of = |entry: &Entry| entry.key.host == *host;
    if !entries.iter().any(is_of) {
        return Err(format!("{host} has no key; key add {host} makes one"));
    }
    entries.retain(|entry| entry.key.until.is_none_or(|until| now < until));
    if unused(entries, host, now).is_some() {
        entries.retain(|entry| !is_of(entry) || entry.key.until.is_some());
    }
    for entry in entries.iter_mut().filter(|entry| is_of(entry)) {
        entry.key.until.get_or_insert(now + OVERLAP);
    }
    Ok(push(entries, host, now))
}

/// When the key of a host was made that the next rotation ends though it was not used yet.
pub fn unused(entries: &[Entry], host: &Name, now: Timestamp) -> Option<Timestamp> {
    let of_host = || entries.iter().filter(|entry| entry.key.host == *host);
    let has_older = of_host().any(|entry| entry.key.until.is_some_and(|until| now < until));
    of_host().find(|entry| has_older && entry.key.until.is_none()).map(|entry| entry.made)
}

/// Ends all keys of a host.
pub fn remove(entries: &mut Vec<Entry>, host: &Name) -> Result<(), String> {
    let before = entries.len();
    entries.retain(|entry| entry.key.host != *host);
    if entries.len() == before { Err(format!("{host} has no key")) } else { Ok(()) }
}

/// Takes out the keys whose successor was used, and those whose time is over.
pub fn strike(entries: &mut Vec<Entry>, superseded: &BTreeSet<String>, now: Timestamp) {
    let is_over = |key: &HostKey| key.until.is_some_and(|until| until <= now);
    entries.retain(|entry| !superseded.contains(&entry.key.pair.access_key) && !is_over(&entry.key));
}

/// Brings forward what ends later than it can: it was written while the clock was ahead, and the clock was set back
/// since. Whether there was such a key.
pub fn shorten(entries: &mut [Entry], now: Timestamp) -> bool {
    let latest = now + OVERLAP;
    let late: Vec<_> =
        entries.iter_mut().filter_map(|entry| entry.key.until.as_mut()).filter(|u| **u > latest).collect();
    let are_there = !late.is_empty();
    for until in late {
        *until = latest;
    }
    are_there
}

fn push(entries: &mut Vec<Entry>, host: &Name, now: Timestamp) -> KeyPair {
    let pair = make();
    entries.push(Entry { key: HostKey { host: host.clone(), pair: pair.clone(), until: None }, made: now });
    entries.sort_by(|one, other| (&one.key.host, one.made).cmp(&(&other.key.host, other.made)));
    pair
}

fn text(entries: &[Entry]) -> String {
    let mut text = HEAD.to_owned();
    for Entry { key: HostKey { host, pair, until }, made } in entries {
        let until = until.map_or(String::new(), |until| format!(" {}", in_file(until)));
        let _ = writeln!(text, "{host} {} {} {}{until}", pair.access_key, pair.secret_key, in_file(*made));
    }
    text
}

fn in_file(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn parse(text: &str) -> Result<Vec<Entry>, String> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
    lines.map(|(n, line)| entry(line).map_err(|why| format!("line {}: {why}", n + 1))).collect()
}

/// The error does not show the line, which holds a secret.
fn entry(line: &str) -> Result<Entry, String> {
    let words: Vec<_> = line.split_whitespace().collect();
    let ([host, access_key, secret_key, made], until) = match &words[..] {
        [host, key, secret, made] => ([host, key, secret, made], None),
        [host, key, secret, made, until] => ([host, key, secret, made], Some(until)),
        _ => return Err(format!("it has {} words; a key has four, or five", words.len())),
    };
    let time = |text: &str| text.parse::<Timestamp>().map_err(|_| "it has no time where one should be".to_owned());
    let (host, until) = (host.parse()?, until.map(|until| time(until)).transpose()?);
    Ok(Entry { key: HostKey { host, pair: KeyPair::new(*access_key, *secret_key), until }, made: time(made)? })
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn host(text: &str) -> Name {
        text.parse().unwrap()
    }

    fn ids(entries: &[Entry]) -> Vec<&str> {
        entries.iter().map(|entry| entry.key.pair.access_key.as_str()).collect()
    }

    #[test]
    fn what_was_written_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let (web, now) = (host("web-1"), at("2026-11-01T00:00:00Z"));
        assert_eq!(read(folder.path()), Ok(Vec::new()));
        let first = change(folder.path(), |all| add(all, &web, now)).unwrap();
        let second = change(folder.path(), |all| rotate(all, &web, now + SignedDuration::from_hours(1))).unwrap();
        let other = change(folder.path(), |all| add(all, &host("db-1"), now)).unwrap();
        let all = read(folder.path()).unwrap();
        assert_eq!(ids(&all), [&other, &first, &second].map(|pair| pair.access_key.as_str()));
        assert_eq!(all[1].key.until, Some(at("2026-11-08T01:00:00Z")));
        assert_eq!((&all[2].key.until, &all[2].key.pair), (&None, &second));
    }

    #[test]
    fn a_key_that_was_rotated_while_the_clock_was_ahead_ends_a_week_after_that_was_found() {
        let (web, mut all) = (host("web-1"), Vec::new());
        let (ahead, now) = (at("2027-11-01T00:00:00Z"), at("2026-11-01T00:00:00Z"));
        add(&mut all, &web, ahead).unwrap();
        rotate(&mut all, &web, ahead).unwrap();
        assert!(shorten(&mut all, now));
        assert_eq!(all[0].key.until, Some(at("2026-11-08T00:00:00Z")));
        assert_eq!(all[1].key.until, None);
        assert!(!shorten(&mut all, now) && !shorten(&mut all, now + SignedDuration::from_hours(1)));
    }

    #[test]
    fn a_host_has_two_keys_at_most_and_the_one_in_use_is_the_one_that_stays() {
        let (web, mut all) = (host("web-1"), Vec::new());
        let (start, day) = (at("2026-11-01T00:00:00Z"), SignedDuration::from_hours(24));
        assert!(rotate(&mut all, &web, start).unwrap_err().starts_with("web-1 has no key; key add web-1"));
        let in_use = add(&mut all, &web, start).unwrap();
        assert!(add(&mut all, &web, start).unwrap_err().starts_with("web-1 has a key already; key rotate web-1"));
        let lost = rotate(&mut all, &web, start + day).unwrap();
        let end = all[0].key.until;
        let newest = rotate(&mut all, &web, start + day * 2).unwrap();
        assert_eq!(ids(&all), [in_use.access_key.as_str(), &newest.access_key]);
        assert!(!ids(&all).contains(&lost.access_key.as_str()));
        assert_eq!(all[0].key.until, end, "it does not live longer because its successor was lost");
        // The newest was used: the next change begins anew.
        strike(&mut all, &[in_use.access_key].into(), start + day * 3);
        assert_eq!(ids(&all), [newest.access_key.as_str()]);
        let final_one = rotate(&mut all, &web, start + day * 3).unwrap();
        strike(&mut all, &BTreeSet::new(), start + day * 10);
        assert_eq!(ids(&all), [final_one.access_key.as_str()]);
        remove(&mut all, &web).unwrap();
        assert_eq!(remove(&mut all, &web).unwrap_err(), "web-1 has no key");
    }

    #[test]
    fn a_line_that_is_no_key_is_named_by_its_number_and_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        for (line, why) in [
            ("web-1 AKIA s3cr3t", "it has 3 words"),
            ("web/1 AKIA s3cr3t 2026-11-01T00:00:00Z", "\"web/1\" may not enter a key"),
            ("web-1 AKIA s3cr3t yesterday", "it has no time"),
        ] {
            fs::write(file(folder.path()), format!("{HEAD}\n{line}\n")).unwrap();
            let error = read(folder.path()).unwrap_err();
            assert!(error.contains(&format!("host-keys: line 3: {why}")) && !error.contains("s3cr3t"), "{error}");
        }
    }

    #[test]
    fn changes_at_the_same_moment_are_all_made() {
        let folder = tempfile::tempdir().unwrap();
        thread::scope(|scope| {
            for n in 0..8 {
                let folder = folder.path();
                scope.spawn(move || change(folder, |all| add(all, &host(&format!("web-{n}")), Timestamp::UNIX_EPOCH)));
            }
        });
        assert_eq!(read(folder.path()).unwrap().len(), 8);
    }
}
