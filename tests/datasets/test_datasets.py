"""The shipped numbers: totals, descriptions, and every derived number derived again."""

from __future__ import annotations

import copy
import math
import pickle
import re
from collections.abc import Callable
from dataclasses import FrozenInstanceError
from importlib.resources import files

import pytest

from nma import datasets
from nma.errors import NmaError


def test_the_names_are_known() -> None:
    assert datasets.names() == (
        "atrial_fibrillation",
        "back_pain",
        "back_pain_reviews",
        "back_pain_simulated",
        "bcg",
        "blocker",
        "diabetes",
        "dietary_fat",
        "linde2016",
        "musician",
        "parkinson",
        "psoriasis",
        "senn2013",
        "smoking",
        "statins",
        "thrombolytics",
        "transfusion",
    )


@pytest.mark.parametrize(
    ("name", "shape", "trials", "treatments", "participants", "effects", "errors"),
    [
        ("parkinson", (15, 6), 7, 5, 1613, -20.29, 5.209),
        ("senn2013", (28, 7), 26, 10, 6646, -21.91, 5.5749),
        ("back_pain", (9, 18), 9, 4, 1272, -7.51, 3.7219),
    ],
)
def test_totals(
    name: str,
    shape: tuple[int, int],
    trials: int,
    treatments: int,
    participants: int,
    effects: float,
    errors: float,
) -> None:
    frame, network = datasets.load(name), datasets.network(name)
    assert frame.shape == shape
    assert frame["study"].nunique() == len(network.trials) == trials
    assert len(network.treatments) == treatments
    assert network.arms["participants"].sum() == participants
    effect = {"parkinson": "mean", "senn2013": "effect", "back_pain": "md"}[name]
    assert frame[effect].sum() == pytest.approx(effects, abs=1e-9)
    assert frame["se"].sum() == pytest.approx(errors, abs=1e-9)


@pytest.mark.parametrize("name", datasets.names())
def test_every_column_is_described_and_every_described_column_is_there(name: str) -> None:
    described = datasets.describe(name)
    assert list(described.columns) == list(datasets.load(name).columns)
    assert all(meaning.endswith(".") for meaning in described.columns.values())
    assert all([described.title, described.citation, described.notes])
    assert str(described).startswith(f"{name}: {described.title}")


def pickled(described: datasets.Description) -> datasets.Description:
    return pickle.loads(pickle.dumps(described))  # type: ignore[no-any-return]  # noqa: S301


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, pickled])
@pytest.mark.parametrize("name", ["parkinson", "back_pain_simulated"])
def test_descriptions_survive_pickling_and_cannot_be_spoilt(
    name: str, again: Callable[[datasets.Description], datasets.Description]
) -> None:
    described = again(datasets.describe(name))
    assert described == datasets.describe(name)
    assert str(described) == str(datasets.describe(name))
    with pytest.raises(TypeError, match="does not support item assignment"):
        described.columns["mean"] = "nothing"  # type: ignore[index]
    with pytest.raises(TypeError, match="does not support item assignment"):
        described.truth["tau"] = 0.0  # type: ignore[index]
    with pytest.raises(FrozenInstanceError):
        described.title = "nothing"  # type: ignore[misc]


def test_a_description_keeps_its_own_copy_of_what_it_is_given() -> None:
    columns = {"mean": "Mean."}
    described = datasets.Description("x", "X", "X 2000", "", (), columns, {})
    columns["mean"] = "nothing"
    assert described.columns["mean"] == "Mean."


def test_a_loaded_table_is_the_users_own() -> None:
    frame = datasets.load("parkinson")
    frame.loc[:, "mean"] = 99.0
    assert datasets.load("parkinson")["mean"].max() < 0


@pytest.mark.parametrize("name", datasets.names())
def test_files_are_plain_text_in_pairs(name: str) -> None:
    folder = files("nma.datasets")
    text = (folder / f"{name}.csv").read_text(encoding="utf-8")
    assert text.endswith("\n")
    assert "\r" not in text
    assert (folder / f"{name}.toml").is_file()


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("back_pain", "A convenience sample of nine trials"),
        ("back_pain_simulated", "Simulated: 58 trials of invented numbers"),
        ("parkinson", ""),
        ("senn2013", ""),
    ],
)
def test_captions_travel_into_networks_and_what_is_printed(name: str, says: str) -> None:
    network = datasets.network(name)
    assert (
        network.caption == datasets.describe(name).caption == datasets.load(name).attrs["caption"]
    )
    assert network.caption.startswith(says)
    assert bool(network.caption) is bool(says)
    assert says in " ".join(str(network).split())


def test_an_unknown_dataset_is_refused_with_the_nearest() -> None:
    with pytest.raises(NmaError, match=r"no dataset 'parkinsons'.*Did you mean 'parkinson'\?"):
        datasets.load("parkinsons")
    with pytest.raises(NmaError, match="choose from atrial_fibrillation, back_pain"):
        datasets.describe("xyz")
    with pytest.raises(NmaError, match=r"no dataset '\.\./secret'"):
        datasets.load("../secret")


