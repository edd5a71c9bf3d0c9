"""One verb: a posterior and a path become a report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from nma.errors import ModelError, nearest
from nma.plots._style import fresh
from nma.posterior import require_posterior
from nma.reports._manifest import MANIFEST, listed_files, manifest, own_files
from nma.reports._page import page
from nma.reports._parts import Figure, Part, Refused, Section, Written, written
from nma.reports._pictures import picture
from nma.reports._prisma import checklist
from nma.reports._sections import SECTIONS, decisions
from nma.reports._text import markdown
from nma.tables import Table
from nma.typesetting import harmless

if TYPE_CHECKING:
    from nma.decisions import MCID
    from nma.posterior import Posterior

__all__ = ["report"]

Extra = Part | list[Part]
KINDS = (str, tuple, Table, Figure, Refused)


def report(
    posterior: Posterior,
    path: str | Path,
    *,
    title: str = "Network meta-analysis",
    mcid: MCID | None = None,
    sections: Sequence[Section] = SECTIONS,
    extra: Mapping[str, Extra] | None = None,
) -> Path:
    """Write a report of a fit: one page, Markdown, or a folder; the same fit, the same bytes.

    Settings of matplotlib and ``nma.plots.journal`` do not change it. Nothing is fitted again:
    checks that refit are handed over finished. A question that the model cannot answer, such as a
    ranking under a node-split, is answered by the reason.

    Parameters
    ----------
    posterior : Posterior
        A fitted model.
    path : str or Path
        ``.html``: one file that needs no other and no network, without scripts. ``.md``: Markdown,
        with figures as SVG beside it. Without a suffix: a folder with that Markdown, every table
        as CSV in full precision, and every figure as SVG and PDF. A page or Markdown of this
        name is replaced. A folder lists its files in ``manifest.txt``: a report replaces those of
        an earlier one, and removes those it does not have itself if nobody changed them.
    title : str
        The heading.
    mcid : decisions.MCID, optional
        A difference that matters: adds decisions.
    sections : sequence of Section, default ``nma.reports.SECTIONS``
        What to say, in order.
    extra : mapping of section to part, or list of parts, optional
        What to add to a section: a finished table such as that of ``checks.node_splitting``, a
        ``reports.Figure``, a paragraph, or a tuple of sentences.

    Returns
    -------
    Path
        What was written.

    Raises
    ------
    ModelError
        If the path has another suffix, the folder holds files of these names that no report
        wrote, two sections share a name, or ``extra`` names none or is no part of a report.

    References
    ----------
    Hutton et al. 2015, doi:10.7326/M14-2385, whose checklist is the appendix.

    Examples
    --------
    >>> import tempfile
    >>> import nma
    >>> posterior = nma.fit(nma.datasets.network("back_pain"))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = nma.report(posterior, f"{folder}/back_pain.html")
    ...     file.read_text(encoding="utf-8").count("<h2")
    10
    """
    require_posterior(posterior, "report")
    target = Path(path)
    _require_kind(target)
    asked = [decisions(mcid) if mcid and part.name == "decisions" else part for part in sections]
    more = dict(extra or {})
    _require_sections([part.name for part in asked], more)
    given = {name: _parts(name, value) for name, value in more.items()}
    with fresh():
        found = _written(asked, posterior, given)
        if target.suffix == ".html":
            _save(target, page(title, posterior.poor, found).encode())
        elif target.suffix == ".md":
            _beside(target, title, posterior.poor, found)
        else:
            _folder(target, title, posterior.poor, found)
    return target


def _written(
    sections: Sequence[Section], posterior: Posterior, more: Mapping[str, list[Part]]
) -> list[Written]:
    told = [written(part, posterior, more.get(part.name, [])) for part in sections]
    found = [part for part in told if part.parts]
    appendix = Written("prisma", "Appendix: PRISMA-NMA checklist", (checklist(found),), ())
    return [*found, appendix]


def _require_kind(target: Path) -> None:
    if target.suffix not in {"", ".html", ".md"}:
        message = (
            f"{target.name!r}: a report is .html (one page), .md (Markdown), or a path without a "
            "suffix (a folder)."
        )
        raise ModelError(message)


def _require_sections(names: Sequence[str], more: Mapping[str, object]) -> None:
    taken = [*names, "prisma"]
    twice = sorted({name for name in taken if taken.count(name) > 1})
    if twice:
        message = f"Two sections are named {', '.join(twice)}: give each its own name."
        raise ModelError(message)
    unknown = [name for name in more if name not in names]
    if unknown:
        hints = [f"{name!r} is no section.{nearest(name, names)}" for name in unknown]
        message = f"extra=: {' '.join(hints)} The sections are {', '.join(names)}."
        raise ModelError(message)


def _parts(name: str, value: Extra) -> list[Part]:
    found = value if isinstance(value, list) else [value]
    wrong = sorted({type(part).__name__ for part in found if not isinstance(part, KINDS)})
    if wrong:
        message = (
            f"extra[{name!r}]: {', '.join(wrong)} is no part of a report. Give a Table, a "
            "reports.Figure, a paragraph, a tuple of sentences, or a list of these."
        )
        raise ModelError(message)
    return found


def _save(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)


def _named(sections: Sequence[Written]) -> list[tuple[str, Part]]:
    return [(f"{one.name}-{k}", part) for one in sections for k, part in enumerate(one.parts, 1)]


def _beside(target: Path, title: str, poor: str, sections: Sequence[Written]) -> None:
    text = markdown(title, poor, sections, lambda name: f"{target.stem}-{name}.svg")
    _save(target, text.encode())
    for name, part in _named(sections):
        if isinstance(part, Figure):
            _save(target.with_name(f"{target.stem}-{name}.svg"), picture(part.axes, "svg"))


def _folder(target: Path, title: str, poor: str, sections: Sequence[Written]) -> None:
    files = {"report.md": markdown(title, poor, sections, lambda name: f"{name}.svg").encode()}
    for name, part in _named(sections):
        if isinstance(part, Table):
            cells = harmless(pd.DataFrame(part)).to_csv(lineterminator="\n")
            files[f"{name}.csv"] = cells.encode()
        elif isinstance(part, Figure):
            for kind in ("svg", "pdf"):
                files[f"{name}.{kind}"] = picture(part.axes, kind)
    _require_ours(target, [*files, MANIFEST])
    for old in own_files(target):
        if old not in files:
            (target / old).unlink(missing_ok=True)
    _save(target / MANIFEST, manifest(files))  # first, so that an interrupted report can go on
    for name, content in files.items():
        _save(target / name, content)


def _require_ours(target: Path, names: Sequence[str]) -> None:
    ours = listed_files(target)
    others = [name for name in names if (target / name).exists() and name not in ours]
    if others:
        message = (
            f"{target.name!r} holds {', '.join(map(repr, others))}, which no report wrote. Move "
            "what is there, or give the report a folder of its own."
        )
        raise ModelError(message)
