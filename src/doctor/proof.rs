//! Tries out what will run: the same command, as the same user, with the same environment, but without the sending.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread;

use rustix::process::{Gid, Uid, geteuid};
use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};

use super::findings::Findings;
use super::schedule::Job;
use super::schedule::users;
use crate::args::Arguments;

/// What `send --dry-run` tells that may be another thing there than here.
const OF_PLACE: [&str; 2] = ["name", "connection"];

/// Tries a job out, and tells what is wrong there and not here.
pub fn tell(findings: &mut Findings, job: &Job, arguments: &Arguments) {
    let what = format!("as {}", job.user.name);
    let said = match try_out(job) {
        Ok(said) => said,
        Err(why) => return findings.either(&what, &why),
    };
    let (mut is_ill, mut from) = (false, String::new());
    for line in &said {
        if let Some(text) = line.strip_prefix("✗ ") {
            is_ill = true;
            if !findings.lines.contains(line) {
                findings.ill(&what, &format!("{text}{}", remedy(text, job)));
            }
        } else if let Some(text) = line.strip_prefix("✓ credentials: ") {
            from = format!(", with credentials {text}");
        } else if let Some(other) = differs(line, &findings.lines, arguments) {
            is_ill = true;
            findings.ill(&what, &other);
        }
    }
    if !is_ill {
        findings.well(&what, &format!("the same command can send, with the environment that it will have{from}"));
    }
}

/// What is said of a thing there, if it is another one than here and no option says so.
fn differs(line: &str, here: &[String], arguments: &Arguments) -> Option<String> {
    let is_asked_for = |what: &str| match what {
        "name" => arguments.host.is_some(),
        _ => arguments.bucket.is_some() || arguments.endpoint.is_some() || arguments.config.is_some(),
    };
    let what = OF_PLACE.into_iter().find(|what| line.starts_with(&format!("✓ {what}: ")) && !is_asked_for(what))?;
    let beginning = format!("✓ {what}: ");
    let (there, here) = (line.strip_prefix(&beginning)?, here.iter().find_map(|line| line.strip_prefix(&beginning))?);
    (there != here).then(|| {
        format!(
            "{what}: {there}, where this shell's is {here}: the line, or one of the two environments, sets another; \
             write what is right into the configuration, and nowhere else"
        )
    })
}

/// What helps besides, where the words of the system alone are told.
fn remedy(text: &str, job: &Job) -> String {
    let is_denied = text.contains("ermission denied");
    if is_denied { format!("; {} must be able to read it", job.user.name) } else { String::new() }
}

/// The lines of the command. The error says why it could not be tried: well, or ill.
fn try_out(job: &Job) -> Result<Vec<String>, Result<String, String>> {
    if let Some(doubt) = job.doubt {
        return Err(Ok(format!("not tried out, since the line {doubt}; try it as that user: add --dry-run to send")));
    }
    let (own, user) = (geteuid(), &job.user);
    if !own.is_root() && own.as_raw() != user.uid {
        return Err(Ok("not tried out: only root can do that; run doctor as root".into()));
    }
    let output = run(job, own.is_root()).map_err(|error| {
        let program = &job.words[0];
        Err(format!("{program} cannot be run: {error}; {} must be able to reach and execute it", user.name))
    })?;
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let lines: Vec<_> = stdout.lines().filter(|line| line.starts_with(['✓', '✗'])).map(String::from).collect();
    if !lines.is_empty() {
        return Ok(lines);
    }
    let program = &job.words[0];
    let said = stderr.lines().chain(stdout.lines()).next().unwrap_or_default().to_string();
    Err(Err(match output.status.signal() {
        Some(signal) => format!("{program} was ended by signal {signal}"),
        None if said.contains("--dry-run") => {
            format!(
                "{program} is another version than this one, and cannot be tried out: upgrade it, or run its own doctor"
            )
        }
        None => format!("{program} does not work there: {said}"),
    }))
}

/// Runs the command with `--dry-run`, as its user where this is root.
fn run(job: &Job, is_root: bool) -> std::io::Result<Output> {
    let mut command = Command::new(&job.words[0]);
    // It is to say what is well, too.
    command.args(job.words[1..].iter().filter(|word| !matches!(word.as_str(), "-q" | "--quiet"))).arg("--dry-run");
    command.env_clear().envs(job.variables.iter().map(|(name, value)| (name, value))).stdin(Stdio::null());
    let (user, folder) = (job.user.clone(), job.folder.clone());
    // The kernel keeps users and groups by thread, and a child inherits those of the thread that starts it.
    let as_user = move || {
        if is_root && user.uid != 0 {
            let groups: Vec<_> = users::groups(Path::new("/"), &user).into_iter().map(Gid::from_raw).collect();
            let (uid, gid) = (Uid::from_raw(user.uid), Gid::from_raw(user.gid));
            set_thread_groups(&groups)?;
            set_thread_res_gid(gid, gid, gid)?;
            set_thread_res_uid(uid, uid, uid)?;
        }
        // As cron does, if the user may enter it.
        let is_there = std::fs::metadata(format!("{folder}/.")).is_ok();
        command.current_dir(if is_there { &folder } else { "/" }).output()
    };
    thread::spawn(as_user).join().unwrap_or_else(|_| Err(std::io::Error::other("the trial ended by itself")))
}
