//! The account in which all happens, and what a person has at hand: aws-cli, the scripts, the agent.

use std::collections::HashMap;
use std::env;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::thread;
use std::time::{Duration, Instant};

use pulse_echo_core::http::{self, SystemResolver, Trust};
use rusty_s3::{Bucket, Credentials, S3Action, UrlStyle};
use serde_json::Value;
use tempfile::TempDir;
use ureq::Agent;

use crate::Outcome;
use crate::emulator::Emulator;
use crate::http::Web;

/// The bucket of the first stack, made by it.
pub const BUCKET: &str = "pulses";

/// How long something may take that takes seconds.
pub const PATIENCE: Duration = Duration::from_secs(60);

pub struct Cloud {
    pub web: Web,
    /// Where files may be left; hosts' folders are in it.
    pub folder: TempDir,
    pub venv: PathBuf,
    pub zip: PathBuf,
    emulator: Emulator,
    client: Agent,
}

/// Why there is no cloud.
pub enum NotStarted {
    /// What it needs cannot be installed here.
    Tools,
    /// It does not run, or has nothing to run.
    Emulator(String),
}

impl From<String> for NotStarted {
    fn from(why: String) -> Self {
        Self::Emulator(why)
    }
}

/// What a request was answered: status and body.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: String,
}

impl Cloud {
    pub fn start() -> Result<Self, NotStarted> {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().to_path_buf();
        let venv = target.join("e2e/aws-tools");
        fs::create_dir_all(venv.parent().unwrap()).unwrap();
        let tools = checkout().join("tests/aws_e2e/tools.sh");
        if !Command::new(tools).arg(&venv).status().is_ok_and(|status| status.success()) {
            return Err(NotStarted::Tools);
        }
        let folder = tempfile::tempdir().unwrap();
        // What it says outlives the run.
        let emulator = Emulator::start(&venv, folder.path(), &target.join("e2e/aws-emulator.log"))?;
        let trust = Trust::with_pem(&fs::read(&emulator.ca).unwrap())?;
        let config = http::config().timeout_global(Some(PATIENCE)).build();
        let client = http::agent(config, &trust, SystemResolver::default());
        Ok(Self { web: Web::start(), folder, venv, zip: zip(&target)?, emulator, client })
    }

    /// Another account, empty and over http.
    pub fn without_tls(&self) -> Result<Self, String> {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("emulator.log");
        let emulator = Emulator::start_without_tls(&self.venv, folder.path(), &log)?;
        let (venv, zip, client) = (self.venv.clone(), self.zip.clone(), self.client.clone());
        Ok(Self { web: Web::start(), folder, venv, zip, emulator, client })
    }

    /// `aws` by the program of the tools, as the account's root.
    pub fn aws(&self, arguments: &[&str]) -> Result<String, Box<dyn Error>> {
        said(&self.command(&self.venv.join("bin/aws")).args(arguments).output()?)
    }

    /// A script of `packaging/aws` in the folder, with the zip, and with what the emulator needs.
    pub fn script(&self, name: &str, arguments: &[&str]) -> Output {
        let mut command = self.command(&checkout().join("packaging/aws").join(name));
        command.args(arguments).env("ZIP", &self.zip).env("ARCH", "x86_64").output().unwrap()
    }

    /// `deploy.sh` of the checkout.
    pub fn deploy(&self, arguments: &[&str]) -> Output {
        let needed = self.needed();
        let all: Vec<_> = needed.iter().map(String::as_str).chain(arguments.iter().copied()).collect();
        self.script("deploy.sh", &all)
    }

    /// The same, where a program in that folder takes the place of `aws`.
    pub fn with_path(&self, folder: &Path, name: &str, arguments: &[&str]) -> Output {
        let mut command = self.command(&checkout().join("packaging/aws").join(name));
        let path = env::split_paths(&env::var_os("PATH").unwrap()).collect::<Vec<_>>();
        command.env("PATH", env::join_paths([folder.to_path_buf()].into_iter().chain(path)).unwrap());
        command.args(arguments).env("ZIP", &self.zip).env("ARCH", "x86_64").output().unwrap()
    }

