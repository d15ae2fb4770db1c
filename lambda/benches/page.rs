//! What a page costs as the fleet grows: bytes, time on the processor, and memory.
//!
//! `cargo bench -p pulse-echo-lambda --bench page`, or with other numbers of checks after `--`. Each fleet has a
//! process of its own, which holds the status, as a sweep does, and reads `history.json`. Measured is the rest: what is
//! chosen of the status, what is read of the history, and the page. Time on the processor does not depend on what else
//! runs. It is the mean of [`ROUNDS`] pages, since the kernel counts it in ticks of some milliseconds.

use std::env;
use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

use pulse_echo_core::status::Status;
use pulse_echo_lambda::page::Page;
use pulse_echo_testkit::page_fleet::{How, NOW, fleet};

const SIZES: [usize; 4] = [10, 1_000, 10_000, 100_000];
const ROUNDS: u64 = 20;

/// Says in which folder the files are of which this process is to make pages.
const CHILD: &str = "PAGE_BENCH_FOLDER";

/// The targets: bytes for each check after the first, while all are listed; bytes; memory in KiB; CPU time in
/// microseconds, but for 100,000 checks.
const BYTES_A_CHECK: usize = 600;
const BYTES: usize = 1_300_000;
const KIB: u64 = 20_000_000 / 1024;
const MICROSECONDS: u64 = 50_000;

/// What a page took.
struct Cost {
    bytes: usize,
    history: usize,
    microseconds: u64,
    kib: u64,
}

fn main() {
    if let Some(folder) = env::var_os(CHILD) {
        return child(Path::new(&folder));
    }
    let mut sizes: Vec<usize> = env::args().filter_map(|arg| arg.parse().ok()).collect();
    if sizes.is_empty() {
        sizes = SIZES.into();
    }
    let (empty, first) = (measured(0).bytes, measured(1).bytes);
    println!("a page without a check: {empty} bytes, with one: {first}");
    println!("  checks  history kB  page bytes  a check  CPU ms  MB more  within");
    for size in sizes {
        let Cost { bytes, history, microseconds, kib } = measured(size);
        let each = bytes.saturating_sub(first) / size.saturating_sub(1).max(1);
        let within = [
            ("bytes a check", size > 2_000 || each <= BYTES_A_CHECK),
            ("bytes", bytes <= BYTES),
            ("time", size >= 100_000 || microseconds <= MICROSECONDS),
            ("memory", kib <= KIB),
        ];
        let over: Vec<_> = within.iter().filter(|(_, holds)| !holds).map(|(what, _)| *what).collect();
        let verdict = if over.is_empty() { "yes".into() } else { format!("no: {}", over.join(", ")) };
        let (whole_ms, tenth_ms) = (microseconds / 1_000, microseconds % 1_000 / 100);
        let (history, mb) = (history / 1_000, kib * 1024 / 100_000);
        let mb = format!("{}.{}", mb / 10, mb % 10);
        println!("{size:>8} {history:>11} {bytes:>11} {each:>8} {whole_ms:>5}.{tenth_ms} {mb:>8}  {verdict}");
    }
}

/// Has a process make the pages of so many checks.
fn measured(checks: usize) -> Cost {
    let folder = tempfile::tempdir().unwrap();
    let fleet = fleet(checks, How::TwoDown);
    let history = fleet.history.to_json();
    fs::write(folder.path().join("status.json"), fleet.status.to_json()).unwrap();
    fs::write(folder.path().join("history.json"), &history).unwrap();
    let mut child = Command::new(env::current_exe().unwrap());
    // What is free goes back at once: the first page must not find room that counts as taken.
    child.env(CHILD, folder.path()).env("MALLOC_TRIM_THRESHOLD_", "65536").env("MALLOC_MMAP_THRESHOLD_", "65536");
    let output = child.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let numbers: Vec<u64> = text.split_whitespace().map(|number| number.parse().unwrap()).collect();
    let [bytes, microseconds, kib] = numbers[..] else { panic!("{text}{}", String::from_utf8_lossy(&output.stderr)) };
    Cost { bytes: usize::try_from(bytes).unwrap(), history: history.len(), microseconds, kib }
}

fn child(folder: &Path) {
    let status = Status::from_json(&fs::read(folder.join("status.json")).unwrap()).unwrap();
    // The peak starts anew, at the memory in use now.
    fs::write("/proc/self/clear_refs", "5").unwrap();
    let before = kib("VmRSS:");
    let (mut bytes, mut more, begun) = (0, 0, on_cpu());
    for round in 0..ROUNDS {
        let page = Page::of(&status, NOW, None, 60);
        let past = page.past(File::open(folder.join("history.json")).unwrap()).unwrap();
        let html = page.render(Some(&past));
        bytes = html.len();
        if round == 0 {
            more = kib("VmHWM:").saturating_sub(before);
        }
    }
    println!("{bytes} {} {more}", (on_cpu() - begun) / ROUNDS);
}

/// For how many microseconds this thread was on a processor.
fn on_cpu() -> u64 {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split(' ').next().unwrap().parse::<u64>().unwrap() / 1_000
}

fn kib(name: &str) -> u64 {
    let text = fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
