//! The machine's users, as cron finds them.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// A user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The login name.
    pub name: String,
    /// The number.
    pub uid: u32,
    /// The first group's number.
    pub gid: u32,
    /// The home directory.
    pub home: String,
    /// The program that a login starts.
    pub shell: String,
}

/// Finds a user in `/etc/passwd`, else where the system looks besides, such as a directory service.
pub fn find(root: &Path, name: &str) -> Option<User> {
    let passwd = fs::read_to_string(root.join("etc/passwd")).unwrap_or_default();
    let with_name = |line: &str| line.split(':').next() == Some(name);
    let line = passwd.lines().find(|line| with_name(line)).map(String::from);
    line.or_else(|| ask(root, "getent", &["passwd", name])).as_deref().and_then(user)
}

/// `name:password:uid:gid:comment:home:shell`.
fn user(line: &str) -> Option<User> {
    let fields: Vec<_> = line.trim_end().split(':').collect();
    let [name, _, uid, gid, _, home, ..] = fields[..] else { return None };
    let shell = fields.get(6).copied().unwrap_or_default();
    Some(User {
        name: name.into(),
        uid: uid.parse().ok()?,
        gid: gid.parse().ok()?,
        home: home.into(),
        shell: shell.into(),
    })
}

/// The name of the user that this process runs as.
pub fn own_name() -> Option<String> {
    let uid = rustix::process::geteuid().as_raw();
    ask(Path::new("/"), "id", &["-un"]).map(|name| name.trim_end().to_string()).or_else(|| {
        let passwd = fs::read_to_string("/etc/passwd").ok()?;
        passwd.lines().filter_map(user).find(|user| user.uid == uid).map(|user| user.name)
    })
}

/// The numbers of all groups of a user.
pub fn groups(root: &Path, user: &User) -> Vec<u32> {
    if let Some(numbers) = ask(root, "id", &["-G", &user.name]) {
        return numbers.split_whitespace().filter_map(|number| number.parse().ok()).collect();
    }
    let groups = fs::read_to_string(root.join("etc/group")).unwrap_or_default();
    let of_user = groups.lines().filter_map(|line| {
        let fields: Vec<_> = line.split(':').collect();
        let is_member = fields.get(3)?.split(',').any(|member| member == user.name);
        fields.get(2)?.parse().ok().filter(|_| is_member)
    });
    std::iter::once(user.gid).chain(of_user).collect()
}

/// Why cron, by PAM, runs nothing for this user on this day since 1970; `None` if nothing is known against it.
///
/// `name:password:changed:min:max:warn:inactive:expires:`, in days. Only root can read it.
pub fn is_shut(root: &Path, name: &str, today: i64) -> Option<String> {
    let shadow = fs::read_to_string(root.join("etc/shadow")).ok()?;
    let line = shadow.lines().find(|line| line.split(':').next() == Some(name))?;
    let fields: Vec<_> = line.split(':').collect();
    let days = |at: usize| fields.get(at).and_then(|days| days.parse::<i64>().ok()).filter(|days| *days >= 0);
    if days(7).is_some_and(|expires| today >= expires) {
        return Some(format!("the account {name} has expired, so cron runs nothing for it: chage -E -1 {name}"));
    }
    let is_over = days(2).zip(days(4)).is_some_and(|(changed, max)| max < 99_999 && today > changed + max);
    if days(2) == Some(0) {
        return Some(format!(
            "the password of {name} must be changed first, so cron runs nothing for it: set a new one, or chage -d \
             $(date +%F) {name}"
        ));
    }
    if is_over {
        return Some(format!(
            "the password of {name} has expired, so cron runs nothing for it: set a new one, or chage -M -1 {name}"
        ));
    }
    None
}

/// The output of a program of this machine; `None` if it fails, or if another machine's files are meant.
fn ask(root: &Path, program: &str, arguments: &[&str]) -> Option<String> {
    if root != Path::new("/") {
        return None;
    }
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    String::from_utf8(output.stdout).ok().filter(|_| output.status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_and_their_groups_are_in_the_machines_files() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("etc")).unwrap();
        fs::write(root.path().join("etc/passwd"), "web:x:1:2::/home/web:/bin/sh\nwebb:x:3:4::/:/bin/sh\n").unwrap();
        fs::write(root.path().join("etc/group"), "web:x:2:\nkeys:x:7:a,web\nother:x:8:webb\n").unwrap();
        let web = find(root.path(), "web").unwrap();
        assert_eq!((web.uid, web.gid, web.home.as_str()), (1, 2, "/home/web"));
        assert_eq!(groups(root.path(), &web), [2, 7]);
        assert_eq!(find(root.path(), "we"), None);
    }

    #[test]
    fn an_account_that_is_over_runs_nothing() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("etc")).unwrap();
        for (fields, what) in [
            ("*:20000:0:99999:7:::", None),
            ("!:20000::::::", None),
            ("!:20000:0:-1:7:::", None),
            ("x:20000:0:30:7:::", Some("the password of web")),
            ("x:20000:0:2000:7:::", None),
            ("x:0:0:99999:7:::", Some("the password of web must be changed first")),
            ("x:0:0:30:7:::", Some("the password of web must be changed first")),
            ("*:20000:0:99999:7::0:", Some("the account web")),
            ("*:20000:0:99999:7::20999:", Some("the account web")),
            ("*:20000:0:99999:7::21001:", None),
        ] {
            fs::write(root.path().join("etc/shadow"), format!("web:{fields}\n")).unwrap();
            let found = is_shut(root.path(), "web", 21_000);
            assert_eq!(found.is_some(), what.is_some(), "{fields}: {found:?}");
            assert!(found.is_none_or(|found| found.starts_with(what.unwrap())), "{fields}");
        }
    }
}
