//! A panic is one line on stderr and exit code 3, in any thread.

use std::process::Command;

const VARIABLE: &str = "PANIC_NOW";

#[test]
fn a_panic_is_one_line_and_exits_3() {
    if std::env::var_os(VARIABLE).is_some() {
        pulse_echo::panics_in_one_line();
        panic!("a line\nand another");
    }
    // Runs this same test again, in its own process.
    let mut again = Command::new(std::env::current_exe().unwrap());
    let test = "a_panic_is_one_line_and_exits_3";
    let output = again.args(["--exact", test, "--nocapture"]).env(VARIABLE, "1").output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{stderr}");
    let line = stderr.strip_suffix('\n').unwrap();
    assert!(
        line.starts_with("pulse-echo: this is a bug, please report it at ") && line.ends_with(": a line and another")
    );
    assert!(!line.contains('\n'), "{line}");
}
