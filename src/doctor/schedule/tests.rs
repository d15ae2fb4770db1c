//! Whole machines, as folders.

mod jobs;
mod remedies;
mod timers;

use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt, chown, symlink};

use super::job::value;
use super::*;

const TIMER_ENABLED: &str = "etc/systemd/system/timers.target.wants/pulse-echo.timer";
const DAY: i64 = 20_000;
const LINE: &str = "*/10 * * * * root /usr/bin/pulse-echo send --quiet\n";
const PASSWD: &str = "root:x:0:0::/root:/bin/sh\npulse-echo:x:998:998::/etc/pulse-echo:/usr/sbin/nologin\n";

/// A machine with a cron, its users, the program, and these files.
struct Machine(tempfile::TempDir);

impl Machine {
    fn with(files: &[(&str, &str)]) -> Self {
        let machine = Self(tempfile::tempdir().unwrap());
        machine.write("etc/passwd", PASSWD);
        machine.write("proc/self/comm", "");
        machine.write("proc/7/comm", "cron\n");
        machine.write("usr/bin/pulse-echo", "");
        machine.mode("usr/bin/pulse-echo", 0o755);
        for (file, text) in files {
            machine.write(file, text);
        }
        machine
    }

    fn path(&self, file: &str) -> PathBuf {
        self.0.path().join(file)
    }

    fn write(&self, file: &str, text: &str) {
        fs::create_dir_all(self.path(file).parent().unwrap()).unwrap();
        fs::write(self.path(file), text).unwrap();
        let is_users = file.starts_with("var/spool");
        self.mode(file, if is_users { 0o600 } else { 0o644 });
    }

    fn mode(&self, file: &str, mode: u32) {
        fs::set_permissions(self.path(file), Permissions::from_mode(mode)).unwrap();
    }

    fn remove(&self, file: &str) {
        fs::remove_file(self.path(file)).unwrap();
    }

    /// What runs, else what is wrong.
    fn found(&self) -> Result<Vec<String>, String> {
        self.found_with(None)
    }

    fn found_with(&self, timer_runs: Option<bool>) -> Result<Vec<String>, String> {
        let schedule = find_in(self.0.path(), DAY, &[], &|_| timer_runs);
        let by: Vec<_> = schedule.jobs.iter().map(|job| format!("{} as {}", job.by, job.user.name)).collect();
        if by.is_empty() { Err(schedule.faults.join("\n")) } else { Ok(by) }
    }

    #[track_caller]
    fn refuses(&self, why: &str, remedy: &str) {
        let fault = self.found().unwrap_err();
        assert!(fault.contains(why) && fault.contains(remedy), "{why}: {fault}");
        assert_eq!(fault.lines().count(), 1, "{fault}");
    }
}

#[test]
fn a_good_file_runs_and_it_is_said_as_whom() {
    for (file, text, runs) in [
        ("etc/cron.d/pulse-echo", LINE, "cron, by /etc/cron.d/pulse-echo as root"),
        ("etc/crontab", LINE, "cron, by /etc/crontab as root"),
        (
            "etc/cron.d/monitoring",
            "@hourly pulse-echo pulse-echo send\n",
            "cron, by /etc/cron.d/monitoring as pulse-echo",
        ),
        (
            "var/spool/cron/crontabs/root",
            "* * * * * pulse-echo send\n",
            "cron, by /var/spool/cron/crontabs/root as root",
        ),
        ("etc/cron.d/pe", "PATH=/opt:/usr/bin\n0 * * * * root pulse-echo send\n", "cron, by /etc/cron.d/pe as root"),
    ] {
        assert_eq!(Machine::with(&[(file, text)]).found(), Ok(vec![runs.into()]), "{file}: {text}");
    }
    let own = include_str!("../../../cron/pulse-echo");
    let files = [("etc/cron.d/pulse-echo", own), ("etc/pulse-echo/config.json", "{}")];
    assert_eq!(Machine::with(&files).found(), Ok(vec!["cron, by /etc/cron.d/pulse-echo as pulse-echo".into()]));
    Machine::with(&files[..1])
        .refuses("its own test keeps it from sending now: [ ! -e /etc/pulse-echo/config.json ]", "");
}

