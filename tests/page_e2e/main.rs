//! The page in a real browser, the metrics in a real Prometheus, alerts in a real Alertmanager, mails in a real mail
//! server and a mail reader, and the plugin in a real Nagios.
//!
//! `tools.sh` installs them. What cannot be installed is left out and named; under `CI` it fails.

mod alertmanager;
mod browser;
mod mail;
mod nagios;
mod prometheus;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use pulse_echo_testkit::tally::Tally;

/// A story: what is installed for it, what is left out without that, and how it goes.
type Story = (&'static str, &'static str, fn(&mut Tally, &Path));

const STORIES: [Story; 5] = [
    ("browser", "the page in a browser", browser::look),
    ("prometheus", "the metrics in Prometheus", prometheus::watch),
    ("alertmanager", "alerts in Alertmanager", alertmanager::tell),
    ("mail", "mails in Postfix and mutt", mail::tell),
    ("nagios", "the plugin in Nagios", nagios::watch),
];

/// `cargo test --test page_e2e -- WORD` runs the stories with that word alone.
fn main() -> ExitCode {
    let mut tally = Tally::new("page_e2e");
    let wanted = std::env::args().skip(1).find(|word| !word.starts_with('-')).unwrap_or_default();
    for (what, sentence, story) in STORIES.into_iter().filter(|(what, ..)| what.contains(&wanted)) {
        match install(what) {
            Ok(folder) => story(&mut tally, &folder),
            Err(why) => tally.leave_out(sentence, &why),
        }
    }
    tally.end()
}

/// Installs a tool. Returns its folder, in the build directory.
fn install(what: &str) -> Result<PathBuf, String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("e2e").join(what);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/page_e2e/tools.sh");
    let output = Command::new(script).arg(what).arg(&folder).output().map_err(|error| error.to_string())?;
    if output.status.success() { Ok(folder) } else { Err(String::from_utf8_lossy(&output.stdout).trim().into()) }
}
