//! What the system allows this process.

use rustix::process::{Resource, getrlimit, setrlimit};

/// How many files and connections are enough: those of all clients, handlers and fetches.
const ENOUGH_FILES: u64 = 8192;

/// Raises the number of files that may be open at once. A shell's usual limit is 1024, below what the handlers and
/// clients together may need. Returns how many there may be; `None` if nothing limits them.
pub(crate) fn open_files() -> Option<u64> {
    let mut limit = getrlimit(Resource::Nofile);
    let wanted = limit.maximum.map_or(ENOUGH_FILES, |maximum| maximum.min(ENOUGH_FILES));
    if limit.current.is_some_and(|current| current < wanted) {
        limit.current = Some(wanted);
        if let Err(error) = setrlimit(Resource::Nofile, limit) {
            log::debug!("the limit of open files stays as it is: {error}");
        }
    }
    getrlimit(Resource::Nofile).current
}
