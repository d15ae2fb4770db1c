//! doctor's verdicts about crontabs, judged by the real cron.

use std::collections::BTreeSet;
use std::os::unix::fs::symlink;

use crate::cron::Cron;
use crate::root::Root;
use pulse_echo_testkit::agent;

/// In place of the program that cron starts: it leaves its `--timeout-s` behind, which is a form's number. As the
/// program, it refuses what is none.
const PROGRAM: &str = "#!/bin/sh
case \"$*\" in *--dry-run*) exit 0 ;; esac
for number; do :; done
case \"$number\" in *[!0-9]*) exit 2 ;; esac
touch \"/tmp/ran/$number\"
";

/// A crontab, and what is done with it besides. `SEND` is the command.
struct Form {
    file: &'static str,
    text: &'static str,
    mode: u32,
    owner: &'static str,
    besides: fn(&Root, &str),
}

const SPOOL: &str = "var/spool/cron/crontabs";
const GOOD: &str = "* * * * * root SEND\n";

const fn form(file: &'static str, text: &'static str) -> Form {
    Form { file, text, mode: 0o644, owner: "root", besides: |_, _| {} }
}

const fn own(user: &'static str, text: &'static str) -> Form {
    Form { mode: 0o600, ..form(user, text) }
}

/// Forms that can be there at the same time. A file without a folder is a user's own crontab.
const FORMS: &[Form] = &[
    form("etc/cron.d/good", GOOD),
    form("etc/cron.d/dot.name", GOOD),
    form("etc/cron.d/copy~", GOOD),
    form("etc/cron.d/old.dpkg-old", GOOD),
    form("etc/cron.d/.hidden", GOOD),
    form("etc/cron.d/UPPER_case-1", GOOD),
    form("etc/cron.d/no-newline", "* * * * * root SEND"),
    form("etc/cron.d/comment-without-newline", "* * * * * root SEND\n# end"),
    form("etc/cron.d/blanks-without-newline", "* * * * * root SEND\n  "),
    form("etc/cron.d/variable-without-newline", "* * * * * root SEND\nA=b"),
    Form { mode: 0o664, ..form("etc/cron.d/group-writes", GOOD) },
    Form { mode: 0o646, ..form("etc/cron.d/others-write", GOOD) },
    Form { mode: 0o600, ..form("etc/cron.d/closed", GOOD) },
    Form { mode: 0o755, ..form("etc/cron.d/executable", GOOD) },
    Form { owner: "daemon", ..form("etc/cron.d/of-another", GOOD) },
    Form { besides: hard_link, ..form("etc/cron.d/hard-link", GOOD) },
    Form { besides: link, ..form("etc/cron.d/link", GOOD) },
    Form { besides: link_of_another, ..form("etc/cron.d/link-of-another", GOOD) },
    form("etc/cron.d/no-user", "* * * * * SEND\n"),
    form("etc/cron.d/unknown-user", "* * * * * nosuchuser SEND\n"),
    form("etc/cron.d/another-user", "* * * * * daemon SEND\n"),
    form("etc/cron.d/bad-minute-later", "* * * * * root SEND\n61 * * * * root true\n"),
    form("etc/cron.d/bad-user-later", "* * * * * root SEND\n* * * * * nosuchuser true\n"),
    form("etc/cron.d/empty-mailto", "MAILTO=\n* * * * * root SEND\n"),
    form("etc/cron.d/quoted-mailto", "MAILTO=\"\"\n* * * * * root SEND\n"),
    form("etc/cron.d/open-quote", "A=\"b\n* * * * * root SEND\n"),
    form("etc/cron.d/windows", "* * * * * root SEND\r\n"),
    form("etc/cron.d/windows-blank-line", "\r\n* * * * * root SEND\n"),
    form("etc/cron.d/indented", "  * * * * *\troot\tSEND\n"),
    form("etc/cron.d/only-a-comment", "# * * * * * root SEND\n"),
    form("etc/cron.d/only-a-variable", "A=\"SEND\"\n"),
    form("etc/cron.d/words", "@daily root true\n* * * jan-dec sun-sat root SEND\n"),
    form("etc/cron.d/unknown-word", "@sometimes root true\n* * * * * root SEND\n"),
    form("etc/cron.d/range-that-is-none", "1/2 * * * * root true\n* * * * * root SEND\n"),
    form("etc/cron.d/step", "*/1 * * * * root SEND\n"),
    form("etc/cron.d/step-of-none", "*/0 * * * * root true\n* * * * * root SEND\n"),
    form("etc/cron.d/letters-behind-a-star", "*x * * * * root SEND\n"),
    form("etc/cron.d/four-times", "* * * * root SEND\n"),
    form("etc/cron.d/path-without-it", "PATH=/sbin\n* * * * * root pulse-echo send --timeout-s NUMBER\n"),
    form("etc/cron.d/default-path", "* * * * * root pulse-echo send --timeout-s NUMBER\n"),
    form("etc/cron.d/shell-of-none", "SHELL=/usr/sbin/nologin\n* * * * * root SEND\n"),
    form("etc/cron.d/shell-that-is-gone", "SHELL=/bin/gone\n* * * * * root SEND\n"),
    form("etc/cron.d/bash", "SHELL=/bin/bash\n* * * * * root SEND\n"),
    form("etc/cron.d/percent-before", "* * * * * root echo $(date +%F) && SEND\n"),
    form("etc/cron.d/percent-behind", "* * * * * root SEND # 100 %\n"),
    form("etc/cron.d/escaped-percent", "* * * * * root echo $(date +\\%F) && SEND\n"),
    form("etc/cron.d/test-that-holds", "* * * * * root [ -x /bin/sh ] && SEND\n"),
    form("etc/cron.d/test-that-does-not", "* * * * * root [ -e /gone ] && SEND\n"),
    form("etc/cron.d/not-there-or", "* * * * * root [ ! -e /gone ] || SEND\n"),
    form("etc/cron.d/wrapped", "* * * * * root nice -n 5 timeout 50 SEND >/dev/null 2>&1\n"),
    form("etc/cron.d/in-a-shell", "* * * * * root sh -c 'cd / && SEND'\n"),
    form("etc/cron.d/only-said", "* * * * * root echo SEND\n"),
    form("etc/cron.d/job", "* * * * * root /usr/bin/pulse-echo exec --name job -- NUMBER\n"),
    form("etc/cron.d/job-of-gone-user", "* * * * * nosuchuser /usr/bin/pulse-echo exec --name job -- NUMBER\n"),
    form("etc/cron.d/job-cut", "* * * * * root /usr/bin/pulse-echo exec --name %job -- NUMBER\n"),
    form("etc/cron.d/gone-program", "* * * * * root /opt/gone/pulse-echo send --timeout-s NUMBER\n"),
    form("etc/cron.d/expired-account", "* * * * * expired SEND\n"),
    form("etc/cron.d/expired-password", "* * * * * stale SEND\n"),
    form("etc/cron.d/locked-password", "* * * * * locked SEND\n"),
    form("etc/cron.d/dash-n", "* * * * * root -n SEND\n"),
    form("etc/cron.d/never", "* * 31 2 * root SEND\n"),
    own("daemon", "* * * * * SEND\n"),
    own("bin", "* * * * * SEND"),
    Form { mode: 0o644, ..own("sys", "* * * * * SEND\n") },
    Form { mode: 0o640, ..own("games", "* * * * * SEND\n") },
    Form { owner: "man", ..own("man", "* * * * * SEND\n") },
    Form { owner: "man", ..own("lp", "* * * * * SEND\n") },
    own("nosuchuser", "* * * * * SEND\n"),
    own("mail", "* * * * * root SEND\n"),
    Form { besides: hard_link, ..own("news", "* * * * * SEND\n") },
    Form { besides: link, ..own("uucp", "* * * * * SEND\n") },
    form("var/spool/cron/proxy", "* * * * * SEND\n"),
    // One after the other: there is one such file.
    form("etc/crontab", GOOD),
    form("etc/crontab", "* * * * * root SEND"),
    Form { mode: 0o666, ..form("etc/crontab", GOOD) },
];

