"""How much more successful? From effect sizes to people who respond, and back.

Run: python examples/responders.py [folder for the table and the figure]

In press copies of a 2022 review of exercise for low back pain, individualised exercise was "38 %
more successful" and, with cognitive-behavioural therapy, "84 %". No derivation is published. A
ratio of people who respond depends on how many respond anyway: this example shows which effect
sizes and control rates would make those ratios, and what the review's pooled effects and the nine
trials in ``back_pain`` support instead. The trials are a convenience sample with treatments coded
for this library: real numbers to compute with, not evidence on treatments.
"""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

import nma
from nma.decisions import responder_rate, responders
from nma.tables import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CLAIMS = {"38 %": 1.38, "84 %": 1.84}
"""What was said, as ratios of people who respond."""

METHODS: tuple[Any, ...] = ("Hasselblad-Hedges", "Furukawa")
RATES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
USUAL = 0.3
"""Control rate of the worked numbers: assumed for illustration."""

DEFINITION = "less pain by a margin that has to be agreed on (none is on record for the claim)"
PASSIVE = "passive control"
STANDARD = "standard exercise"
INDIVIDUAL = "individualised exercise"
MULTIMODAL = "multimodal care"
PAIRS = [
    (INDIVIDUAL, STANDARD),
    (MULTIMODAL, STANDARD),
    (MULTIMODAL, INDIVIDUAL),
    (STANDARD, PASSIVE),
    (INDIVIDUAL, PASSIVE),
    (MULTIMODAL, PASSIVE),
]
"""Treatments and comparators of the nine trials."""

GRID = np.arange(0.0, 3.0, 0.0005)
"""SMDs among which the one that makes a ratio is looked up."""

OUTPUT = Path(__file__).parent / "output" / "responders"
"""Where the table and the figure go unless a folder is named."""


def heading(text: str) -> None:
    """Print a heading."""
    print(f"\n{text}\n{'-' * len(text)}")


def say(text: str) -> None:
    """Print a paragraph."""
    print(textwrap.fill(" ".join(text.split()), width=98))


def ratio(smd: float, control_rate: float, method: Any) -> float:
    """Return the ratio of people who respond that an effect makes."""
    return responder_rate(smd, control_rate=control_rate, method=method) / control_rate


def needed(wanted: float, control_rate: float, method: Any) -> float:
    """Return the SMD that makes a ratio; NaN where more than everybody would have to respond."""
    if wanted * control_rate >= 1:
        return float("nan")
    made = [ratio(float(smd), control_rate, method) for smd in GRID]
    return float(np.interp(wanted, made, GRID))


def rate_that_makes(wanted: float, smd: float, method: Any) -> float | None:
    """Return the control rate at which an effect makes a ratio; none if there is no such rate."""
    rates = np.arange(0.001, 1.0, 0.001)
    made = np.array([ratio(smd, float(rate), method) for rate in rates])
    if not made.min() < wanted < made.max():
        return None
    return float(np.interp(-wanted, -made, rates))  # ratios fall as the rate rises


def pooled() -> nma.Posterior:
    """Return the review's effect of individualised exercise on pain as it was printed.

    One estimate, read as normal; nothing is pooled again.
    """
    reviews = nma.datasets.load("back_pain_reviews")
    ours = reviews[
        (reviews["review"] == "Fleckenstein 2022")
        & (reviews["comparator"] == "active (exercise) control")
        & (reviews["outcome"] == "pain")
    ]
    frame = ours.assign(treatment=INDIVIDUAL, comparator="other exercise")
    pain = nma.outcomes.Contrast(effect="effect", se="se", measure="SMD", better="lower", scale=1.0)
    network = nma.Network.from_contrasts(
        frame,
        study="review",
        treatment="treatment",
        comparator="comparator",
        outcome=pain,
        reference="other exercise",
    )
    return nma.fit(network, engine=nma.engines.LeastSquares(tau="common"))


def table_of(review: nma.Posterior, trials: nma.Posterior) -> Table:
    """Return, by control rate, the effects that the claims need and the ratios that data make."""
    estimate, _, _ = effect(review)
    rows = {}
    for rate in RATES:
        row = {
            (f"SMD for {said}", method): needed(wanted, rate, method)
            for said, wanted in CLAIMS.items()
            for method in METHODS
        }
        row |= {
            (f"ratio of SMD {estimate:.2f}", method): ratio(estimate, rate, method)
            for method in METHODS
        }
        row |= {
            ("nine trials", f"{treatment} vs {comparator}"): answer(
                trials, treatment, comparator, rate
            )[0]
            for treatment, comparator in PAIRS
        }
        rows[f"{rate:.0%}"] = {" | ".join(names): value for names, value in row.items()}
    return Table(
        pd.DataFrame(rows),
        caption=(
            "By how many respond under the comparator (columns): the SMD that would make each "
            "claim, and the ratios of people who respond that the review's SMD and the nine trials "
            "make. Empty: more than everybody would have to respond."
        ),
        notes=[
            "The claims have no published derivation.",
            f"SD of pain in the nine trials: {spread(trials)}.",
            trials.network.caption,
        ],
    )


