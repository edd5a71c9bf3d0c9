"""What notebooks show: escaped, accessible, drawing nothing, ending with what to do next."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from operator import attrgetter
from typing import Any, NoReturn

import pandas as pd
import pytest

import nma
from nma import markup
from nma.errors import ModelError
from nma.problem import Draws

SCRIPT, AMPERSAND = "<script>alert(1)</script>", "a & b"
TREATMENTS = [SCRIPT, AMPERSAND, "</caption></table>", 'x" onload="y']


@pytest.fixture(scope="module")
def hostile() -> nma.Posterior:
    frame = pd.DataFrame(
        {
            "s": ["<b>1</b>", "2", "3", "4"],
            "t": [TREATMENTS[1], TREATMENTS[2], TREATMENTS[3], TREATMENTS[2]],
            "c": [TREATMENTS[0], TREATMENTS[0], TREATMENTS[0], TREATMENTS[1]],
            "y": [0.5, 0.1, 0.3, -0.2],
            "se": 0.2,
        }
    )
    frame.attrs["caption"] = "Trials of <i>all</i> kinds & more \\1."
    outcome = nma.outcomes.Contrast("y", "se", measure="MD", better="lower", scale=1)
    network = nma.Network.from_contrasts(
        frame, study="s", treatment="t", comparator="c", outcome=outcome
    )
    return nma.fit(network)


HOSTILE = nma.priors.Normal(0, 1, origin=f"{SCRIPT} {AMPERSAND}")


@dataclass(frozen=True)
class Hostile:
    """A structure of one's own that names a treatment."""

    control: str = SCRIPT
    effect: nma.priors.Normal | None = None


