"""What every figure keeps: words inside and apart, the marks it was given, nothing left behind."""

from __future__ import annotations

import inspect
import logging
import pickle
import subprocess
import sys
import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from io import BytesIO
from typing import Any
from xml.etree import ElementTree as ET

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

import nma
import pictures
from mirrors import renamed
from nma.errors import ModelError, NmaError, NmaWarning

VERBS: dict[str, Any] = {
    "network": nma.plots.network,
    "forest": nma.plots.forest,
    "league_table": nma.plots.league_table,
    "rankogram": nma.plots.rankogram,
    "sucra_against_effect": nma.plots.sucra_against_effect,
    "hasse": nma.plots.hasse,
    "heterogeneity": nma.plots.heterogeneity,
    "leverage": nma.plots.leverage,
    "dev_dev": nma.plots.dev_dev,
    "prior_sensitivity": nma.plots.prior_sensitivity,
    "influence": nma.plots.influence,
    "design_by_treatment": nma.plots.design_by_treatment,
    "net_heat": nma.plots.net_heat,
    "node_splitting": nma.plots.node_splitting,
    "benefit_harm": nma.plots.benefit_harm,
    "sucra_scatter": nma.plots.sucra_scatter,
    "spie": nma.plots.spie,
    "curve": nma.plots.curve,
    "bubble": nma.plots.bubble,
    "class_shrinkage": nma.plots.class_shrinkage,
    "components": nma.plots.components,
    "incremental_effects": nma.plots.incremental_effects,
    "thresholds": nma.plots.thresholds,
    "equivalence": nma.plots.equivalence,
}


def shrinkage(posterior: nma.Posterior) -> Any:
    """Return a check of classes of the other treatments, with whatever speaks against the fit."""
    reference, *others = sorted(
        posterior.treatments, key=lambda name: name != posterior.network.reference
    )
    count = 1 + (len(others) > 3)
    members = {name: f"class {1 + count * k // len(others)}" for k, name in enumerate(others)}
    structure = nma.structures.Classes(classes={reference: reference} | members)
    found = nma.fit(posterior.network, nma.Model(structure), engine=posterior.engine)
    poor = replace(found, draws=replace(found.draws, faults=posterior.draws.faults))
    return nma.checks.class_shrinkage(poor)


def shares(posterior: nma.Posterior) -> Any:
    """Return the shares of the posterior against a range of equivalence."""
    mcid = nma.decisions.MCID(1.2, kind="between-group", source="chosen for a test")
    return nma.decisions.equivalence(posterior, mcid=mcid)


JOINT = ("benefit_harm", "sucra_scatter", "spie")
"""Verbs that draw fits of several outcomes, by name."""


def outcomes(posterior: nma.Posterior) -> nma.tables.Table:
    """Two outcomes: the second has the names of the first moved by two."""
    return nma.decisions.partial_order({"pain": posterior, "harms": renamed(posterior, 2)})


CHECKED: dict[str, Any] = {
    "hasse": outcomes,
    "prior_sensitivity": nma.checks.prior_sensitivity,
    "influence": nma.checks.leave_one_study_out,
    "design_by_treatment": nma.checks.design_by_treatment,
    "net_heat": nma.checks.net_heat,
    "node_splitting": nma.checks.node_splitting,
    "class_shrinkage": shrinkage,
    "thresholds": nma.decisions.thresholds,
    "equivalence": shares,
}
"""Verbs that draw what a check or a decision returned."""

SAME = r"[Nn]o two designs tell of the same comparison"
NOTHING = {
    ("net_heat", "2"): SAME,
    ("net_heat", "star"): SAME,
    ("design_by_treatment", "star"): SAME,
    ("node_splitting", "2"): "no node-splits to draw. 1 comparison cannot be split",
    ("incremental_effects", "25"): "576 rows are too many to read: name some with adding= or to=",
    ("node_splitting", "star"): "no node-splits to draw. 7 comparisons cannot be split",
    ("class_shrinkage", "2"): "Every class has one treatment",
    ("bubble", "star"): "no trial tells how effects change with year",
}
"""Verbs and networks in which nothing can be compared, and what they say."""

