//! `tests/botocore/cases.json` has what botocore makes of odd files; `src/settings/tests.rs` holds the agent to it.
//! Where botocore is installed, it must still make the same of them.

use std::path::Path;
use std::process::Command;

use pulse_echo_testkit::tally::left_out;

#[test]
fn botocore_still_makes_of_the_cases_what_is_recorded() {
    let python = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("test-tools").join("bin/python");
    let has_botocore = Command::new(&python).args(["-c", "import botocore.session"]).output();
    if !has_botocore.is_ok_and(|output| output.status.success()) {
        return left_out("there is no botocore");
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/botocore");
    let output = Command::new(python)
        .args([folder.join("verdicts.py"), folder.join("cases.json")])
        .env("LANG", "C.UTF-8")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
