"""Draw every figure on networks of many kinds into a folder, to be looked at."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

import nma

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HOURS = nma.instruments.Instrument("hours off", 0, 24, "lower")
LONG = "supervised graded motor control exercise {:02d}"


def arms(trials: Sequence[Sequence[str]], *, people: bool = True) -> pd.DataFrame:
    """Return arms of trials with known effects: the k-th name improves by k / 5."""
    rng = np.random.default_rng(1)
    names = sorted({name for trial in trials for name in trial})
    rows = [
        {
            "study": f"trial {k:03d}",
            "treatment": name,
            "mean": 5 - 0.2 * names.index(name) + rng.normal(0, 0.4),
            "se": 0.35,
            "n": int(rng.integers(20, 300)),
        }
        for k, trial in enumerate(trials)
        for name in trial
    ]
    return pd.DataFrame(rows).drop(columns=[] if people else ["n"])


def network(
    trials: Sequence[Sequence[str]],
    *,
    measure: str = "MD",
    better: nma.protocols.Better = "lower",
    people: bool = True,
    caption: str = "Simulated for a picture.",
) -> nma.Network:
    """Return a network of simulated trials; ratio measures as contrasts of two arms."""
    frame = arms(trials, people=people)
    if measure != "MD":
        return ratios(trials, measure, better, caption)
    frame.attrs["caption"] = caption
    outcome = nma.outcomes.Continuous(
        "mean", se="se", n="n" if people else None, measure="MD", better=better
    )
    if people:
        frame["sd"] = frame["se"] * np.sqrt(frame["n"])
        outcome = nma.outcomes.Continuous("mean", sd="sd", n="n", measure="MD", better=better)
    return nma.Network.from_arms(frame, study="study", treatment="treatment", outcome=outcome)


def ratios(
    trials: Sequence[Sequence[str]], measure: str, better: nma.protocols.Better, caption: str
) -> nma.Network:
    rng = np.random.default_rng(2)
    names = sorted({name for trial in trials for name in trial})
    rows = [
        {
            "study": f"trial {k:03d}",
            "treatment": b,
            "comparator": a,
            "effect": 0.15 * (names.index(b) - names.index(a)) + rng.normal(0, 0.3),
            "se": 0.3,
        }
        for k, (a, b) in enumerate((trial[0], trial[1]) for trial in trials)
    ]
    frame = pd.DataFrame(rows)
    frame.attrs["caption"] = caption
    return nma.Network.from_contrasts(
        frame,
        study="study",
        treatment="treatment",
        comparator="comparator",
        outcome=nma.outcomes.Contrast("effect", "se", measure=measure, better=better),
    )


def sparse(names: Sequence[str]) -> list[tuple[str, ...]]:
    """Return trials that join names in a tangled way: a path, chords and some of three arms."""
    count = len(names)
    trials: list[tuple[str, ...]] = list(pairwise(names))
    trials += [(names[0], names[k]) for k in range(2, count, 2) for _ in range(1 + k % 4)]
    trials += [(names[k], names[(7 * k + 5) % count]) for k in range(1, count, 3)]
    trials += [(names[k], names[k + 2], names[k + 4]) for k in range(0, count - 5, 6)]
    return [trial for trial in trials if len(set(trial)) == len(trial)]


def networks() -> Iterator[tuple[str, nma.Network]]:
    """Yield networks of every kind, named."""
    some = [f"drug {chr(65 + k)}" for k in range(25)]
    many = [LONG.format(k) for k in range(25)]
    star = [(some[0], name) for name in some[1:9]]
    yield "02", network([some[:2]] * 3)
    yield "02-long-ratio", network([many[:2]] * 3, measure="OR")
    yield "04", nma.datasets.network("back_pain")
    yield "10", nma.datasets.network("senn2013")
    yield "10-long", network(sparse(many[:10]), better="higher")
    yield "10-ratio", network(sparse(some[:10]), measure="HR", people=False)
    yield "10-complete", network(list(combinations(some[:10], 2)))
    yield "09-star", network(star)
    yield "25", network(sparse(some))
    yield "25-long", network(sparse(many))
    yield "60", network(sparse([f"t{k:02d}" for k in range(60)]))
    hostile = [
        "<b>&amp;</b>",
        "$x^2$ $\\frac{",
        "quote \" and '",
        "naïve Größe Ελλάδα кот",
        "a_b^c%#",
    ]
    yield "05-hostile", network(sparse([*hostile, "line one"]), caption="A $5 & <i> caption.")


def apart() -> nma.Network:
    names = [f"drug {chr(65 + k)}" for k in range(9)]
    trials = [*combinations(names[:4], 2), (names[4], names[5]), names[6:9]]
    return network(trials)


def narrow() -> Axes:
    """Return axes of a small page."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    page = Figure(figsize=(5, 4), layout="constrained")
    FigureCanvasAgg(page)
    return page.add_subplot()


