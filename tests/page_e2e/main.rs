//! The page in a real browser, the metrics in a real Prometheus, and alerts in a real Alertmanager.
//!
//! `tools.sh` installs them. What cannot be installed is left out and named; under `CI` it fails.

mod alertmanager;
mod browser;
mod prometheus;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use pulse_echo_testkit::tally::Tally;

fn main() -> ExitCode {
    let mut tally = Tally::new("page_e2e");
    match install("browser") {
        Ok(folder) => browser::look(&mut tally, &folder),
        Err(why) => tally.leave_out("the page in a browser", &why),
    }
    match install("prometheus") {
        Ok(folder) => prometheus::watch(&mut tally, &folder),
        Err(why) => tally.leave_out("the metrics in Prometheus", &why),
    }
    match install("alertmanager") {
        Ok(folder) => alertmanager::tell(&mut tally, &folder),
        Err(why) => tally.leave_out("alerts in Alertmanager", &why),
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