    /// `deploy.sh` of the tarball that `make dist` made, which finds the zip beside it.
    pub fn deploy_from_tarball(&self, arguments: &[&str]) -> Result<Output, Box<dyn Error>> {
        let name = format!("pulse-echo-aws-{}", env!("CARGO_PKG_VERSION"));
        let tarball = self.zip.with_file_name(format!("{name}.tar.gz"));
        said(&Command::new("tar").arg("-xzf").arg(tarball).arg("-C").arg(self.folder.path()).output()?)?;
        let mut command = self.command(&self.folder.path().join(name).join("deploy.sh"));
        Ok(command.args(self.needed()).args(arguments).env("ARCH", "x86_64").output()?)
    }

    /// What every stack here needs: to reach services and store on this machine, and to sweep at once.
    pub fn needed(&self) -> [String; 3] {
        let ca = format!("ProbeCaBundle={}", self.emulator.ca.display());
        ["ProbeAllow=127.0.0.0/8".into(), "MinIntervalSeconds=0".into(), ca]
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        let path =
            env::join_paths([self.venv.join("bin")].into_iter().chain(env::split_paths(&env::var_os("PATH").unwrap())));
        command.current_dir(self.folder.path()).env_clear();
        command.env("PATH", path.unwrap()).env("HOME", self.folder.path());
        command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test");
        command.env("AWS_REGION", "eu-central-1").env("AWS_DEFAULT_REGION", "eu-central-1");
        // The one that aws-cli 1 has no variable for is SQS.
        command.env("AWS_ENDPOINT_URL", &self.emulator.endpoint).env("AWS_CA_BUNDLE", &self.emulator.ca);
        command
    }

    /// `aws sqs`, which does not heed the variable for the endpoint.
    pub fn sqs(&self, arguments: &[&str]) -> Result<String, Box<dyn Error>> {
        self.aws(&[&["sqs", "--endpoint-url", &self.emulator.endpoint], arguments].concat())
    }

    /// The agent with the files that `host.sh` made, and nothing else.
    pub fn agent(&self, host: &str, arguments: &[&str]) -> Output {
        let program = env::var_os("PULSE_ECHO_AGENT").unwrap_or_else(|| env!("CARGO_BIN_EXE_pulse-echo").into());
        Command::new(program)
            .current_dir(self.folder.path().join(host))
            .env_clear()
            .env("AWS_SHARED_CREDENTIALS_FILE", "credentials")
            .env("AWS_CA_BUNDLE", &self.emulator.ca)
            .args(arguments)
            .args(["--config", "config.json"])
            .output()
            .unwrap()
    }

    /// A host's own key, or the operator's.
    pub fn key_of(&self, host: Option<&str>) -> Credentials {
        let Some(host) = host else { return Credentials::new("test", "test") };
        let file = fs::read_to_string(self.folder.path().join(host).join("credentials")).unwrap_or_default();
        let values: HashMap<_, _> = file.lines().filter_map(|line| line.split_once(" = ")).collect();
        let value = |name| *values.get(name).unwrap_or(&"missing");
        Credentials::new(value("aws_access_key_id"), value("aws_secret_access_key"))
    }

    /// A key for a user that was not made by `host.sh`, for `key_of`.
    pub fn make_key(&self, user: &str) -> Outcome {
        let query = "AccessKey.[AccessKeyId, SecretAccessKey]";
        let make = ["iam", "create-access-key", "--user-name", user, "--query", query, "--output", "text"];
        let key = self.aws(&make)?;
        let (id, secret) = key.trim().split_once('\t').ok_or("no key")?;
        fs::create_dir(self.folder.path().join(user))?;
        let file = format!("[default]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n");
        fs::write(self.folder.path().join(user).join("credentials"), file)?;
        Ok(())
    }

    /// PUT with that key and these headers, signed.
    pub fn put(&self, host: Option<&str>, key: &str, body: &str, headers: &[(&str, &str)]) -> Answer {
        let (bucket, credentials) = (self.bucket(BUCKET), self.key_of(host));
        let mut action = bucket.put_object(Some(&credentials), key);
        for (name, value) in headers {
            action.headers_mut().insert((*name).to_string(), (*value).to_string());
        }
        let mut request = self.client.put(action.sign(Duration::from_secs(300)).as_str());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        answer(request.send(body))
    }