def points() -> nma.Posterior:
    """Return standardised effects."""
    off = nma.outcomes.Continuous("mean", sd="sd", n="n", measure="SMD", better="lower")
    trials = nma.datasets.load("parkinson")
    evidence = nma.Network.from_arms(
        trials, study="study", treatment="treatment", outcome=off, reference="placebo"
    )
    return nma.fit(evidence)


def draw(folder: Path) -> None:
    for name, evidence in networks():
        keep(nma.plots.network(evidence), folder / f"network-{name}")
        posterior = nma.fit(evidence)
        keep(nma.plots.forest(posterior), folder / f"forest-{name}")
        keep(nma.plots.league_table(posterior), folder / f"league-{name}")
        keep(nma.plots.rankogram(posterior), folder / f"rankogram-{name}")
        keep(nma.plots.heterogeneity(posterior), folder / f"heterogeneity-{name}")
        keep(nma.plots.equivalence(shares(posterior)), folder / f"equivalence-{name}")
    orders(folder)
    keep(nma.plots.network(apart(), counts=True), folder / "network-apart")
    senn = nma.fit(nma.datasets.network("senn2013"))
    counted = nma.plots.network(senn.network, counts=True, size="trials")
    keep(counted, folder / "network-counts")
    faults = ("3 of 4000 draws diverged.", "R-hat of tau is 1.08.")
    poor = replace(senn, draws=replace(senn.draws, faults=faults, moments=None))
    for verb in (nma.plots.forest, nma.plots.league_table, nma.plots.rankogram):
        keep(verb(poor), folder / f"poor-{verb.__name__}")  # type: ignore[attr-defined]
    keep(nma.plots.heterogeneity(poor), folder / "poor-heterogeneity")
    keep(nma.plots.equivalence(shares(poor)), folder / "poor-equivalence")
    keep(nma.plots.equivalence(shares(senn), ax=narrow()), folder / "equivalence-narrow")
    keep(nma.plots.forest(senn, important=0.5), folder / "forest-important")
    for name, verb in {"forest": nma.plots.forest, "rankogram": nma.plots.rankogram}.items():
        keep(verb(senn, ax=narrow()), folder / f"{name}-narrow")
    keep(nma.plots.forest(points(), instrument=HOURS, reference_sd=4), folder / "forest-points")
    sensitivity(folder)
    common = nma.fit(senn.network, nma.Model(heterogeneity=nma.heterogeneity.Common()))
    keep(nma.plots.forest(common, comparator="metformin"), folder / "forest-common")
    fits(folder)
    coherence(folder)
    regressions(folder)
    classes(folder)
    additive(folder)
    thresholds(folder)
    outcomes(folder)
    curves(folder)


def trials_of_doses(agents: Sequence[str]) -> nma.Network:
    """Return 40 trials of agents at several doses against a control."""
    rng = np.random.default_rng(3)
    rows = []
    for k in range(40):
        own = rng.permutation(len(agents))[:2]
        arms = [("control", 0.0)] + [(agents[a], float(rng.choice([6, 8, 12, 24]))) for a in own]
        for name, dose in arms:
            worth = 0 if name == "control" else 0.02 * (1 + agents.index(name))
            events = rng.binomial(60, 0.3 + worth * dose / 24)
            rows.append((f"trial {k:02d}", name, dose, events, 60))
    frame = pd.DataFrame(rows, columns=["study", "treatment", "sessions", "events", "n"])
    outcome = nma.outcomes.Binary("events", "n", measure="OR", better="higher")
    return nma.Network.from_arms(
        frame, study="study", treatment="treatment", outcome=outcome, reference="control"
    ).as_normal()


