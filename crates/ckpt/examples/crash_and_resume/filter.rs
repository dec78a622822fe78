//! The particle filter that learns the model while the days go by.
//!
//! A bootstrap filter: every particle is a hypothesis about the regime, the log variance and the parameters; each
//! day moves it by its own parameters and weighs it by how well it expected the day's return. When too few
//! particles carry the weight they are drawn anew by systematic resampling (J. Carpenter, P. Clifford and
//! P. Fearnhead, "Improved particle filter for nonlinear problems", IEE Proceedings Radar, Sonar and Navigation
//! 146(1), 1999), and their parameters are renewed by the kernel of Liu and West; see `kernel.rs`. On this model
//! the method was studied by C. M. Carvalho and H. F. Lopes, "Simulation-based sequential analysis of Markov
//! switching stochastic volatility models", Computational Statistics & Data Analysis 51(9), 2007.
//!
//! What to make of the numbers: many sets of parameters explain these days almost equally well (a slow log variance
//! and a long regime look alike), so another seed ends at somewhat other parameters. How well the days are foretold
//! hardly depends on the seed.

use crate::kernel::Kernel;
use crate::parameters::{LEARNED, Parameters, REGIMES};
use crate::random::Generator;

/// Half the logarithm of two pi.
const HALF_LOG_TAU: f64 = 0.918_938_533_204_672_8;

/// One hypothesis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Particle {
    /// Logarithm of the normalised weight.
    pub(crate) log_weight: f64,
    /// Index of the regime, below [`REGIMES`].
    pub(crate) regime: usize,
    /// Log variance of the day's return, percent squared.
    pub(crate) log_variance: f64,
    /// What this particle believes the world's parameters are.
    pub(crate) parameters: Parameters,
}

/// The filter: particles, and the generator that moves them. All of it is state.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Filter {
    /// At least one.
    pub(crate) particles: Vec<Particle>,
    /// Where all randomness comes from.
    pub(crate) random: Generator,
}

impl Filter {
    /// A filter that has seen nothing: `count` particles (at least one) drawn from the prior.
    pub(crate) fn new(count: usize, mut random: Generator) -> Filter {
        let count = count.max(1);
        let log_weight = -(count as f64).ln();
        let particles = (0..count)
            .map(|_| {
                let parameters = Parameters::draw_prior(&mut random);
                let regime = ((random.uniform() * REGIMES as f64) as usize).min(REGIMES - 1);
                let log_variance = parameters.levels[regime] + parameters.spread() * random.normal();
                Particle { log_weight, regime, log_variance, parameters }
            })
            .collect();
        Filter { particles, random }
    }

    /// Takes one day's log return in percent, learns from it, and returns the logarithm of the density that the
    /// filter had given to this return before it saw it.
    pub(crate) fn observe(&mut self, log_return: f64) -> f64 {
        if self.effective_size() < 0.5 * self.particles.len() as f64 {
            self.resample();
        }
        for particle in &mut self.particles {
            particle.advance(log_return, &mut self.random);
        }
        self.normalise()
    }

    /// The probability of each regime today, given every day so far.
    pub(crate) fn belief(&self) -> [f64; REGIMES] {
        let mut belief = [0.0; REGIMES];
        for particle in &self.particles {
            belief[particle.regime] += particle.weight();
        }
        belief
    }

    /// The parameters as learned so far: the mean over the particles.
    pub(crate) fn learned(&self) -> Parameters {
        let mut mean = [0.0; LEARNED];
        for particle in &self.particles {
            let weight = particle.weight();
            mean.iter_mut()
                .zip(particle.parameters.values())
                .for_each(|(mean, value)| *mean += weight * value);
        }
        Parameters::from_values(mean)
    }

    /// How many equally weighted particles the weighted ones are worth.
    fn effective_size(&self) -> f64 {
        1.0 / self.particles.iter().map(|p| p.weight().powi(2)).sum::<f64>()
    }

    /// Makes the weights sum to one again and returns the logarithm of their sum. The largest is taken out first,
    /// so that a return which no particle expected can't underflow all of them.
    fn normalise(&mut self) -> f64 {
        let largest = self.particles.iter().map(|p| p.log_weight).fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = self.particles.iter().map(|p| (p.log_weight - largest).exp()).sum();
        let log_sum = largest + sum.ln();
        for particle in &mut self.particles {
            particle.log_weight -= log_sum;
        }
        log_sum
    }

