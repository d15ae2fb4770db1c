//! An answer's headers, as both sides read them.

use std::time::Duration;

use ureq::http::HeaderMap;

use crate::clock::Time;

/// The value of the header `name`; `None` if it is missing or not ASCII.
pub fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// The time in the header `name`, such as `date`; `None` if it is missing or not a date of RFC 9110.
pub fn time(headers: &HeaderMap, name: &str) -> Option<Time> {
    text(headers, name).and_then(Time::from_http_date)
}

/// Parses `Retry-After`: how long to wait before the next request. The value is in seconds, or a date. A date is
/// compared with the answer's own `Date`, and with no other clock.
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let after = text(headers, "retry-after")?.trim();
    match after.parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => Some(time(headers, "date")?.age(Time::from_http_date(after)?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date_by_the_servers_own_clock() {
        let after = |value: &str, date: Option<&str>| {
            let headers = [("retry-after", Some(value)), ("date", date)].into_iter();
            let headers = headers.filter_map(|(name, value)| Some((name.parse().unwrap(), value?.parse().unwrap())));
            retry_after(&headers.collect())
        };
        let date = Some("Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(after("120", None), Some(Duration::from_secs(120)));
        assert_eq!(after("Sun, 06 Nov 1994 08:50:07 GMT", date), Some(Duration::from_secs(30)));
        assert_eq!(after("Sun, 06 Nov 1994 08:49:00 GMT", date), Some(Duration::ZERO));
        assert_eq!(after("Sun, 06 Nov 1994 08:50:07 GMT", None), None);
        assert_eq!(after("soon", date), None);
    }
}
