"""Sphinx builds these pages without a network: formulas become MathML, fonts are the reader's."""

from __future__ import annotations

import inspect
import re
import runpy
import shutil
from importlib import import_module
from importlib.metadata import version as version_of
from pathlib import Path
from typing import TYPE_CHECKING

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.util import logging

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment
    from sphinx.writers.html5 import HTML5Translator

project = "nma"
copyright = "the nma maintainers"
version = release = version_of("bayesnma")

extensions = ["sphinx.ext.autodoc", "numpydoc", "myst_nb"]
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
exclude_patterns = ["_build", "_figures", "checked/_*", "jupyter_execute"]

nb_execution_mode = "force"
nb_execution_timeout = 120
nb_execution_raise_on_error = True
nb_merge_streams = True

rst_prolog = ".. currentmodule:: nma\n"

autodoc_member_order = "bysource"
autodoc_preserve_defaults = True  # xp=np, not where NumPy lies on this machine
autodoc_typehints = "none"
autodoc_class_signature = "mixed"
numpydoc_show_class_members = False

highlight_options = {name: {"stripnl": True} for name in ("python", "pycon", "default")}

html_theme = "pydata_sphinx_theme"
html_theme_options = {
    "logo": {"text": "nma"},
    "navbar_persistent": ["search-button"],
    "navbar_end": ["theme-switcher"],
    "header_links_before_dropdown": 5,
    "primary_sidebar_end": [],
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "back_to_top_button": False,
}
html_sidebars = {"*": [], "*/*": ["sidebar-nav-bs"]}
html_context = {"default_mode": "auto"}
html_title = f"nma {release}"
html_static_path = ["_static"]
html_css_files = ["nma.css", "checked.css", "notebooks.css"]
html_math_renderer = "mathml"
html_copy_source = False
html_domain_indices = False
html_show_sourcelink = False

REFERENCE: tuple[str, ...] = runpy.run_path(str(Path(__file__).parent / "public.py"))["modules"]()
"""Modules whose public names must all stand in the reference."""

ACCENTED = re.compile(r"(\\(?:bar|hat|tilde) ?(?:\\[a-z]+|\w|{[^}]*}))(?=_)")
"""A letter with an accent and an index, which docutils would set below the letter."""

logger = logging.getLogger(__name__)


def inline_formula(translator: HTML5Translator, node: nodes.Element) -> None:
    """Write a formula within a line."""
    translator.body.append(mathml(node, block=False))
    raise nodes.SkipNode


def displayed_formula(translator: HTML5Translator, node: nodes.Element) -> None:
    """Write a formula on a line of its own."""
    box = (
        "math pst-scrollable-table-container"  # the theme lets keys scroll it where it is too wide
    )
    translator.body.append(f'<div class="{box}">{mathml(node, block=True)}</div>\n')
    raise nodes.SkipNode


def mathml(node: nodes.Element, *, block: bool) -> str:
    try:
        written = tex2mathml(ACCENTED.sub(r"\1{}", node.astext()), as_block=block)
    except MathError as error:
        logger.warning("a formula cannot be read: %s", error, location=node)
        return ""
    return str(written).replace("\N{MODIFIER LETTER MACRON}", "\N{OVERLINE}")  # seen in any font


def drawn(app: Sphinx) -> None:
    """Draw the figures of the pages."""
    runpy.run_path(str(Path(app.confdir) / "figures.py"))["draw"](Path(app.srcdir) / "_figures")


def compared(app: Sphinx) -> None:
    """Write the pages of the numbers that tests compare."""
    runpy.run_path(str(Path(app.confdir) / "checked.py"))["write"](Path(app.srcdir) / "checked")


def gathered(app: Sphinx) -> None:
    """Take the notebooks among the pages, which are run as they are built."""
    folder = Path(app.srcdir) / "notebooks"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for path in (Path(app.confdir).parent / "examples").glob("*.ipynb"):
        shutil.copy(path, folder)


def cornered(app: Sphinx, doctree: nodes.document, docname: str) -> None:  # noqa: ARG001  it must
    """Make cells of the empty corners of pandas' tables, which it writes as headers of nothing."""
    for node in doctree.findall(nodes.raw):
        if "<th></th>" in node.astext():
            node[:] = [nodes.Text(node.astext().replace("<th></th>", "<td></td>"))]


def unlisted(app: Sphinx, env: BuildEnvironment) -> None:  # noqa: ARG001  Sphinx passes both
    """Warn of public names that the reference leaves out, under whichever of their names."""
    modules = [import_module(name) for name in REFERENCE]
    public = {f"{m.__name__}.{name}": getattr(m, name) for m in modules for name in m.__all__}
    listed = {id(public[name]) for name in env.domains["py"].objects if name in public}
    for name, value in sorted(public.items()):
        if not inspect.ismodule(value) and id(value) not in listed:
            logger.warning("%s is public and not in the reference", name)


def without_arguments(
    app: Sphinx,  # noqa: ARG001  Sphinx passes all six
    what: str,  # noqa: ARG001
    name: str,  # noqa: ARG001
    value: object,
    options: object,  # noqa: ARG001
    *written: str | None,
) -> tuple[str | None, ...]:
    """Leave out the arguments of protocols, which nobody calls."""
    return ("", None) if getattr(value, "_is_protocol", False) else written


def setup(app: Sphinx) -> None:
    app.add_html_math_renderer(
        "mathml", inline_renderers=(inline_formula, None), block_renderers=(displayed_formula, None)
    )
    app.connect("builder-inited", drawn)
    app.connect("builder-inited", compared)
    app.connect("builder-inited", gathered)
    app.connect("autodoc-process-signature", without_arguments)
    app.connect("doctree-resolved", cornered)
    app.connect("env-check-consistency", unlisted)
