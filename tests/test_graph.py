from __future__ import annotations

import math

import networkx as nx
import pytest

import nma
from nma import graph, wording

STAR = {"1": ("A", "B"), "2": ("A", "C"), "3": ("A", "D")}
PATH = {"1": ("A", "B"), "2": ("B", "C"), "3": ("C", "D")}
TRIANGLE = {"1": ("A", "B"), "2": ("B", "C"), "3": ("A", "C")}
SQUARE = {"1": ("A", "B"), "2": ("B", "C"), "3": ("C", "D"), "4": ("A", "D")}
MULTI = {"1": ("A", "B", "C")}
MULTI_AND_PAIR = {"1": ("A", "B", "C"), "2": ("A", "B")}
MULTI_AND_TAIL = {"1": ("A", "B", "C"), "2": ("C", "D"), "3": ("A", "D")}
PARTS = {"1": ("X", "Y"), "2": ("A", "B"), "3": ("B", "C")}

Trials = dict[str, tuple[str, ...]]


def pairs(text: str) -> tuple[tuple[str, str], ...]:
    """Return AB CD as (("A", "B"), ("C", "D"))."""
    return tuple((pair[0], pair[1]) for pair in text.split())


def test_nodes_and_edges_carry_trials_and_participants() -> None:
    people = {("1", "A"): 10.0, ("1", "B"): 12.0, ("1", "C"): 14.0, ("2", "A"): 100.0}
    evidence = graph.evidence_graph(MULTI_AND_PAIR, people)
    assert dict(evidence.nodes(data="trials")) == {"A": ("1", "2"), "B": ("1", "2"), "C": ("1",)}
    assert dict(evidence.nodes(data="participants")) == {"A": 110.0, "B": 12.0, "C": 14.0}
    assert evidence.edges["A", "B"] == {"trials": ("1", "2"), "participants": 122.0}
    assert evidence.edges["A", "C"] == {"trials": ("1",), "participants": 24.0}


def test_participants_nobody_tells_are_not_zero() -> None:
    evidence = graph.evidence_graph(PATH, {("1", "A"): 10.0})
    assert evidence.nodes["A"]["participants"] == 10.0
    assert math.isnan(evidence.nodes["D"]["participants"])
    assert evidence.edges["A", "B"]["participants"] == 10.0
    assert math.isnan(evidence.edges["C", "D"]["participants"])


def test_the_graph_is_frozen() -> None:
    with pytest.raises(nx.NetworkXError, match=r"[Ff]rozen"):
        graph.evidence_graph(STAR).add_edge("B", "C")


@pytest.mark.parametrize(
    ("trials", "parts"),
    [
        (STAR, (("A", "B", "C", "D"),)),
        (PARTS, (("A", "B", "C"), ("X", "Y"))),
        ({"1": ("C", "D"), "2": ("A", "B")}, (("A", "B"), ("C", "D"))),
    ],
)
def test_components_are_the_connected_parts_largest_first(
    trials: Trials, parts: tuple[tuple[str, ...], ...]
) -> None:
    assert graph.components(graph.evidence_graph(trials)) == parts


def test_designs_are_sets_of_treatments_with_their_trials() -> None:
    trials = {"1": ("B", "A"), "2": ("C", "A", "B"), "3": ("A", "B"), "4": ("B", "C")}
    assert graph.designs(trials) == {
        ("A", "B"): ("1", "3"),
        ("A", "B", "C"): ("2",),
        ("B", "C"): ("4",),
    }


def test_direct_evidence_is_the_trials_of_both() -> None:
    evidence = graph.evidence_graph(MULTI_AND_PAIR)
    assert graph.direct_evidence(evidence, "B", "A") == ("1", "2")
    assert graph.direct_evidence(evidence, "C", "B") == ("1",)
    assert graph.direct_evidence(graph.evidence_graph(PATH), "A", "C") == ()


