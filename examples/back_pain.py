"""Standard, individualised and multimodal exercise for chronic low back pain.

Run: python examples/back_pain.py [folder for figures and tables]

Nine randomised trials, pain on 0-10: a convenience sample gathered from published abstracts, with
treatments coded for this example. It shows the library on real numbers. It is not evidence on
treatments, and every table below says so.
"""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, cast

import nma

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ACTIVE = ["standard exercise", "individualised exercise", "multimodal care"]
CONTROL = "passive control"
IMPORTANT = 1.5
"""Points of 10 that matter between groups: 15 of 100 for pain (Hayden 2021)."""


OUTPUT = Path(__file__).parent / "output"
"""Where figures and tables go unless a folder is named."""
LEVEL = nma.priors.Normal(4.0, 0.5)
"""Pain after passive control, 0-10: assumed for illustration, four points give or take half."""


def heading(text: str) -> None:
    """Print a heading."""
    print(f"\n{text}\n{'-' * len(text)}")


def say(text: str) -> None:
    """Print a paragraph."""
    print(textwrap.fill(" ".join(text.split()), width=98))


def percent(probability: float) -> str:
    """Return a probability as text that never claims certainty."""
    if probability > 0.99:
        return "more than 99%"
    return f"{100 * probability:.0f}%" if probability >= 0.01 else "less than 1%"


def read() -> nma.Network:
    """Read the trials: every row is one trial's difference in pain, treatment minus comparator."""
    trials = nma.datasets.load("back_pain")
    pain = nma.outcomes.Contrast(effect="md", se="se", measure="MD", better="lower", n=("n1", "n2"))
    return nma.Network.from_contrasts(
        trials,
        study="study",
        treatment="treatment",
        comparator="comparator",
        outcome=pain,
        treatments=[CONTROL, *ACTIVE],
        reference=CONTROL,
    )


def least_squares_like(network: nma.Network) -> nma.Posterior:
    """Fit as a frequentist program would: tau known to be 0.36, and priors too wide to matter."""
    model = nma.Model(
        structure=nma.structures.Consistency(effect=nma.priors.Normal(0, 1e4)),
        heterogeneity=nma.heterogeneity.Random(tau=nma.priors.Fixed(0.36)),
    )
    return nma.fit(network, model)


def against_control(posterior: nma.Posterior) -> list[str]:
    """Return each active treatment's effect against passive control, as text."""
    table = nma.league_table(posterior)
    return [f"{name:26}{table[CONTROL][name]}" for name in ACTIVE]


def compare(default: nma.Posterior, fixed: nma.Posterior) -> None:
    """Print both answers and say why they differ."""
    print(f"{'versus passive control':26}default priors         tau = 0.36, wide priors")
    for ours, theirs in zip(against_control(default), against_control(fixed), strict=True):
        print(f"{ours:49}{theirs[26:]}")
    tau = nma.summary(default).loc["tau"]
    print()
    say(
        f"""The estimates agree to two decimals, because the default prior on effects is too wide
        to pull them. The default intervals are wider: 0.36 is one estimate of the heterogeneity
        (DerSimonian-Laird), taken as known, while nine trials leave tau anywhere from
        {tau["lower"]:.2f} to {tau["upper"]:.2f} (median {tau["median"]:.2f}), and the default
        answer averages over that. The prior on tau, half-normal(half a within-arm SD), is part of
        the answer with so few trials; it is printed with the summary above."""
    )


def lead(posterior: nma.Posterior, treatment: str, comparator: str) -> None:
    """Say by how much one treatment leads another, and whether anyone would notice."""
    table = nma.effect_table(posterior, comparators=[comparator])
    estimate, lower, upper, better = (
        table[column][treatment, comparator]
        for column in ("estimate", "lower", "upper", "p_better")
    )
    draws = nma.relative_effects(posterior, comparators=[comparator])
    difference = draws.sel(treatment=treatment, comparator=comparator)
    important = float((difference <= -IMPORTANT).mean())
    say(
        f"""* {treatment} against {comparator}: {estimate:.2f} points of 10 ({lower:.2f} to
        {upper:.2f}; negative is less pain). Probability of being better: {percent(better)}; of
        being better by {IMPORTANT} points or more: {percent(important)}."""
    )


