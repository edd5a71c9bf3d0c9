"""Names of trials and treatments that could be misread."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bad_input.corpus import ARMS, PAIRS, Case, agrees, cell, from_arms, from_contrasts
from nma.errors import DataError, DataWarning
from nma.network import Network

FILL = ("Fill the cell in",)
ONE = ("one spelling", "rename one")
BLANKS = [None, math.nan, pd.NA, pd.NaT, "", "  ", "\t", "NA", "N/A", ".", "-", "\u200b"]

NAMES = [
    Case(
        "case", cell(ARMS, 3, "treatment", "Placebo"), "labels-collide",
        ("'placebo' and 'Placebo' differ only in",), ONE, rows=(1, 3), column="treatment",
    ),
    Case(
        "blanks at the end", cell(ARMS, 3, "treatment", "placebo "), "labels-collide",
        ("'placebo' and 'placebo ' differ only in blanks",), ONE, rows=(1, 3), column="treatment",
    ),
    Case(
        "blank that cannot be seen", cell(ARMS, 3, "treatment", "plac\u200bebo"), "labels-collide",
        ("differ only in blanks",), ONE, rows=(1, 3), column="treatment",
    ),
    Case(
        "blank that does not break",
        ARMS.replace({"placebo": "usual care"}).pipe(cell, 3, "treatment", "usual\u00a0care"),
        "labels-collide", ("differ only in blanks", "NO-BREAK SPACE"), ONE,
        rows=(1, 3), column="treatment",
    ),
    Case(
        "accent in two forms",
        ARMS.replace({"CBT": "the\u0301rapie"}).pipe(cell, 6, "treatment", "th\u00e9rapie"),
        "labels-collide", ("LATIN SMALL LETTER E WITH ACUTE", "COMBINING ACUTE ACCENT"), ONE,
        rows=(4, 6), column="treatment",
    ),
    Case(
        "Cyrillic letter", cell(ARMS, 3, "treatment", "pl\u0430cebo"), "labels-collide",
        ("U+0430 CYRILLIC SMALL LETTER A",), ONE, rows=(1, 3), column="treatment",
    ),
    Case(
        "full-width letters", cell(ARMS, 4, "treatment", "\uff23\uff22\uff34"), "labels-collide",
        ("U+FF22 FULLWIDTH LATIN CAPITAL LETTER B",), ONE, rows=(4, 6), column="treatment",
    ),
    Case(
        "number and text", ARMS.assign(treatment=pd.Series([1, 2, "1", 3, 2, 3], dtype=object)),
        "labels-collide", ("1 and '1' differ only in", "type"), ONE,
        rows=(1, 3), column="treatment",
    ),
    Case(
        "trials too", cell(ARMS, 2, "study", "TURNER"), "labels-collide",
        ("'Turner' and 'TURNER'",), ONE, rows=(1, 2), column="study",
    ),
    Case(
        "direction override", cell(ARMS, 4, "treatment", "CBT\u202e"), "control-character",
        ("control or direction character",), ("Remove it",), rows=(4,), column="treatment",
    ),
    Case(
        "null byte", cell(ARMS, 4, "treatment", "CBT\x00"), "control-character",
        ("control or direction character",), ("Remove it",), rows=(4,), column="treatment",
    ),
    Case(
        "date for a name", cell(ARMS, 4, "treatment", dt.date(2024, 12, 1)), "not-a-label",
        ("is a date, not a name",), ("spreadsheet",), rows=(4,), column="treatment",
    ),
    Case(
        "list for a name", cell(ARMS, 4, "treatment", ["CBT"]), "not-a-label",
        ("['CBT'] is a list, not a name",), ("as text",), rows=(4,), column="treatment",
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", NAMES, ids=lambda case: case.name)
def test_refused(case: Case) -> None:
    with pytest.raises(DataError) as caught:
        from_arms(case.table)
    if case.code != "labels-collide" or case.column == "study":
        first = next(issue for issue in caught.value.issues if issue.code == case.code)
        agrees(case, DataError([first]))
    else:
        agrees(case, caught.value)


@pytest.mark.parametrize("blank", BLANKS, ids=repr)
@pytest.mark.parametrize("column", ["study", "treatment"])
def test_a_missing_name_is_refused(blank: object, column: str) -> None:
    with pytest.raises(DataError) as caught:
        from_arms(cell(ARMS, 5, column, blank))
    (issue,) = caught.value.issues
    assert (issue.code, issue.rows, issue.column) == ("no-label", (5,), column)
    assert issue.remedy.startswith("Fill the cell in")


def test_names_and_numbers_are_reported_together() -> None:
    table = cell(cell(cell(ARMS, 5, "treatment", ""), 1, "sd", 0.0), 4, "mean", "?")
    with pytest.raises(DataError) as caught:
        from_arms(table)
    assert {(issue.code, issue.rows) for issue in caught.value.issues} == {
        ("no-label", (5,)),
        ("not-positive", (1,)),
        ("not-a-number", (4,)),
    }


def test_the_comparators_row_and_column_are_named() -> None:
    with pytest.raises(DataError) as caught:
        from_contrasts(cell(PAIRS, 2, "comparator", None))
    (issue,) = caught.value.issues
    assert (issue.code, issue.rows, issue.column) == ("no-label", (2,), "comparator")
    with pytest.raises(DataError) as caught:
        from_contrasts(cell(PAIRS, 5, "comparator", "Exercise"))
    assert next((i.code, i.rows, i.column) for i in caught.value.issues) == (
        "labels-collide",
        (1, 3, 5),
        "treatment / comparator",
    )


@pytest.mark.parametrize(
    ("reference", "says"),
    [
        ("plcebo", "Did you mean 'placebo'?"),
        ("Placebo", "Did you mean 'placebo'?"),
        ("xyz", "They are 'CBT', 'exercise', 'placebo'."),
        ("", "They are 'CBT', 'exercise', 'placebo'."),
        (1, "the reference 1 is not among the treatments"),
    ],
)
def test_an_unknown_reference_is_refused(reference: Any, says: str) -> None:
    for make, table in ((from_arms, ARMS), (from_contrasts, PAIRS)):
        with pytest.raises(DataError) as caught:
            make(table, reference=reference)
        (issue,) = caught.value.issues
        assert issue.code == "unknown-reference"
        assert says in str(issue)


@pytest.mark.parametrize(
    ("treatments", "codes", "says"),
    [
        (["placebo", "CBT"], ["unlisted-treatment"], "'exercise' is not in `treatments`"),
        (["placebo", "CBT", "excercise"], ["unknown-treatment", "unlisted-treatment"],
         "on 'excercise'. Take it out of `treatments`. Did you mean 'exercise'?"),
        (["placebo", "CBT", "exercise", "CBT"], ["treatment-twice"], "'CBT' is in `treatments` 2"),
        ("placebo", ["not-a-list"], "Write treatments=['placebo', ...]"),
        ([], ["unlisted-treatment"] * 3, "List every one"),
    ],
)  # fmt: skip
def test_an_order_that_does_not_fit_is_refused(
    treatments: Any, codes: list[str], says: str
) -> None:
    with pytest.raises(DataError) as caught:
        from_arms(ARMS, treatments=treatments)
    assert [issue.code for issue in caught.value.issues] == codes
    assert says in str(caught.value)


def test_the_order_may_be_an_array() -> None:
    order = ["placebo", "CBT", "exercise"]
    assert from_arms(ARMS, treatments=np.array(order)).treatments == tuple(order)


def test_blanks_are_trimmed_with_a_warning_and_a_notice() -> None:
    table = ARMS.replace({"placebo": " usual \t care\n"})
    said = r"Column 'treatment': ' usual \\t care\\n' was read as 'usual care'."
    with pytest.warns(DataWarning, match=said):
        network = from_arms(table)
    assert network.treatments == ("CBT", "exercise", "usual care")
    assert any("was read as 'usual care'" in notice for notice in network.notices)


@pytest.mark.parametrize(
    "label",
    [
        ":", "vs", "+", "d[", "nan", "None", "True", "{0.__class__}", "<script>", "\u03b2-blocker",
        "\U0001f9d8\u200d\u2640\ufe0f", "\u0645\u06cc\u200c\u062e\u0648\u0627", "x" * 10_000,
    ],
    ids=lambda label: ascii(label[:12]),
)  # fmt: skip
def test_odd_names_work(label: str) -> None:
    network = from_arms(ARMS.replace({"CBT": label}), reference="placebo")
    assert label in network.treatments
    assert network.trials["Ames"] == tuple(sorted([label, "placebo"]))
    assert max(map(len, str(network).splitlines())) <= 110


def test_a_long_name_is_shortened_in_messages() -> None:
    with pytest.raises(DataError) as caught:
        from_arms(ARMS.replace({"Boyd": "B" * 10_000}).iloc[:5])
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("numbers", [[1, 2, 1, 3, 2, 3], [1.0, 2.0, 1.0, 3.0, 2.0, 3.0]])
def test_numbers_are_names_too(numbers: list[float]) -> None:
    assert from_arms(ARMS.assign(treatment=numbers)).treatments == ("1", "2", "3")


def test_numbers_that_are_not_whole_and_huge_ones_keep_their_digits() -> None:
    big = 2**60 + 1
    table = ARMS.assign(treatment=pd.Series([0.5, big, 0.5, 3, big, 3], dtype=object))
    assert from_arms(table).treatments == ("0.5", str(big), "3")


def test_a_category_without_rows_is_not_a_treatment() -> None:
    treatment = pd.Categorical(ARMS["treatment"], categories=["placebo", "yoga", "exercise", "CBT"])
    network = from_arms(ARMS.assign(treatment=treatment))
    assert network.treatments == ("CBT", "exercise", "placebo")
    assert "Column 'treatment': no row has the category 'yoga'." in network.notices


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Smith 2001", "Smith, 2001"),
        ("M\u00fcller", "Muller"),
        ("7", "007"),
        ("vanTulder", "van Tulder"),
    ],
)
def test_names_that_nearly_agree_are_kept_apart_with_a_notice(one: str, other: str) -> None:
    network = from_arms(ARMS.replace({"Turner": one, "Ames": other}))
    assert {one, other} < set(network.trials)
    notice = next(notice for notice in network.notices if "kept apart" in notice)
    assert f"'{one}'" in notice
    assert f"'{other}'" in notice
    assert not any("kept apart" in notice for notice in from_arms(ARMS).notices)


def test_one_trial_under_two_names_gives_a_notice() -> None:
    copy = ARMS[ARMS["study"] == "Ames"].iloc[::-1].assign(study="Ames (companion)")
    network = from_arms(pd.concat([ARMS, copy]))
    assert (
        "Ames and Ames (companion) report the same treatments and numbers; check that they are "
        "not one trial, which would count twice."
    ) in network.notices
    for column, shift in (("mean", 0.1), ("sd", 0.1), ("n", 1)):
        changed = copy.assign(**{column: copy[column] + shift})
        notices = from_arms(pd.concat([ARMS, changed])).notices
        assert not any("count twice" in notice for notice in notices)


def test_one_contrast_under_two_names_gives_a_notice() -> None:
    copy = PAIRS[PAIRS["study"] == "Ames"].assign(study="Dunn")
    notices = from_contrasts(pd.concat([PAIRS, copy])).notices
    assert any(notice.startswith("Ames and Dunn report the same") for notice in notices)
    other = copy.assign(comparator="exercise")
    notices = from_contrasts(pd.concat([PAIRS, other])).notices
    assert not any("count twice" in notice for notice in notices)


def test_names_that_collide_between_networks_are_refused() -> None:
    pairs = PAIRS.replace({"placebo": "Placebo", "Turner": "Dunn", "Ames": "boyd"})
    with pytest.raises(DataError) as caught:
        Network.combine(from_arms(ARMS), from_contrasts(pairs))
    problems = [issue.problem for issue in caught.value.issues]
    assert {issue.code for issue in caught.value.issues} == {"labels-collide"}
    assert any("'placebo' and 'Placebo'" in problem for problem in problems)
    assert any("'Boyd' and 'boyd'" in problem for problem in problems)


def test_nothing_to_combine_is_refused() -> None:
    with pytest.raises(DataError, match="nothing to combine"):
        Network.combine()


def test_different_measures_and_directions_are_not_combined() -> None:
    from dataclasses import replace

    from bad_input.corpus import EFFECTS

    pairs = PAIRS.assign(study=["Dunn", "Egan", *["Fox"] * 3])
    other = from_contrasts(pairs, outcome=replace(EFFECTS, measure="SMD", better="higher"))
    with pytest.raises(DataError) as caught:
        Network.combine(from_arms(ARMS), other)
    assert [issue.code for issue in caught.value.issues] == ["different-outcomes"] * 2
    assert "measure differs: MD, SMD" in str(caught.value)
    assert "better differs: higher, lower" in str(caught.value)