@pytest.mark.parametrize(
    ("trials", "both"),
    [
        (STAR, ""),
        (PATH, ""),
        (TRIANGLE, "AB AC BC"),
        (SQUARE, "AB AD BC CD"),
        (MULTI, ""),
        (MULTI_AND_PAIR, ""),
        (MULTI_AND_TAIL, "AC AD CD"),
        (PARTS, ""),
    ],
    ids=[
        "star",
        "path",
        "triangle",
        "square",
        "multi",
        "multi and pair",
        "multi and tail",
        "parts",
    ],
)
def test_indirect_evidence_leaves_trials_of_both_out_whole(trials: Trials, both: str) -> None:
    evidence = graph.evidence_graph(trials)
    assert graph.splittable(evidence) == pairs(both)
    asked = [
        (a, b)
        for a, b in sorted(map(sorted, evidence.edges))
        if graph.has_indirect_evidence(trials, a, b)
    ]
    assert tuple(asked) == pairs(both)


def test_indirect_evidence_exists_without_direct() -> None:
    assert graph.has_indirect_evidence(PATH, "A", "D")
    assert not graph.has_indirect_evidence(PARTS, "A", "X")


@pytest.mark.parametrize("name", ["parkinson", "senn2013", "back_pain"])
def test_one_pass_finds_what_asking_of_every_pair_finds(name: str) -> None:
    network = nma.datasets.network(name)
    asked = {
        (a, b)
        for a, b in map(sorted, network.graph.edges)
        if graph.has_indirect_evidence(network.trials, a, b)
    }
    assert set(graph.splittable(network.graph)) == asked
    assert len(asked) > 3


@pytest.mark.parametrize(
    ("trials", "found"),
    [
        (STAR, ()),
        (TRIANGLE, (("A", "B", "C"),)),
        (SQUARE, (("A", "B", "C", "D"),)),
        ({**SQUARE, "5": ("A", "C")}, (("A", "B", "C"), ("A", "C", "D"))),
        (MULTI, ()),
        ({"1": ("A", "B", "C"), "2": ("A", "B", "C")}, (("A", "B", "C"),)),
        (MULTI_AND_TAIL, (("A", "C", "D"),)),
    ],
    ids=["star", "triangle", "square", "chord", "multi", "two multi", "multi and tail"],
)
def test_loops_have_no_shortcut_and_more_than_one_trial(
    trials: Trials, found: tuple[tuple[str, ...], ...]
) -> None:
    assert graph.loops(trials) == found


def test_loops_are_looked_for_up_to_a_length() -> None:
    ring = {str(k): ("ABCDE"[k], "ABCDE"[(k + 1) % 5]) for k in range(5)}
    assert graph.loops(ring) == ()
    assert graph.loops(ring, longest=5) == (("A", "B", "C", "D", "E"),)
    assert graph.loops(SQUARE, longest=3) == ()


@pytest.mark.parametrize(
    ("trials", "found"),
    [
        (STAR, "AB AC AD"),
        (TRIANGLE, ""),
        (MULTI, ""),
        ({**TRIANGLE, "4": ("C", "D"), "5": ("C", "D")}, "CD"),
        (PARTS, "AB BC XY"),
    ],
)
def test_bridges_hold_the_network_together(trials: Trials, found: str) -> None:
    assert graph.bridges(graph.evidence_graph(trials)) == pairs(found)


def test_single_trial_edges_rest_on_one_trial() -> None:
    assert graph.single_trial_edges(graph.evidence_graph(MULTI_AND_PAIR)) == pairs("AC BC")
    assert graph.single_trial_edges(graph.evidence_graph(STAR)) == pairs("AB AC AD")


@pytest.mark.parametrize(
    ("trials", "star"),
    [
        (STAR, True),
        ({"1": ("A", "B"), "2": ("A", "C")}, True),
        ({"1": ("A", "B"), "2": ("A", "B")}, False),
        (PATH, False),
        (TRIANGLE, False),
        (MULTI, False),
        ({**STAR, "4": ("B", "C")}, False),
    ],
)
def test_a_star_has_one_treatment_in_every_comparison(trials: Trials, star: bool) -> None:
    assert graph.is_star(graph.evidence_graph(trials)) is star