def spread(trials: nma.Posterior) -> str:
    """Return in words the standard deviation that turns the trials' points into SMDs."""
    said = f"{sd_of(trials):g} points of 10, the median that their standard errors imply"
    return f"{said}; adjusted analyses make it too small, and ratios too far from one"


def sd_of(trials: nma.Posterior) -> float:
    """Return the standard deviation of pain between people, in points of 10."""
    return round(trials.network.unit[0], 1)


def effect(review: nma.Posterior) -> tuple[float, float, float]:
    """Return the review's SMD and its limits, above zero for benefit."""
    row = nma.effect_table(review, comparators=["other exercise"]).iloc[0]
    return -float(row["estimate"]), -float(row["upper"]), -float(row["lower"])


def answer(
    trials: nma.Posterior, treatment: str, comparator: str, rate: float
) -> tuple[float, float, float]:
    """Return the ratio of people who respond in the nine trials, with its interval."""
    table = responders(
        trials,
        control_rate=rate,
        definition=DEFINITION,
        sd=sd_of(trials),
        comparator=comparator,
    )
    lower, upper = (float(table[f"rr_{end}"][treatment]) for end in ("lower", "upper"))
    return float(table["rr"][treatment]), lower, upper


def asked_for() -> None:
    """Say which effects the claims would need."""
    for said, wanted in CLAIMS.items():
        one, other = (needed(wanted, USUAL, method) for method in METHODS)
        odds = np.log(wanted) * np.sqrt(3) / np.pi
        say(
            f"""* "{said} more successful", read as a ratio of {wanted}: where {USUAL:.0%} respond
            to other exercise, an SMD of {one:.2f} by Hasselblad and Hedges and of {other:.2f} by
            Furukawa; where more than {1 / wanted:.0%} respond, none at all. Read as a ratio of
            odds, an SMD of {odds:.2f} whatever the control rate."""
        )


def compared(review: nma.Posterior) -> None:
    """Say at which control rates the review's effect makes the claims."""
    smd, lower, upper = effect(review)
    say(
        f"""The review's abstract prints an SMD of {-smd:.2f} ({-upper:.2f} to {-lower:.2f}) for
        pain at 12 weeks, individualised against other exercise, and the same three numbers again
        for individualised exercise with a psychological part, there without naming a
        comparator."""
    )
    for said, wanted in CLAIMS.items():
        parts = []
        for method in METHODS:
            rate = rate_that_makes(wanted, smd, method)
            there = "at no control rate" if rate is None else f"where {rate:.0%} respond anyway"
            parts.append(f"{there} ({method})")
        say(f"""* An SMD of {smd:.2f} makes "{said}" {"; ".join(parts)}.""")


def supported(trials: nma.Posterior) -> None:
    """Say what the nine trials support."""
    for treatment, comparator in PAIRS:
        middle, lower, upper = answer(trials, treatment, comparator, USUAL)
        say(
            f"""* {treatment} against {comparator}: ratio {middle:.2f} ({lower:.2f} to {upper:.2f})
            where {USUAL:.0%} respond to {comparator}."""
        )


def conclude(review: nma.Posterior, trials: nma.Posterior) -> None:
    """Say what has been shown, and what has not."""
    smd, _, _ = effect(review)
    one = ratio(smd, USUAL, METHODS[0])
    twice = needed(CLAIMS["84 %"], USUAL, METHODS[0])
    plain, more = (answer(trials, name, PASSIVE, USUAL)[0] for name in (STANDARD, INDIVIDUAL))
    say(
        f"""A control rate near {rate_that_makes(CLAIMS["38 %"], smd, METHODS[0]):.0%} turns the
        review's SMD of {smd:.2f} into "38 % more", which may be how that figure came about; we do
        not know, as no derivation is published, nor whether "success" means people who respond at
        all. At {USUAL:.0%} it is {100 * USUAL:.0f} of 100 people without and
        {100 * USUAL * one:.0f} with the treatment, and at every other control rate the same effect
        is another ratio."""
    )
    print()
    say(
        f"""Against other exercise, "84 % more" needs an SMD of {twice:.2f} at that rate, twice what
        the review's abstract prints, and above what the nine trials make. Against passive control
        the trials do make ratios of that size, {more:.2f} for individualised exercise, but
        {plain:.2f} for standard exercise too: such a ratio compares exercise with none, and
        tells nothing of what individualising or cognitive-behavioural therapy adds."""
    )
    print()
    say(
        """Not shown: that anybody responded more often. Neither source counts responders; all
        ratios here rest on a conversion, on a control rate that we assumed, and for the trials on
        a standard deviation worked out from their standard errors. The nine trials are a
        convenience sample with our own coding, and not evidence on treatments: they can neither
        support nor refute the claim, and between kinds of exercise their intervals hold no
        difference as well as 38 % more."""
    )


