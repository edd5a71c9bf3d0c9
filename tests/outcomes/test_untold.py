"""Effects that no events tell: found as they are, and said wherever they are shown."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

import nma
import pictures
from invariance.test_count_laws import counts
from levels import Given, drawn
from nma import graph
from nma.network import Network
from nma.outcomes import Binary, Rate
from nma.outcomes._events import Events

OR = Binary("r", "n", measure="OR", better="lower")
IRR = Rate("r", "n", better="lower")

ROWS = pd.DataFrame(
    {
        "s": [*"1122334455"],
        "t": [*"ABABACBDCD"],
        "r": [9, 14, 8, 7, 12, 0, 31, 20, 0, 4],
        "n": [60, 61, 58, 60, 62, 60, 59, 60, 60, 61],
    }
)
SAID = "No events under C in any trial: its effects rest on the prior."


def network(rows: pd.DataFrame = ROWS, outcome: Any = OR, **options: Any) -> Network:
    return Network.from_arms(rows, study="s", treatment="t", outcome=outcome, **options)


def sampled() -> nma.Posterior:
    """A posterior of the counts, as an engine of somebody else gave it."""
    values = drawn("12345", 3).assign(u=(("chain", "draw", "arm"), np.zeros((3, 7, len(ROWS)))))
    return nma.fit(network(reference="A"), engine=Given(values))


TABLES: dict[str, Any] = {
    "summary": nma.summary,
    "effect_table": nma.effect_table,
    "predictive": lambda p: nma.effect_table(p, predictive=True),
    "league_table": nma.league_table,
    "sucra": nma.sucra,
    "rank_probabilities": nma.rank_probabilities,
    "p_best": nma.p_best,
    "absolute_table": lambda p: nma.absolute_table(p, reference_level=0.2),
    "own level": lambda p: nma.absolute_table(p, reference_level="network"),
    "standardised_table": lambda p: nma.standardised_table(p, measure="RD", reference_level=0.2),
}


@pytest.mark.parametrize("name", TABLES)
def test_every_table_says_which_effects_rest_on_the_prior(name: str) -> None:
    """However many other notices there are."""
    posterior = sampled()
    assert SAID in TABLES[name](posterior).notes
    others = tuple(f"Notice {k}." for k in range(9))
    crowd = replace(posterior, notices=(*others, *posterior.notices))
    assert SAID in TABLES[name](crowd).notes


@pytest.mark.parametrize("name", ["forest", "league_table", "rankogram"])
def test_every_figure_of_effects_says_it_too(name: str) -> None:
    ax = getattr(nma.plots, name)(sampled())
    assert SAID in " ".join(pictures.written(ax))
    assert pictures.faults(ax) == []


def test_draws_carry_it() -> None:
    posterior = sampled()
    for found in (
        nma.relative_effects(posterior),
        nma.ranks(posterior),
        nma.absolute_effects(posterior, reference_level=0.2),
    ):
        assert found.attrs["prior_driven"] == [SAID]
    told = nma.relative_effects(nma.fit(nma.datasets.network("back_pain"))).attrs
    assert "prior_driven" not in told


def test_ranks_are_said_to_rest_on_it() -> None:
    notes = nma.sucra(sampled()).notes
    assert notes[:2] == (SAID, "So do ranks, of them and against them.")
    plain = nma.sucra(nma.fit(nma.datasets.network("back_pain"))).notes
    assert "So do ranks" not in " ".join(plain)


NOBODY = pd.DataFrame({"s": ["6", "6"], "t": ["A", "C"], "r": 0, "n": 50})


@pytest.mark.parametrize("rows", [ROWS, pd.concat([ROWS, NOBODY])], ids=["kept", "one set aside"])
@pytest.mark.parametrize("measure", ["OR", "RR", "HR"])
def test_normal_approximations_rest_on_what_was_added(measure: str, rows: pd.DataFrame) -> None:
    time: dict[str, Any] = {"time": "n"} if measure == "HR" else {}
    outcome = Binary("r", "n", measure=measure, better="lower", likelihood="normal", **time)
    (said,) = (text for text in network(rows, outcome).notices if "under C" in text)
    assert said.endswith("in any trial: its effects rest on the 0.5 that was added.")
    posterior = nma.fit(network(rows, outcome))
    for table in (nma.league_table(posterior), nma.sucra(posterior), nma.p_scores(posterior)):
        assert said in table.notes


def test_risk_differences_need_no_events() -> None:
    notices = network(outcome=Binary("r", "n", measure="RD", better="lower")).notices
    assert "No events under C in any trial." in notices
    assert not any("rest" in text for text in notices)


def test_a_treatment_in_trials_set_aside_alone_rests_on_nothing_that_was_added() -> None:
    rows = ROWS[~ROWS["s"].isin(["3", "5"])]
    notices = network(pd.concat([rows, NOBODY]), outcome=OR.as_normal()).notices
    assert "No events in any arm of 6." in notices
    assert "No events under C in any trial." in notices
    assert not any("added" in text for text in notices)
    parts = "and effects between these rest on the prior, if there is one: A, B, D; C."
    assert any(text.endswith(parts) for text in notices)
    counted = network(pd.concat([rows, NOBODY])).notices
    assert SAID in counted


def test_one_sided_cells_tie_a_group_loosely() -> None:
    """C and D have events of their own, but every trial that joins them to A and B has none."""
    rows = pd.DataFrame(
        {
            "s": [*"11223344"],
            "t": [*"ABACBDCD"],
            "r": [9, 14, 8, 0, 12, 0, 3, 5],
            "n": 60,
        }
    )
    said = "Empty or full cells alone tie C, D to the other treatments: effects between them rest"
    for outcome, what in ((OR, "the prior."), (OR.as_normal(), "the 0.5 that was added.")):
        assert f"{said} on {what}" in network(rows, outcome).notices
    assert f"{said} on the prior." in network(rows, IRR).notices
    told = rows.assign(r=[9, 14, 8, 1, 12, 0, 3, 5])
    assert not any("tie" in text for text in network(told).notices)


def test_parts_that_no_trial_joins_are_not_said_to_be_tied_by_cells() -> None:
    """A, B and C, D never meet; within the second part one empty cell alone ties E."""
    rows = pd.DataFrame(
        {
            "s": [*"11223344"],
            "t": [*"ABABCDCE"],
            "r": [9, 14, 8, 11, 12, 7, 0, 5],
            "n": 60,
        }
    )
    whole = rows.assign(r=[9, 14, 8, 11, 12, 7, 3, 5])
    tied = [text for text in network(rows).notices if "tie" in text]
    said = "Empty or full cells alone tie E to the other treatments: effects between them rest"
    assert tied == [f"{said} on the prior."]
    assert not any("tie" in text for text in network(whole).notices)


def moved_apart(rows: pd.DataFrame, *, full: bool) -> dict[frozenset[str], bool]:
    """Return which treatments a direction of infinite likelihood moves apart, by linear programs.

    Trial levels m and treatment levels d may move so that arms with events and non-events stay,
    arms without events fall or stay, and full ones rise or stay.
    """
    studies, names = (sorted(set(rows[c])) for c in ("study", "treatment"))
    eta = np.zeros((len(rows), len(studies) + len(names)))
    for k, (study, name) in enumerate(zip(rows["study"], rows["treatment"], strict=True)):
        eta[k, studies.index(study)] = eta[k, len(studies) + names.index(name)] = 1.0
    none = rows["r"].to_numpy() == 0
    whole = (rows["r"] == rows["n"]).to_numpy() & full
    stay = ~(none | whole)
    bounds = np.concatenate([eta[none], -eta[whole]])
    found = {}
    for j, a in enumerate(names):
        for k, b in enumerate(names[:j]):
            apart = np.zeros(eta.shape[1])
            apart[len(studies) + j], apart[len(studies) + k] = 1.0, -1.0
            least = [
                linprog(
                    sign * apart,
                    A_ub=bounds if len(bounds) else None,
                    b_ub=np.zeros(len(bounds)) if len(bounds) else None,
                    A_eq=eta[stay] if stay.any() else None,
                    b_eq=np.zeros(stay.sum()) if stay.any() else None,
                    bounds=(-1, 1),
                ).fun
                for sign in (1, -1)
            ]
            found[frozenset((a, b))] = bool(np.min(np.array(least, dtype=float)) < -1e-9)
    return found


@pytest.mark.parametrize("full", [True, False], ids=["binomial", "Poisson"])
@given(frame=counts(most=8, most_treatments=5), seed=st.integers(0, 2**16))
def test_what_is_said_to_rest_on_the_prior_is_what_the_likelihood_leaves_open(
    full: bool, frame: pd.DataFrame, seed: int
) -> None:
    """Against linear programs that look for a direction in which the likelihood never falls."""
    rng = np.random.default_rng(seed)
    rows = frame.assign(r=np.where(rng.uniform(size=len(frame)) < 0.4, 0, frame["r"]))
    most = rows["n"].to_numpy() if full else None
    events = Events(rows, "r", most)
    open_ = moved_apart(rows, full=full)
    said = " ".join(events.notices("the prior"))
    assert ("rest on" in said) == any(open_.values())
    code, names = events._treatment
    arms = list(zip(code.tolist(), (-1 - events.trial).tolist(), strict=True))
    at_most = [arm for arm, whole in zip(arms, events.full, strict=True) if not whole]
    at_least = [arm[::-1] for arm, none in zip(arms, events.none, strict=True) if not none]
    groups = graph.tied([*at_most, *at_least])
    together = {
        frozenset((names[j], names[k])): any({j, k} <= group for group in groups)
        for j in range(len(names))
        for k in range(j)
    }
    assert together == {pair: not apart for pair, apart in open_.items()}
