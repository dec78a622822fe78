//! Are kappa and sigma plausible? Values beyond their bounds, priors that are too strong, a state of an extreme market.

use ckpt_market::component::kappa::Kappa;
use ckpt_market::component::vol_filter::VolFilter;
use ckpt_market::names;

use crate::commands::doctor::answer::{Answer, ckpt};
use crate::commands::doctor::facts::Facts;
use crate::commands::doctor::market::Market;
use crate::human;

/// Times a default from which a value deserves a look.
const FAR: f64 = 10.0;

pub(super) fn answer(facts: &Facts) -> Answer {
    let market = match super::market(facts) {
        Ok(market) => market,
        Err(answer) => return answer,
    };
    let mut answer = Answer::new();
    answer.ok(values(market));
    let mut suspects = Vec::new();
    for (component, finding) in
        market.notes(&[names::VOL_FILTER, names::KAPPA_OWN, names::KAPPA_BID, names::KAPPA_ASK])
    {
        suspects.push(component);
        answer.warning(format!("a restore changes it, {component}: {finding}"));
    }
    if sigma(&mut answer, market) {
        suspects.push(names::VOL_FILTER);
    }
    for (name, kappa) in kappas(market) {
        if self::kappa(&mut answer, name, kappa) {
            suspects.push(name);
        }
    }
    suspects.dedup();
    for component in suspects {
        let reset = ckpt("reset", &facts.path, &["--component", component]);
        answer.run("if the market has changed since, begin with the component at its cold start", reset);
    }
    answer
}

fn values(market: &Market) -> String {
    let cap = market.preset.restore.sigma.max();
    let sigma = market.stored.vol_filter.sigma_mean;
    let kappa = |(_, kappa): (&str, &Kappa)| human::number(kappa.kappa_posterior_mean);
    let [own, bid, ask] = kappas(market).map(kappa);
    format!(
        "sigma {} (cold {}, at most {cap}); kappa {own} own, {bid} bid, {ask} ask (cold {})",
        human::number(sigma),
        VolFilter::default().sigma_mean,
        Kappa::default().kappa_posterior_mean
    )
}

fn kappas(market: &Market) -> [(&'static str, &Kappa); 3] {
    let stored = &market.stored;
    [
        (names::KAPPA_OWN, &stored.kappa_own),
        (names::KAPPA_BID, &stored.kappa_bid),
        (names::KAPPA_ASK, &stored.kappa_ask),
    ]
}

/// Whether volatility deserves a look though it is within its bounds.
fn sigma(answer: &mut Answer, market: &Market) -> bool {
    let VolFilter { sigma_mean, regime_probs, .. } = &market.stored.vol_filter;
    let cap = market.preset.restore.sigma.max();
    let is_wide = *sigma_mean >= cap / 2.0 && *sigma_mean <= cap;
    if is_wide {
        let text = human::number(*sigma_mean);
        answer.warning(format!(
            "sigma is {text}, half of what is allowed or more: quotes are wide until it has learned anew"
        ));
    }
    let extreme = regime_probs[3].max(market.stored.regime_hmm.belief[3]);
    let is_extreme = extreme > 0.5;
    if is_extreme {
        answer.warning(format!(
            "it was taken in an extreme market ({:.0} %): in a calm one its estimates mislead",
            extreme * 100.0
        ));
    }
    is_wide || is_extreme
}

/// Whether a kappa deserves a look though it is within its bounds.
fn kappa(answer: &mut Answer, name: &str, kappa: &Kappa) -> bool {
    let cold = Kappa::default();
    let mean = kappa.kappa_posterior_mean;
    let is_off = |ratio: f64| ratio.is_finite() && !(1.0 / FAR..=FAR).contains(&ratio);
    let is_far = is_off(mean / cold.kappa_posterior_mean);
    if is_far {
        let (mean, cold) = (human::number(mean), cold.kappa_posterior_mean);
        answer.warning(format!("{name} is {mean}, more than {FAR} times off the cold {cold}"));
    }
    let is_strong = kappa.prior_alpha >= FAR * cold.prior_alpha;
    if is_strong {
        let fills = human::number(kappa.prior_alpha);
        answer.warning(format!(
            "the prior of {name} weighs as much as {fills} fills: it takes as many to change its mind"
        ));
    }
    let (alpha, beta) = kappa.posterior();
    let own = alpha / beta;
    let disagrees = own.is_finite() && mean.is_finite() && (own - mean).abs() > 0.01 * own.abs();
    if disagrees {
        let (own, mean) = (human::number(own), human::number(mean));
        answer.warning(format!("{name} says {mean}, its prior and its window say {own}"));
    }
    is_far || is_strong || disagrees
}
