//! `status --link`: an address of the page, for whoever has no credentials.

use std::time::Duration;

use crate::look::{self, Look};
use crate::output::print;
use pulse_echo_core::name::Key;
use pulse_echo_core::store::Store;
use pulse_echo_core::words::duration;

/// How long an address is valid, in seconds, unless that is said.
const DAY_S: u32 = 24 * 3600;

/// The longest time that S3 takes, in seconds.
const MOST_S: u32 = 7 * DAY_S;

/// How long the address is to be valid.
pub fn life(for_s: Option<u32>) -> Result<Duration, String> {
    match for_s.unwrap_or(DAY_S) {
        life if life <= MOST_S => Ok(Duration::from_secs(life.into())),
        _ => Err("--for: S3 takes at most 7d".into()),
    }
}

/// Prints a presigned address of the page, and until when it is valid.
pub fn show(store: &Store, life: Duration) -> Result<(), String> {
    let (page, bucket) = (Key::page(), store.bucket_name());
    // This learns the store's clock and region, too.
    match look::look(store, &page, 0).map_err(|error| error.to_string())? {
        Look::There(_) => {}
        Look::Missing | Look::Denied => {
            return Err(format!(
                "there is no {page} in bucket {bucket}, or it may not be read with these credentials: the loop writes \
                 it with STATUS_PAGE set to on"
            ));
        }
    }
    let link = store.link(&page, life);
    print(&link.url);
    let sooner = if link.is_temporary { ", or sooner: with the temporary credentials that signed it" } else { "" };
    print(&format!("it ends in {}, on {}{sooner}", duration(life), link.until));
    Ok(())
}
