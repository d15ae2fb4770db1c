//! Where a command stands, and what it gets from there.

use std::fs;
use std::path::Path;

use super::crontab::Line;
use super::daemon::Dialect;
use super::places::Place;
use super::times::Times;
use super::users;

/// Where a call stands, and what it gets from there.
pub struct Context {
    /// What runs it: `cron, by FILE`.
    pub by: String,
    /// Where to mend it: `FILE:LINE`.
    pub at: String,
    /// The user's name.
    pub user: String,
    /// When it runs.
    pub times: Times,
    /// Its environment.
    pub variables: Vec<(String, String)>,
    /// Where programs are looked for, unless the variables say otherwise.
    pub path: &'static str,
}

/// What cron gives to a line.
pub fn of_line(root: &Path, place: &Place, line: &Line, dialect: Dialect) -> Context {
    let user = line.user.clone().or_else(|| place.user.clone()).unwrap_or_default();
    let mut variables = pam_variables(root);
    if let Some(found) = users::find(root, &user) {
        variables.push(("HOME".into(), found.home));
    }
    variables.extend([("SHELL".into(), "/bin/sh".into()), ("PATH".into(), dialect.path().into())]);
    variables.extend(line.variables.iter().cloned());
    variables.push(("LOGNAME".into(), user.clone()));
    Context {
        by: format!("cron, by {}", place.shown),
        at: format!("{}:{}", place.shown, line.number),
        user,
        times: line.times.clone(),
        variables,
        path: dialect.path(),
    }
}

/// What PAM puts into the environment of cron's commands, where it is told to.
fn pam_variables(root: &Path) -> Vec<(String, String)> {
    let read = |file: &str| fs::read_to_string(root.join(file)).unwrap_or_default();
    let is_told = ["etc/pam.d/cron", "etc/pam.d/crond", "etc/pam.d/cronie"]
        .iter()
        .any(|file| read(file).lines().any(|line| !line.starts_with('#') && line.contains("pam_env")));
    let text = if is_told { read("etc/environment") } else { String::new() };
    let pairs = text.lines().filter(|line| !line.trim_start().starts_with('#')).filter_map(|line| {
        let (name, value) = line.trim().trim_start_matches("export ").split_once('=')?;
        Some((name.trim().to_string(), value.trim().trim_matches(['"', '\'']).to_string()))
    });
    pairs.collect()
}
