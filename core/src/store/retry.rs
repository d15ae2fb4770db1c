//! When to retry a request, and whether the store may have done it: pure rules.

use std::time::Duration;

use super::error::Kind;
use crate::http::Trouble;

/// How many times the fleet sends a request at most: one object that cannot be had must not take all of the time. A
/// corrected clock or region allows one more try each.
pub const TRIES: u32 = 3;

/// The shortest wait before another try.
const LEAST_PAUSE: Duration = Duration::from_millis(200);

/// The longest wait before the second try. It doubles with each further try.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// The longest wait of all, but for what the store asks for.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// The shortest time for a try, if that much is left.
const SHORTEST_TRY: Duration = Duration::from_secs(5);

/// A try that had less time than this, and ran out of it, says nothing of the store.
pub const TELLING_TRY: Duration = Duration::from_secs(1);

/// Whether the same request may get another answer in a moment.
pub fn is_worth_another(kind: &Kind) -> bool {
    match kind {
        Kind::Failed(failure) => match failure.trouble {
            Trouble::Dns | Trouble::Connect | Trouble::Timeout | Trouble::Broken => true,
            // A wrong certificate stays wrong, and so does a server that speaks another protocol.
            Trouble::Tls | Trouble::Untrusted | Trouble::Protocol => false,
        },
        Kind::Unreadable(_) => false,
        Kind::Refused(refusal) => {
            // S3 sends its own "request timeout" with a 400.
            matches!(refusal.status, 408 | 429 | 500..=599)
                || matches!(refusal.code.as_str(), "RequestTimeout" | "ConditionalRequestConflict")
        }
    }
}

/// Whether the store may have done what a try asked for, although it did not say so.
pub fn may_be_done(kind: &Kind) -> bool {
    match kind {
        Kind::Failed(failure) => {
            matches!(failure.trouble, Trouble::Timeout | Trouble::Broken | Trouble::Protocol)
        }
        Kind::Unreadable(_) => true,
        Kind::Refused(refusal) => (500..=599).contains(&refusal.status) && refusal.code != "SlowDown",
    }
}

/// How long the store asked to be left alone, with `left` until the deadline. What a proxy before it asks for counts
/// only if there is time for it: the store may be back in seconds, and the pulse cannot wait for an hour.
pub fn asked_for(kind: &Kind, asked: Option<Duration>, left: Duration) -> Option<Duration> {
    let is_by_proxy = matches!(kind, Kind::Refused(refusal) if refusal.code.is_empty() && refusal.status >= 500);
    asked.filter(|asked| !is_by_proxy || *asked < left)
}

/// How long to wait after try number `tries` (from 1), with `left` until the deadline; `None` if there is no time for
/// another try. It is what the store asked for, then exponential back-off with full jitter, so that a fleet that was
/// refused together does not come back together. `random` is below 1.
pub fn pause(tries: u32, asked: Option<Duration>, random: f64, left: Duration) -> Option<Duration> {
    let longest = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(tries - 1)).min(LONGEST_PAUSE);
    let own = LEAST_PAUSE + longest.saturating_sub(LEAST_PAUSE).mul_f64(random);
    let free = left.checked_sub(asked.unwrap_or_default())?;
    // Towards the end the waits are shorter, so that the last try is not long before it.
    let own = own.min(free / 2);
    (own >= LEAST_PAUSE).then(|| asked.unwrap_or_default() + own)
}

