"""Trials whose instruments are unknown, mixed, or cannot have the numbers given."""

from __future__ import annotations

import dataclasses
import math

import pytest

import nma
from bad_input.corpus import ARMS, Case, agrees, cell, from_arms, refusal
from nma.errors import DataError
from nma.outcomes import Continuous

SCALED = ARMS.assign(scale="NRS", se=math.nan)
SMD = Continuous("mean", sd="sd", se="se", n="n", measure="SMD", better="lower", instrument="scale")
MD = dataclasses.replace(SMD, measure="MD")
POOLED = dataclasses.replace(SMD, reference_sd="pooled")
STATED = dataclasses.replace(SMD, reference_sd={"NRS": 2.4})
FINAL = SCALED.assign(mean=[5.5, 4.5, 5.6, 4.8, 4.9, 4.6])
MIXED = cell(cell(SCALED, 5, "scale", "RMDQ"), 6, "scale", "RMDQ")
NAN = math.nan

BOTH = [
    Case(
        "unknown instrument", cell(cell(SCALED, 1, "scale", "NSR"), 2, "scale", "NSR"),
        "unknown-instrument", ("'NSR' is not a known instrument", "direction"),
        ("instruments={'NSR': nma.instruments.NRS}", "rename the cell",
         "{'NSR': nma.instruments.Instrument(name,", "Did you mean 'NRS'?"), None, (1, 2), "scale",
    ),
    Case(
        "a name that may be of another range",
        cell(cell(SCALED, 1, "scale", "VAS 0-10"), 2, "scale", "VAS 0-10"),
        "unknown-instrument", ("'VAS 0-10' is not a known instrument",),
        ("instruments={'VAS 0-10': nma.instruments.Instrument(",
         "It may be VAS (0 to 100, lower is better), or a version with another range"),
        None, (1, 2), "scale",
    ),
    Case(
        "two instruments in a trial", cell(SCALED, 2, "scale", "PSFS"), "two-instruments",
        ("different instruments, 'NRS' and 'PSFS'",), ("one instrument in a trial",),
        "Turner", (1, 2), "scale",
    ),
    Case(
        "mean beyond the range", cell(SCALED, 4, "mean", 12.0), "beyond-the-range",
        ("12 is neither a mean score nor a mean change on NRS (0 to 10",),
        ("which range the trial used",), "Ames", (4,), "mean",
    ),
    Case(
        "change beyond the range", cell(SCALED, 4, "mean", -10.5), "beyond-the-range",
        ("-10.5 is neither",), ("Check the cell",), "Ames", (4,), "mean",
    ),
    Case(
        "SD beyond the range", cell(SCALED, 4, "sd", 11.0), "beyond-the-range",
        ("11 is a wider spread than scores or changes on NRS",), ("Check the cell",),
        "Ames", (4,), "sd",
    ),
    Case(
        "standard error beyond the range",
        cell(cell(SCALED, 4, "sd", NAN), 4, "se", 2.1), "beyond-the-range",
        ("2.1 is a wider spread",), ("Check the cell",), "Ames", (4,), "se",
    ),
    Case(
        "instrument missing", cell(SCALED, 3, "scale", None), "no-label",
        ("the name is missing",), ("Fill the cell in",), None, (3,), "scale",
    ),
    Case(
        "instruments in two spellings", cell(SCALED, 3, "scale", "nrs"), "labels-collide",
        ("'NRS' and 'nrs'",), ("Use one spelling",), None, (1, 2, 3, 4, 5, 6), "scale",
    ),
]  # fmt: skip


@pytest.mark.parametrize("outcome", [SMD, MD], ids=["SMD", "MD"])
@pytest.mark.parametrize("case", BOTH, ids=lambda case: case.name)
def test_refused(case: Case, outcome: Continuous) -> None:
    with pytest.raises(DataError) as caught:
        from_arms(case.table, outcome=outcome)
    if case.code == "labels-collide":  # the wrong spelling is unknown, too
        issues = caught.value.issues
        caught.value.issues = tuple(i for i in issues if i.code != "unknown-instrument")
    agrees(case, caught.value)


ONE = [
    (
        MD,
        Case(
            "points without a common unit", MIXED, "ranges-differ",
            ("no common unit", "NRS (0 to 10, lower is better) in 2 trials", "RMDQ", "in 1 trial"),
            ("measure='SMD'", "one range first"), None, (), "scale",
        ),
    ),
    (
        STATED,
        Case(
            "no SD stated", MIXED, "no-reference-sd", ("the reference SD of RMDQ",),
            ("Add it to `reference_sd`",), None, (5, 6), "scale",
        ),
    ),
    (
        POOLED,
        Case(
            "no participants to pool over",
            MIXED.assign(mean=FINAL["mean"], n=[40, 41, 30, 32, NAN, NAN], se=0.5),
            "no-reference-sd", ("the reference SD of RMDQ",),
            ("participants of one of its trials", "reference_sd={'RMDQ': ...}"),
            None, (5, 6), "scale",
        ),
    ),
    (
        POOLED,
        Case(
            "SDs of changes alone", SCALED, "no-reference-sd",
            ("the reference SD of NRS", "report changes, whose SDs are not those of scores"),
            ("State the SD of scores", "reference_sd={'NRS': ...}"),
            None, (1, 2, 3, 4, 5, 6), "scale",
        ),
    ),
    (
        SMD,
        Case(
            "no participants for the trial's SD", cell(SCALED.assign(se=0.3), 2, "n", NAN),
            "missing", ("and with it the standard deviation",),
            ("participants of every arm", "reference_sd="), "Turner", (2,), "n",
        ),
    ),
    (
        dataclasses.replace(SMD, instrument="scal"),
        Case(
            "no such column", SCALED, "no-column", ("'scal' for the outcome's names",),
            ("Did you mean 'scale'?",), None, (), "scal",
        ),
    ),
    (
        dataclasses.replace(SMD, instrument="treatment"),
        Case(
            "instrument in the treatment's column", SCALED, "column-for-two",
            ("the treatment and the outcome's names",), ("a column of its own",),
            None, (), "treatment",
        ),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("outcome", "case"), ONE, ids=[case.name for _, case in ONE])
def test_refused_by_the_settings(outcome: Continuous, case: Case) -> None:
    with pytest.raises(DataError) as caught:
        from_arms(case.table, outcome=outcome)
    agrees(case, caught.value)


def test_a_stated_sd_under_a_near_name_is_hinted_at() -> None:
    own = {"NRS-11": nma.instruments.Instrument("NRS-11", 0, 10, "lower")}
    table = SCALED.assign(scale="NRS-11")
    outcome = dataclasses.replace(STATED, instruments=own)
    with pytest.raises(DataError) as caught:
        from_arms(table, outcome=outcome)
    assert "Did you mean 'NRS'?" in refusal(caught.value).remedy


def test_arms_without_participants_may_be_dropped() -> None:
    table = cell(SCALED.assign(se=0.3), 2, "n", NAN)
    with pytest.raises(DataError, match="once arms without a number are dropped"):
        from_arms(table, outcome=SMD, missing="drop_arm")


def test_the_good_table_is_not_refused() -> None:
    for outcome in (SMD, MD, POOLED, STATED):
        assert len(from_arms(FINAL, outcome=outcome).trials) == 3
    for outcome in (SMD, MD, STATED):
        assert len(from_arms(SCALED, outcome=outcome).trials) == 3
