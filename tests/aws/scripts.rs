//! `packaging/aws/`'s scripts, where there is no AWS: help and mistakes in the arguments need none.

use std::process::Command;

const SCRIPTS: [&str; 3] = ["deploy.sh", "host.sh", "remove.sh"];

/// Exit code, stdout and stderr where neither aws nor a region is there.
fn run(script: &str, arguments: &[&str]) -> (Option<i32>, String, String) {
    let script = format!("{}/packaging/aws/{script}", env!("CARGO_MANIFEST_DIR"));
    let output = Command::new("bash")
        .arg(&script)
        .args(arguments)
        .env_clear()
        .envs([("PATH", "/usr/bin:/bin"), ("HOME", "/nonexistent")])
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn each_script_helps_without_aws() {
    for script in SCRIPTS {
        let (code, help, errors) = run(script, &["--help"]);
        assert_eq!((code, errors.as_str()), (Some(0), ""), "{script}");
        assert!(help.contains(&format!("{script} ")) && !help.contains('#'), "{help}");
    }
}

#[test]
fn a_mistake_in_the_arguments_is_named_before_aws_is_asked_for() {
    for (script, arguments, named) in [
        ("deploy.sh", ["BUKET=pulses"], "BUKET"),
        ("deploy.sh", ["STACK=1st"], "STACK=1st"),
        ("host.sh", ["a b"], "\"a b\""),
        ("host.sh", ["--rotat"], "--rotat"),
        ("remove.sh", ["--dta"], "--dta"),
    ] {
        let (code, said, error) = run(script, &arguments);
        assert!(code != Some(0) && said.is_empty(), "{script} {arguments:?}: {code:?} {said}");
        assert!(error.contains(named) && !error.contains("region"), "{error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
}

#[test]
fn who_has_no_aws_is_told_where_it_is() {
    for (script, arguments) in [("deploy.sh", &["BUCKET=pulses"][..]), ("host.sh", &["web-1"]), ("remove.sh", &[])] {
        let (code, _, error) = run(script, arguments);
        // Debian's own package lies in /usr/bin.
        let wanted =
            if std::path::Path::new("/usr/bin/aws").exists() { "no region: set AWS_REGION" } else { "aws is needed" };
        assert!(code != Some(0) && error.contains(wanted), "{script}: {error}");
    }
}
