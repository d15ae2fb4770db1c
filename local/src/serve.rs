//! `serve`: a small site's server, until it is told to stop.

use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::keys;
use crate::system::System;

/// Serves until SIGTERM or SIGINT. The error is one sentence.
pub fn serve(
    data: &Path,
    listen: SocketAddr,
    bucket: &str,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<(), String> {
    // Asked for first: a signal during the start is then not lost.
    let mut signals = Signals::new([SIGTERM, SIGINT]).map_err(|error| format!("cannot wait for signals: {error}"))?;
    let (keys, are_new) = keys::kept_in(data)?;
    let system = System::start(data, listen, bucket, &keys, environment)?;
    let endpoint = system.endpoint();
    let mut out = std::io::stdout();
    if are_new {
        let keys = keys::text(&keys);
        let lines = format!("{keys}AWS_ENDPOINT_URL={endpoint}\nAWS_REGION=us-east-1\nPULSE_ECHO_BUCKET={bucket}\n");
        let _ = out.write_all(lines.as_bytes()).and_then(|()| out.flush());
    }
    eprintln!("pulse-echo-local: bucket {bucket} at {endpoint}, data and keys in {}", data.display());
    if let Some(signal) = signals.forever().next() {
        let name = if signal == SIGTERM { "SIGTERM" } else { "SIGINT" };
        eprintln!("pulse-echo-local: {name}: stopping");
    }
    drop(system);
    Ok(())
}
