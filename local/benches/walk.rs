//! How long a pulse takes to its echo in the whole local system, one pulse after the other. The pulses have no URL, so
//! this measures S3, event, probe and S3 again. Run with `cargo bench -p pulse-echo-local --bench walk`.

use std::time::Instant;

use pulse_echo_core::environment::Environment;
use pulse_echo_core::metadata::Metadata;
use pulse_echo_core::name::{CheckId, Key};
use pulse_echo_core::store::{Condition, Credentials};
use pulse_echo_local::keys;
use pulse_echo_local::s3::Options;
use pulse_echo_local::system::System;
use pulse_echo_testkit::store::{BUCKET, Client};

const PULSES: usize = 500;

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let keys = keys::make();
    let options = Options::new(folder.path(), BUCKET, keys.clone());
    let system = System::start(options, Environment::new(&|_| None)).unwrap();
    let credentials = Credentials::new(&keys.access_key, &keys.secret_key);
    let store = Client { credentials, ..Client::at(&system.endpoint()) }.store();

    let (mut puts, mut walks) = (Vec::new(), Vec::new());
    for n in 0..PULSES {
        let id = CheckId::from_pulse_key(&format!("pulse/host-{n}.json")).unwrap();
        let started = Instant::now();
        store.put(&Key::pulse(&id), "application/json", b"{}", &Metadata::new(), &Condition::Always).unwrap();
        puts.push(started.elapsed());
        while store.get(&Key::echo(&id), 10).is_err() {}
        walks.push(started.elapsed());
    }
    for (what, times) in [("PUT alone", &mut puts), ("pulse to echo", &mut walks)] {
        times.sort_unstable();
        let ms = |per_cent: usize| times[(PULSES - 1) * per_cent / 100].as_secs_f64() * 1000.0;
        println!("{what:<14} median {:6.2} ms, 95 % {:6.2} ms, of {PULSES}", ms(50), ms(95));
    }
    let ratio = walks[PULSES / 2].as_secs_f64() / puts[PULSES / 2].as_secs_f64();
    println!("pulse to echo / PUT alone: {ratio:.1}");
}