fn hard_link(root: &Root, file: &str) {
    root.ok(&["ln", &format!("/{file}"), &format!("/tmp/{}", file.replace('/', "_"))]);
}

fn link(root: &Root, file: &str) {
    let target = format!("/opt/{}", file.replace('/', "_"));
    root.ok(&["mv", &format!("/{file}"), &target]);
    symlink(&target, root.path(file)).unwrap();
}

fn link_of_another(root: &Root, file: &str) {
    link(root, file);
    root.ok(&["chown", "-h", "daemon", &format!("/{file}")]);
}

impl Form {
    fn path(&self) -> String {
        if self.file.contains('/') { self.file.into() } else { format!("{SPOOL}/{}", self.file) }
    }

    /// Puts it there, as the form with this number, from 1.
    fn put(&self, root: &Root, number: usize) {
        let (path, number) = (self.path(), number.to_string());
        let text = self.text.replace("SEND", "/usr/bin/pulse-echo send --timeout-s NUMBER").replace("NUMBER", &number);
        root.write(&path, &text);
        root.ok(&["chown", self.owner, &format!("/{path}")]);
        root.ok(&["chmod", &format!("{:o}", self.mode), &format!("/{path}")]);
        (self.besides)(root, &path);
    }

    /// Takes it away, with its other names.
    fn remove(&self, root: &Root) {
        let path = self.path();
        let other = path.replace('/', "_");
        root.ok(&["rm", "-f", &format!("/{path}"), &format!("/tmp/{other}"), &format!("/opt/{other}")]);
    }
}

