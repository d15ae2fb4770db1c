//! The servers of other projects: `server.sh` installs and runs them.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use pulse_echo_core::http::{self, SystemResolver, Trust};
use pulse_echo_testkit::store::{ACCESS_KEY, BUCKET, SECRET_KEY};
use rusty_s3::actions::CreateBucket;
use rusty_s3::{Bucket, Credentials, S3Action, UrlStyle};
use tempfile::TempDir;
use ureq::Agent;

/// How long a server may take until it has a bucket.
const TO_START: Duration = Duration::from_secs(60);

/// A server of another project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Server {
    S3sFs,
    Rclone,
    Moto,
    MiniStack,
}

impl Server {
    pub const ALL: [Self; 4] = [Self::S3sFs, Self::Rclone, Self::Moto, Self::MiniStack];

    /// Its name, as `server.sh` knows it, and the version that is installed.
    fn name_and_version(self) -> (&'static str, &'static str) {
        match self {
            // 0.17 needs a newer rustc than ours.
            Self::S3sFs => ("s3s-fs", "0.14.1"),
            Self::Rclone => ("rclone", "1.75.2"),
            Self::Moto => ("moto", "5.2.5"),
            Self::MiniStack => ("MiniStack", "1.5.33"),
        }
    }

    /// Its name and version.
    pub fn title(self) -> String {
        let (name, version) = self.name_and_version();
        format!("{name} {version}")
    }

    /// Installs it, unless it is there. Returns false if that fails; the script has then said why.
    pub fn install(self) -> bool {
        let (name, version) = self.name_and_version();
        script().args(["install", name, version]).arg(folder()).status().unwrap().success()
    }

    /// Starts it with an empty bucket. The error ends with the server's output.
    pub fn start(self) -> Result<Running, String> {
        let data = tempfile::tempdir().unwrap();
        let log = data.path().join("server.log");
        let port = free_port();
        let output = fs::File::create(&log).unwrap();
        let script = script()
            .args(["run", self.name_and_version().0])
            .arg(folder())
            .arg(port.to_string())
            .arg(data.path())
            .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
            .env("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
            .stdin(Stdio::piped())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .unwrap();
        let running = Running { endpoint: format!("http://127.0.0.1:{port}"), script, _data: data };
        let until = Instant::now() + TO_START;
        while let Err(why) = create_bucket(&running.endpoint) {
            if Instant::now() > until {
                let said = fs::read_to_string(&log).unwrap_or_default();
                return Err(format!("it has no bucket after {} s: {why}\n{said}", TO_START.as_secs()));
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(running)
    }
}

/// A server that runs; dropping it stops it.
pub struct Running {
    /// Its address.
    pub endpoint: String,
    script: Child,
    _data: TempDir,
}

impl Drop for Running {
    fn drop(&mut self) {
        // The end of the script's stdin is its sign to stop the server.
        drop(self.script.stdin.take());
        let _ = self.script.wait();
    }
}

/// Creates the bucket. A server that accepts this is ready.
fn create_bucket(endpoint: &str) -> Result<(), String> {
    let url = CreateBucket::new(&bucket(endpoint), &credentials()).sign(Duration::from_secs(60));
    let answer = client().put(url.as_str()).send_empty().map_err(|error| error.to_string())?;
    if answer.status().is_success() { Ok(()) } else { Err(answer.status().to_string()) }
}

/// The bucket, for the signer.
pub fn bucket(endpoint: &str) -> Bucket {
    Bucket::new(endpoint.parse().unwrap(), UrlStyle::Path, BUCKET, "us-east-1").unwrap()
}

/// The keys for every server.
pub fn credentials() -> Credentials {
    Credentials::new(ACCESS_KEY, SECRET_KEY)
}

/// A client for what the library's store does not do.
pub fn client() -> Agent {
    let config = http::config().timeout_global(Some(Duration::from_secs(10))).build();
    http::agent(config, &Trust::built_in(), SystemResolver::default())
}

fn script() -> Command {
    Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e/server.sh"))
}

/// Where the servers are installed: in the build directory.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("e2e")
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