    pub fn get(&self, host: Option<&str>, key: &str) -> Answer {
        let (bucket, credentials) = (self.bucket(BUCKET), self.key_of(host));
        let url = bucket.get_object(Some(&credentials), key).sign(Duration::from_secs(300));
        answer(self.client.get(url.as_str()).call())
    }

    pub fn delete(&self, host: Option<&str>, key: &str) -> Answer {
        let (bucket, credentials) = (self.bucket(BUCKET), self.key_of(host));
        let url = bucket.delete_object(Some(&credentials), key).sign(Duration::from_secs(300));
        answer(self.client.delete(url.as_str()).call())
    }

    pub fn list(&self, host: Option<&str>) -> Answer {
        let (bucket, credentials) = (self.bucket(BUCKET), self.key_of(host));
        let url = bucket.list_objects_v2(Some(&credentials)).sign(Duration::from_secs(300));
        answer(self.client.get(url.as_str()).call())
    }

    fn bucket(&self, name: &str) -> Bucket {
        let endpoint = self.emulator.endpoint.parse().unwrap();
        Bucket::new(endpoint, UrlStyle::Path, name.to_string(), "eu-central-1").unwrap()
    }

    /// An output of a stack.
    pub fn output(&self, stack: &str, name: &str) -> Result<String, Box<dyn Error>> {
        let query = format!("Stacks[0].Outputs[?OutputKey == '{name}'].OutputValue | [0]");
        let said = self.aws(&[
            "cloudformation",
            "describe-stacks",
            "--stack-name",
            stack,
            "--query",
            &query,
            "--output",
            "text",
        ])?;
        Ok(said.trim().to_string())
    }

    /// A field of the mark, as text; empty where there is none.
    pub fn mark(&self, field: &str) -> String {
        let mark: Value = serde_json::from_str(&self.get(None, "loop/Update.json").body).unwrap_or_default();
        mark.get(field).filter(|value| !value.is_null()).map(ToString::to_string).unwrap_or_default()
    }

    /// Starts a sweep, and waits until the mark says that it is over.
    pub fn sweep(&self) -> Outcome {
        // Whole seconds: two sweeps within one look like one.
        thread::sleep(Duration::from_millis(1100));
        let before = self.mark("swept");
        self.put(None, "loop/Update.lambda", "", &[]);
        eventually("a sweep", || (self.mark("swept") != before).then_some(()))
    }
}

/// Waits for what `look` gives.
pub fn eventually<T>(what: &str, look: impl Fn() -> Option<T>) -> Result<T, Box<dyn Error>> {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(seen) = look() {
            return Ok(seen);
        }
        if Instant::now() > until {
            return Err(format!("{what} did not come within {} s", PATIENCE.as_secs()).into());
        }
        thread::sleep(Duration::from_millis(50));
    }
}

/// What a program said that did as it should; else all that it said, as an error.
pub fn said(output: &Output) -> Result<String, Box<dyn Error>> {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if output.status.success() { Ok(out.into_owned()) } else { Err(format!("{}: {out}{err}", output.status).into()) }
}

/// That a program refused, with all of these words on stderr.
pub fn refused(output: &Output, words: &[&str]) -> Outcome {
    let err = String::from_utf8_lossy(&output.stderr);
    let as_expected = output.status.code() == Some(1) && words.iter().all(|word| err.contains(word));
    crate::ensure(as_expected, || format!("not refused with {words:?}, but {}: {err}", output.status))
}

fn answer(result: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Answer {
    match result {
        Ok(mut response) => Answer {
            status: response.status().as_u16(),
            body: response.body_mut().read_to_string().unwrap_or_default(),
        },
        Err(error) => Answer { status: 0, body: error.to_string() },
    }
}

pub fn checkout() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What `make dist` made for this processor, or what `PULSE_ECHO_LAMBDA_ZIP` names.
fn zip(target: &Path) -> Result<PathBuf, String> {
    if let Some(path) = env::var_os("PULSE_ECHO_LAMBDA_ZIP") {
        return Ok(path.into());
    }
    let version = env!("CARGO_PKG_VERSION");
    let path = target.join(format!("dist/pulse-echo-lambda-{version}-x86_64.zip"));
    if path.exists() { Ok(path) } else { Err(format!("there is no {}: make dist makes it", path.display())) }
}