#[test]
fn what_debians_cron_ignores_is_named_with_the_remedy() {
    let with = |text: &str| Machine::with(&[("etc/cron.d/pe", text)]);
    let send = "/usr/bin/pulse-echo send";
    for (text, why, remedy) in [
        (LINE.trim_end(), "all of it, for line 1: the file has no newline at its end", "echo >>/etc/cron.d/pe"),
        (&format!("{LINE}x"), "line 2: the file has no newline", "echo >>/etc/cron.d/pe"),
        (&format!("{LINE}61 * * * * root a\n"), "line 2: \"61\" is no minute", ""),
        (&format!("MAILTO=\n{LINE}"), "line 1: it is neither five times", "NAME=\"value\""),
        (&LINE.replace("root", "nosuchuser"), "there is no user nosuchuser", "name one that is there"),
        ("*/10 * * * * pulse-echo send\n", "pulse-echo is taken for a user", "before it"),
        ("*/10 * * * * /usr/bin/pulse-echo send\n", "pulse-echo is taken for a user", "before it"),
        ("A=\"runs pulse-echo send\"\n", "does not run pulse-echo send", ""),
        (&LINE.replace('\n', "\r\n"), "as lines of Windows do", "sed"),
        ("* * * * * root a $(date +%F) && pulse-echo send\n", "ends the command at the first %", "\\%"),
        ("* * * * * root /opt/pulse-echo send\n", "there is no program /opt/pulse-echo", "whole path"),
        ("PATH=/bin\n* * * * * root pulse-echo send\n", "it finds no pulse-echo in its PATH /bin", "whole path"),
        (
            &format!("* * * * * root {send} --splya 3\n"),
            "the command is wrong: Unrecognized argument: --splya",
            "--help",
        ),
        (&format!("* * * * * root [ -e /gone ] && {send}\n"), "its own test keeps it", "[ -e /gone ]"),
        (&format!("SHELL=/usr/sbin/nologin\n* * * * * root {send}\n"), "runs no command", "SHELL=/bin/sh"),
        (&format!("* * * * * root {send} --retire\n"), "does not run pulse-echo send", ""),
    ] {
        with(text).refuses(why, remedy);
    }
}

#[test]
fn names_modes_owners_and_links_count() {
    for (name, better) in [
        ("pulse-echo.disabled", "pulse-echo"),
        ("pe~", "pe"),
        (".pe", "pe"),
        ("pulse.echo", "pulse"),
        ("pulse-echo.dpkg-old", "pulse-echo"),
    ] {
        let machine = Machine::with(&[(&format!("etc/cron.d/{name}"), LINE)]);
        machine.refuses("it takes no file of such a name", &format!("mv '/etc/cron.d/{name}' /etc/cron.d/{better}"));
        fs::rename(machine.path(&format!("etc/cron.d/{name}")), machine.path(&format!("etc/cron.d/{better}"))).unwrap();
        assert!(machine.found().is_ok(), "the remedy of {name} helps");
    }
    let machine = Machine::with(&[("etc/cron.d/pe", LINE)]);
    for mode in [0o664, 0o646, 0o666] {
        machine.mode("etc/cron.d/pe", mode);
        machine.refuses(&format!("its mode is {mode:o}"), "chmod 644 /etc/cron.d/pe");
    }
    machine.mode("etc/cron.d/pe", 0o600);
    assert!(machine.found().is_ok());
    fs::hard_link(machine.path("etc/cron.d/pe"), machine.path("other")).unwrap();
    machine.refuses("it has a second name, a hard link", "cp -p /etc/cron.d/pe");
    machine.remove("other");
    if chown(machine.path("etc/cron.d/pe"), Some(65_534), None).is_ok() {
        machine.refuses("it is not root's", "chown -h root:root /etc/cron.d/pe");
    }
    let machine = Machine::with(&[("opt/pe", LINE), ("etc/cron.d/placeholder", "")]);
    symlink(machine.path("opt/pe"), machine.path("etc/cron.d/pe")).unwrap();
    assert!(machine.found().is_ok(), "a link of root's is fine");
    machine.mode("opt/pe", 0o664);
    machine.refuses("its mode is 664", "chmod 644");
}