def drawn(review: nma.Posterior, trials: nma.Posterior) -> Figure:
    """Return lines of the ratio against the control rate, with the claims and the trials."""
    from matplotlib.figure import Figure

    smd, lower, upper = effect(review)
    figure = Figure(figsize=(8.2, 5.2), layout="constrained")
    axes = figure.add_subplot()
    draw_lines(axes, smd, lower, upper)
    draw_claims(axes)
    draw_trials(axes, trials)
    axes.set_xlim(0, 0.75)
    axes.set_ylim(0.6, 2.6)
    axes.set_xticks(RATES, [f"{rate:.0%}" for rate in RATES])
    axes.set_xlabel("How many respond without the treatment (control rate)")
    axes.set_ylabel("Ratio of people who respond, with : without")
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_title("One effect size, many ratios", loc="left", fontweight="bold")
    figure.supxlabel(
        "Nine trials: a convenience sample, coded for this example; not evidence on treatments.",
        fontsize=8,
        color="#555555",
    )
    return figure


def draw_lines(axes: Axes, smd: float, lower: float, upper: float) -> None:
    """Draw what effects of several sizes make, and the band of the review's."""
    rates = np.arange(0.02, 0.751, 0.01)
    by = {size: [ratio(size, float(r), METHODS[0]) for r in rates] for size in (lower, smd, upper)}
    axes.fill_between(rates, by[lower], by[upper], color="#cfe3f0", linewidth=0, zorder=1)
    axes.plot(rates, by[smd], color="#0072b2", linewidth=2.5, zorder=3)
    dashed = [ratio(smd, float(rate), METHODS[1]) for rate in rates]
    axes.plot(rates, dashed, color="#0072b2", linewidth=1.6, linestyle=(0, (4, 2)), zorder=3)
    for size in (0.1, 0.2, 0.4, 0.5, 0.6, 0.7):
        made = [ratio(size, float(rate), METHODS[0]) for rate in rates]
        axes.plot(rates, made, color="#9a9a9a", linewidth=0.9, zorder=2)
        axes.text(
            0.18, ratio(size, 0.18, METHODS[0]), f"SMD {size:g}", fontsize=8, color="#555555",
            ha="center", va="center", bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8},
        )  # fmt: skip
    axes.axhline(1.0, color="#1a1a1a", linewidth=0.8, zorder=1)
    axes.plot([], [], color="#0072b2", linewidth=2.5, label=f"review, SMD {smd:.2f}: logistic")
    axes.plot(
        [], [], color="#0072b2", linewidth=1.6, linestyle=(0, (4, 2)), label="the same: normal"
    )
    axes.fill_between(
        [], [], color="#cfe3f0", label=f"its 95 % interval, {lower:.2f} to {upper:.2f}"
    )


def draw_claims(axes: Axes) -> None:
    """Draw the two claims."""
    for said, wanted in CLAIMS.items():
        axes.axhline(wanted, color="#a33c00", linewidth=1.2, linestyle=":", zorder=2)
        axes.text(0.745, wanted + 0.015, f'"{said} more"', color="#a33c00", fontsize=9, ha="right")


def draw_trials(axes: Axes, trials: nma.Posterior) -> None:
    """Draw what the nine trials make, beside the control rate of the worked numbers."""
    looks = {INDIVIDUAL: (-0.008, "o"), MULTIMODAL: (0.008, "s")}
    for name, (shift, marker) in looks.items():
        middle, low, high = answer(trials, name, STANDARD, USUAL)
        axes.plot([USUAL + shift] * 2, [low, high], color="#1a1a1a", linewidth=1.4, zorder=4)
        axes.plot(
            [USUAL + shift], [middle], marker=marker, markersize=7, linestyle="none",
            markerfacecolor="white", markeredgecolor="#1a1a1a", zorder=5,
            label=f"nine trials: {name} vs standard",
        )  # fmt: skip
    axes.legend(loc="upper right", fontsize=8, frameon=False)


def keep(table: Table, figure: Figure, folder: Path) -> None:
    """Write the table as numbers and as text, and the figure as SVG and PNG."""
    folder.mkdir(parents=True, exist_ok=True)
    table.to_csv(folder / "responders.csv")
    (folder / "responders.txt").write_text(f"{table}\n", encoding="utf-8")
    for kind in ("svg", "png"):
        figure.savefig(folder / f"responders.{kind}", dpi=150)
    print(f"One table and one figure are in {folder}")


def main() -> None:
    """Ask what the claims would need, and what there is."""
    review, trials = pooled(), nma.fit(nma.datasets.network("back_pain"))
    heading("What the claims would need")
    asked_for()
    heading("What the pooled review makes")
    compared(review)
    print()
    print(responders(review, control_rate=USUAL, definition=DEFINITION))
    heading("What the nine trials make")
    supported(trials)
    print()
    sd = sd_of(trials)
    print(responders(trials, control_rate=USUAL, definition=DEFINITION, sd=sd, comparator=STANDARD))
    heading("Side by side")
    table = table_of(review, trials)
    print(table)
    heading("What this shows, and what it does not")
    conclude(review, trials)
    heading("To take away")
    keep(table, drawn(review, trials), Path(sys.argv[1]) if len(sys.argv) > 1 else OUTPUT)


if __name__ == "__main__":
    main()
