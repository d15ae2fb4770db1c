//! AWS's shared files, held against botocore. `tests/botocore/cases.json` has odd files, and what botocore makes of
//! them (`tests/botocore/verdicts.py`). What botocore reads is read in the same way, or refused with its file and line.
//! Nothing is signed where botocore would sign for somebody else, or stop.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::*;
use crate::args::{Parsed, parse};

/// The texts of files are Latin-1, so that each byte can be written.
fn bytes(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect()
}

/// What the agent makes of a case: `null`, the keys, or an error as text.
struct Seen {
    credentials: Result<Value, String>,
    region: Result<Option<String>, String>,
    endpoint: Result<Option<String>, String>,
}

fn look(case: &Value, home: &Path) -> Seen {
    let _ = fs::remove_dir_all(home.join(".aws"));
    fs::create_dir(home.join(".aws")).unwrap();
    for name in ["credentials", "config"] {
        if let Some(text) = case[name].as_str() {
            fs::write(home.join(".aws").join(name), bytes(text)).unwrap();
        }
    }
    let home = home.to_str().unwrap();
    let mut variables: BTreeMap<_, _> =
        [("HOME", home), ("AWS_EC2_METADATA_DISABLED", "true")].map(|(name, value)| (name.into(), value.into())).into();
    for (name, value) in case["environment"].as_object().into_iter().flatten() {
        variables.insert(name.clone(), value.as_str().unwrap().replace("HOME", home));
    }
    let value = |name: &str| variables.get(name).cloned();
    let profile = case["profile"].as_str().into_iter().flat_map(|profile| ["--profile", profile]);
    let Parsed::Arguments(arguments) = parse(["check"].into_iter().chain(profile).map(Into::into)) else { panic!() };
    let sources = Sources::without_file(&arguments, Environment::new(&value));
    let credentials = match sources.credentials(&Trust::built_in()) {
        Ok(found) => {
            let credentials = found.credentials;
            let (key, secret, token) = (credentials.key(), credentials.secret(), credentials.token());
            Ok(serde_json::json!({ "key": key, "secret": secret, "token": token }))
        }
        // The last source of all was asked.
        Err(error) if error.ends_with("is switched off by AWS_EC2_METADATA_DISABLED") => Ok(Value::Null),
        Err(error) => Err(error),
    };
    // FIPS and dual-stack give the address for a region another form.
    let endpoint = sources.endpoint().and_then(|given| match given {
        None => sources.variant("eu-west-1", false),
        given => Ok(given),
    });
    Seen { credentials, region: sources.profile().setting("region"), endpoint }
}

/// Why the agent may not do what it does, beside what botocore does.
fn difference(case: &Value, seen: &Seen) -> Option<String> {
    let verdict = &case["botocore"];
    let theirs = &verdict["credentials"];
    let stops = theirs == "error" || theirs.get("other").is_some();
    match &seen.credentials {
        // Keys of the environment need no file. aws-cli reads them nevertheless.
        Ok(_) if stops && case["environment"]["AWS_SECRET_ACCESS_KEY"].is_string() => {}
        Ok(_) if stops => return Some("botocore stops, or is somebody else".into()),
        Ok(ours) if ours != theirs => return Some("botocore has other keys".into()),
        Err(error) if !stops && !names_a_place(error) => return Some(format!("refused without a place: {error}")),
        Ok(_) | Err(_) => {}
    }
    for (ours, theirs) in [(&seen.region, &verdict["region"]), (&seen.endpoint, &verdict["endpoint"])] {
        let is_known = !theirs.is_null() || verdict.get("endpoint").is_some();
        let is_same = |ours: &Option<String>| ours.as_deref() == theirs.as_str();
        match ours {
            // Where the files are broken, botocore's own state depends on what was asked first.
            Ok(ours) if is_known && !stops && theirs != "error" && !is_same(ours) => {
                return Some(format!("botocore has {theirs}, the agent {ours:?}"));
            }
            Err(error) if !stops && theirs != "error" && !names_a_place(error) => {
                return Some(format!("refused without a place: {error}"));
            }
            Ok(_) | Err(_) => {}
        }
    }
    None
}

/// A file and a line, or the variables that are wrong.
fn names_a_place(error: &str) -> bool {
    let has_line = |part: &str| part.split_once(':').is_some_and(|(line, _)| line.parse::<usize>().is_ok());
    error.split("/.aws/").skip(1).any(|rest| rest.split_once(':').is_some_and(|(_, rest)| has_line(rest)))
        || error.contains("AWS_PROFILE")
        || error.contains("AWS_ACCESS_KEY_ID is not set")
}

#[test]
fn odd_files_are_read_as_botocore_reads_them_or_refused_by_line() {
    // A file of one's own has thousands of cases that were made at random; see verdicts.py.
    let of_ones_own = std::env::var("PULSE_ECHO_CASES").ok();
    let file = of_ones_own.as_deref().unwrap_or("tests/botocore/cases.json");
    let cases: Vec<Value> = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    assert!(cases.len() > 60);
    let home = tempfile::tempdir().unwrap();
    let (mut wrong, mut refused) = (Vec::new(), 0);
    for case in &cases {
        let seen = look(case, home.path());
        let mut why = difference(case, &seen);
        let errors = [seen.credentials.as_ref().err(), seen.region.as_ref().err(), seen.endpoint.as_ref().err()];
        let errors: Vec<_> = errors.into_iter().flatten().collect();
        refused += usize::from(!errors.is_empty());
        if of_ones_own.is_none() && why.is_none() {
            let is_refused = |words: &str| errors.iter().any(|error| error.contains(words));
            let stops = ["credentials", "region", "endpoint"].iter().any(|name| case["botocore"][name] == "error");
            why = match case["refused"].as_str() {
                Some(words) => (!is_refused(words)).then(|| format!("not refused with {words:?}")),
                None if stops || case["botocore"]["credentials"].get("other").is_some() => None,
                None => errors.first().map(|error| format!("refused, where botocore reads it: {error}")),
            };
        }
        if let Some(why) = why {
            wrong.push(format!("{}: {why}; {:?} {:?}", case["name"], seen.credentials, case));
        }
    }
    assert!(wrong.is_empty(), "{} of {} cases differ:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    println!("{} cases, {refused} refused", cases.len());
}

#[test]
fn the_pulses_lie_beside_the_configuration() {
    assert_eq!(folder_of(Path::new("/etc/pulse-echo/config.json")), Path::new("/etc/pulse-echo"));
    assert_eq!(folder_of(Path::new("config.json")), Path::new("."));
}