class Reader(HTMLParser):
    """Collects the tags, the scopes of headers and the text of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.headers: list[dict[str, str | None]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.open.append(tag)
        if tag == "th":
            self.headers.append(dict(attrs))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    return reader


def shown(posterior: nma.Posterior) -> dict[str, Any]:
    return {
        "network": posterior.network,
        "posterior": posterior,
        "asked": nma.at(posterior, treatments=TREATMENTS[:2]),
        "poor": replace(posterior, draws=replace(posterior.draws, faults=(f"{SCRIPT} & more.",))),
        "model": posterior.model,
        "own": nma.Model(structure=Hostile(effect=HOSTILE)),  # type: ignore[arg-type]
        "summary": nma.summary(posterior),
        "league_table": nma.league_table(posterior),
        "effect_table": nma.effect_table(posterior, predictive=True),
        "absolute_table": nma.absolute_table(posterior, reference_level=5),
        "sucra": nma.sucra(posterior),
        "rank_probabilities": nma.rank_probabilities(posterior),
        "p_best": nma.p_best(posterior),
    }


PLAIN = {"div", "p", "strong", "ul", "li", "details", "summary", "caption"} | {
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
}


def test_hostile_labels_are_escaped_in_every_page(hostile: nma.Posterior) -> None:
    for name, value in shown(hostile).items():
        page = value._repr_html_()
        reader = read(page)
        assert set(reader.tags) <= PLAIN, name
        assert not re.search(r"&(?!amp;|lt;|gt;|quot;|#x27;)", page), name
        assert "<script" not in page, name
        if name != "model":
            assert SCRIPT in reader.text, name
        if name not in {"model", "posterior", "poor"}:  # these name the reference alone
            assert AMPERSAND in reader.text, name


def test_tables_have_a_caption_and_headers_with_a_scope(hostile: nma.Posterior) -> None:
    for name, value in shown(hostile).items():
        reader = read(value._repr_html_())
        assert all(header["scope"] in {"col", "row"} for header in reader.headers), name
        assert len(reader.headers) > 1, name
    for name in ("summary", "league_table", "effect_table", "sucra", "absolute_table"):
        table = shown(hostile)[name]
        reader = read(table._repr_html_())
        assert reader.tags.count("caption") == reader.tags.count("table") == 1
        assert table.caption in reader.text
        assert [note for note in table.notes if note not in reader.text] == []


def test_pages_say_what_the_text_says(hostile: nma.Posterior) -> None:
    for value in (hostile, hostile.network):
        text = read(value._repr_html_()).text
        assert [notice for notice in value.notices if notice not in text] == []
        assert "Trials of <i>all</i> kinds & more \\1." in text
    text = read(hostile._repr_html_()).text
    assert "Prior: tau ~ HalfNormal(scale=0.5)" in text
    assert "quadrature_nodes" in text
    assert hostile.provenance["data"] in text
    printed = str(hostile)
    assert "Prior: tau ~ HalfNormal(scale=0.5)" in printed
    assert "structure: Consistency" in printed
    assert repr(hostile.engine) in printed
    assert "asked about" not in printed
    assert f"asked about: {SCRIPT}, {AMPERSAND}" in str(shown(hostile)["asked"])


def test_long_names_are_whole() -> None:
    name = "a " * 60 + "b"
    page = markup.cells(pd.DataFrame({"x": [name]}, index=[name]))
    assert page.count(name) == 2


def test_everything_ends_with_what_to_do_next(hostile: nma.Posterior) -> None:
    for value in (hostile, hostile.network, hostile.model):
        last = read(value._repr_html_()).text.rsplit("next: ", 1)[1]
        for verb in re.findall(r"nma\.([\w.]+)", last):
            package, _, rest = verb.partition(".")
            assert package == "plots" or (hasattr(nma, package) and not rest)
    assert str(hostile).splitlines()[-1].startswith("next: nma.summary")
    assert str(hostile.model).splitlines()[-1] == "next: nma.fit(network, model)"
    assert "; next: nma.fit" in repr(hostile.network)
    assert "\n" not in repr(hostile) + repr(hostile.network)


def test_a_model_says_what_is_left_to_the_network() -> None:
    assert str(nma.Model()).splitlines() == [
        "structure: Consistency",
        "heterogeneity: Random",
        "- Prior: effect by default, from the network.",
        "- Prior: tau by default, from the network.",
        "next: nma.fit(network, model)",
    ]


def test_a_poor_fit_says_so_first(hostile: nma.Posterior) -> None:
    poor = replace(hostile, draws=replace(hostile.draws, faults=("R-hat of tau is 1.20.",)))
    said = "POOR FIT, do not rely on it: R-hat of tau is 1.20."
    assert repr(poor).startswith(f"{said} <Posterior: ")
    assert str(poor).startswith(said)
    assert read(poor._repr_html_()).text.startswith(said)
    for text in (repr(hostile), str(hostile), hostile._repr_html_()):
        assert "POOR FIT" not in text


SPLIT = nma.structures.NodeSplit(nma.structures.Consistency(), "multimodal care", "passive control")


@pytest.mark.parametrize("engine", [nma.engines.Gaussian(), nma.engines.LeastSquares()])
@pytest.mark.parametrize(
    "structure",
    [
        nma.structures.Consistency(),
        SPLIT,
        nma.structures.UnrelatedMeans(),
        nma.structures.DesignByTreatment(nma.structures.Consistency()),
    ],
    ids=lambda structure: type(structure).__name__,
)
def test_the_verbs_to_try_next_answer(structure: Any, engine: Any) -> None:
    posterior = nma.fit(nma.datasets.network("back_pain"), nma.Model(structure), engine=engine)
    verbs = re.findall(r"nma\.([\w.]+)", posterior.verbs)
    assert len(verbs) > 1
    assert repr(posterior).endswith(f"; next: {posterior.verbs}>")
    for verb in verbs:
        assert attrgetter(verb)(nma)(posterior) is not None


@pytest.mark.parametrize("structure", [nma.structures.Consistency(), SPLIT])
def test_a_poor_fit_is_to_be_looked_at_first(structure: Any) -> None:
    sound = nma.fit(nma.datasets.network("back_pain"), nma.Model(structure))
    draws = replace(sound.draws, faults=("R-hat of tau is 1.4.",))
    poor = replace(sound, draws=draws)
    assert poor.verbs == f"nma.checks.convergence, {sound.verbs}"
    for text in (repr(poor).rstrip(">"), str(poor), read(poor._repr_html_()).text):
        assert text.endswith(f"next: {poor.verbs}")
    assert nma.checks.convergence(poor).attrs["verdict"] == "poor"


def test_a_plan_is_to_be_simulated_and_what_is_simulated_to_be_fitted(
    hostile: nma.Posterior,
) -> None:
    arms = {"s": ["1", "1"], "t": ["a", "b"], "sd": 1.0, "n": 9}
    outcome = nma.outcomes.Continuous("m", sd="sd", n="n", measure="MD", better="lower")
    plan = nma.planned(arms, study="s", treatment="t", outcome=outcome)
    for text in (repr(plan), str(plan), read(plan._repr_html_()).text):
        assert text.rstrip(">").endswith("next: nma.simulate, nma.plots.network")
    drawn = nma.simulate(plan, truth="prior", seed=1, reference_level=0)
    assert repr(drawn.network).endswith("next: nma.fit, nma.plots.network>")
    last = "next: nma.fit(simulated.network), simulated.truth.values"
    assert repr(drawn).endswith(f"{last}>")
    assert "\n" not in repr(drawn)
    drawn = nma.simulate(hostile.network, truth=hostile, seed=1)
    page = read(drawn._repr_html_())
    assert set(page.tags) <= PLAIN
    assert page.text.endswith(last)
    assert SCRIPT in page.text
    assert "drawn by nma.simulate" in page.text


def test_a_dataset_says_how_to_take_it() -> None:
    for name in nma.datasets.names():
        described = nma.datasets.describe(name)
        page = read(described._repr_html_())
        assert set(page.tags) <= PLAIN
        assert repr(described).startswith(str(described))
        for text in (repr(described), page.text):
            for verb, told in re.findall(r"nma\.datasets\.(\w+)\('(\w+)'\)", text):
                assert told == name
                assert len(getattr(nma.datasets, verb)(name).columns if verb == "load" else "1")
            assert ("nma.datasets.network" in text) == (name != "back_pain_reviews")
    own = nma.datasets.Description("x", "<i>", "X 2000", "", (), {}, {"tau": 1})
    assert "&lt;i&gt;" in own._repr_html_()
    assert repr(own).endswith("next: nma.datasets.names()")


def test_what_an_engine_takes_and_gives_shows_itself_in_a_line(hostile: nma.Posterior) -> None:
    assert repr(hostile.problem) == "<Problem: 8 arms, 4 unknowns; next: engine.sample>"
    last = "next: .values, .diagnostics, .convergence>"
    assert repr(hostile.draws) == f"<Draws: credible intervals; {last}"


def test_reprs_draw_nothing(hostile: nma.Posterior) -> None:
    def refuse() -> NoReturn:
        raise AssertionError

    class Closed:
        def levels(self, network: object, arms: object) -> NoReturn:
            message = "no level outside a trial"
            raise ModelError(message)

    asleep = replace(
        hostile,
        draws=Draws(refuse),
        model=replace(hostile.model, structure=Closed()),  # type: ignore[arg-type]
    )
    assert "Closed" in repr(asleep)
    assert "Closed" in str(asleep)
    assert "Closed" in asleep._repr_html_()
    assert "Draws" in repr(asleep.draws)


def test_a_large_network_shows_the_comparisons_with_the_most_trials() -> None:
    names = [f"t{k:02}" for k in range(30)]
    frame = pd.DataFrame({"s": names[1:], "t": names[1:], "c": names[0], "y": 0.1, "se": 0.2})
    outcome = nma.outcomes.Contrast("y", "se", measure="SMD", better="lower")
    network = nma.Network.from_contrasts(
        frame, study="s", treatment="t", comparator="c", outcome=outcome
    )
    text = read(network._repr_html_()).text
    assert "These are the 20 comparisons with the most trials" in text
    assert "participants" not in text
    assert text.count(" vs t00") == 20


def test_no_header_is_empty() -> None:
    index = pd.MultiIndex.from_tuples([("a", ""), ("b", "c")], names=["design", "trial"])
    text = markup.cells(pd.DataFrame({"y": [1, 2]}, index=index))
    assert re.findall(r"<th[^>]*></th>", text) == []
    assert text.count("<td></td>") + text.count(f"<td {markup.WHOLE}></td>") >= 1
