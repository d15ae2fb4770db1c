//! Every row of the credentials chain, with the real binary: keys are found where they are, and sign well. Where there
//! are no keys, the message says what was tried and why it failed.

use pulse_echo_testkit::agent::{Host, KEY, LATER, Level, OWN_TIMEOUT, SECRET, TOKEN, at_every_level, issued};
use pulse_echo_testkit::bed::Bed;
use pulse_echo_testkit::server::{Reply, Server};

/// The keys as they stand in a file, under a heading.
/// What a profile is told that needs what the agent does not do.
const OWN_PROFILE: &str = ": give pulse-echo a profile of its own, with credential_process = aws configure \
                           export-credentials --profile NAME, of the AWS CLI 2";

fn keys(heading: &str) -> String {
    format!("[{heading}]\naws_access_key_id = {KEY}\naws_secret_access_key={SECRET}\naws_session_token = {TOKEN}\n")
}

#[test]
fn keys_in_the_environment_sign_well() {
    let s3 = Bed::temporary("us-east-1", 0);
    at_every_level(|level| {
        Host::of(level, &s3.endpoint()).run(&["send"]).assert_sent();
    });
}

#[test]
fn keys_in_any_of_the_files_sign_well() {
    let s3 = Bed::temporary("us-east-1", 0);
    at_every_level(|level| {
        for (file, heading, profile) in [
            (".aws/credentials", "default", None),
            (".aws/credentials", "ops", Some("ops")),
            (".aws/config", "default", None),
            (".aws/config", "profile default", None),
            (".aws/config", "profile ops", Some("ops")),
        ] {
            let host = Host::bare(level).with("AWS_ENDPOINT_URL", s3.endpoint());
            host.write(file, &keys(heading));
            match profile {
                None => host.run(&["send"]).assert_sent(),
                Some(profile) => host.with("AWS_PROFILE", profile).run(&["send"]).assert_sent(),
            };
        }
        let host = Host::bare(level).with("AWS_ENDPOINT_URL", s3.endpoint());
        let file = host.write("elsewhere", &keys("default"));
        host.with("AWS_SHARED_CREDENTIALS_FILE", file.to_str().unwrap()).run(&["send"]).assert_sent();
    });
}

#[test]
fn a_program_issues_keys_that_sign_well() {
    let s3 = Bed::temporary("us-east-1", 0);
    at_every_level(|level| {
        let host = Host::bare(level).with("AWS_ENDPOINT_URL", s3.endpoint());
        let json = host.write("issued keys.json", &issued("SessionToken", LATER));
        let line = format!("credential_process = cat \"{}\"", json.display());
        host.write(".aws/config", &format!("[profile anywhere]\n{line}\n"));
        host.run(&["send", "--profile=anywhere"]).assert_sent();
    });
}

