//! The parameters that quotes go by, and how far they are from others.

/// Four estimates.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Parameters {
    /// Volatility, a fraction per square root of a second.
    pub(crate) sigma: f64,
    /// Fill intensity, per unit of distance.
    pub(crate) kappa: f64,
    /// Fills a second of a quote at mid.
    pub(crate) lambda_0: f64,
    /// The depth over which they fall to a third, in basis points.
    pub(crate) delta_char_bps: f64,
}

impl Parameters {
    /// How far each is from that of `other`, in the order of the fields.
    pub(crate) fn errors(&self, other: &Self) -> [f64; 4] {
        let (own, other) = (self.all(), other.all());
        std::array::from_fn(|which| distance(own[which], other[which]))
    }

    /// The mean of several.
    pub(crate) fn mean(several: &[Self]) -> Self {
        let mut sums = [0.0; 4];
        for parameters in several {
            for (sum, value) in sums.iter_mut().zip(parameters.all()) {
                *sum += value / several.len() as f64;
            }
        }
        let [sigma, kappa, lambda_0, delta_char_bps] = sums;
        Self { sigma, kappa, lambda_0, delta_char_bps }
    }

    fn all(&self) -> [f64; 4] {
        [self.sigma, self.kappa, self.lambda_0, self.delta_char_bps]
    }
}

/// By how many times `value` is greater or less than `other`, less 1: 0 is equal, 1 is twice or half as much.
pub(crate) fn distance(value: f64, other: f64) -> f64 {
    (value / other).ln().abs().exp() - 1.0
}
