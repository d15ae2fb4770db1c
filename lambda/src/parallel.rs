//! Work that is waited for side by side.

use std::panic::{self, AssertUnwindSafe};
use std::sync::{Mutex, OnceLock};
use std::thread;

/// Applies `act` to each item, at most `width` at once, and keeps the order. If one panics, its result is `None`; the
/// others go on.
pub(crate) fn map<T: Sync, R: Send + Sync>(items: &[T], width: usize, act: impl Fn(&T) -> R + Sync) -> Vec<Option<R>> {
    let results: Vec<OnceLock<R>> = items.iter().map(|_| OnceLock::new()).collect();
    let queue = Mutex::new(items.iter().zip(&results));
    let next = || queue.lock().expect("nobody panics while holding it").next();
    let work = || {
        while let Some((item, result)) = next() {
            if let Ok(made) = panic::catch_unwind(AssertUnwindSafe(|| act(item))) {
                result.get_or_init(|| made);
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..items.len().min(width) {
            scope.spawn(work);
        }
    });
    results.into_iter().map(OnceLock::into_inner).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_in_order_and_one_that_panics_spares_the_others() {
        let items: Vec<u32> = (0..100).collect();
        let squares = map(&items, 8, |&n| if n == 7 { panic!("not seven") } else { n * n });
        assert_eq!(squares.len(), 100);
        assert!(squares.iter().zip(&items).all(|(square, &n)| *square == (n != 7).then_some(n * n)));
    }
}
