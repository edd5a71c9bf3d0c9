"""The methods in plain sentences, from the parts of a fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nma.estimates import interval_words, is_credible, meanings

if TYPE_CHECKING:
    from nma.posterior import Posterior

__all__ = ["methods"]

STRUCTURES = {
    "Consistency": "Direct and indirect evidence were taken to agree (consistency).",
    "NodeSplit": "One comparison was split into its direct and its indirect evidence.",
    "DesignByTreatment": "Each design could have effects of its own (design-by-treatment "
    "interaction).",
    "RandomInconsistency": "Designs could disagree by random amounts (random inconsistency).",
    "UnrelatedMeans": "Each comparison had an effect of its own, with no consistency assumed "
    "(unrelated mean effects).",
    "Components": "The effect of a combination was built from the effects of its components.",
    "Classes": "Treatments were related within classes.",
    "Regression": "Effects could depend on a covariate (network meta-regression).",
    "Dose": "Effects followed a curve over dose.",
}
HETEROGENEITIES = {
    "Common": "Each comparison had the same effect in all trials (common effect).",
    "Random": "Effects could differ between trials, normally distributed with a standard "
    "deviation tau that all comparisons share (random effects); effects of one multi-arm trial "
    "are correlated.",
    "DownWeighted": "Effects could differ between trials (random effects), and marked trials by "
    "a further amount, so that they weigh less.",
}
ENGINES = {
    "Gaussian": "The evidence is normal, so the posterior was computed exactly given tau and "
    "integrated over tau by quadrature, without sampling.",
    "Laplace": "Trial levels and random effects were integrated out, and weighted points corrected "
    "a nested Laplace approximation.",
    "NUTS": "The posterior was sampled by the No-U-Turn sampler.",
    "LeastSquares": "Effects were estimated by generalised least squares; priors play no part.",
}
GEOMETRY = (
    "The geometry of the network is described by its treatments, trials and direct comparisons."
)


def methods(posterior: Posterior) -> str:
    """Return what was done, as a paragraph."""
    network, model, engine = posterior.network, posterior.model, posterior.engine
    school = "Bayesian" if is_credible(posterior) else "frequentist"
    seed = getattr(engine, "seed", None)
    combined = (
        f"The trials were combined by {school} network meta-analysis. The effect measure is "
        f"{network.measure}; {network.better} is better; the reference treatment is "
        f"{network.reference}."
    )
    return " ".join(
        [
            combined,
            *meanings(posterior),
            _said(STRUCTURES, model.structure, "Structure"),
            _said(HETEROGENEITIES, model.heterogeneity, "Heterogeneity"),
            _said(ENGINES, engine, "Engine"),
            *([] if seed is None else [f"The random seed was {seed}."]),
            f"Intervals are {interval_words(posterior, 0.95)}s.",
            GEOMETRY,
        ]
    )


def _said(words: dict[str, str], part: Any, what: str) -> str:
    name = type(part).__name__
    return words.get(name, f"{what}: {name}.")
