//! A Debian that boots, with systemd and without cron, in an emulated machine of its own: no network but its loopback.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::tools::{folder, run};

/// What mmdebstrap makes once.
const NAME: &str = "debian-boots.tar";

/// How long a boot may take: it is emulated, and other work may be done beside it.
const BOOT_TIME: Duration = Duration::from_secs(600);

/// How long what a story waits for may take.
const WAIT_TIME: Duration = Duration::from_secs(300);

/// Does what comes in by the second serial line: a command in base64, answered by its output in base64 and its code.
const SHELL: &str = "#!/bin/bash
stty -F /dev/ttyS1 raw -echo
exec <>/dev/ttyS1 >&0
echo ready
while read -r line; do
  said=$(base64 -d <<<\"$line\" | bash 2>&1)
  code=$?
  echo \"$(base64 -w0 <<<\"$said\") $code\"
done
";

const UNIT: &str = "[Unit]
After=multi-user.target
[Service]
ExecStart=/usr/local/sbin/story-shell
[Install]
WantedBy=multi-user.target
";

/// Makes the Debian, unless it is there.
pub fn make() -> Result<(), String> {
    let whole = folder().join(NAME);
    if whole.exists() {
        return Ok(());
    }
    println!("making a Debian that boots (a minute or two, once)");
    fs::create_dir_all(folder()).map_err(|error| error.to_string())?;
    let half = folder().join(format!("half.{NAME}"));
    let packages = "--include=systemd,systemd-sysv,dbus,udev,linux-image-cloud-amd64,initramfs-tools,ca-certificates";
    run(Command::new("mmdebstrap").args(["--variant=minbase", packages, "bookworm"]).arg(&half))?;
    fs::rename(&half, whole).map_err(|error| error.to_string())
}

/// Such a machine, running. Dropping it ends it.
pub struct Machine {
    files: TempDir,
    emulator: Child,
    line: BufReader<UnixStream>,
}

impl Machine {
    /// Boots a machine that has these files in `/root`, and an old data folder of the local system if one is given.
    pub fn boot(files: &[PathBuf], data: &Path) -> Self {
        let place = tempfile::Builder::new().prefix("machine").tempdir_in(folder()).unwrap();
        let root = place.path().join("root");
        fs::create_dir(&root).unwrap();
        run(Command::new("tar").arg("-xf").arg(folder().join(NAME)).arg("-C").arg(&root)).unwrap();
        for file in files {
            fs::copy(file, root.join("root").join(file.file_name().unwrap())).unwrap();
        }
        run(Command::new("cp").arg("-rp").arg(data).arg(root.join("var/lib/pulse-echo-local"))).unwrap();
        fs::write(root.join("usr/local/sbin/story-shell"), SHELL).unwrap();
        fs::write(root.join("etc/systemd/system/story-shell.service"), UNIT).unwrap();
        fs::write(root.join("etc/fstab"), "/dev/vda / ext4 defaults 0 1\n").unwrap();
        fs::write(root.join("etc/hostname"), "web-731\n").unwrap();
        let set_up = "chmod 755 usr/local/sbin/story-shell
            ln -s /etc/systemd/system/story-shell.service etc/systemd/system/multi-user.target.wants/
            echo force-unsafe-io >etc/dpkg/dpkg.cfg.d/quick
            mv boot/vmlinuz-* ../kernel; mv boot/initrd.img-* ../initrd
            rm -rf var/cache/apt var/lib/apt/lists usr/share/locale usr/share/doc usr/share/man
            mke2fs -q -t ext4 -d . ../disk 1400M
            cd ..; rm -rf root";
        run(Command::new("sh").args(["-euc", set_up]).current_dir(&root)).unwrap();
        let (emulator, line) = start(place.path());
        Self { files: place, emulator, line }
    }

    /// Boots it again, as `reboot` does.
    pub fn reboot(&mut self) {
        self.say("systemctl reboot");
        let until = Instant::now() + BOOT_TIME;
        while self.emulator.try_wait().unwrap().is_none() {
            assert!(Instant::now() < until, "it does not go down");
            thread::sleep(Duration::from_millis(100));
        }
        (self.emulator, self.line) = start(self.files.path());
    }

    fn say(&mut self, command: &str) {
        let mut base64 =
            Command::new("base64").arg("-w0").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        base64.stdin.take().unwrap().write_all(command.as_bytes()).unwrap();
        let mut line = base64.wait_with_output().unwrap().stdout;
        line.push(b'\n');
        self.line.get_mut().write_all(&line).unwrap();
    }

    /// Runs a command in it, as root. Returns the exit code and all its output.
    pub fn run(&mut self, command: &str) -> (i32, String) {
        self.say(command);
        let mut line = String::new();
        self.line.read_line(&mut line).unwrap_or_else(|error| panic!("{command}: {error}"));
        let (said, code) = line.trim_end().rsplit_once(' ').unwrap_or_else(|| panic!("{command}: {line:?}"));
        let mut base64 = Command::new("base64").arg("-d").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        base64.stdin.take().unwrap().write_all(said.as_bytes()).unwrap();
        let said = base64.wait_with_output().unwrap().stdout;
        (code.parse().unwrap(), String::from_utf8_lossy(&said).trim_end().to_owned())
    }

    /// Runs a command that must not fail. Returns its output.
    #[track_caller]
    pub fn ok(&mut self, command: &str) -> String {
        let (code, said) = self.run(command);
        assert_eq!(code, 0, "{command}: {said}");
        said
    }

    /// Waits until a command succeeds. Returns its output.
    #[track_caller]
    pub fn wait(&mut self, command: &str) -> String {
        let until = Instant::now() + WAIT_TIME;
        loop {
            let (code, said) = self.run(command);
            if code == 0 {
                return said;
            }
            assert!(Instant::now() < until, "{command}: {said}\n{}", self.run("journalctl -b | tail -40").1);
            thread::sleep(Duration::from_millis(500));
        }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = self.emulator.kill();
        let _ = self.emulator.wait();
    }
}

/// Starts the machine whose disk is in `place`, and waits until it does what it is told.
fn start(place: &Path) -> (Child, BufReader<UnixStream>) {
    let socket = place.join("line");
    let _ = fs::remove_file(&socket);
    let of_place = |option: &str, file: &str| option.replace("FILE", &place.join(file).display().to_string());
    let console = fs::File::create(place.join("console")).unwrap();
    let emulator = Command::new("setpriv")
        // It ends with this program, however this program ends.
        .args(["--pdeathsig", "KILL", "qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max"])
        .args(["-m", "1024", "-smp", "2", "-display", "none", "-no-reboot", "-nic", "none"])
        .args(["-kernel", &of_place("FILE", "kernel"), "-initrd", &of_place("FILE", "initrd")])
        .args(["-append", "root=/dev/vda rw console=ttyS0 no_timer_check"])
        .args(["-drive", &of_place("file=FILE,format=raw,if=virtio,cache=unsafe", "disk")])
        .args(["-serial", "stdio", "-serial", &of_place("unix:FILE,server=on,wait=off", "line")])
        .stdin(Stdio::null())
        .stdout(console)
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let until = Instant::now() + BOOT_TIME;
    let stream = loop {
        match UnixStream::connect(&socket) {
            Ok(stream) => break stream,
            Err(error) => assert!(Instant::now() < until, "{error}"),
        }
        thread::sleep(Duration::from_millis(50));
    };
    stream.set_read_timeout(Some(BOOT_TIME)).unwrap();
    let mut line = BufReader::new(stream);
    let mut ready = String::new();
    while !ready.ends_with("ready\n") {
        ready.clear();
        let console = || fs::read_to_string(place.join("console")).unwrap_or_default();
        assert!(line.read_line(&mut ready).is_ok_and(|bytes| bytes > 0), "it does not boot: {}", console());
    }
    (emulator, line)
}
