"""Trials reported as differences that must not be analysed as they stand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

import nma
from bad_input.corpus import (
    ARMS,
    BASED,
    EFFECTS,
    PAIRS,
    Case,
    added,
    agrees,
    cell,
    from_arms,
    from_contrasts,
    without,
)
from nma.errors import DataError, ModelError
from nma.network import Network

NAN = math.nan
FORMS = ("`base_se`", "all 3 pairwise contrasts", "explicit `covariance`")

VALUES = [
    Case(
        "SE of zero", cell(PAIRS, 2, "se", 0.0), "not-positive",
        ("0 is not a positive number",), ("all the weight",), "Ames", (2,), "se",
    ),
    Case(
        "negative SE", cell(PAIRS, 4, "se", -0.6), "not-positive",
        ("-0.6 is not a positive number",), ("all the weight",), "Cole", (4,), "se",
    ),
    Case(
        "SE missing", cell(PAIRS, 1, "se", NAN), "missing",
        ("the number is missing",), ("leave the whole trial out",), "Turner", (1,), "se",
    ),
    Case(
        "effect missing", cell(PAIRS, 3, "md", NAN), "missing",
        ("the number is missing",), ("leave the whole trial out",), "Cole", (3,), "md",
    ),
    Case(
        "effect infinite", cell(PAIRS, 2, "md", -math.inf), "infinite",
        ("-inf is not finite",), ("Check the cell",), "Ames", (2,), "md",
    ),
    Case(
        "one participant", cell(PAIRS, 5, "n2", 1), "too-few",
        ("1 is fewer than 2",), ("leave the cell empty if not known",), "Cole", (5,), "n2",
    ),
]  # fmt: skip

STRUCTURE = [
    Case(
        "a treatment against itself", cell(PAIRS, 1, "comparator", "exercise"), "same-treatment",
        ("'exercise' is compared with itself",), ("Name the two treatments",), "Turner", (1,),
    ),
    Case(
        "three arms in two rows", without(PAIRS, 5), "no-covariance",
        ("2 contrasts of 3 treatments are correlated", "nothing tells their covariance"),
        FORMS, "Cole", (3, 4),
    ),
    Case(
        "three pairwise effects that do not add up", cell(PAIRS, 5, "md", -0.3), "does-not-add-up",
        ("do not add up", "(CBT - exercise) + (exercise - placebo)", "(CBT - placebo) by -0.6"),
        ("Check the signs", "need 2 rows and their covariance"), "Cole", (3, 4, 5),
    ),
    Case(
        "standard errors that cannot be", cell(PAIRS, 5, "se", 2.0), "covariance-impossible",
        ("imply a covariance that cannot be", "eigenvalue -"), ("check them",), "Cole", (3, 4, 5),
    ),
    Case(
        "one pair in both directions",
        added(PAIRS, ("Ames", "placebo", "CBT", 0.8, 0.4, 30, 32)), "pair-twice",
        ("CBT and placebo are compared in more than one row",),
        ("one direction", "separate names"), "Ames", (2, 6),
    ),
    Case(
        "two trials under one name",
        added(PAIRS, ("Ames", "yoga", "exercise", 0.8, 0.4, 30, 32)), "rows-unconnected",
        ("do not connect its treatments",), ("separate names",), "Ames", (2, 6),
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", [*VALUES, *STRUCTURE], ids=lambda case: case.name)
def test_refused(case: Case) -> None:
    with pytest.raises(DataError) as caught:
        from_contrasts(case.table)
    agrees(case, caught.value)


def test_the_good_table_is_not_refused() -> None:
    assert from_contrasts(PAIRS).trials["Cole"] == ("CBT", "exercise", "placebo")


def test_values_and_structure_are_reported_together() -> None:
    table = cell(without(PAIRS, 4), 1, "se", -1.0)
    table = cell(table, 2, "comparator", "CBT")
    with pytest.raises(DataError, match="3 problems in the data") as caught:
        from_contrasts(table)
    found = {(i.code, i.study, i.rows) for i in caught.value.issues}
    assert found == {
        ("not-positive", "Turner", (1,)),
        ("no-covariance", "Cole", (3, 4)),
        ("same-treatment", "Ames", (2,)),
    }


def test_a_base_arm_in_a_row_of_its_own_is_explained() -> None:
    """As other programs write it: the effect empty, the standard error that of the arm."""
    table = added(PAIRS, ("Dunn", "placebo", None, NAN, 0.3), ("Dunn", "CBT", "placebo", -1, 0.5))
    with pytest.raises(DataError) as caught:
        from_contrasts(table)
    (issue,) = caught.value.issues
    assert (issue.code, issue.rows, issue.column) == ("no-label", (6,), "comparator")
    assert "A base arm has no row of its own" in issue.remedy
    assert "`base_se`" in issue.remedy


def based(*se: tuple[float, float]) -> pd.DataFrame:
    rows = [("Cole", "exercise", "placebo", -1.0, *se[0]), ("Cole", "CBT", "placebo", -0.7, *se[1])]
    columns = ["study", "treatment", "comparator", "md", "se", "base_se"]
    return pd.DataFrame(rows, columns=columns)


BASES = [
    Case(
        "base arm without its SE", based((0.5, NAN), (0.6, NAN)), "no-covariance",
        ("nothing tells their covariance",), FORMS, "Cole", (1, 2),
    ),
    Case(
        "base arm with two SEs", based((0.5, 0.3), (0.6, 0.4)), "no-covariance",
        ("standard errors of its base arm differ between rows",), FORMS, "Cole", (1, 2),
    ),
    Case(
        "SE of a difference given as that of the base arm",
        based((0.5, 0.6), (0.7, 0.6)), "covariance-impossible",
        ("exercise versus placebo, 0.5, is not larger than that of placebo alone, 0.6",),
        ("the base arm's own mean",), "Cole", (1, 2),
    ),
    Case(
        "negative SE of the base arm", based((0.5, 0.3), (0.6, -0.3)), "not-positive",
        ("-0.3 is not a positive number",), ("Check the cell",), "Cole", (2,), "base_se",
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", BASES, ids=lambda case: case.name)
def test_refused_with_a_base_arm(case: Case) -> None:
    with pytest.raises(DataError) as caught:
        from_contrasts(case.table, outcome=BASED)
    agrees(case, caught.value)


def stated(matrix: Any, study: str = "Cole", table: pd.DataFrame | None = None) -> Network:
    outcome = nma.outcomes.Contrast(
        "md", "se", measure="MD", better="lower", covariance={study: matrix}
    )
    return from_contrasts(without(PAIRS, 5) if table is None else table, outcome=outcome)


@pytest.mark.parametrize(
    ("matrix", "code", "says"),
    [
        ([[0.25, 0.1], [0.2, 0.36]], "covariance-asymmetric", "not symmetric"),
        ([[0.25]], "covariance-shape", "1 x 1, not 2 x 2"),
        (np.eye(3), "covariance-shape", "3 x 3, not 2 x 2"),
        ([[0.25, 0.1], [0.1]], "covariance-shape", "not a matrix of numbers"),
        ([["a", "b"], ["c", "d"]], "covariance-shape", "not a matrix of numbers"),
        (0.1, "covariance-shape", "one number, not 2 x 2"),
        ([[0.25, NAN], [NAN, 0.36]], "covariance-shape", "an empty or infinite cell"),
        ([[0.36, 0.1], [0.1, 0.25]], "covariance-diagonal", "standard errors differ"),
        ([[0.25, 0.31], [0.31, 0.36]], "covariance-impossible", "eigenvalue -"),
        (
            pd.DataFrame([[0.25, 0.1], [0.1, 0.36]], index=["a", "b"], columns=["a", "b"]),
            "covariance-labels",
            "other labels",
        ),
    ],
)
def test_a_covariance_that_cannot_be_is_refused(matrix: Any, code: str, says: str) -> None:
    with pytest.raises(DataError) as caught:
        stated(matrix)
    (issue,) = caught.value.issues
    assert (issue.code, issue.study, issue.rows) == (code, "Cole", (3, 4))
    assert says in issue.problem
    assert issue.remedy


def test_a_covariance_of_rows_that_depend_on_each_other_is_refused() -> None:
    with pytest.raises(DataError, match="rows are not independent") as caught:
        stated(np.diag([0.25, 0.36, 0.16]), table=PAIRS)
    assert caught.value.issues[0].code == "covariance-singular"


@pytest.mark.parametrize(
    ("study", "says"),
    [
        ("Colle", r"'Colle', which is not a trial. .* Did you mean 'Cole'\?"),
        ("Ames", r"'Ames', which has one row. Give `covariance` for trials with several rows"),
    ],
)
def test_a_covariance_must_belong_to_a_trial_with_several_rows(study: str, says: str) -> None:
    with pytest.raises(DataError, match=says) as caught:
        stated(np.eye(2), study=study, table=PAIRS)
    assert caught.value.issues[0].code == "covariance-misplaced"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"measure": "MD"}, "`better` is missing"),
        ({"better": "lower"}, "`measure` is missing"),
        ({"measure": "or", "better": "lower"}, "write 'OR'; its effects are logarithms"),
        ({"measure": "log OR", "better": "lower"}, "write 'OR'; its effects are logarithms"),
        ({"measure": "lnRR", "better": "lower"}, "write 'RR'; its effects are logarithms"),
        ({"measure": "smd", "better": "lower"}, "write 'SMD'"),
        ({"measure": "MD", "better": "lower", "n": "n"}, "n='n' is not two columns"),
        ({"measure": "MD", "better": "lower", "n": ("n",)}, "is not two columns"),
        ({"measure": "MD", "better": "lower", "scale": 0}, "scale=0 is not a standard deviation"),
        ({"measure": "MD", "better": "lower", "scale": NAN}, "is not a standard deviation"),
        ({"measure": "MD", "better": "lower", "scale": math.inf}, "is not a standard deviation"),
    ],
)
def test_an_outcome_that_cannot_be_is_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ModelError) as caught:
        nma.outcomes.Contrast("md", "se", **settings)
    assert words in str(caught.value)


def test_a_measure_of_ones_own_is_taken() -> None:
    outcome = nma.outcomes.Contrast("md", "se", measure="MD 0-100", better="lower")
    assert (outcome.measure, outcome.ratio) == ("MD 0-100", False)


def test_rows_of_arms_and_of_contrasts_for_one_trial_are_refused() -> None:
    arms = from_arms(ARMS, reference="placebo")
    contrasts = from_contrasts(PAIRS, reference="placebo")
    with pytest.raises(DataError) as caught:
        Network.combine(arms, contrasts)
    found = [(issue.code, str(issue.study)) for issue in caught.value.issues]
    assert sorted(found) == [("trial-twice", "Ames"), ("trial-twice", "Turner")]
    assert "its data would count twice" in str(caught.value)


def test_an_unconnected_network_is_held_but_not_fitted() -> None:
    table = pd.DataFrame(
        [("Ames", "CBT", "placebo", -0.8, 0.4, 32, 30), ("Boyd", "yoga", "diet", 0.1, 0.4, 25, 24)],
        columns=PAIRS.columns,
    )
    network = from_contrasts(table)
    assert network.components == (("CBT", "placebo"), ("diet", "yoga"))
    with pytest.raises(DataError) as caught:
        nma.fit(network)
    (issue,) = caught.value.issues
    assert issue.code == "disconnected"
    assert "2 parts" in issue.problem
    assert "(1) CBT, placebo: Ames; (2) diet, yoga: Boyd" in issue.problem
    assert "add a trial that joins them" in issue.remedy


def test_effects_are_what_the_corpus_reads() -> None:
    assert set(EFFECTS.columns) < set(PAIRS.columns)