#[test]
fn a_program_that_does_not_serve_is_named_with_what_it_complained_about() {
    at_every_level(|level| {
        for (line, words) in [
            (
                "sh -c 'echo s3cr3t; echo the certificate has expired >&2; exit 2'",
                "exit status: 2: the certificate has",
            ),
            ("/no/such/helper --x", "cannot be run: /no/such/helper: No such file"),
            ("echo s3cr3t", "answered no JSON with AccessKeyId and SecretAccessKey"),
            ("echo 'open", "has a ' that is not closed"),
        ] {
            // The store does not matter: no request reaches it.
            let host = Host::bare(level).with("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
            host.write(".aws/config", &format!("[default]\ncredential_process = {line}\n"));
            let output = host.run(&["send"]);
            output.assert(2, words).assert(2, "there are no credentials: AWS_ACCESS_KEY_ID is not set; ");
            output.assert(2, "/.aws/config:2: the profile default has a credential_process that ");
            assert!(!output.stderr.contains("metadata"), "nobody else is asked: {output:#?}");
        }
        let host = Host::bare(level).with("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
        host.write(".aws/config", "[default]\ncredential_process = sleep 60\n");
        let output = host.run(&["send", "--timeout-s=1"]);
        output.assert(2, "did not end within 1 s: sleep");
        assert!(output.took < OWN_TIMEOUT, "{output:#?}");
    });
}

#[test]
fn where_there_are_none_one_sentence_says_what_was_tried() {
    at_every_level(|level| {
        let host = Host::bare(level).with("AWS_EC2_METADATA_DISABLED", "true");
        host.write(".aws/config", "[default]\nregion = eu-west-1\n");
        let output = host.run(&["send"]);
        let home = host.home.path().display().to_string();
        for words in [
            "there are no credentials: AWS_ACCESS_KEY_ID is not set; /etc/pulse-echo/credentials is not there; ",
            &format!("; {home}/.aws/credentials is not there; "),
            &format!("; {home}/.aws/config has no keys and no credential_process for the profile default; "),
            "; AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and _FULL_URI are not set; ",
            "; EC2 instance metadata is switched off by AWS_EC2_METADATA_DISABLED\n",
        ] {
            output.assert(2, words);
        }
        assert_eq!(output.stderr.lines().count(), 1, "{output:#?}");
    });
}

#[test]
fn what_the_agent_does_not_do_is_refused_by_name_with_the_remedy() {
    at_every_level(|level| {
        for (text, words) in [
            ("sso_session = corp", ":2: the profile corp needs SSO (sso_session)"),
            ("sso_start_url = https://corp.awsapps.com/start", ":2: the profile corp needs SSO (sso_start_url)"),
            ("sso_session = corp\nsso_account_id = 1", ":3: the profile corp needs SSO (sso_account_id)"),
            (
                "role_arn = arn:aws:iam::1:role/x\nsource_profile = other",
                ":2: the profile corp needs a role (role_arn)",
            ),
            ("role_arn = x\nweb_identity_token_file = /x", ":3: the profile corp needs a web identity"),
            ("web_identity_token_file = /x", ":2: the profile corp needs a web identity (web_identity_token_file)"),
            ("login_session = x", ":2: the profile corp needs a login session (login_session)"),
        ] {
            let host = Host::bare(level);
            host.write(".aws/config", &format!("[profile corp]\n{text}\n"));
            let host = host.with("AWS_PROFILE", "corp");
            host.run(&["send"]).assert(2, words).assert(2, "/.aws/config:").assert(2, OWN_PROFILE);
            // Static keys of that name are no way around it: aws-cli would act as somebody else.
            host.write(".aws/credentials", &keys("corp"));
            if !text.starts_with("sso_s") && !text.starts_with("login") || text.contains("account") {
                host.run(&["send"]).assert(2, words).assert(2, OWN_PROFILE);
            }
        }
        let host = Host::bare(level).with("AWS_WEB_IDENTITY_TOKEN_FILE", "/x");
        host.run(&["send"])
            .assert(2, "AWS_WEB_IDENTITY_TOKEN_FILE asks for a web identity")
            .assert(2, "credential_process");
    });
}

#[test]
fn half_of_the_keys_and_a_profile_that_is_nowhere_end_the_search() {
    at_every_level(|level| {
        let host = Host::bare(level).with("AWS_ACCESS_KEY_ID", KEY);
        host.run(&["send"]).assert(2, "only half of the keys: AWS_SECRET_ACCESS_KEY is not set");
        let host = Host::bare(level);
        host.write(".aws/credentials", &format!("[default]\naws_secret_access_key = {SECRET}\n"));
        host.run(&["send"]).assert(2, "/.aws/credentials:2: the profile default has no aws_access_key_id beside this");
        host.run(&["send", "--profile=opps"]).assert(2, "credentials has no profile opps; ");
        let near = "credentials has no profile defualt: line 1 has [default]; is [defualt] meant?";
        host.run(&["send", "--profile=defualt"]).assert(2, near);
        host.write(".aws/credentials", &keys("defualt"));
        let near = "credentials has no profile default: line 1 has [defualt]; is [default] meant?";
        host.run(&["send"]).assert(2, near);
        host.write(".aws/config", "[profile prodution]\nregion = eu-central-1\n");
        let near = "config has no profile production: line 1 has [profile prodution]; is [profile production] meant?";
        host.run(&["send", "--profile=production"]).assert(2, near);
        let output = host.run(&["send", "--profile=opps"]);
        output.assert(2, "; there is no profile opps\n");
        assert!(!output.stderr.contains("metadata"), "{output:#?}");
    });
}

/// Adds one source after the other, the last of the chain first: each new source wins.
#[test]
fn the_first_of_several_sources_wins() {
    let issued_to = |key: &str| format!("{{\"AccessKeyId\": \"{key}\", \"SecretAccessKey\": \"s3cr3t\"}}");
    let json = issued_to("AKIAINSTANCE");
    let metadata = Server::replying(move |head| match head.lines().next().unwrap() {
        line if line.ends_with("/web-role HTTP/1.1") => Reply::of(200, &json),
        line if line.contains("security-credentials") => Reply::of(200, "web-role"),
        _ => Reply::of(200, "s3cr3t"),
    });
    let container = Server::scripted(&[Reply::of(200, issued_to("AKIACONTAINER"))]);
    at_every_level(|level| {
        let store = Server::scripted(&[Reply::ok()]);
        let signed_by = |host: &Host, arguments: &[&str], key: &str| {
            host.run(arguments).assert_sent();
            let head = store.heads().pop().unwrap();
            assert!(head.contains(&format!("X-Amz-Credential={key}%2F")), "{key}: {head}");
        };
        let in_file = |key: &str| format!("aws_access_key_id = {key}\naws_secret_access_key = s3cr3t\n");
        let host = Host::bare(level).with("AWS_ENDPOINT_URL", store.url());

        let host = host.with("AWS_EC2_METADATA_SERVICE_ENDPOINT", metadata.url());
        signed_by(&host, &["send"], "AKIAINSTANCE");
        let host = host.with("AWS_CONTAINER_CREDENTIALS_FULL_URI", container.url());
        signed_by(&host, &["send"], "AKIACONTAINER");
        let program = host.write("issued.json", &format!("{{\"Version\": 1, {}", &issued_to("AKIAPROGRAM")[1..]));
        let program = format!("credential_process = cat {}\n", program.display());
        host.write(".aws/config", &format!("[default]\n{}", in_file("AKIACONFIG")));
        signed_by(&host, &["send"], "AKIACONFIG");
        host.write(".aws/config", &format!("[default]\n{program}{}", in_file("AKIACONFIG")));
        signed_by(&host, &["send"], "AKIAPROGRAM");
        host.write(".aws/credentials", &format!("[default]\n{}", in_file("AKIAFILE")));
        signed_by(&host, &["send"], "AKIAFILE");
        let host = host.with("AWS_ACCESS_KEY_ID", "AKIAENV").with("AWS_SECRET_ACCESS_KEY", "s3cr3t");
        signed_by(&host, &["send"], "AKIAENV");
        // As for AWS's own command line.
        signed_by(&host, &["send", "--profile=default"], "AKIAFILE");
    });
}

#[test]
fn the_region_is_taken_from_the_first_place_that_has_one() {
    at_every_level(|level| {
        let region_of = |host: &Host, arguments: &[&str], region: &str| {
            host.run(&[arguments, &["--timeout-s=1"]].concat())
                .assert(1, &format!("https://pulses.s3.{region}.amazonaws.com/"));
        };
        let host = Host::bare(level).with("AWS_ACCESS_KEY_ID", KEY).with("AWS_SECRET_ACCESS_KEY", SECRET);
        // Nothing leaves this machine.
        let host = host.with("HTTPS_PROXY", "http://127.0.0.1:1");
        host.run(&["send"]).assert(2, "there is no region: give --region or AWS_REGION, or set \"region\" in ");
        host.write(".aws/config", "[default]\nregion = eu-west-1\n");
        region_of(&host, &["send"], "eu-west-1");
        host.write("config.json", "{\"bucket\": \"pulses\", \"host\": \"web-1\", \"region\": \"eu-west-2\"}");
        region_of(&host, &["send"], "eu-west-2");
        let host = host.with("AWS_DEFAULT_REGION", "eu-west-3");
        region_of(&host, &["send"], "eu-west-3");
        let host = host.with("AWS_REGION", "eu-north-1");
        region_of(&host, &["send"], "eu-north-1");
        region_of(&host, &["send", "--region=us-west-2"], "us-west-2");
    });
}

#[test]
fn the_children_of_a_program_that_does_not_end_are_ended_with_it() {
    let host = Host::bare(Level::Plain).with("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
    let file = host.home.path().join("child");
    let line = format!("sh -c 'sleep 3600 & echo $! >{}; wait'", file.display());
    host.write(".aws/config", &format!("[default]\ncredential_process = {line}\n"));
    host.run(&["send", "--timeout-s=1"]).assert(2, "did not end within 1 s: sh");
    let child: u32 = std::fs::read_to_string(file).unwrap().trim().parse().unwrap();
    let started = std::time::Instant::now();
    // A process that was killed stays as a zombie until its parent, or init, has waited for it.
    let runs = || {
        let state = std::fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
        state.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
    };
    while runs() {
        assert!(started.elapsed() < OWN_TIMEOUT, "it goes on");
        std::thread::yield_now();
    }
}

#[test]
fn a_profile_that_the_environment_names_must_be_there_whatever_keys_it_has() {
    let host = Host::of(Level::Plain, "http://127.0.0.1:1").with("AWS_PROFILE", "opps");
    host.write(".aws/credentials", &keys("ops"));
    host.run(&["send"]).assert(2, "there is no profile opps");
    let host = host.with("AWS_PROFILE", "ops").with("AWS_DEFAULT_PROFILE", "default");
    host.run(&["send"]).assert(2, "AWS_PROFILE and AWS_DEFAULT_PROFILE name two profiles: unset one of them");
}

#[test]
fn keys_in_older_places_that_aws_cli_reads_are_refused_by_name() {
    let host = Host::bare(Level::Plain).with("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
    host.write(".boto", "[Credentials]\naws_access_key_id = x\naws_secret_access_key = y\n");
    host.run(&["send"]).assert(2, "/.boto:2: there are keys here, which pulse-echo does not read: move them to");
    let host = host.with("BOTO_CONFIG", "/dev/null");
    let output = host.run(&["send", "--timeout-s=1"]);
    assert!(!output.stderr.contains("boto"), "{output:?}");
    host.with("AWS_CREDENTIAL_FILE", "/x").run(&["send"]).assert(2, "AWS_CREDENTIAL_FILE names a file with keys");
}
