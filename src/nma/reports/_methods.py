"""The methods as a paragraph, from the parts of a fit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from nma.estimates import interval_words, is_credible, meanings
from nma.priors import Fixed
from nma.reports._methods_evidence import evidence

if TYPE_CHECKING:
    from nma.posterior import Posterior

__all__ = ["methods"]

INTERACTIONS = {
    "shared": "one coefficient for all treatments but {control}",
    "independent": "a coefficient for each treatment but {control}",
    "exchangeable": "coefficients of treatments other than {control} scattering around a mean",
}
AGENTS = {
    "independent": "a curve for each agent",
    "exchangeable": "curves of agents scattering around a mean",
    "shared": "one curve for all agents",
}
STRUCTURES = {
    "Consistency": "Direct and indirect evidence were taken to agree (consistency).",
    "NodeSplit": "The exception is the comparison of {b} with {a}, which was split: trials of the "
    "pair could tell of another difference than the other trials do (node-splitting).",
    "DesignByTreatment": "Each design, the set of treatments that a trial compares, could have "
    "effects of its own (design-by-treatment interaction).",
    "RandomInconsistency": "Each design, the set of treatments that a trial compares, could "
    "deviate from the network by a random amount (random inconsistency).",
    "UnrelatedMeans": "Each pair of a trial's first treatment, in a stated order, and another had "
    "an effect of its own; consistency was not assumed (unrelated mean effects).",
    "Components": "The effect of a combination is the sum of the effects of its components{more} "
    "(component network meta-analysis).",
    "Classes": "Treatments of one class {within}.",
    "Regression": "Effects could change with {covariate}, with {how}{each} "
    "(network meta-regression).",
    "Dose": "Effects followed a curve over {dose}, zero at {control}, with {how} (dose-effect).",
}
HETEROGENEITIES = {
    "Common": "Each comparison had the same effect in all trials (common effect).",
    "Random": "Effects could differ between trials, normally distributed with one standard "
    "deviation tau for all comparisons (random effects); deviations of contrasts in one multi-arm "
    "trial are correlated by 1/2.",
    "DownWeighted": "Trials whose {column} is {levels} could differ by a further standard "
    "deviation, {name}, and so weigh less.",
}
ENGINES = {
    "Gaussian": "The posterior of normal evidence was computed {exactly}, without sampling; "
    "{draws} points of it serve what has no closed form, such as the probability of each rank.",
    "Laplace": "Trial levels{effects} were integrated out by adaptive quadrature; {draws} points "
    "of a nested Laplace approximation were corrected by importance weights.",
    "NUTS": "The posterior was sampled by the No-U-Turn sampler in PyMC{sampler}: {chains} chains "
    "of {draws} draws each, after {tune} steps of tuning.",
    "LeastSquares": "Effects were estimated by generalised least squares{tau}; priors play no "
    "part.{inflated}",
}
OWN = {"DesignByTreatment", "RandomInconsistency", "UnrelatedMeans"}
"""Structures around which, however deep, it would be untrue that evidence was taken to agree."""

GEOMETRY = (
    "The geometry of the network is described by a graph, and by the trials, arms and participants "
    "of each treatment and each direct comparison."
)


def methods(posterior: Posterior) -> str:
    """Return what was done, as a paragraph."""
    network, model = posterior.network, posterior.model
    school = "Bayesian" if is_credible(posterior) else "frequentist"
    at = posterior.conditions
    return " ".join(
        [
            f"The trials were combined by {school} network meta-analysis.",
            *evidence(network),
            f"{network.better.capitalize()} values are better.",
            f"The reference treatment is {network.reference}.",
            *_nested(STRUCTURES, model.structure, "Structure"),
            *_heterogeneity(posterior),
            *([f"Effects are reported {at[0].lower()}{at[1:]}"] if at else []),
            _engine(posterior),
            *meanings(posterior),
            f"Intervals are {interval_words(posterior, 0.95)}s.",
            GEOMETRY,
        ]
    )


def _nested(words: dict[str, str], part: Any, what: str) -> Iterator[str]:
    """Yield a sentence for a part and for each that it wraps, the innermost first."""
    parts = [part]
    while (base := getattr(parts[-1], "base", None)) is not None:
        parts.append(base)
    names = [type(one).__name__ for one in parts]
    for name, one in reversed(list(zip(names, parts, strict=True))):
        if name == "Consistency" and OWN & {*names}:
            continue
        yield words[name].format(**_told(one)) if name in words else f"{what}: {name}."


def _told(part: Any) -> dict[str, str]:
    """Return what the sentence of a part asks for."""
    fields = {name: str(getattr(part, name, "")) for name in NAMED}
    kind, agents = getattr(part, "interactions", None), getattr(part, "agents", None)
    table = AGENTS if agents is not None else INTERACTIONS
    found = table.get(str(agents if agents is not None else kind), "coefficients in a structure")
    levels, categories = getattr(part, "levels", ()), getattr(part, "categories", None)
    common = fields["within"] == "common"
    return fields | {
        "how": found.format(**fields),
        "each": f", for each category but {categories[0]}" if categories else "",
        "more": ", and of interactions between them" if kind else "",
        "within": "had the same effect" if common else "scattered around the effect of the class",
        "levels": " or ".join(map(str, levels)) if isinstance(levels, tuple | list) else "",
    }


NAMED = ("a", "b", "covariate", "control", "dose", "within", "column", "name")
"""Fields of structures and heterogeneities that sentences name."""


def _heterogeneity(posterior: Posterior) -> list[str]:
    said = list(_nested(HETEROGENEITIES, posterior.model.heterogeneity, "Heterogeneity"))
    scales = posterior.problem.scales
    if scales and getattr(posterior.engine, "tau", None) in {"common", 0}:
        said = [HETEROGENEITIES["Common"]]
    known = [f"{one.name} = {one.prior.value:g}" for one in scales if isinstance(one.prior, Fixed)]
    return [*said, *([f"Taken as known: {', '.join(known)}."] if known else [])]


def _engine(posterior: Posterior) -> str:
    engine = posterior.engine
    name, seed = type(engine).__name__, getattr(engine, "seed", None)
    seeded = "" if seed is None else f" The random seed was {seed}."
    if name not in ENGINES:
        return f"Engine: {name}.{seeded}"
    scales = posterior.problem.scales
    asked = " and ".join(scale.name for scale in scales if not isinstance(scale.prior, Fixed))
    given = f"exactly given {asked}, and integrated over {asked} by quadrature"
    chains, draws = getattr(engine, "chains", 1), getattr(engine, "draws", 1)
    knapp = getattr(engine, "knapp_hartung", False)
    words = {
        "exactly": given if asked else "exactly",
        "effects": " and random effects" if posterior.problem.effects else "",
        "draws": str(draws if name == "NUTS" else chains * draws),
        "chains": str(chains),
        "tune": str(getattr(engine, "tune", "")),
        "sampler": ", by nutpie" if getattr(engine, "sampler", "") == "nutpie" else "",
        "tau": _plugged(getattr(engine, "tau", None), asked) if asked else "",
        "inflated": " Their covariance has the Knapp-Hartung correction." if knapp else "",
    }
    return ENGINES[name].format(**words) + seeded


def _plugged(tau: Any, scales: str) -> str:
    """Return how least squares come to the heterogeneity they plug in."""
    if tau in {None, "common", 0}:
        return ""
    if isinstance(tau, str):
        return f", with {scales} estimated by {tau} and taken as known"
    return f", with {scales} taken as {tau:g}"
