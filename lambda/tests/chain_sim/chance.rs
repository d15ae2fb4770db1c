//! Chance that follows from a seed: `SplitMix64`, by Steele, Lea and Flood (2014).

/// A source of chance.
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x2545_f491_4f6c_dd1d) ^ 0x9e37_79b9_7f4a_7c15)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from `low` to just below `high`.
    pub(crate) fn between(&mut self, low: i64, high: i64) -> i64 {
        let span = u64::try_from(high - low).expect("high is above low");
        low + i64::try_from(self.next() % span).expect("it is below the span")
    }

    /// True in this many of a hundred cases.
    pub(crate) fn percent(&mut self, percent: i64) -> bool {
        self.between(0, 100) < percent
    }

    /// One of these.
    pub(crate) fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::try_from(self.between(0, i64::try_from(choices.len()).unwrap())).unwrap()]
    }

    /// 64 random bits, in hex: enough for one history, where only equality counts.
    pub(crate) fn id(&mut self) -> String {
        format!("{:x}", self.next())
    }
}
