from __future__ import annotations

import pickle
from dataclasses import FrozenInstanceError

import numpy as np
import pandas as pd
import pytest

import nma
from nma.errors import DataError, ModelError
from nma.network import Network

MEANS = nma.outcomes.Continuous("mean", sd="sd", n="n", measure="MD", better="lower")
EFFECTS = nma.outcomes.Contrast("md", "se", n=("n1", "n2"), measure="MD", better="lower")
ARMS = pd.DataFrame(
    [
        ("Turner", "placebo", -0.5, 2.0, 40), ("Turner", "exercise", -1.5, 2.1, 41),
        ("Boyd", "exercise", -1.1, 2.2, 25), ("Boyd", "CBT", -1.4, 2.4, 26),
    ],
    columns=["study", "treatment", "mean", "sd", "n"],
)  # fmt: skip
PAIRS = pd.DataFrame(
    [
        ("Ames", "CBT", "placebo", -0.8, 0.4, 32, 30),
        ("Cole", "yoga", "placebo", -1.0, 0.5, 20, 22),
        ("Cole", "CBT", "placebo", -0.7, 0.6, 21, 22), ("Cole", "CBT", "yoga", 0.3, 0.4, 21, 20),
    ],
    columns=["study", "treatment", "comparator", "md", "se", "n1", "n2"],
)  # fmt: skip


def from_arms(frame: pd.DataFrame = ARMS, **options: object) -> Network:
    settings: dict[str, object] = {"outcome": MEANS, **options}
    return Network.from_arms(frame, study="study", treatment="treatment", **settings)  # type: ignore[arg-type]


def from_contrasts(frame: pd.DataFrame = PAIRS, **options: object) -> Network:
    return Network.from_contrasts(
        frame,
        study="study",
        treatment="treatment",
        comparator="comparator",
        outcome=EFFECTS,
        **options,  # type: ignore[arg-type]
    )


def both(**options: str) -> Network:
    return Network.combine(from_arms(), from_contrasts(), **options)


def test_trials_treatments_and_measure() -> None:
    network = from_arms()
    assert network.trials == {"Boyd": ("CBT", "exercise"), "Turner": ("exercise", "placebo")}
    assert network.treatments == ("CBT", "exercise", "placebo")
    assert (network.measure, network.better, network.ratio) == ("MD", "lower", False)
    shown = "<Network: 2 trials, 3 treatments, MD, lower is better; "
    assert repr(network) == f"{shown}next: nma.fit, nma.plots.network>"


def test_the_reference_is_the_treatment_in_most_trials_unless_named() -> None:
    assert from_arms().reference == "exercise"
    assert "Reference 'exercise' was chosen: it is in the most trials." in from_arms().notices
    named = from_arms(reference="placebo")
    assert named.reference == "placebo"
    assert not any("Reference" in notice for notice in named.notices)


def test_a_tie_for_the_reference_goes_to_the_order_of_treatments() -> None:
    one = ARMS[ARMS["study"] == "Turner"]
    assert from_arms(one).reference == "exercise"
    assert from_arms(one, treatments=["placebo", "exercise"]).reference == "placebo"


def test_treatments_are_sorted_or_as_given_never_in_row_order() -> None:
    order = ["placebo", "exercise", "CBT"]
    assert from_arms(ARMS.iloc[::-1]).treatments == ("CBT", "exercise", "placebo")
    network = from_arms(treatments=order)
    assert network.treatments == tuple(order)
    assert network.codes(["CBT", "placebo"]).tolist() == [2, 0]


def test_an_unknown_treatment_is_refused_with_the_nearest() -> None:
    with pytest.raises(ModelError, match=r"'yogga' is unknown\. The network has 'CBT'"):
        from_arms().codes(["yogga"])
    with pytest.raises(ModelError, match=r"'cbt' is unknown\. Did you mean 'CBT'\?"):
        from_arms().codes(["placebo", "cbt"])


def test_combining_keeps_every_trial_and_moves_positions() -> None:
    network = both()
    assert sorted(network.trials) == ["Ames", "Boyd", "Cole", "Turner"]
    assert network.treatments == ("CBT", "exercise", "placebo", "yoga")
    arms, contrasts = network.sources
    table = network.arms
    assert table.iloc[arms.arms[:, 0]]["treatment"].tolist() == arms.rows["treatment"].tolist()
    for side, role in enumerate(("treatment", "comparator")):
        found = table.iloc[contrasts.arms[:, side]]
        assert found["treatment"].tolist() == contrasts.rows[role].tolist()
        assert found["study"].tolist() == contrasts.rows["study"].tolist()


