//! A Debian in a folder.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::tools::{folder, run};
use pulse_echo_testkit::agent::Ended;

/// The Debian that debootstrap makes once; each story has a copy.
const NAME: &str = "debian-bookworm";

/// Programs in it must not ask anybody outside this machine.
const NO_INSTANCE: &str = "AWS_EC2_METADATA_DISABLED=true";

/// Makes it, unless it is there.
pub fn make() -> Result<(), String> {
    let (whole, half) = (folder().join(NAME), folder().join(format!("{NAME}.half")));
    if whole.exists() {
        return Ok(());
    }
    println!("making a Debian (a minute or two, once)");
    let _ = fs::remove_dir_all(&half);
    fs::create_dir_all(&half).map_err(|error| format!("{}: {error}", half.display()))?;
    // systemd for its units' links, and faketime so that cron's next ten minutes begin at once.
    run(Command::new("debootstrap")
        .args(["--variant=minbase", "--include=cron,systemd,faketime", "bookworm"])
        .arg(&half))?;
    // It is copied and installed into many times, so it must be small and fast.
    let strip = "rm -rf var/cache/apt var/lib/apt/lists
        find usr/share/doc usr/share/locale usr/share/man ! -type d -delete";
    run(Command::new("sh").args(["-euc", strip]).current_dir(&half))?;
    fs::write(half.join("etc/dpkg/dpkg.cfg.d/quick"), "force-unsafe-io\n").map_err(|error| error.to_string())?;
    fs::rename(&half, whole).map_err(|error| error.to_string())
}

/// A story's own Debian. Dropping it removes it.
pub struct Root(TempDir);

impl Root {
    /// A copy as debootstrap made it.
    pub fn new() -> Self {
        let copy = tempfile::Builder::new().prefix("root").tempdir_in(folder()).unwrap();
        fs::set_permissions(copy.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let base = folder().join(NAME).join(".");
        run(Command::new("cp").args(["--archive", "--reflink=auto"]).arg(base).arg(copy.path())).unwrap();
        Self(copy)
    }

    /// The same without cron.
    pub fn without_cron() -> Self {
        let root = Self::new();
        root.ok(&["dpkg", "--purge", "cron"]);
        root
    }

    /// Its path, or the path of a file in it: `etc/passwd`.
    pub fn path(&self, file: &str) -> PathBuf {
        self.0.path().join(file)
    }

    /// A file's text.
    pub fn read(&self, file: &str) -> String {
        fs::read_to_string(self.path(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
    }

    /// Writes a file as root. A new file is readable for all.
    pub fn write(&self, file: &str, text: &str) {
        fs::write(self.path(file), text).unwrap_or_else(|error| panic!("{file}: {error}"));
    }

    pub fn has(&self, file: &str) -> bool {
        self.path(file).symlink_metadata().is_ok()
    }

    /// Copies a file of this machine into its `/tmp`. Returns the path there.
    pub fn take(&self, file: &Path) -> String {
        let name = file.file_name().unwrap().to_str().unwrap();
        fs::copy(file, self.path("tmp").join(name)).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        format!("/tmp/{name}")
    }

    /// A command in it, as root.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new("chroot");
        command.arg(self.0.path()).args(words).env_clear();
        command.envs([
            ("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"),
            ("DEBIAN_FRONTEND", "noninteractive"),
            ("HOME", "/root"),
        ]);
        let (name, value) = NO_INSTANCE.split_once('=').unwrap();
        command.env(name, value);
        command
    }

    pub fn run(&self, words: &[&str]) -> Ended {
        Ended::of(&mut self.command(words))
    }

    /// Runs a command that must not fail. Returns its output.
    pub fn ok(&self, words: &[&str]) -> String {
        let ended = self.run(words);
        assert_eq!(ended.code, 0, "{words:?}: {ended:?}");
        ended.stdout
    }

    /// The same as a user with all its groups.
    pub fn run_as(&self, user: &str, words: &[&str]) -> Ended {
        let switch = ["setpriv", "--reuid", user, "--regid", user, "--init-groups", "--reset-env"];
        self.run(&[&switch, &["env", NO_INSTANCE][..], words].concat())
    }

    /// Adds a user with a group of its own name, and possibly a further group.
    pub fn add_user(&self, user: &str, further: Option<&str>) {
        let groups = further.map_or_else(Vec::new, |group| vec!["--groups", group]);
        self.ok(&[&["useradd", "--user-group"], &groups[..], &[user]].concat());
    }

    /// `MODE OWNER:GROUP PATH` of all files, except for files that change by themselves and the package managers' own.
    pub fn files(&self) -> BTreeSet<String> {
        let others = "( -path /dev -o -path /proc -o -path /sys -o -path /tmp -o -path /run -o -path /var/log -o -path \
                      /var/cache -o -path /var/lib/dpkg -o -path /var/lib/apt -o -path /root/.rpmdb ) -prune -o";
        let mut find = vec!["find", "/", "-xdev"];
        find.extend(others.split_whitespace());
        find.extend(["-printf", "%m %u:%g %p\\n"]);
        self.ok(&find).lines().map(String::from).collect()
    }

    /// The files that were not there before, except for the backups that `useradd` keeps.
    pub fn since(&self, before: &BTreeSet<String>) -> Vec<String> {
        let is_kept = |file: &&String| file.ends_with('-') && file.contains(" /etc/");
        self.files().difference(before).filter(|file| !is_kept(file)).cloned().collect()
    }

    /// As if systemd ran here.
    pub fn boot(&self) {
        fs::create_dir_all(self.path("run/systemd/system")).unwrap();
    }

    /// As if `systemctl enable` had been called.
    pub fn enable_timer(&self) {
        symlink("/usr/lib/systemd/system/pulse-echo.timer", self.path(TIMER_ENABLED)).unwrap();
    }
}

/// There while the timer is enabled.
pub const TIMER_ENABLED: &str = "etc/systemd/system/timers.target.wants/pulse-echo.timer";