COMMON = nma.Model(heterogeneity=nma.heterogeneity.Common())
SHORT = [f"drug {chr(65 + k)}" for k in range(25)]
LONG = [pictures.LONG.format(k) for k in range(25)]
HOSTILE = ["<b>&amp;</b>", "$x^2$ $\\frac{", "quote \" and '", "naïve Größe Ελλάδα кот", "a_b^c%#"]

Ask = Callable[[str, str], tuple[Any, ...]]


def evidence(kind: str) -> nma.Network:
    return {
        "2": lambda: pictures.arms([LONG[:2]] * 3),
        "4": lambda: nma.datasets.network("back_pain"),
        "10": lambda: nma.datasets.network("senn2013"),
        "10 ratios": lambda: pictures.contrasts(pictures.chain(LONG[:10]), better="higher"),
        "25": lambda: pictures.arms(pictures.chain(LONG)),
        "star": lambda: pictures.arms([(SHORT[0], name) for name in SHORT[1:8]]),
        "hostile": lambda: pictures.arms(pictures.chain(HOSTILE)),
    }[kind]()


KINDS = ["2", "4", "10", "10 ratios", "25", "star", "hostile"]


@pytest.fixture(scope="module")
def posteriors() -> dict[str, nma.Posterior]:
    engine = nma.engines.Gaussian(draws=1024)
    return {kind: nma.fit(evidence(kind), engine=engine) for kind in KINDS}


@pytest.fixture(scope="module")
def ask(posteriors: dict[str, nma.Posterior]) -> Ask:
    """What a verb is asked about."""

    @cache
    def subject(verb: str, kind: str) -> tuple[Any, ...]:
        return about(verb, posteriors[kind])

    return subject


def about(verb: str, posterior: nma.Posterior) -> tuple[Any, ...]:
    """Return what a verb draws, of one posterior."""
    if verb in CHECKED:
        return (CHECKED[verb](posterior),)
    if verb in JOINT:
        harms = nma.fit(posterior.network, COMMON)
        return ({"pain": posterior, "harms, $x^2$ or <more>": harms},)
    others: dict[str, Callable[[], tuple[Any, ...]]] = {
        "network": lambda: (posterior.network,),
        "curve": lambda: (over_doses(posterior), "hours"),
        "components": lambda: (of_components(posterior),),
        "incremental_effects": lambda: (of_components(posterior),),
        "dev_dev": lambda: (nma.fit(posterior.network, COMMON), posterior),
        "bubble": lambda: (by_year(posterior),),
    }
    return others.get(verb, lambda: (posterior,))()


def over_doses(posterior: nma.Posterior) -> nma.Posterior:
    """Return a model of doses made up for the treatments of the same trials."""
    control = posterior.network.reference
    others = [name for name in posterior.network.treatments if name != control]
    hours = {name: 5.0 + 7 * k % 31 for k, name in enumerate(others)}
    made = nma.assign(posterior.network, hours=hours)
    structure = nma.structures.Dose("hours", control=control)
    found = nma.fit(made, nma.Model(structure), engine=nma.engines.Gaussian(draws=1024))
    return replace(found, draws=replace(found.draws, faults=posterior.draws.faults))


def by_year(posterior: nma.Posterior) -> nma.Posterior:
    """Return a regression on the same trials, with whatever speaks against the fit."""
    network = posterior.network
    year = {study: 1990 + 3 * k for k, study in enumerate(network.trials)}
    table = network.table.assign(year=[year[study] for study in network.table["study"]])
    structure = nma.structures.Regression(
        nma.structures.Consistency(), "year", control=network.reference
    )
    found = nma.fit(replace(network, table=table), nma.Model(structure), engine=posterior.engine)
    return replace(found, draws=replace(found.draws, faults=posterior.draws.faults))