def test_combined_trials_give_the_answer_of_trials_read_alike() -> None:
    made = []
    for study, trial in ARMS.groupby("study"):
        a, b = trial.to_dict("records")
        se = np.hypot(a["sd"] / a["n"] ** 0.5, b["sd"] / b["n"] ** 0.5)
        effect = a["mean"] - b["mean"]
        made.append((study, a["treatment"], b["treatment"], effect, se, a["n"], b["n"]))
    alike = from_contrasts(pd.concat([PAIRS, pd.DataFrame(made, columns=PAIRS.columns)]))
    model = nma.Model(
        nma.structures.Consistency(nma.priors.Normal(0, 10)),
        nma.heterogeneity.Random(nma.priors.HalfNormal(1)),
    )
    tables = [nma.effect_table(nma.fit(network, model)) for network in (both(), alike)]
    for name in ("mean", "sd"):
        np.testing.assert_allclose(tables[0][name], tables[1][name], rtol=0, atol=1e-10)


def test_the_order_of_networks_changes_no_number() -> None:
    swapped = Network.combine(from_contrasts(), from_arms())
    tables = [
        nma.effect_table(nma.fit(network), comparators=["placebo"]) for network in (both(), swapped)
    ]
    np.testing.assert_allclose(
        tables[0][["mean", "sd"]], tables[1][["mean", "sd"]], rtol=0, atol=1e-12
    )


def test_a_combined_networks_reference_is_named_or_the_busiest() -> None:
    assert both(reference="yoga").reference == "yoga"
    named = Network.combine(from_arms(), from_contrasts(reference="yoga"))
    assert named.reference == "yoga"
    assert not any("Reference" in notice for notice in named.notices)
    chosen = both()
    assert chosen.reference == "CBT"
    told = [notice for notice in chosen.notices if "Reference" in notice]
    assert told == ["Reference 'CBT' was chosen: it is in the most trials."]


def test_a_combined_networks_reference_must_be_in_it() -> None:
    with pytest.raises(DataError, match=r"'yogga' is not among the treatments.*'yoga'\?"):
        both(reference="yogga")


def test_captions_and_notices_are_joined() -> None:
    one, two = ARMS.copy(), PAIRS.copy()
    one.attrs["caption"], two.attrs["caption"] = "First.", "Second."
    network = Network.combine(from_arms(one), from_contrasts(two))
    assert network.caption == "First. Second."
    assert "Cole: covariance from the standard errors of all pairs." in network.notices
    assert Network.combine(from_arms(one)).caption == "First."


def test_the_graph_counts_trials_and_participants() -> None:
    graph = both().graph
    assert graph.nodes["placebo"] == {"trials": ("Turner", "Ames", "Cole"), "participants": 92.0}
    assert graph.edges["placebo", "CBT"] == {"trials": ("Ames", "Cole"), "participants": 105.0}
    assert sorted(graph.edges) == [
        ("CBT", "exercise"), ("CBT", "placebo"), ("CBT", "yoga"),
        ("exercise", "placebo"), ("placebo", "yoga"),
    ]  # fmt: skip


def test_comparisons_are_a_table() -> None:
    table = both(reference="placebo").comparisons()
    assert table.to_dict("list") == {
        "treatment": ["exercise", "CBT", "yoga", "exercise", "yoga"],
        "comparator": ["CBT", "placebo", "CBT", "placebo", "placebo"],
        "trials": [1, 2, 1, 1, 1],
        "participants": [51.0, 105.0, 41.0, 81.0, 42.0],
        "indirect": [True, True, False, True, False],
        "bridge": [False] * 5,
    }


def test_printing_is_a_sentence_a_table_and_the_notices() -> None:
    assert str(both(reference="placebo")).splitlines() == [
        "4 trials, 1 of them multi-arm, compare 4 treatments on 257 participants; connected. MD, lower is",  # noqa: E501
        "better; reference: placebo.",
        "                     trials participants indirect",
        "exercise vs CBT           1           51      yes",
        "CBT vs placebo            2          105      yes",
        "yoga vs CBT               1           41",
        "exercise vs placebo       1           81      yes",
        "yoga vs placebo           1           42",
        "- Cole: covariance from the standard errors of all pairs.",
        "next: nma.fit, nma.plots.network",
    ]