def curves(folder: Path) -> None:
    """Draw curves over a dose, of 1 to 24 agents, and over a covariate."""
    for count in (1, 3, 9):
        evidence = trials_of_doses([LONG.format(k) for k in range(count)])
        dose = nma.structures.Dose("sessions", control="control", shape="spline")
        posterior = nma.fit(evidence, nma.Model(dose))
        keep(nma.plots.curve(posterior, "sessions"), folder / f"curve-{count:02d}")
    keep(nma.plots.curve(posterior, "sessions", ax=narrow()), folder / "curve-narrow")
    alone = trials_of_doses([f"agent {k:02d}" for k in range(24)])
    linear = nma.Model(nma.structures.Dose("sessions", control="control", agents="exchangeable"))
    keep(nma.plots.curve(nma.fit(alone, linear), "sessions"), folder / "curve-24")
    base = nma.structures.Consistency()
    by_latitude = nma.structures.Regression(base, "latitude", control="unvaccinated")
    vaccine = nma.fit(nma.datasets.network("bcg").as_normal(), nma.Model(by_latitude))
    keep(nma.plots.curve(vaccine, "latitude"), folder / "curve-covariate")


def classes(folder: Path) -> None:
    """Draw shrinkage to classes: 4 and 10 treatments, long names too."""
    evidence = {
        "04": nma.datasets.network("back_pain"),
        "10": nma.datasets.network("senn2013"),
        "long": network(sparse([LONG.format(k) for k in range(10)]), measure="OR"),
    }
    for name, trials in evidence.items():
        others = [each for each in trials.treatments if each != trials.reference]
        members = {each: f"class {1 + 2 * k // len(others)}" for k, each in enumerate(others)}
        structure = nma.structures.Classes(classes={trials.reference: trials.reference} | members)
        check = nma.checks.class_shrinkage(nma.fit(trials, nma.Model(structure)))
        keep(nma.plots.class_shrinkage(check), folder / f"shrinkage-{name}")


def regressions(folder: Path) -> None:
    """Draw trials against covariates: 2 to 60 of them, numbers and names, long ones too."""
    pain = "mean pain at baseline on a scale from nought to one hundred of all participants"
    settings = ["primary care in the countryside", "hospital outpatients", "occupational health"]
    long = sparse([LONG.format(k) for k in range(10)])
    evidence = {
        "bcg": (nma.datasets.network("bcg").as_normal(), "latitude"),
        "statins": (nma.datasets.network("statins").as_normal(), "prevention"),
        "02": described(network([("drug A", "drug B")] * 2), "year", [1990, 2010]),
        "60": described(network([("drug A", "drug B")] * 60), "year", range(1961, 2021)),
        "long": described(network(long, measure="OR"), pain, [30, 45, 52, 61, 70, 55]),
        "long-names": described(network(long), "setting of the trial", settings),
    }
    for name, (trials, covariate) in evidence.items():
        structure = nma.structures.Regression(
            nma.structures.Consistency(), covariate, control=trials.reference
        )
        posterior = nma.fit(trials, nma.Model(structure))
        keep(nma.plots.bubble(posterior), folder / f"bubble-{name}")
    keep(nma.plots.bubble(posterior, ax=narrow()), folder / "bubble-narrow")


def described(
    trials: nma.Network, covariate: str, values: Sequence[float | str]
) -> tuple[nma.Network, str]:
    """Return a network whose trials have values of a covariate, in turn, and its name."""
    value = {study: values[k % len(values)] for k, study in enumerate(trials.trials)}
    told = [value[study] for study in trials.table["study"]]
    return replace(trials, table=trials.table.assign(**{covariate: told})), covariate


