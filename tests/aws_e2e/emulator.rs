//! `MiniStack` over https, with signatures and rights; `emulator.py` says what it is taught.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use pulse_echo_testkit::tls::Ca;

/// How long a minute of a schedule lasts, in seconds.
pub const MINUTE_S: u64 = 5;

const TO_START: Duration = Duration::from_secs(60);

/// The emulator that runs; dropping it stops it.
pub struct Emulator {
    /// Its address, for functions, agent and aws-cli.
    pub endpoint: String,
    /// The certificate to trust.
    pub ca: PathBuf,
    process: Child,
}

impl Emulator {
    /// Starts it over https with all that it keeps in `folder`.
    pub fn start(venv: &Path, folder: &Path, log: &Path) -> Result<Self, String> {
        Self::start_as("https", venv, folder, log)
    }

    /// The same over http, which AWS has, too.
    pub fn start_without_tls(venv: &Path, folder: &Path, log: &Path) -> Result<Self, String> {
        Self::start_as("http", venv, folder, log)
    }

    fn start_as(scheme: &str, venv: &Path, folder: &Path, log: &Path) -> Result<Self, String> {
        let (ca, certificate, key) = (folder.join("ca.pem"), folder.join("server.pem"), folder.join("server.key"));
        write_certificates(&ca, &certificate, &key);
        let temporary = folder.join("tmp");
        fs::create_dir(&temporary).unwrap();
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let endpoint = format!("{scheme}://localhost:{port}");
        let output = fs::File::create(log).unwrap();
        // Its whole environment reaches every function.
        let process = Command::new(venv.join("bin/python"))
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/aws_e2e/emulator.py"))
            .arg(MINUTE_S.to_string())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", folder)
            .env("TMPDIR", &temporary)
            .env("BIND_HOST", "127.0.0.1")
            .env("GATEWAY_PORT", port.to_string())
            .env("MINISTACK_HOST", "localhost")
            .env("MINISTACK_REGION", "eu-central-1")
            .env("AUTH", "true")
            .env("USE_SSL", if scheme == "https" { "1" } else { "0" })
            .env("MINISTACK_SSL_CERT", &certificate)
            .env("MINISTACK_SSL_KEY", &key)
            .env("AWS_ENDPOINT_URL", &endpoint)
            .stdin(Stdio::piped())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .map_err(|error| error.to_string())?;
        let mut emulator = Self { endpoint, ca, process };
        let until = Instant::now() + TO_START;
        while !fs::read_to_string(log).unwrap_or_default().contains("Running on") {
            if Instant::now() > until || emulator.process.try_wait().unwrap().is_some() {
                return Err(fs::read_to_string(log).unwrap_or_default());
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(emulator)
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // Its end is the sign to stop.
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

fn write_certificates(ca: &Path, certificate: &Path, key: &Path) {
    let issuer = Ca::new("the CA of a test");
    let (certificate_pem, key_pem) = issuer.pem_of(&["localhost", "127.0.0.1"]);
    fs::write(ca, issuer.pem()).unwrap();
    fs::write(certificate, certificate_pem).unwrap();
    fs::write(key, key_pem).unwrap();
}
