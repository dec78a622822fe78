//! The kernel that renews the parameters of the particles when they are resampled.
//!
//! Copies of a surviving particle would share its parameters, and soon all would share one set. The kernel moves
//! each set a little towards the mean and shakes it as much as that shrank the spread, so that mean and covariance
//! of the cloud stay as they are: J. Liu and M. West, "Combined Parameter and State Estimation in Simulation-Based
//! Filtering", in "Sequential Monte Carlo Methods in Practice", Springer, 2001.

use crate::parameters::{Free, LEARNED, Parameters};
use crate::random::Generator;

/// Liu and West's discount, in (1/2, 1): the nearer to one, the less is shaken.
const DISCOUNT: f64 = 0.95;

/// The shrinkage that belongs to the discount.
const SHRINK: f64 = (3.0 * DISCOUNT - 1.0) / (2.0 * DISCOUNT);

/// Where a cloud of parameters lies on free coordinates, and how far it spreads.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Kernel {
    mean: Free,
    /// Lower triangle `L`, such that `L` times its transpose is the covariance of what is added.
    shake: [Free; LEARNED],
}

impl Kernel {
    /// The kernel of a weighted cloud; the weights sum to one.
    pub(crate) fn of(cloud: &[(f64, Free)]) -> Kernel {
        let mut mean = [0.0; LEARNED];
        for (weight, free) in cloud {
            for (mean, value) in mean.iter_mut().zip(free) {
                *mean += weight * value;
            }
        }
        let mut covariance = [[0.0; LEARNED]; LEARNED];
        for (weight, free) in cloud {
            let deviation: Free = std::array::from_fn(|index| free[index] - mean[index]);
            for (row, products) in covariance.iter_mut().enumerate() {
                let weighted = weight * deviation[row];
                for (product, value) in products[..=row].iter_mut().zip(&deviation) {
                    *product += weighted * value;
                }
            }
        }
        for product in covariance.iter_mut().flatten() {
            *product *= 1.0 - SHRINK * SHRINK;
        }
        Kernel { mean, shake: cholesky(&covariance) }
    }

    /// A set of parameters near the one at `free`.
    pub(crate) fn renew(&self, free: &Free, random: &mut Generator) -> Parameters {
        let noise: Free = std::array::from_fn(|_| random.normal());
        let renewed = std::array::from_fn(|row| {
            let shaken: f64 = self.shake[row][..=row].iter().zip(&noise).map(|(l, z)| l * z).sum();
            SHRINK * free[row] + (1.0 - SHRINK) * self.mean[row] + shaken
        });
        Parameters::from_free(&renewed)
    }
}

/// The lower Cholesky factor of a covariance, of which only the lower triangle is read. A direction in which the
/// cloud has collapsed gets a row of zeros.
fn cholesky(covariance: &[Free; LEARNED]) -> [Free; LEARNED] {
    let mut factor = [[0.0; LEARNED]; LEARNED];
    for row in 0..LEARNED {
        for column in 0..=row {
            let known: f64 = (0..column).map(|k| factor[row][k] * factor[column][k]).sum();
            let left = covariance[row][column] - known;
            factor[row][column] = if row == column {
                left.max(0.0).sqrt()
            } else if factor[column][column] > 0.0 {
                left / factor[column][column]
            } else {
                0.0
            };
        }
    }
    factor
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renewal_keeps_the_mean_and_the_covariance_of_the_cloud() {
        let mut random = Generator::new(11);
        let count = 20_000;
        let cloud: Vec<(f64, Free)> = (0..count)
            .map(|_| {
                let mut free = Parameters::draw_prior(&mut random).to_free();
                // Two coordinates that hang together show that more than the diagonal is kept.
                free[2] += free[1];
                (1.0 / f64::from(count), free)
            })
            .collect();
        let kernel = Kernel::of(&cloud);
        let renewed: Vec<(f64, Free)> =
            cloud.iter().map(|(weight, free)| (*weight, kernel.renew(free, &mut random).to_free())).collect();
        let after = Kernel::of(&renewed);
        for row in 0..LEARNED {
            assert!((after.mean[row] - kernel.mean[row]).abs() < 0.02, "mean {row}");
            for column in 0..=row {
                let (after, before) = (after.shake[row][column], kernel.shake[row][column]);
                assert!((after - before).abs() < 0.02 * kernel.shake[row][row].max(0.1), "{row}, {column}");
            }
        }
    }

    #[test]
    fn a_collapsed_cloud_stays_where_it_is() {
        let free = crate::parameters::prior_centre().to_free();
        let kernel = Kernel::of(&vec![(0.01, free); 100]);
        let renewed = kernel.renew(&free, &mut Generator::new(1)).to_free();
        for (renewed, free) in renewed.iter().zip(free) {
            assert!((renewed - free).abs() < 1e-6, "{renewed} is not {free}");
        }
    }
}