def additive(folder: Path) -> None:
    """Draw what components add: 2 and 20 of them, long names, interactions, some untold."""
    short, long = ([name.format(k) for k in range(20)] for name in ("part {:02d}", LONG))
    few = nma.datasets.network("musician")
    tied = [("usual care", "CBT"), ("CBT + exercise", "exercise"), ("exercise", "drug")]
    cases: dict[str, tuple[nma.Network, dict[str, Any]]] = {
        "02": (few, {}),
        "02-interaction": (few, {"interactions": [("exercise", "telephone CBT")]}),
        "03-untold": (network(tied), {}),
        "20": (network(paired(short)), {}),
        "20-long-ratio": (network(paired(long), measure="OR"), {}),
        "05-shrunken": (network(paired(short[:5])), {"interactions": "all"}),
    }
    for name, (evidence, choices) in cases.items():
        structure = nma.structures.Components(separator=" + ", inactive="usual care", **choices)
        posterior = nma.fit(evidence, nma.Model(structure))
        keep(nma.plots.components(posterior), folder / f"components-{name}")
        to = list(evidence.treatments[:3])
        keep(nma.plots.incremental_effects(posterior, to=to), folder / f"increments-{name}")
    keep(nma.plots.components(posterior, ax=narrow()), folder / "components-narrow")


def paired(names: Sequence[str]) -> list[tuple[str, ...]]:
    """Return trials of each component, and of pairs of neighbours, against usual care."""
    alone = [("usual care", name) for name in names]
    return alone + [("usual care", f"{a} + {b}") for a, b in pairwise(names)]


def shares(posterior: nma.Posterior) -> nma.tables.Table:
    """Return the shares of a posterior against a range of equivalence."""
    mcid = nma.decisions.MCID(1.2, kind="between-group", source="chosen for a picture")
    return nma.decisions.equivalence(posterior, mcid=mcid)


def outcomes(folder: Path) -> None:
    """Draw two outcomes and more: 2 to 25 treatments, names and directions of every kind."""
    some = [f"drug {chr(65 + k)}" for k in range(25)]
    many = [LONG.format(k) for k in range(25)]
    for count in (2, 3, 4, 8, 10, 20, 25):
        for kind, names in (("", some[:count]), ("-long", many[:count])):
            trials = sparse(names) if count > 3 else [names[:2], names[-2:], names[-2:]]
            fits = {
                "pain": nma.fit(network(trials)),
                "serious adverse events": nma.fit(network(trials, measure="OR", people=False)),
            }
            more = {
                "function": nma.fit(network(trials, better="higher")),
                "quality of life": nma.fit(network(trials, measure="HR", better="higher")),
            }
            for verb in (nma.plots.benefit_harm, nma.plots.sucra_scatter, nma.plots.spie):
                name = verb.__name__.replace("_", "-")  # type: ignore[attr-defined]
                keep(verb(fits), folder / f"{name}-{count:02d}{kind}")
            keep(nma.plots.spie(fits | more), folder / f"spie-four-{count:02d}{kind}")
    keep(nma.plots.benefit_harm(fits, ax=narrow()), folder / "benefit-harm-narrow")
    keep(nma.plots.spie(fits, ax=narrow()), folder / "spie-narrow")


def orders(folder: Path) -> None:
    """Draw hierarchies and halves of league tables: 2 to 25 treatments, names of every kind."""
    for name, evidence in networks():
        if name == "60":
            continue
        one = nma.fit(evidence)
        keep(nma.plots.sucra_against_effect(one), folder / f"sucra-effect-{name}")
        halves = nma.plots.league_table(one, upper="predictive")
        keep(halves, folder / f"league-new-{name}")
        names = list(one.treatments)
        trials = sparse(names) or [tuple(names)] * 3
        other = nma.fit(network(trials[::-1], measure="RR", better="higher"))
        both = nma.plots.league_table(one, upper=other, names=("pain", "harms"))
        keep(both, folder / f"league-two-{name}")
        for threshold in (None, 0.7):
            order = nma.decisions.partial_order({"pain": one, "harms": other}, threshold=threshold)
            keep(nma.plots.hasse(order), folder / f"hasse-{name}{'-sure' * bool(threshold)}")
    keep(nma.plots.hasse(order, ax=narrow()), folder / "hasse-narrow")