def test_senn_is_the_network_its_paper_describes() -> None:
    """26 trials, 10 treatments, 15 designs with the one of three arms (Senn 2013; Krahn 2013)."""
    network = nma.datasets.network("senn2013")
    designs = graph.designs(network.trials)
    assert (len(network.trials), len(network.treatments), len(designs)) == (26, 10, 15)
    assert [design for design in designs if len(design) > 2] == [
        ("acarbose", "metformin", "placebo")
    ]
    assert len(designs["placebo", "rosiglitazone"]) == 6
    assert network.graph.number_of_edges() == 15
    assert len(network.components) == 1
    assert graph.bridges(network.graph) == (
        ("benfluorex", "placebo"),
        ("miglitol", "placebo"),
        ("placebo", "sitagliptin"),
        ("placebo", "vildagliptin"),
    )
    assert not graph.is_star(network.graph)
    degrees = dict(network.graph.degree)
    assert degrees == {
        "placebo": 8,
        "metformin": 5,
        "rosiglitazone": 4,
        "acarbose": 3,
        "pioglitazone": 3,
        "sulfonylurea": 3,
        "benfluorex": 1,
        "miglitol": 1,
        "sitagliptin": 1,
        "vildagliptin": 1,
    }
    assert sum(len(trials) for _, _, trials in network.graph.edges(data="trials")) == 28


def test_parkinson_is_the_network_its_paper_describes() -> None:
    network = nma.datasets.network("parkinson")
    designs = {"/".join(design): len(t) for design, t in graph.designs(network.trials).items()}
    assert designs == {
        "bromocriptine/cabergoline": 2,
        "bromocriptine/placebo/pramipexole": 1,
        "bromocriptine/ropinirole": 2,
        "placebo/pramipexole": 1,
        "placebo/ropinirole": 1,
    }
    assert graph.bridges(network.graph) == (("bromocriptine", "cabergoline"),)
    assert graph.loops(network.trials) == (
        ("bromocriptine", "placebo", "pramipexole"),
        ("bromocriptine", "placebo", "ropinirole"),
    )


def test_comparisons_follow_the_order_and_put_the_reference_last() -> None:
    evidence = graph.evidence_graph({**TRIANGLE, "4": ("C", "D")})
    table = graph.comparisons(evidence, ("D", "C", "B", "A"), "C")
    found = list(zip(table["treatment"], table["comparator"], strict=True))
    assert found == [("D", "C"), ("B", "C"), ("A", "C"), ("A", "B")]
    assert table["bridge"].tolist() == [True, False, False, False]
    assert table["indirect"].tolist() == [False, True, True, True]


def test_a_long_table_is_cut_to_the_comparisons_with_most_trials() -> None:
    names = [f"T{k:02}" for k in range(25)]
    trials = {f"{a} {b}": (a, b) for k, a in enumerate(names) for b in names[:k]}
    trials["more"] = (names[-2], names[-1])
    table = graph.comparisons(graph.evidence_graph(trials), names)
    assert len(table) == 300
    lines = wording.as_text(table).splitlines()
    assert len(lines) == 22
    assert any(line.split()[:4] == ["T24", "vs", "T23", "2"] for line in lines)
    assert lines[-1] == (
        "These are the 20 comparisons with the most trials; network.comparisons() has all 300."
    )


def test_loops_of_one_trial_are_those_left_out() -> None:
    trials = {"1": ("A", "B", "C"), "2": ("C", "D"), "3": ("A", "D")}
    assert nma.graph.loops(trials) == (("A", "C", "D"),)
    assert nma.graph.single_trial_loops(trials) == (("A", "B", "C"),)