def of_components(posterior: nma.Posterior) -> nma.Posterior:
    """Return the same trials with a component for each treatment but the reference."""
    network = posterior.network
    structure = nma.structures.Components(separator=" + ", inactive=network.reference)
    fitted = nma.fit(network, nma.Model(structure), engine=posterior.engine)
    return replace(fitted, draws=replace(fitted.draws, faults=posterior.draws.faults))


def svg(ax: Any) -> str:
    written = BytesIO()
    ax.figure.savefig(written, format="svg")
    return written.getvalue().decode()


def test_every_figure_is_tested_here() -> None:
    assert sorted(VERBS) == pictures.FIGURES


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("verb", VERBS)
def test_no_word_is_cut_off_or_lies_on_another(ask: Ask, verb: str, kind: str) -> None:
    if (verb, kind) in NOTHING:
        with pytest.raises(NmaError, match=NOTHING[verb, kind]):
            VERBS[verb](*ask(verb, kind))
        return
    ax = VERBS[verb](*ask(verb, kind))
    assert len(pictures.words(ax)) > 5
    assert pictures.faults(ax) == []


def test_the_check_of_words_sees_faults() -> None:
    figure = Figure(figsize=(2, 2))
    FigureCanvasAgg(figure)
    ax = figure.add_subplot()
    ax.text(0.5, 0.5, "one")
    ax.text(0.55, 0.5, "two")
    ax.text(0.9, 0.2, "far beyond the edge")
    found = pictures.faults(ax)
    assert "'one' lies on 'two'" in found
    assert "'far beyond the edge' is cut off" in found


@pytest.mark.parametrize("kind", ["4", "hostile", "10 ratios"])
@pytest.mark.parametrize("verb", VERBS)
def test_every_name_is_in_the_picture_as_text(ask: Ask, verb: str, kind: str) -> None:
    if verb in {"heterogeneity", "leverage", "dev_dev", "bubble"}:
        return
    if verb == "incremental_effects" and kind == "10 ratios":  # names of pairs are cut there
        return
    ax = VERBS[verb](*ask(verb, kind))
    root = ET.fromstring(svg(ax))  # noqa: S314  our own drawing
    texts = [node.text or "" for node in root.iter("{http://www.w3.org/2000/svg}text")]
    together = "".join("".join(texts).split())
    names = ask("forest", kind)[0].treatments
    if verb == "components":  # what is inactive adds nothing
        names = tuple(VERBS[verb].marks(*ask(verb, kind)).index)
        assert len(names) == len(ask("forest", kind)[0].treatments) - 1
    if verb in {"design_by_treatment", "net_heat"}:  # those that can disagree
        names = " : ".join(VERBS[verb].marks(*ask(verb, kind))["design"]).split(" : ")
        assert len(set(names)) > 2
    for name in names:
        assert "".join(name.split()) in together, name


@pytest.mark.parametrize("verb", VERBS)
def test_what_the_data_are_stands_below(ask: Ask, verb: str) -> None:
    said = " ".join(pictures.written(VERBS[verb](*ask(verb, "4"))))
    assert "A convenience sample of nine trials" in said
    assert "POOR FIT" not in said


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb != "network"])
def test_a_poor_fit_is_said_first(ask: Ask, verb: str) -> None:
    (posterior,) = ask("forest", "4")
    poor = replace(posterior, draws=replace(posterior.draws, faults=("It diverged.",)))
    ax = VERBS[verb](*about(verb, poor))
    assert pictures.faults(ax) == []
    renderer = ax.figure.canvas.get_renderer()
    top = max(pictures.words(ax), key=lambda text: text.get_window_extent(renderer).y1)
    whose = " [Random]" * (verb == "dev_dev") + " [pain]" * (verb in JOINT)
    assert top.get_text() == f"POOR FIT, do not rely on it: It diverged.{whose}"


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_is_its_marks_and_its_drawing(ask: Ask, verb: str) -> None:
    one = VERBS[verb](*ask(verb, "4"))
    two = VERBS[verb].draw(VERBS[verb].marks(*ask(verb, "4")))
    assert svg(one) == svg(two)