def coherence(folder: Path) -> None:
    """Draw Q by design, net heat and node-splits: 4 to 25 treatments, names of every kind."""
    for name, evidence in networks():
        if name in {"04", "10", "10-ratio", "25", "25-long", "05-hostile"}:
            posterior = nma.fit(evidence)
            by_design = nma.checks.design_by_treatment(posterior)
            keep(nma.plots.design_by_treatment(by_design), folder / f"q-by-design-{name}")
            heat = nma.checks.net_heat(posterior)
            keep(nma.plots.net_heat(heat), folder / f"net-heat-{name}")
            splits = nma.checks.node_splitting(posterior, progress=False)
            keep(nma.plots.node_splitting(splits), folder / f"splits-{name}")
    keep(nma.plots.node_splitting(splits, ax=narrow()), folder / "splits-narrow")


def thresholds(folder: Path) -> None:
    """Draw how far estimates may move: 2 to 25 treatments, trials and comparisons."""
    evidence = {name: trials for name, trials in networks() if name not in {"60", "10-complete"}}
    evidence["05"] = nma.datasets.network("parkinson")
    evidence["09"] = nma.datasets.network("thrombolytics").as_normal()
    for name, trials in evidence.items():
        posterior = nma.fit(trials)
        found = nma.decisions.thresholds(posterior)
        keep(nma.plots.thresholds(found), folder / f"thresholds-{name}")
        pooled = nma.decisions.thresholds(posterior, of="comparisons")
        keep(nma.plots.thresholds(pooled), folder / f"thresholds-comparisons-{name}")


def fits(folder: Path) -> None:
    """Draw how well data points fit: 2, 26, 50, 102 and 124 of them."""
    common = nma.Model(heterogeneity=nma.heterogeneity.Common())
    evidence = {
        "002": network([("drug A", "drug B")]),
        "026": nma.datasets.network("senn2013"),
        "050": nma.datasets.network("smoking").as_normal(),
        "102": nma.datasets.network("thrombolytics").as_normal(),
        "124-long": network(sparse([LONG.format(k) for k in range(25)])),
    }
    for name, trials in evidence.items():
        one, other = nma.fit(trials, common), nma.fit(trials)
        keep(nma.plots.leverage(one), folder / f"leverage-{name}")
        keep(nma.plots.dev_dev(one, other), folder / f"dev-dev-{name}")
    one, other = (
        replace(p, draws=replace(p.draws, faults=("It diverged.",))) for p in (one, other)
    )
    keep(nma.plots.dev_dev(one, other), folder / "poor-dev-dev")
    keep(nma.plots.dev_dev(one, other, ax=narrow()), folder / "dev-dev-narrow")


def sensitivity(folder: Path) -> None:
    """Draw how answers depend on the prior of tau: 2, 4, 5 and 10 treatments, long names too."""
    drugs = "pharmacological vs placebo or control"
    turner = nma.priors.turner2015(outcome="all-cause mortality", comparison=drugs)
    given: dict[str, dict[str, nma.priors.Prior]] = {
        "02": {"Turner 2015, all-cause mortality": turner},
        "05": {"Rhodes 2015": nma.priors.rhodes2015(outcome="pain", comparison=drugs, scale=3)},
    }
    evidence = {
        "02": nma.datasets.network("blocker").as_normal(),
        "04": nma.datasets.network("smoking").as_normal(),
        "05": nma.datasets.network("parkinson"),
        "10": nma.datasets.network("senn2013"),
        "10-long": network(sparse([LONG.format(k) for k in range(10)])),
    }
    for name, trials in evidence.items():
        check = nma.checks.prior_sensitivity(nma.fit(trials), given.get(name))
        keep(nma.plots.prior_sensitivity(check), folder / f"priors-{name}")
        check_of_trials = nma.checks.leave_one_study_out(nma.fit(trials))
        keep(nma.plots.influence(check_of_trials), folder / f"influence-{name}")
    keep(nma.plots.prior_sensitivity(check, ax=narrow()), folder / "priors-narrow")


def keep(picture: object, path: Path) -> None:
    figure = picture.figure  # type: ignore[attr-defined]
    for kind in ("png", "svg"):
        figure.savefig(path.with_suffix(f".{kind}"))


if __name__ == "__main__":
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "gallery")
    target.mkdir(parents=True, exist_ok=True)
    draw(target)
