//! Chance from one seed: SplitMix64. Own, so that a seed means the same run on every machine and in
//! every version of every library.

/// A source of chance.
#[derive(Debug, Clone)]
pub struct Chance(u64);

impl Chance {
    /// The source of a seed.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        Self(seed ^ 0x5bf0_3635_dd3f_61d5)
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`; 0 where that is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { self.bits() % bound }
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low) + 1)
    }

    /// True in so many of ten thousand cases.
    pub fn strikes(&mut self, per_myriad: u32) -> bool {
        per_myriad > 0 && self.below(10_000) < u64::from(per_myriad)
    }

    /// One of these.
    pub fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }
}