def look_ahead(posterior: nma.Posterior) -> None:
    """Say what a new trial may find, and where patients end who start from a stated level."""
    table = nma.effect_table(posterior, comparators=[CONTROL], predictive=True)
    lower, upper, from_, to = (
        table[column]["multimodal care", CONTROL]
        for column in ("lower", "upper", "predictive_lower", "predictive_upper")
    )
    say(
        f"""The average effect of multimodal care against passive control lies between {lower:.2f}
        and {upper:.2f} points (95 %); its effect in one new trial like these between {from_:.2f}
        and {to:.2f}. Trials differ: the next one may find next to nothing."""
    )
    print()
    say(f"Suppose that pain after passive control is {LEVEL.mean:.0f} of 10, give or take half:")
    print(nma.absolute_table(posterior, reference_level=LEVEL))


def keep(network: nma.Network, posterior: nma.Posterior, folder: Path) -> None:
    """Write every table as numbers and as text, and every figure as SVG and PNG."""
    folder.mkdir(parents=True, exist_ok=True)
    tables = {
        "summary": nma.summary(posterior),
        "effects": nma.effect_table(posterior, predictive=True),
        "league_table": nma.league_table(posterior),
        "sucra": nma.sucra(posterior),
        "rank_probabilities": nma.rank_probabilities(posterior),
        "pain_after_treatment": nma.absolute_table(posterior, reference_level=LEVEL),
    }
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv")
        (folder / f"{name}.txt").write_text(f"{table}\n", encoding="utf-8")
    figures = {
        "network": nma.plots.network(network),
        "forest": nma.plots.forest(posterior),
        "league_table": nma.plots.league_table(posterior),
        "rankogram": nma.plots.rankogram(posterior),
        "heterogeneity": nma.plots.heterogeneity(posterior),
    }
    for name, axes in figures.items():
        figure = cast("Figure", axes.figure)
        for kind in ("svg", "png"):
            figure.savefig(folder / f"{name}.{kind}")
    print(f"{len(tables)} tables and {len(figures)} figures are in {folder}")


def conclude(posterior: nma.Posterior) -> None:
    """Say what the numbers support, and what they do not."""
    best = nma.p_best(posterior)["p_best"]
    first = str(best.idxmax()).capitalize()
    say(
        f"""Shown by these nine trials, as far as a convenience sample can: less pain than after
        passive control, though whether by the {IMPORTANT} points that matter is open."""
    )
    for name in ACTIVE:
        lead(posterior, name, CONTROL)
    say("Not shown: any difference between the three kinds of exercise.")
    lead(posterior, "individualised exercise", "standard exercise")
    lead(posterior, "multimodal care", "standard exercise")
    lead(posterior, "multimodal care", "individualised exercise")
    print()
    table = nma.effect_table(posterior, comparators=["standard exercise"])
    estimate, lower, upper = (
        table[column]["multimodal care", "standard exercise"]
        for column in ("estimate", "lower", "upper")
    )
    say(
        f"""{first} comes first with probability {percent(best.max())}, and yet its lead over
        standard exercise, {-estimate:.2f} points ({-upper:.2f} to {-lower:.2f}), is small beside
        the {IMPORTANT} points set for comparisons with no or usual treatment; no threshold
        between active treatments is on record here. Being first says nothing about by how much."""
    )
    print()
    say(
        """This example began with a claim: in press copies of a 2022 review of 58 trials (which
        made no network), individualised exercise was "38%" and, with cognitive-behavioural
        therapy, "84%" more successful. Those figures have no published derivation, and these
        data, which hold no responders at all, can neither support nor refute them."""
    )


def main() -> None:
    """Read, fit, print, conclude."""
    network = read()
    heading("The network")
    print(network)
    posterior = nma.fit(network)
    heading("The fit")
    print(nma.summary(posterior))
    heading("League table")
    print(nma.league_table(posterior))
    heading("Ranking")
    print(nma.sucra(posterior))
    print(nma.rank_probabilities(posterior))
    heading("The next trial, and the next patients")
    look_ahead(posterior)
    heading("Beside the answer at a known tau")
    compare(posterior, least_squares_like(network))
    heading("What the evidence supports, and what it does not")
    conclude(posterior)
    heading("To take away")
    keep(network, posterior, Path(sys.argv[1]) if len(sys.argv) > 1 else OUTPUT)


if __name__ == "__main__":
    main()