def test_reviews_are_whole() -> None:
    frame = datasets.load("back_pain_reviews")
    assert frame.shape == (26, 16)
    assert frame["effect"].sum() == pytest.approx(-28.07, abs=1e-9)
    assert frame["se"].sum() == pytest.approx(4.6097, abs=1e-9)
    told = frame.dropna(subset="se")
    derived = (told["upper"] - told["lower"]) / 3.92
    assert told.index[(derived - told["se"]).abs() > 0.00005001].tolist() == []


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("back_pain_reviews", "it holds pooled estimates of reviews, no trials"),
    ],
)
def test_what_is_not_offered_as_a_network_says_why_and_what_to_do(name: str, reason: str) -> None:
    with pytest.raises(NmaError) as caught:
        datasets.network(name)
    assert str(caught.value).startswith(f"'{name}' cannot be read as a network: {reason}")
    assert str(caught.value).endswith(f". Use datasets.load('{name}').")


@pytest.mark.parametrize(
    ("name", "trials", "treatments", "participants", "reference"),
    [
        ("smoking", 24, 4, 16740, "no intervention"),
        ("thrombolytics", 50, 9, 154201, "SK"),
        ("musician", 1, 4, 361, "usual care"),
        ("linde2016", 93, 22, 20580, "Placebo"),
        ("atrial_fibrillation", 26, 17, 27444, "placebo or standard care"),
    ],
)
def test_counts_are_networks_of_odds_ratios(
    name: str, trials: int, treatments: int, participants: int, reference: str
) -> None:
    network = datasets.network(name)
    assert (len(network.trials), len(network.treatments)) == (trials, treatments)
    assert network.arms["participants"].sum() == participants
    assert (network.measure, network.reference) == ("OR", reference)


def test_parkinson_standard_errors_are_sd_over_root_n_to_three_decimals() -> None:
    frame = datasets.load("parkinson")
    for row in frame.itertuples():
        assert abs(row.sd / math.sqrt(row.n) - row.se) <= 0.00051, row.study  # type: ignore[arg-type, operator]


def test_senn_has_the_first_and_last_trials_of_its_table_and_one_that_closes() -> None:
    rows = datasets.load("senn2013").to_numpy().tolist()
    assert rows[0] == ["De Fronzo 1995", "metformin", "placebo", -1.9, 0.1414, 213, 209]
    assert rows[25] == ["Moulin 2006", "benfluorex", "placebo", -1.01, 0.1366, 161, 156]
    willms = {(row[1], row[2]): row[3] for row in rows if row[0] == "Willms 1999"}
    there = willms["metformin", "acarbose"] + willms["acarbose", "placebo"]
    assert there == willms["metformin", "placebo"]


BACK_PAIN = list(datasets.load("back_pain").itertuples())
NUMBER = re.compile(r"-?\d+\.\d+")


@pytest.mark.parametrize("row", BACK_PAIN, ids=lambda row: row.study)
def test_back_pain_standard_errors_come_from_the_limits(row: tuple[object, ...]) -> None:
    trial = row._asdict()  # type: ignore[attr-defined]
    md, lower, upper = trial["md"], trial["lower"], trial["upper"]
    if math.isnan(lower) or math.isnan(upper):
        se = (md - lower if math.isnan(upper) else upper - md) / 1.96
    else:
        assert lower < md < upper
        se = (upper - lower) / 3.92
    assert round(se, 4) == trial["se"]


@pytest.mark.parametrize("row", BACK_PAIN, ids=lambda row: row.study)
def test_back_pain_numbers_are_those_printed_up_to_sign(row: tuple[object, ...]) -> None:
    trial = row._asdict()  # type: ignore[attr-defined]
    printed = [abs(float(text)) for text in NUMBER.findall(trial["as_printed"].split(", p=")[0])]
    limits = [abs(trial[name]) for name in ("lower", "upper") if not math.isnan(trial[name])]
    assert printed[0] == abs(trial["md"])
    assert sorted(printed[1:]) == sorted(limits)


def test_one_limit_is_missing_in_two_trials_and_they_say_so() -> None:
    frame = datasets.load("back_pain")
    partial = frame[frame[["lower", "upper"]].isna().any(axis=1)]
    assert partial["study"].tolist() == ["Costa 2009", "Macedo 2012"]
    assert partial["note"].str.contains("SE from the printed lower limit only").all()
    assert partial["as_printed"].str.contains("cut off").all()


def test_a_reversed_sign_is_said_in_the_note() -> None:
    """Where the printed estimate has the other sign, the note says that it was reversed."""
    frame = datasets.load("back_pain")
    printed = frame["as_printed"].str.extract(r"^(-?\d+\.\d+)")[0].astype(float)
    turned = (printed * frame["md"] < 0).rename("turned")
    said = frame["note"].str.contains("sign reversed")
    assert frame.loc[turned != said, "study"].tolist() == []
    assert turned.sum() == 5


def test_dois_are_dois_and_scales_and_weeks_are_given() -> None:
    for name in ("back_pain", "back_pain_reviews"):
        dois = datasets.load(name)["doi"].dropna()
        assert dois.str.fullmatch(r"10\.\d{4,9}/\S+").all()
    frame = datasets.load("back_pain")
    assert frame[["weeks", "scale", "year", "coding", "as_printed"]].notna().all(axis=None)
    assert frame["study"].str.endswith(tuple(map(str, frame["year"].unique()))).all()