#[test]
fn a_users_own_crontab_is_held_to_other_rules() {
    let spool = "var/spool/cron/crontabs";
    let machine = Machine::with(&[(&format!("{spool}/root"), "*/10 * * * * /usr/bin/pulse-echo send\n")]);
    assert!(machine.found().is_ok());
    machine.mode(&format!("{spool}/root"), 0o644);
    machine.refuses("its mode is 644", "chmod 600 /var/spool/cron/crontabs/root; touch /var/spool/cron/crontabs");
    machine.write(&format!("{spool}/root"), "*/10 * * * * /usr/bin/pulse-echo send");
    machine.refuses("no newline at its end", "echo >>/var/spool/cron/crontabs/root; touch /var/spool/cron/crontabs");
    machine.write(&format!("{spool}/root"), LINE);
    machine.refuses("its command is not pulse-echo send", "as the command of the line");
    machine.remove(&format!("{spool}/root"));
    machine.write(&format!("{spool}/nosuchuser"), "* * * * * /usr/bin/pulse-echo send\n");
    machine.refuses("there is no user nosuchuser", "crontab -u USER");
    let machine = Machine::with(&[("var/spool/cron/root", "* * * * * /usr/bin/pulse-echo send\n")]);
    machine.refuses("it reads the users' crontabs in /var/spool/cron/crontabs", "crontab -u USER");
}

#[test]
fn each_cron_has_its_own_rules() {
    let bad_line = format!("MAILTO=\n61 * * * * root a\n{LINE}x");
    let files = [("etc/cron.d/a.b", bad_line.as_str()), ("proc/7/comm", "crond\n")];
    let machine = Machine::with(&files);
    assert_eq!(machine.found(), Ok(vec!["cron, by /etc/cron.d/a.b as root".into()]), "cronie");
    machine.mode("etc/cron.d/a.b", 0o755);
    machine.refuses("its mode is 755", "chmod 644");
    symlink("/bin/busybox", machine.path("proc/7/exe")).unwrap();
    machine.refuses("busybox's crond reads no /etc/cron.d", "crontab -e");
    machine.remove("etc/cron.d/a.b");
    machine.write("var/spool/cron/crontabs/root", "* * * * * pulse-echo send");
    machine.mode("var/spool/cron/crontabs/root", 0o644);
    assert!(machine.found().is_ok(), "busybox asks for neither mode nor newline");
}

#[test]
fn scripts_are_looked_into_and_must_be_run() {
    let hourly = "17 * * * * root cd / && run-parts --report /etc/cron.hourly\n";
    let script = "#!/bin/sh\nexec /usr/bin/pulse-echo send --quiet\n";
    let machine = Machine::with(&[("etc/crontab", hourly), ("etc/cron.hourly/pulse", script)]);
    machine.refuses("/etc/cron.hourly/pulse is not run: it is not executable", "chmod 755 /etc/cron.hourly/pulse");
    machine.mode("etc/cron.hourly/pulse", 0o755);
    assert_eq!(machine.found(), Ok(vec!["cron, by /etc/crontab as root".into()]));
    fs::rename(machine.path("etc/cron.hourly/pulse"), machine.path("etc/cron.hourly/pulse.sh")).unwrap();
    machine.refuses("run-parts takes no file of such a name", "mv '/etc/cron.hourly/pulse.sh'");
    let machine = Machine::with(&[("etc/cron.d/pe", "* * * * * root nice /opt/pulse.sh\n"), ("opt/pulse.sh", script)]);
    assert!(machine.found().is_ok());
}

#[test]
fn a_script_whose_first_line_leads_nowhere_is_not_run() {
    let hourly = "17 * * * * root cd / && run-parts --report /etc/cron.hourly\n";
    let file = "etc/cron.hourly/pulse";
    let machine = Machine::with(&[("etc/crontab", hourly), ("bin/sh", "")]);
    let with = |first: &str, end: &str| {
        machine.write(file, &format!("{first}exec /usr/bin/pulse-echo send --quiet{end}"));
        machine.mode(file, 0o755);
    };
    with("#!/bin/sh\n", "\n");
    assert!(machine.found().is_ok());
    with("#! /bin/nosuch -e\n", "\n");
    machine.refuses("/etc/cron.hourly/pulse is not run: its interpreter /bin/nosuch is not there", "first line");
    with("#!/bin/sh\r\n", "\r\n");
    machine.refuses("its lines end as those of Windows do", "sed -i 's/\\r$//' /etc/cron.hourly/pulse");
    with("", "\n");
    machine.refuses("it has no interpreter", "sed -i '1i #!/bin/sh' /etc/cron.hourly/pulse");
    // A shell takes such a file for its own, and reads one that it is given whatever its first line says.
    machine.remove("etc/crontab");
    for line in [format!("/{file}"), format!("nice sh /{file}")] {
        machine.write("etc/cron.d/pe", &format!("* * * * * root {line}\n"));
        assert!(machine.found().is_ok(), "{line}: {:?}", machine.found());
    }
    with("#!/bin/nosuch\n", "\n");
    assert!(machine.found().is_ok());
}

