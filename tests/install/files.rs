//! The other files of the packages, checked with the programs that read them.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::packages::{checkout, deb};
use crate::root::Root;
use crate::tools::{of_venv, run};
use pulse_echo_testkit::agent::Ended;

/// The deb, unpacked.
fn unpacked() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    run(Command::new("dpkg-deb").arg("-x").arg(deb("amd64")).arg(folder.path())).unwrap();
    folder
}

pub fn systemd_takes_the_units() {
    let root = Root::new();
    root.ok(&["dpkg", "-i", &root.take(&deb("amd64"))]);
    let analyze = |arguments: &[&str]| {
        let root = format!("--root={}", root.path("").display());
        Ended::of(Command::new("systemd-analyze").arg(root).args(arguments))
    };
    for unit in ["pulse-echo.timer", "pulse-echo.service"] {
        let verify = analyze(&["--man=no", "verify", unit]);
        assert_eq!((verify.code, verify.stderr.as_str()), (0, ""), "{verify:?}");
    }
    // In tenths: up to 1.5.
    let security = analyze(&["security", "--offline=true", "--threshold=15", "pulse-echo.service"]);
    assert_eq!(security.code, 0, "{security:?}");
    let next = Ended::of(Command::new("systemd-analyze").args(["calendar", "--iterations=2", "*:0/10"]));
    assert!(root.read("usr/lib/systemd/system/pulse-echo.timer").contains("\nOnCalendar=*:0/10\n"));
    assert!(next.stdout.contains("0:00"), "{next:?}");
}

pub fn man_pages_are_clean() {
    let pages = checkout().join("packaging/man");
    for page in ["pulse-echo.1", "pulse-echo-local.1", "pulse-echo-config.5", "pulse-echo-pulse.5"] {
        let lint = Ended::of(Command::new("mandoc").args(["-T", "lint", page]).current_dir(&pages));
        assert_eq!((lint.code, lint.stdout.as_str()), (0, ""), "{lint:?}");
    }
}

pub fn shells_complete() {
    let folder = unpacked();
    let file = |path: &str| folder.path().join("usr/share").join(path);
    let bash = file("bash-completion/completions/pulse-echo");
    let zsh = file("zsh/vendor-completions/_pulse-echo");
    let fish = file("fish/vendor_completions.d/pulse-echo.fish");
    for (typed, completed) in [
        ("pulse-echo lo", "loop"),
        ("pulse-echo send --sp", "--splay"),
        // An option of the whole program, after a command.
        ("pulse-echo loop show --buc", "--bucket"),
        ("pulse-echo --config /etc/x sen", "send"),
    ] {
        for (shell, said) in
            [("bash", in_bash(&bash, typed)), ("zsh", in_zsh(&zsh, typed)), ("fish", in_fish(&fish, typed))]
        {
            assert!(said.contains(completed), "{shell}: {typed:?} became {said:?}");
        }
    }
}

/// What bash offers, in the way its own key asks for it.
fn in_bash(file: &Path, typed: &str) -> String {
    let script = "source \"$1\" && complete -p pulse-echo >&2 || exit 1
        read -ra COMP_WORDS <<<\"$2\"; COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        _pulse-echo; printf '%s\\n' \"${COMPREPLY[@]}\"; [ -z \"${cmd-}${opts-}\" ]";
    let said = Ended::of(Command::new("bash").args(["--norc", "-c", script, "bash"]).arg(file).arg(typed));
    assert_eq!(said.code, 0, "{said:?}");
    said.stdout
}

fn in_fish(file: &Path, typed: &str) -> String {
    let script = "source $argv[1]; and complete --do-complete $argv[2]";
    let home = tempfile::tempdir().unwrap();
    let fish =
        Command::new("fish").args(["--no-config", "-c", script]).arg(file).arg(typed).env("HOME", home.path()).output();
    let fish = fish.unwrap();
    assert!(fish.status.success() && fish.stderr.is_empty(), "{fish:?}");
    String::from_utf8(fish.stdout).unwrap()
}

/// The line that zsh makes when its key is pressed. It completes only in a terminal, which it brings itself.
fn in_zsh(file: &Path, typed: &str) -> String {
    let script = "zmodload zsh/zpty
        zpty terminal zsh -f -i
        zpty -w terminal \"PROMPT=; fpath=($1 \\$fpath); autoload -Uz compinit; compinit -u -D\"
        zpty -w terminal \"answer() { print -r -- bec\\ame:\\${BUFFER}:end }; zle -N answer; bindkey '^X' answer\"
        zpty -w -n terminal \"$2\"$'\\t\\x18'
        zpty -r terminal said '*became:*:end*' && print -r -- \"$said\"
        zpty -d terminal";
    let folder = file.parent().unwrap();
    let home = tempfile::tempdir().unwrap();
    let said = Ended::of(
        Command::new("timeout")
            .args(["30", "zsh", "-f", "-c", script, "zsh"])
            .arg(folder)
            .arg(typed)
            .env("HOME", home.path()),
    );
    let line = said.stdout.rsplit_once("became:").and_then(|(_, line)| line.split_once(":end"));
    line.unwrap_or_else(|| panic!("{said:?}")).0.into()
}

pub fn ansible_and_cloud_init_take_the_examples() {
    let example = |name: &str| checkout().join("packaging/examples").join(name);
    let home = tempfile::tempdir().unwrap();
    let ansible = Ended::of(
        Command::new(of_venv("ansible-playbook"))
            .args(["--syntax-check", "-i", "localhost,"])
            .arg(example("ansible.yml"))
            .env("ANSIBLE_HOME", home.path())
            .env("LC_ALL", "C.UTF-8"),
    );
    assert!(ansible.code == 0 && !ansible.stderr.contains("ERROR"), "{ansible:?}");

    let script = "import json, sys, yaml, jsonschema
schema = json.load(open(sys.argv[1]))
text = open(sys.argv[2]).read()
assert text.startswith('#cloud-config\\n')
jsonschema.Draft4Validator(schema).validate(yaml.safe_load(text))";
    let python = Ended::of(
        Command::new(of_venv("python")).args(["-c", script]).arg(schema(home.path())).arg(example("cloud-init.yaml")),
    );
    assert_eq!((python.code, python.stderr.as_str()), (0, ""), "{python:?}");
}

/// cloud-init's own schema, taken from Debian's package. The package is not installed, since it would take over this
/// machine.
fn schema(folder: &Path) -> PathBuf {
    run(Command::new("apt-get").args(["--quiet", "download", "cloud-init"]).current_dir(folder)).unwrap();
    run(Command::new("sh").args(["-c", "dpkg-deb -x cloud-init_*.deb cloud-init"]).current_dir(folder)).unwrap();
    folder.join("cloud-init/usr/lib/python3/dist-packages/cloudinit/config/schemas/schema-cloud-config-v1.json")
}