    /// Draws the particles anew in proportion to their weights, with one random number: each gets as many copies
    /// as it expects, up to one more or less. Then renews their parameters.
    fn resample(&mut self) {
        let cloud: Vec<_> = self.particles.iter().map(|p| (p.weight(), p.parameters.to_free())).collect();
        let kernel = Kernel::of(&cloud);
        let log_weight = -(cloud.len() as f64).ln();
        let parents = systematic(cloud.iter().map(|&(weight, _)| weight), self.random.uniform());
        self.particles = parents
            .into_iter()
            .map(|parent| {
                let parameters = kernel.renew(&cloud[parent].1, &mut self.random);
                Particle { log_weight, parameters, ..self.particles[parent] }
            })
            .collect();
    }
}

/// For as many survivors as there are weights the index of the parent of each: a parent gets as many as it expects,
/// up to one more or less. `offset` is uniform on [0, 1), the weights sum to one.
fn systematic(weights: impl ExactSizeIterator<Item = f64>, offset: f64) -> Vec<usize> {
    let count = weights.len();
    let mut parents = Vec::with_capacity(count);
    let mut covered = 0.0;
    for (parent, weight) in weights.enumerate() {
        covered += weight * count as f64;
        while parents.len() < count && parents.len() as f64 + offset < covered {
            parents.push(parent);
        }
    }
    // Rounding may leave the sum a hair below one; the last takes what is left.
    parents.resize(count, count - 1);
    parents
}

impl Particle {
    fn weight(&self) -> f64 {
        self.log_weight.exp()
    }

    /// Moves a day on and weighs itself by the day's return.
    fn advance(&mut self, log_return: f64, random: &mut Generator) {
        let world = &self.parameters;
        let from = self.regime;
        self.regime = world.next_regime(from, random.uniform());
        self.log_variance = world.levels[self.regime]
            + world.persistence * (self.log_variance - world.levels[from])
            + world.shock * random.normal();
        let surprise = log_return - world.drift;
        let squared = surprise * surprise * (-self.log_variance).exp();
        self.log_weight -= HALF_LOG_TAU + 0.5 * (self.log_variance + squared);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn filter(count: usize, seed: u64) -> Filter {
        Filter::new(count, Generator::new(seed))
    }

    proptest! {
        #[test]
        fn a_parent_gets_as_many_survivors_as_it_expects_give_or_take_one(
            raw in prop::collection::vec(0.0..1.0_f64, 1..200),
            offset in 0.0..1.0_f64,
        ) {
            let sum = raw.iter().sum::<f64>().max(f64::MIN_POSITIVE);
            let weights: Vec<f64> = raw.iter().map(|weight| weight / sum).collect();
            let parents = systematic(weights.iter().copied(), offset);
            prop_assert_eq!(parents.len(), weights.len());
            for (parent, weight) in weights.iter().enumerate() {
                let survivors = parents.iter().filter(|&&found| found == parent).count() as f64;
                let expected = weight * weights.len() as f64;
                prop_assert!((survivors - expected).abs() < 1.0 + 1e-6, "{} for {}", survivors, expected);
            }
        }
    }

    #[test]
    fn a_return_that_no_particle_expected_leaves_finite_weights() {
        let mut filter = filter(200, 1);
        for log_return in [0.1, -60.0, 60.0, 0.0] {
            assert!(filter.observe(log_return).is_finite());
            let sum: f64 = filter.belief().iter().sum();
            assert!((sum - 1.0).abs() < 1e-9, "the weights sum to {sum}");
        }
    }

    #[test]
    fn equal_seeds_give_equal_filters_and_others_do_not() {
        let run = |seed| {
            let mut filter = filter(300, seed);
            (0..60).for_each(|day| _ = filter.observe(f64::from(day % 7) - 3.0));
            filter
        };
        assert_eq!(run(5), run(5));
        assert_ne!(run(5).learned(), run(6).learned());
    }

    #[test]
    fn a_made_world_is_recognised() {
        // Two years of half a percent a day, two of three percent: regimes calm and crisis, and nothing else.
        let mut random = Generator::new(2);
        let mut filter = filter(2000, 2);
        for _ in 0..500 {
            filter.observe(0.5 * random.normal());
        }
        let calm = filter.belief();
        assert!(calm[0] + calm[1] > 0.9, "{calm:?}");
        for _ in 0..500 {
            filter.observe(3.0 * random.normal());
        }
        let wild = filter.belief();
        assert!(wild[2] + wild[3] > 0.9, "{wild:?}");
    }
}