@pytest.mark.parametrize("verb", VERBS)
def test_help_shows_the_signature_and_the_docstring(verb: str) -> None:
    shown = VERBS[verb]
    assert inspect.isfunction(VERBS[verb])
    drawn = [name for name in inspect.signature(shown).parameters if name != "ax"]
    assert drawn == list(inspect.signature(shown.marks).parameters)
    assert list(inspect.signature(shown.draw).parameters) == ["marks", "ax"]
    assert "Examples" in (shown.__doc__ or "")
    assert (shown.marks.__doc__ or "").startswith("Return what ")
    assert pickle.loads(pickle.dumps(shown)) is shown  # noqa: S301  our own function


@pytest.mark.parametrize("verb", VERBS)
def test_marks_without_their_words_are_refused(ask: Ask, verb: str) -> None:
    marks = pd.DataFrame(VERBS[verb].marks(*ask(verb, "4")))
    marks.attrs = {}
    with pytest.raises(ModelError, match=rf"do not say .*nma\.plots\.{verb}\.marks"):
        VERBS[verb].draw(marks)


@pytest.mark.parametrize("verb", VERBS)
def test_the_given_axes_are_used(ask: Ask, verb: str) -> None:
    figure = Figure(figsize=(9, 7), layout="constrained")
    FigureCanvasAgg(figure)
    ax = figure.add_subplot()
    assert VERBS[verb](*ask(verb, "4"), ax=ax) is ax
    assert figure.axes == [ax]
    assert pictures.faults(ax) == []


