"""What components add and whether they add up, on Linde et al. 2016: netmeta's netcomb.

The numbers are those of test_linde2016, asked of the verbs that readers use.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

import nma
from netcomb import ADDITIVE, INTERACTIONS, STANDARD
from nma.structures import Components
from published import assert_near, exactly
from sources import NETMETA

PLACE = NETMETA.at("depression in primary care", "netcomb", "asked of nma.checks")
COMPONENTS = Components(separator=" + ", inactive="Placebo")


@cache
def fitted(tau: str) -> nma.Posterior:
    network = nma.datasets.network("linde2016").as_normal()
    return nma.fit(network, nma.Model(COMPONENTS), engine=nma.engines.LeastSquares(tau))


def test_additivity_is_their_difference_of_q() -> None:
    table = nma.checks.additivity(fitted("DL"))
    for name, theirs in (("additive", ADDITIVE), ("full network", STANDARD)):
        numbers = {"Q": theirs.Q, "df": theirs.df, "tau": theirs.tau}
        found = exactly(table.loc[name, [*numbers]], numbers, [1e-8, 0, 1e-10])
        assert_near(found, name, PLACE)
    difference = {"Q": 6.67144579556852, "p": 0.0831408674}
    found = exactly(table.loc["difference", [*difference]], difference, 1e-8)
    assert_near(found, "difference", PLACE)


@pytest.mark.parametrize("tau", ["common", "DL"])
def test_interactions_are_theirs_one_by_one(tau: str) -> None:
    table: Any = nma.checks.interactions(fitted(tau))
    assert set(table.index) == {" x ".join(sorted(pair)) for pair in INTERACTIONS}
    for pair, theirs in INTERACTIONS.items():
        row = table.loc[" x ".join(sorted(pair))]
        assert theirs.interaction is not None
        numbers = theirs.interaction[:2] if tau == "common" else theirs.interaction[2:]
        told = dict(zip(("estimate", "standard error", "Q"), (*numbers, theirs.Q), strict=True))
        found = exactly(row[["mean", "sd", "Q"]], told, [1e-6, 1e-6, 1e-8])
        model = "common effect" if tau == "common" else f"tau by {tau}"
        assert_near(found, f"interaction of {' and '.join(pair)}, {model}", PLACE)
        assert (row["df"], row["trials"]) == (theirs.df, 1)


@pytest.mark.parametrize("tau", ["common", "DL"])
def test_the_one_combination_that_departs_from_additivity_is_found(tau: str) -> None:
    """Q 103.61 with SSRI and face-to-face CBT together, against 109.12 without and 108 to 109."""
    table = nma.checks.interactions(fitted(tau))
    assert table["p"].idxmin() == "Face-to-face CBT x SSRI"
    assert (table["p"] < 0.05).sum() == 1
    assert "1 of 3 have p below 0.05: Face-to-face CBT x SSRI (0.02)" in str(table.notes)


def test_what_components_add_to_placebo_and_to_each_other_is_their_effect() -> None:
    table: Any = nma.incremental_effects(fitted("DL"), to=["Placebo", "SSRI"])
    for (component, _), row in table.iterrows():
        told = dict(
            zip(("estimate", "standard error"), ADDITIVE.effects[component][2:], strict=True)
        )
        assert_near(exactly(row[["mean", "sd"]], told, 1e-6), component, None)
    tested = table.xs("SSRI", level="added to")["tested"]
    assert set(tested[tested].index) == {next(iter({*pair} - {"SSRI"})) for pair in INTERACTIONS}