def test_printing_a_single_trial() -> None:
    one = from_arms(ARMS[ARMS["study"] == "Turner"], reference="placebo")
    assert str(one).splitlines() == [
        "1 trial compares 2 treatments on 81 participants; connected. MD, lower is better; reference:",  # noqa: E501
        "placebo.",
        "                     trials participants bridge",
        "exercise vs placebo       1           81    yes",
        "next: nma.fit, nma.plots.network",
    ]


def test_printing_says_what_is_not_told_and_not_connected() -> None:
    rows = PAIRS.head(2).assign(n1=[32, np.nan], n2=[30, np.nan], comparator=["placebo", "diet"])
    network = from_contrasts(rows)
    assert network.components == (("CBT", "placebo"), ("diet", "yoga"))
    text = str(network)
    assert "on 62 participants (told by 2 of 4 arms); in 2 unconnected parts." in " ".join(
        text.split()
    )


@pytest.mark.parametrize("trials", [40, 400])
def test_printing_a_large_network_stays_short(trials: int) -> None:
    rng = np.random.default_rng(1)
    pairs = np.array([rng.choice(25, 2, replace=False) for _ in range(trials)])
    frame = pd.DataFrame(
        {
            "study": [f"Trial {k}" for k in range(trials)],
            "treatment": [f"a treatment with a rather long name {k:02}" for k in pairs[:, 0]],
            "comparator": [f"a treatment with a rather long name {k:02}" for k in pairs[:, 1]],
            "md": rng.normal(size=trials),
            "se": 1.0,
            "n1": 10,
            "n2": 12,
        }
    )
    lines = str(from_contrasts(frame)).splitlines()
    assert len(lines) <= 26
    assert max(map(len, lines)) <= 120


def test_the_users_table_is_never_changed() -> None:
    for make, frame in ((from_arms, ARMS), (from_contrasts, PAIRS)):
        given = frame.copy()
        given.attrs["caption"] = "As given."
        before = given.copy()
        network = make(given)
        _ = str(network), network.graph, nma.fit(network)
        pd.testing.assert_frame_equal(given, before)
        assert given.attrs == {"caption": "As given."}


def test_later_changes_do_not_reach_the_network() -> None:
    given = ARMS.copy()
    mapping = {name: ARMS[name].to_numpy(copy=True) for name in ARMS}
    for table in (given, mapping):
        network = from_arms(table)  # type: ignore[arg-type]
        if isinstance(table, pd.DataFrame):
            table.loc[:, "mean"] = 99.0
            table.loc[:, "treatment"] = "gone"
        else:
            table["mean"][:] = 99.0
            table["treatment"][:] = "gone"
        assert network.treatments == ("CBT", "exercise", "placebo")
        assert network.sources[0].rows["mean"].tolist() == [-1.4, -1.1, -1.5, -0.5]
        assert network.arms["mean"].tolist() == [-1.4, -1.1, -1.5, -0.5]


def test_a_copy_of_the_arms_is_handed_out() -> None:
    network = from_arms()
    arms = network.arms
    arms.loc[:, "treatment"] = "gone"
    arms["mean"] = 99.0
    assert network.arms["treatment"].tolist() == ["CBT", "exercise", "exercise", "placebo"]


def test_a_network_cannot_be_changed() -> None:
    network = from_arms()
    with pytest.raises(FrozenInstanceError):
        network.reference = "placebo"  # type: ignore[misc]
    with pytest.raises(ValueError, match="read-only"):
        network.sources[0].arms[0, 0] = 3


def test_a_network_comes_back_from_a_worker() -> None:
    network = both(reference="placebo")
    _ = network.graph, network.trials, network.components
    again = pickle.loads(pickle.dumps(network))  # noqa: S301  our own pickle
    pd.testing.assert_frame_equal(again.arms, network.arms)
    for name in ("treatments", "reference", "caption", "notices", "trials", "components"):
        assert getattr(again, name) == getattr(network, name)
    assert dict(again.graph.edges) == dict(network.graph.edges)
    for mine, theirs in zip(network.sources, again.sources, strict=True):
        assert mine.outcome == theirs.outcome
        assert mine.arms.tobytes() == theirs.arms.tobytes()
        pd.testing.assert_frame_equal(mine.rows, theirs.rows)
    assert str(again) == str(network)
    with pytest.raises(ValueError, match="read-only"):
        again.sources[0].arms[0, 0] = 3
