//! The store on a full disk that gets room again.

use std::fs::File;
use std::ops::Bound;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use log::{LevelFilter, Log, Metadata, Record};
use redb::backends::FileBackend;
use redb::{BackendError, StorageBackend};
use tokio::runtime;

use super::super::notification::RULES;
use super::writer::PAUSE;
use super::*;

/// A file on a disk that can be full.
#[derive(Debug)]
struct Disk {
    file: FileBackend,
    is_full: Arc<AtomicBool>,
}

impl Disk {
    fn room(&self) -> io::Result<()> {
        if self.is_full.load(Ordering::SeqCst) { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.room().and_then(|()| self.file.set_len(len))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        // As on a real disk, what is already in the file can be overwritten.
        let is_within = offset + data.len() as u64 <= self.file.len()?;
        if is_within { self.file.write(offset, data) } else { self.room().and_then(|()| self.file.write(offset, data)) }
    }

    fn close(&self) -> io::Result<()> {
        self.file.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.try_lock_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.unlock_range(start, end)
    }
}

/// The lines that the store logs.
struct Lines(Mutex<Vec<String>>);

impl Log for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().contains("s3::store")
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            self.0.lock().unwrap().push(record.args().to_string());
        }
    }

    fn flush(&self) {}
}

static LINES: Lines = Lines(Mutex::new(Vec::new()));

/// How many notes a host may have.
const OF_HOST: usize = 3;

/// A store on such a disk, and the disk's switch.
fn store(folder: &Path) -> (Store, Arc<AtomicBool>) {
    let is_full = Arc::new(AtomicBool::new(false));
    let (path, switch) = (folder.join("objects.redb"), is_full.clone());
    let open = move || {
        let file = File::options().read(true).write(true).create(true).truncate(false).open(&path)?;
        let disk = Disk { file: FileBackend::new(file).map_err(io::Error::other)?, is_full: switch.clone() };
        redb::Builder::new().create_with_backend(disk).map_err(io::Error::other)
    };
    let db = open().unwrap();
    let clock: Clock = Arc::new(Timestamp::now);
    let state = State::load(&db, "pulses", &clock).unwrap();
    let settings = Settings { rules: RULES.into(), clock, of_host: OF_HOST };
    (Store::begin(StoreFile::new(db, Box::new(open)), folder, &state, settings).unwrap(), is_full)
}

/// Puts an object, a note of retirement as its host.
fn put(store: &Store, key: &str, body: Vec<u8>) -> Result<(), Refusal> {
    let by_a_host = key.starts_with("retire/");
    let details = Details { content_type: String::new(), metadata: BTreeMap::new(), by_a_host, cache_control: None };
    let object = NewObject {
        etag: ETag(0),
        details,
        body: Content::Held(vec![body.into()]),
        has_url: false,
        origin: Origin::default(),
    };
    let runtime = runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(store.change(key.to_owned(), Condition::Always, Change::Put(object)))
}

#[test]
fn after_a_full_disk_has_room_again_changes_are_made_and_all_events_told() {
    log::set_logger(&LINES).unwrap();
    log::set_max_level(LevelFilter::Warn);
    let folder = tempfile::tempdir().unwrap();
    let (store, is_full) = store(folder.path());
    put(&store, "pulse/before", vec![1; 100]).unwrap();
    put(&store, "retire/web-1/0.json", vec![]).unwrap();

    is_full.store(true, Ordering::SeqCst);
    // Tried, refused without a try, and tried again.
    for wait in [Duration::ZERO, Duration::ZERO, PAUSE] {
        thread::sleep(wait);
        assert_eq!(put(&store, "retire/web-1/large.json", vec![1; 64 << 20]), Err(Refusal::Broken));
        // Reads go on.
        assert_eq!(store.get("pulse/before").unwrap().unwrap().2, vec![1; 100]);
    }
    let (tell, told) = mpsc::channel();
    store.listen(Box::new(move |event| tell.send(event.key).unwrap()));
    store.strike(1);

    is_full.store(false, Ordering::SeqCst);
    let since = Instant::now();
    // What was not written does not count, not even at first.
    let note = |n: u32| put(&store, &format!("retire/web-1/{n}.json"), vec![]);
    while let Err(refusal) = note(1) {
        assert_eq!(refusal, Refusal::Broken);
        assert!(since.elapsed() < Duration::from_secs(10), "there is room, and it does not write");
        thread::sleep(Duration::from_millis(50));
    }
    put(&store, "pulse/after", vec![1; 100]).unwrap();
    assert_eq!(store.get("pulse/after").unwrap().unwrap().2, vec![1; 100]);
    assert_eq!(note(2), Ok(()));
    assert_eq!(note(3), Err(Refusal::TooMany { folder: "retire", limit: OF_HOST }));
    // An event that was dealt with meanwhile does not come again, and a listener that was added meanwhile gets its
    // events.
    assert_eq!(told.recv_timeout(Duration::from_secs(10)).unwrap(), "pulse/after");
    drop(store);
    assert!(told.recv().is_err(), "no other event was there to be told");
    let lines = LINES.0.lock().unwrap();
    let lines: Vec<_> = lines.iter().filter(|line| !line.contains("as many as a host may have")).collect();
    assert_eq!(lines.len(), 2, "one line each for trouble and its end: {lines:?}");
    assert!(lines[0].contains("cannot be written") && lines[1].contains("can be written again"), "{lines:?}");
}

#[test]
fn answers_and_notes_are_removed_after_35_days_and_pulses_stay() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = store(folder.path());
    let keys = ["echo/web-1.json", "fault/web-1/db.json", "pulse/web-1.json", "retire/web-1.json", "status.json"];
    for key in keys {
        put(&store, key, vec![]).unwrap();
    }
    let now = Timestamp::now();
    let later = |days: i64| now + jiff::SignedDuration::from_hours(24 * days + 1);
    assert_eq!(store.expire(later(34)).unwrap(), 0);
    assert_eq!(store.expire(later(35)).unwrap(), 3);
    let query = Query { prefix: "", delimiter: None, from: Vec::new(), limit: 9 };
    let left: Vec<_> = store.list(&query).unwrap().objects.into_iter().map(|(key, _)| key).collect();
    assert_eq!(left, ["pulse/web-1.json", "status.json"]);
    // One that was put anew while the list was read.
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let remove = |before| runtime.block_on(store.change(keys[2].into(), Condition::Before(before), Change::Delete));
    assert_eq!(remove(now - jiff::SignedDuration::from_hours(1)), Err(Refusal::Precondition));
    assert_eq!(remove(later(0)), Ok(()));
}