/// How long a try may take: half of the time left, so that a server that hangs leaves time for another try. The last
/// try takes all that is left.
pub fn time_for(is_last: bool, left: Duration) -> Duration {
    if is_last { left } else { (left / 2).max(SHORTEST_TRY).min(left) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Failure;
    use crate::store::refusal::Refusal;

    fn refused(status: u16, code: &str) -> Kind {
        let body = if code.is_empty() { String::new() } else { format!("<Error><Code>{code}</Code></Error>") };
        Kind::Refused(Box::new(Refusal::new(status, &ureq::http::HeaderMap::new(), &body)))
    }

    fn failed(trouble: Trouble) -> Kind {
        Kind::Failed(Failure { trouble, text: String::new() })
    }

    #[test]
    fn what_may_pass_by_itself_is_tried_again_and_what_will_not_is_not() {
        for kind in [
            refused(408, ""),
            refused(400, "RequestTimeout"),
            refused(409, "ConditionalRequestConflict"),
            refused(429, ""),
            refused(500, "InternalError"),
            refused(503, "SlowDown"),
            failed(Trouble::Dns),
            failed(Trouble::Connect),
            failed(Trouble::Broken),
            failed(Trouble::Timeout),
        ] {
            assert!(is_worth_another(&kind), "{kind:?}");
        }
        for kind in [
            refused(301, "PermanentRedirect"),
            refused(400, "ExpiredToken"),
            refused(403, "AccessDenied"),
            refused(404, "NoSuchKey"),
            refused(409, "BucketAlreadyExists"),
            refused(412, "PreconditionFailed"),
            failed(Trouble::Tls),
            failed(Trouble::Protocol),
            Kind::Unreadable("it has no Date".into()),
        ] {
            assert!(!is_worth_another(&kind), "{kind:?}");
        }
    }

    #[test]
    fn a_lost_answer_leaves_open_whether_it_was_done_and_a_clear_no_does_not() {
        for kind in [failed(Trouble::Timeout), failed(Trouble::Broken), refused(500, "InternalError"), refused(502, "")]
        {
            assert!(may_be_done(&kind), "{kind:?}");
        }
        for kind in [failed(Trouble::Connect), failed(Trouble::Dns), refused(503, "SlowDown"), refused(412, "")] {
            assert!(!may_be_done(&kind), "{kind:?}");
        }
    }

    #[test]
    fn the_wait_grows_to_ten_seconds_is_drawn_from_its_whole_range_and_comes_on_top_of_what_was_asked() {
        let (ms, minute) = (Duration::from_millis, Duration::from_secs(60));
        for (tries, least, middle) in
            [(1, 200, 600), (2, 200, 1_100), (4, 200, 4_100), (5, 200, 5_100), (99, 200, 5_100)]
        {
            assert_eq!(pause(tries, None, 0.0, minute), Some(ms(least)), "{tries}");
            assert_eq!(pause(tries, None, 0.5, minute), Some(ms(middle)), "{tries}");
        }
        assert_eq!(pause(1, Some(ms(7_000)), 0.5, minute), Some(ms(7_600)));
    }

    #[test]
    fn the_last_waits_are_short_and_none_ends_after_the_deadline() {
        let (ms, s) = (Duration::from_millis, Duration::from_secs);
        assert_eq!(pause(9, None, 0.9, s(4)), Some(s(2)));
        assert_eq!(pause(9, None, 0.9, ms(400)), Some(ms(200)));
        assert_eq!(pause(9, None, 0.0, ms(399)), None);
        assert_eq!(pause(1, Some(s(7)), 0.5, s(7)), None);
        assert_eq!(pause(1, Some(Duration::MAX), 0.5, s(60)), None);
    }

    #[test]
    fn a_proxy_that_says_an_hour_ends_nothing_and_the_store_itself_does() {
        let (hour, minute) = (Duration::from_secs(3_600), Duration::from_secs(60));
        for (status, code, is_heard) in [(503, "", false), (502, "", false), (429, "", true), (503, "SlowDown", true)] {
            let found = asked_for(&refused(status, code), Some(hour), minute);
            assert_eq!(found, Some(hour).filter(|_| is_heard), "{status} {code}");
        }
        let soon = Some(Duration::from_secs(2));
        assert_eq!(asked_for(&refused(503, ""), soon, minute), soon);
        assert_eq!(asked_for(&failed(Trouble::Connect), None, minute), None);
    }

    #[test]
    fn a_try_leaves_half_of_the_time_for_the_others_but_is_not_cut_too_short() {
        let s = Duration::from_secs;
        assert_eq!((time_for(false, s(60)), time_for(false, s(30)), time_for(true, s(15))), (s(30), s(15), s(15)));
        assert_eq!((time_for(false, s(8)), time_for(false, s(2))), (s(5), s(2)));
    }
}
