//! The limits that a pulse sets to its host's vitals, judged on the pulse's own metadata.

use pulse_echo_core::answer::{Cause, TEXT_LIMIT};
use pulse_echo_core::metadata::Metadata;
use pulse_echo_core::text::line;
use pulse_echo_core::vitals::{VitalLimits, Vitals};
use pulse_echo_core::words::{beyond, is_beyond};

use crate::expect::Miss;
use crate::fetch::Checked;

/// What is between the sentences of a reason.
const AND: &str = "; and ";

/// Adds what the vitals say. Another fault comes first: its reason then names the vitals, too. A vital that is not
/// there is no fault.
pub(super) fn judged(checked: Checked, limits: &VitalLimits, metadata: &Metadata) -> Checked {
    let beyond = beyond(&Vitals::from_metadata(metadata), limits);
    if beyond.is_empty() {
        return checked;
    }
    let joined = |each: &dyn Fn(&(String, String)) -> String| beyond.iter().map(each).collect::<Vec<_>>().join(", ");
    let reason = joined(&is_beyond);
    let miss = match checked.verdict {
        Ok(()) => Miss {
            cause: Cause::Vitals,
            reason,
            expected: Some(joined(&|(_, limit)| format!("limit {limit}"))),
            got: Some(joined(&|(vital, _)| vital.clone())),
        },
        Err(miss) => {
            let room = TEXT_LIMIT.saturating_sub(AND.len() + reason.len());
            Miss { reason: format!("{}{AND}{reason}", line(&miss.reason, room)), ..miss }
        }
    };
    Checked { verdict: Err(miss), ..checked }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: VitalLimits =
        VitalLimits { min_disk_free_pct: Some(10), min_mem_available_mib: Some(64), max_load1: Some(8) };

    fn metadata(pairs: &[(&str, &str)]) -> Metadata {
        pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
    }

    fn miss(checked: Checked, pairs: &[(&str, &str)]) -> Option<Miss> {
        judged(checked, &LIMITS, &metadata(pairs)).verdict.err()
    }

    #[test]
    fn a_vital_beyond_its_limit_is_a_fault_with_value_limit_and_mount_point() {
        let full = miss(Checked::unfetched(Ok(())), &[("disk-free-pct", "4"), ("disk-at", "/var")]).unwrap();
        assert_eq!((full.cause, full.reason.as_str()), (Cause::Vitals, "disk 4 % free on /var (limit 10 %)"));
        assert_eq!(full.expected.as_deref(), Some("limit 10 %"));
        assert_eq!(full.got.as_deref(), Some("disk 4 % free on /var"));
        let all = [("disk-free-pct", "9"), ("mem-available-kb", "1024"), ("load1", "8.5")];
        let all = miss(Checked::unfetched(Ok(())), &all).unwrap().reason;
        let expected = "disk 9 % free on / (limit 10 %), 1 MiB of memory free (limit 64 MiB), load 8.50 (limit 8)";
        assert_eq!(all, expected);
    }

    #[test]
    fn a_vital_that_is_not_there_or_is_none_is_no_fault() {
        for pairs in [&[][..], &[("disk-free-pct", "much")], &[("disk-free-pct", "10"), ("load1", "8")]] {
            assert_eq!(miss(Checked::unfetched(Ok(())), pairs), None, "{pairs:?}");
        }
        let none = judged(Checked::unfetched(Ok(())), &VitalLimits::default(), &metadata(&[("load1", "99")]));
        assert_eq!(none.verdict, Ok(()));
    }

    #[test]
    fn another_fault_comes_first_and_its_reason_names_the_vitals_however_long_it_is() {
        let other = |reason: &str| Miss {
            cause: Cause::Status,
            reason: reason.into(),
            expected: Some("200".into()),
            got: Some("500".into()),
        };
        let failed = |reason: &str| Checked { status: Some(500), ..Checked::unfetched(Err(other(reason))) };
        let both = miss(failed("status 500, expected 200"), &[("disk-free-pct", "0")]).unwrap();
        assert_eq!(both.reason, "status 500, expected 200; and disk 0 % free on / (limit 10 %)");
        assert_eq!(Miss { reason: "status 500, expected 200".into(), ..both }, other("status 500, expected 200"));
        let long = miss(failed(&"x".repeat(300)), &[("disk-free-pct", "0")]).unwrap().reason;
        assert!(long.len() <= TEXT_LIMIT && long.ends_with("; and disk 0 % free on / (limit 10 %)"), "{long}");
        let alone = judged(failed("status 500"), &LIMITS, &metadata(&[])).verdict;
        assert_eq!(alone, Err(other("status 500")));
    }
}