pub fn doctor_says_yes_where_cron_says_yes() {
    let root = Root::new();
    prepare(&root, PROGRAM);
    let mut said = Vec::new();
    for (number, form) in (1..).zip(FORMS) {
        form.put(&root, number);
        let doctor = root.run(&["/opt/pulse-echo", "doctor"]);
        let lines: Vec<_> = doctor.stdout.lines().filter(|line| line.contains(" schedule: ")).collect();
        assert!(!lines.is_empty(), "{doctor:?}");
        said.push((lines.iter().all(|line| line.starts_with('✓')), lines.join("\n")));
        form.remove(&root);
    }
    let ran = ran(&root);
    let mut wrong = Vec::new();
    for (number, (form, (yes, lines))) in (1..).zip(FORMS.iter().zip(said)) {
        if yes != ran.contains(&number) {
            wrong.push(format!("{} {:?}: cron says {}, doctor {lines}", form.file, form.text, ran.contains(&number)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(ran.len() > 20 && ran.len() < FORMS.len() - 20, "cron takes some and ignores some: {ran:?}");
}

fn prepare(root: &Root, program: &str) {
    std::fs::copy(agent::program(), root.path("opt/pulse-echo")).unwrap();
    root.write("usr/bin/pulse-echo", program);
    root.ok(&["chmod", "755", "/usr/bin/pulse-echo", "/opt/pulse-echo"]);
    root.ok(&["install", "-d", "-m", "777", "/tmp/ran"]);
    root.ok(&["rm", "-f", "/etc/crontab"]);
    for (user, option) in [("expired", "-E0"), ("stale", "-d0"), ("locked", "-m0")] {
        root.add_user(user, None);
        root.ok(&["chage", option, user]);
    }
    root.ok(&["usermod", "-L", "locked"]);
    // Nothing of the Debian's own runs meanwhile.
    root.ok(&["sh", "-c", "rm -f /etc/cron.d/* /etc/cron.d/.placeholder"]);
    // There is no /proc here, so that this file says that cron runs.
    root.write("run/crond.pid", "1\n");
}

/// In place of the program: it leaves behind who it is, where, and with which environment.
const WITNESS: &str = "#!/bin/sh
case \"$*\" in *--dry-run*) by=doctor ;; *) by=cron ;; esac
{ id; pwd; env | grep -v -e ^_= -e ^OLDPWD= -e ^SHLVL= | sort; } >/tmp/$by.new && mv /tmp/$by.new /tmp/ran/$by
";

pub fn doctor_tries_out_what_cron_runs() {
    let root = Root::new();
    prepare(&root, WITNESS);
    root.write("etc/environment", "http_proxy=\"http://127.0.0.1:1\"\nPATH=/nowhere\n# B=c\n");
    root.add_user("web", Some("daemon,mail"));
    root.ok(&["install", "-d", "-o", "web", "/home/web", "/srv/web"]);
    for (file, mode, text) in [
        ("etc/cron.d/web", "644", "A = 'b c'\n* * * * * web C=d /usr/bin/pulse-echo send --quiet\n"),
        ("etc/cron.d/web", "644", "HOME=/srv/web\nLOGNAME=x\nPATH=/usr/bin\n* * * * * web cd / && pulse-echo send\n"),
        ("var/spool/cron/crontabs/web", "600", "SHELL=/bin/bash\n* * * * * pulse-echo send\n"),
        ("etc/cron.d/root", "644", "* * * * * root exec pulse-echo send\n"),
    ] {
        root.write(file, text);
        root.ok(&["chmod", mode, &format!("/{file}")]);
        let doctor = root.run(&["/opt/pulse-echo", "doctor"]);
        root.write("etc/cron.d/the-last", "1 12 * * * root true # the last\n");
        Cron::start_fast(&root).hears("(root) END (true # the last)");
        root.ok(&["rm", "/etc/cron.d/the-last", &format!("/{file}")]);
        let of_doctor = std::fs::read_to_string(root.path("tmp/ran/doctor"));
        let of_doctor = of_doctor.unwrap_or_else(|error| panic!("{text}: {error}: {doctor:?}"));
        assert_eq!(of_doctor, root.read("tmp/ran/cron"), "{text}");
        root.ok(&["sh", "-c", "rm /tmp/ran/*"]);
    }
}

/// The numbers of the forms that the real cron runs.
fn ran(root: &Root) -> BTreeSet<usize> {
    let mut taken = Vec::new();
    let mut left: Vec<_> = (1..).zip(FORMS).collect();
    while !left.is_empty() {
        let mut now: Vec<(usize, &Form)> = Vec::new();
        left.retain(|&(number, form)| {
            let is_free = now.iter().all(|(_, other)| other.file != form.file);
            if is_free {
                now.push((number, form));
            }
            !is_free
        });
        for (number, form) in &now {
            form.put(root, *number);
        }
        // A minute later all that ran in the first minute has ended.
        root.write("etc/cron.d/the-last", "1 12 * * * root true # the last\n");
        Cron::start_fast(root).hears("(root) END (true # the last)");
        root.ok(&["rm", "/etc/cron.d/the-last"]);
        for (_, form) in &now {
            form.remove(root);
        }
        taken.extend(now);
    }
    let files = std::fs::read_dir(root.path("tmp/ran")).unwrap();
    files.map(|file| file.unwrap().file_name().to_string_lossy().parse().unwrap()).collect()
}