#[test]
fn a_line_that_changes_the_user_is_judged_as_that_user() {
    let machine = Machine::with(&[]);
    let line = |command: &str| machine.write("etc/cron.d/pe", &format!("*/10 * * * * root {command}\n"));
    line("sudo -u pulse-echo /usr/bin/pulse-echo send -q");
    assert_eq!(machine.found(), Ok(vec!["cron, by /etc/cron.d/pe as pulse-echo".into()]));
    line("su pulse-echo -s /bin/sh -c '/usr/bin/pulse-echo send -q'");
    assert_eq!(machine.found(), Ok(vec!["cron, by /etc/cron.d/pe as pulse-echo".into()]));
    line("su - pulse-echo -c '/usr/bin/pulse-echo send -q'");
    machine.refuses("the shell of pulse-echo, which is /usr/sbin/nologin and lets nobody in", "add -s /bin/sh");
    line("sudo -u nosuch /usr/bin/pulse-echo send -q");
    machine.refuses("it runs as nosuch, and there is no such user", "create or name another");
}

#[test]
fn the_packages_own_file_with_a_broken_line_is_told_with_that_line() {
    let machine = Machine::with(&[("etc/cron.d/pulse-echo", "*/10 * * * * root /usr/bin/pulse-echo \\\n send -q\n")]);
    machine.refuses("cron ignores /etc/cron.d/pulse-echo, all of it, for line 2", "five times");
}

#[test]
fn anacron_runs_scripts_once_a_day() {
    let daily = "25 6 * * * root test -x /usr/sbin/anacron || { cd / && run-parts --report /etc/cron.daily; }\n";
    let files = [
        ("etc/crontab", daily),
        ("etc/anacrontab", "SHELL=/bin/sh\n# daily\n1 5 cron.daily\trun-parts --report /etc/cron.daily\n"),
        ("etc/cron.daily/pulse", "#!/bin/sh\npulse-echo send\n"),
    ];
    let machine = Machine::with(&files);
    machine.mode("etc/cron.daily/pulse", 0o755);
    assert_eq!(machine.found(), Ok(vec!["cron, by /etc/crontab as root".into()]));
    machine.write("usr/sbin/anacron", "");
    machine.mode("usr/sbin/anacron", 0o755);
    assert_eq!(machine.found(), Ok(vec!["anacron, by /etc/anacrontab as root".into()]));
}

#[test]
fn the_daemon_must_run_here() {
    let machine = Machine::with(&[("etc/cron.d/pe", LINE), ("usr/sbin/cron", "")]);
    machine.write("proc/7/comm", "other\n");
    machine.refuses("/etc/cron.d/pe is there, but no cron daemon runs", "systemctl enable --now cron");
    machine.write("proc/7/comm", "cron\n");
    symlink("/usr", machine.path("proc/7/root")).unwrap();
    machine.refuses("no cron daemon runs", "");
    machine.remove("proc/7/root");
    symlink(machine.0.path(), machine.path("proc/7/root")).unwrap();
    assert!(machine.found().is_ok(), "it has this machine's files");
    machine.remove("proc/self/comm");
    fs::remove_dir_all(machine.path("proc")).unwrap();
    machine.write("run/crond.pid", "7\n");
    assert!(machine.found().is_ok(), "without /proc there is only its file");
}

#[test]
fn an_account_that_has_expired_runs_nothing() {
    let machine = Machine::with(&[("etc/cron.d/pe", LINE), ("etc/shadow", "root:x:19000:0:30:7:::\n")]);
    machine.refuses("the password of root has expired", "chage -M -1 root");
}

#[test]
fn the_environment_is_crons() {
    let text = "A=b\nHOME=/h\n* * * * * pulse-echo C=d /usr/bin/pulse-echo send\n";
    let machine = Machine::with(&[
        ("etc/cron.d/pe", text),
        ("etc/environment", "http_proxy=\"http://p\"\n#X=y\n"),
        ("etc/pam.d/cron", "session required pam_env.so\n"),
    ]);
    let schedule = find_in(machine.0.path(), DAY, &[], &|_| None);
    let variables = &schedule.jobs[0].variables;
    for (name, expected) in [
        ("http_proxy", Some("http://p")),
        ("X", None),
        ("A", Some("b")),
        ("C", Some("d")),
        ("HOME", Some("/h")),
        ("SHELL", Some("/bin/sh")),
        ("PATH", Some("/usr/bin:/bin")),
        ("LOGNAME", Some("pulse-echo")),
    ] {
        assert_eq!(value(variables, name), expected, "{name}");
    }
}
