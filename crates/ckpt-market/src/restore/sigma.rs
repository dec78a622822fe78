//! The cap on volatility: at the restore, and at every accessor afterwards.

/// How large a volatility may be: a multiple of the default one.
///
/// A restore clamps once. A filter that was restored within bounds can leave them at its next update, so what reads
/// volatility asks [`cap`](Self::cap) every time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SigmaCap {
    default_sigma: f64,
    multiplier: f64,
}

/// Numbers that are no cap.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("`{field}` is {found}: it must be a finite number above 0")]
pub struct SigmaCapError {
    field: &'static str,
    found: f64,
}

impl SigmaCap {
    /// `multiplier` times `default_sigma`, a fraction per square root of a second.
    ///
    /// # Errors
    /// [`SigmaCapError`] if one of them, or their product, is not finite or not above 0.
    pub fn new(default_sigma: f64, multiplier: f64) -> Result<Self, SigmaCapError> {
        let product = ("default_sigma * multiplier", default_sigma * multiplier);
        for (field, found) in [("default_sigma", default_sigma), ("multiplier", multiplier), product] {
            if !(found.is_finite() && found > 0.0) {
                return Err(SigmaCapError { field, found });
            }
        }
        Ok(Self { default_sigma, multiplier })
    }

    /// The greatest volatility, a fraction per square root of a second.
    pub fn max(self) -> f64 {
        self.default_sigma * self.multiplier
    }

    /// The volatility that may be used. NaN and what is below 0 become the greatest: what is unknown is quoted widest.
    ///
    /// ```
    /// use ckpt_market::restore::sigma::SigmaCap;
    ///
    /// let cap = SigmaCap::default();
    /// assert_eq!(cap.cap(0.001), 0.001);
    /// assert_eq!(cap.cap(1.0), 0.0025);
    /// assert_eq!(cap.cap(f64::NAN), 0.0025);
    /// assert_eq!(cap.cap(-0.001), 0.0025);
    /// ```
    pub fn cap(self, sigma: f64) -> f64 {
        if sigma >= 0.0 { sigma.min(self.max()) } else { self.max() }
    }
}

/// Ten times 0.00025.
impl Default for SigmaCap {
    fn default() -> Self {
        Self { default_sigma: 0.00025, multiplier: 10.0 }
    }
}