def test_figures_share_a_page(ask: Ask) -> None:
    rows = (len(VERBS) + 1) // 2
    figure = Figure(figsize=(30, 8 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    page = figure.subplots(rows, 2).ravel()
    assert len(page) >= len(VERBS)
    for verb, ax in zip(VERBS, page, strict=False):
        VERBS[verb](*ask(verb, "4"), ax=ax)
    assert pictures.faults(page[0]) == []
    assert all(ax.get_position().width > 0.15 for ax in page)


def page(width: float, height: float) -> Any:
    """Axes alone on a page."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure.add_subplot()


@pytest.mark.parametrize("verb", ["network", "league_table", "rankogram", "hasse"])
def test_text_shrinks_with_small_axes(ask: Ask, verb: str) -> None:
    figure = Figure(figsize=(5, 4))
    FigureCanvasAgg(figure)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NmaWarning)
        ax = VERBS[verb](*ask(verb, "10"), ax=figure.add_axes((0, 0, 1, 1)))
    assert pictures.faults(ax) == []


TOO_WIDE = {("league_table", "25"), ("influence", "25"), ("net_heat", "25")}
"""Verbs and networks for which two columns of a journal are too narrow."""

ONE_COLUMN = [
    *("network", "rankogram", "hasse", "heterogeneity", "leverage", "dev_dev", "prior_sensitivity"),
    *("benefit_harm", "sucra_scatter", "spie", "curve", "bubble"),
]
"""Verbs for which one column is wide enough, with few treatments."""


@pytest.mark.parametrize("kind", ["2", "4", "25"])
@pytest.mark.parametrize("verb", VERBS)
def test_two_columns_of_a_journal_are_wide_enough_or_it_is_said(
    ask: Ask, verb: str, kind: str
) -> None:
    if (verb, kind) in NOTHING:
        return
    if (verb, kind) in TOO_WIDE:
        with nma.plots.journal("double"), pytest.warns(NmaWarning, match="more than the 175 mm"):
            VERBS[verb](*ask(verb, kind))
        return
    with nma.plots.journal("double"):
        ax = VERBS[verb](*ask(verb, kind))
        assert 25.4 * ax.figure.get_figwidth() <= 175.01
        assert pictures.faults(ax) == []
        assert min(float(text.get_fontsize()) for text in pictures.words(ax)) >= 6


@pytest.mark.parametrize("verb", VERBS)
def test_one_column_is_wide_enough_or_it_is_said(ask: Ask, verb: str) -> None:
    if verb not in ONE_COLUMN:
        with nma.plots.journal("single"), pytest.warns(NmaWarning, match="more than the 85 mm"):
            VERBS[verb](*ask(verb, "4"))
        return
    with nma.plots.journal("single"):
        ax = VERBS[verb](*ask(verb, "4"))
        assert 25.4 * ax.figure.get_figwidth() <= 85.01
        assert pictures.faults(ax) == []


def test_text_too_small_to_read_is_said(ask: Ask) -> None:
    with pytest.warns(NmaWarning, match=r"points high, too small to read: it wants \d+.* x \d+"):
        nma.plots.league_table(*ask("league_table", "10"), ax=page(5, 4))
    with pytest.warns(NmaWarning, match="Use a larger figure"):
        nma.plots.forest(*ask("forest", "25"), ax=page(7, 3))


def test_panels_of_a_rankogram_shrink_before_its_text(ask: Ask) -> None:
    ax = nma.plots.rankogram(*ask("rankogram", "10"), ax=page(5, 3.6))
    assert pictures.faults(ax) == []
    assert min(float(text.get_fontsize()) for text in pictures.words(ax)) >= 6
    for panel in ax.child_axes:
        assert [label.get_text() for label in panel.get_xticklabels()][-1] == "10"


@pytest.mark.parametrize("kind", ["2", "4", "10"])
def test_directions_of_a_forest_are_whole_in_narrow_axes(ask: Ask, kind: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NmaWarning)
        ax = nma.plots.forest(*ask("forest", kind), ax=page(5, 3.5))
    said = [text for text in pictures.written(ax) if "favours" in text]
    assert len(said) == 2
    assert not [text for text in said if "…" in text]
    assert pictures.faults(ax) == []


def test_the_measure_of_a_forest_is_the_label_of_its_axis(ask: Ask) -> None:
    ax = nma.plots.forest(*ask("forest", "4"))
    assert ax.get_xlabel() == "MD"
    ax.set_xlabel("Pain, points of 10")
    assert "MD" not in pictures.written(ax)
    assert pictures.faults(ax) == []


FILES = [*((verb, "svg") for verb in VERBS), ("league_table", "png"), ("forest", "pdf")]


@pytest.mark.parametrize(("verb", "kind"), FILES)
def test_files_are_written_and_the_same_again(ask: Ask, verb: str, kind: str) -> None:
    ax = VERBS[verb](*ask(verb, "4"))
    files = []
    for _ in range(2):
        written = BytesIO()
        ax.figure.savefig(written, format=kind)
        files.append(written.getvalue())
    assert files[0] == files[1]
    assert len(files[0]) > 2000


@pytest.mark.parametrize("verb", VERBS)
def test_axes_of_their_own_show_themselves_in_a_notebook(ask: Ask, verb: str) -> None:
    ax = VERBS[verb](*ask(verb, "4"))
    data, size = ax._repr_png_()
    assert data.startswith(b"\x89PNG")
    width, height = (int.from_bytes(data[k : k + 4], "big") for k in (16, 20))
    assert abs(width - 2 * size["width"]) <= 2
    assert abs(height - 2 * size["height"]) <= 2
    assert ax.figure._repr_png_ is ax._repr_png_


def test_pictures_can_be_sent_and_copied(ask: Ask) -> None:
    ax = nma.plots.forest(*ask("forest", "4"))
    sent = pickle.loads(pickle.dumps(ax.figure))  # noqa: S301  our own figure
    assert sent.axes[0]._repr_png_()[0].startswith(b"\x89PNG")


def test_hostile_settings_of_the_session_do_not_matter(ask: Ask) -> None:
    plain = svg(nma.plots.forest(*ask("forest", "hostile")))
    theirs: Any = {
        "text.usetex": True,
        "svg.fonttype": "path",
        "axes.formatter.use_locale": True,
        "font.size": 30,
        "axes.grid": True,
        "figure.facecolor": "black",
        "xtick.labelsize": 3,
    }
    with mpl.rc_context(theirs):
        assert svg(nma.plots.forest(*ask("forest", "hostile"))) == plain


@pytest.mark.parametrize("verb", VERBS)
def test_drawing_leaves_the_session_as_it_was(ask: Ask, verb: str) -> None:
    def state() -> Any:
        loggers = logging.root.manager.loggerDict
        levels = {
            name: (found.level, tuple(found.handlers))
            for name, found in loggers.items()
            if isinstance(found, logging.Logger)
        }
        return {"rc": mpl.rcParams.copy(), "filters": list(warnings.filters), "loggers": levels}

    svg(VERBS[verb](*ask(verb, "4")))  # whatever is imported is imported
    before = state()
    svg(VERBS[verb](*ask(verb, "4")))
    after = state()
    assert [name for name in before if before[name] != after[name]] == []


def test_drawing_needs_no_pyplot() -> None:
    code = (
        "import sys, nma\n"
        "picture = nma.plots.network(nma.datasets.network('senn2013'))\n"
        "picture._repr_png_()\n"
        "print('matplotlib.pyplot' in sys.modules)"
    )
    ran = subprocess.run(  # noqa: S603  our own interpreter, our own code
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == "False"


@pytest.mark.parametrize("verb", VERBS)
def test_changed_marks_change_the_picture(ask: Ask, verb: str) -> None:
    marks = VERBS[verb].marks(*ask(verb, "4"))
    column = {
        "network": "trials",
        "forest": "text",
        "league_table": "number",
        "rankogram": "sucra",
        "sucra_against_effect": "estimate",
        "hasse": "text",
        "heterogeneity": "posterior",
        "leverage": "root",
        "dev_dev": "first",
        "prior_sensitivity": "estimate",
        "influence": "tau",
        "design_by_treatment": "Q",
        "net_heat": "flow",
        "node_splitting": "estimate",
        "benefit_harm": "x",
        "sucra_scatter": "x",
        "spie": "sucra",
        "curve": "value",
        "bubble": "estimate",
        "class_shrinkage": "shrunken",
        "components": "text",
        "incremental_effects": "text",
        "thresholds": "invariant_upper",
        "equivalence": "trivial",
    }[verb]
    changed = marks.assign(**{column: marks[column].iloc[-1]})
    np.testing.assert_equal(changed.attrs, marks.attrs)
    assert svg(VERBS[verb].draw(changed)) != svg(VERBS[verb].draw(marks))


@pytest.mark.parametrize("verb", sorted(set(VERBS) - {"network", *CHECKED, *JOINT}))
def test_what_is_no_posterior_is_told_how_to_become_one(ask: Ask, verb: str) -> None:
    (evidence,) = ask("network", "4")
    before, after = ((), ("hours",)) if verb == "curve" else (ask(verb, "4")[:-1], ())
    message = rf"{verb} draws a Posterior; this is a Network: nma.plots.{verb}\(nma.fit\(network"
    with pytest.raises(ModelError, match=message):
        VERBS[verb](*before, evidence, *after)
    with pytest.raises(ModelError, match="this is a DataFrame"):
        VERBS[verb](*before, evidence.table, *after)


def test_a_posterior_shows_its_network(ask: Ask) -> None:
    assert svg(nma.plots.network(*ask("forest", "4"))) == svg(
        nma.plots.network(*ask("network", "4"))
    )
    with pytest.raises(ModelError, match="draws a Network or a Posterior; this is a list"):
        nma.plots.network([])  # type: ignore[arg-type]
