"""A DataFrame that prints what the reader must know beside the numbers."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np
import pandas as pd

from nma import latex, markup, typesetting

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Table"]

WIDTH = 98
"""Columns that captions and notes fill when printed."""


@final
class Table(pd.DataFrame):
    """A pandas DataFrame with a caption above it and notes below it when printed.

    Its ``head`` and ``tail`` keep these. Whatever else is made from it (a selection, a sum, a
    merge) is a plain DataFrame again.

    Parameters
    ----------
    data : anything a DataFrame takes
        The cells.
    caption : str
        One sentence: what the numbers are and which direction is better.
    notes : sequence of str
        What the reader must know: defaults used, warnings, sources.
    digits : int or mapping of column to int, default 2
        Decimals printed, for columns not named 2; the cells keep full precision.
    probabilities : sequence
        Columns that hold probabilities, which are never printed as certain.
    significant : sequence
        Columns whose numbers lie far apart, printed to three figures whatever their size.
    unprinted : sequence
        Columns that are there but not printed, because they say nothing new; a column ``mcse``
        is printed only where there is a Monte Carlo error.
    **frame : object
        What else a DataFrame takes, such as ``index``.

    Examples
    --------
    >>> import nma
    >>> shares = {"share": [1 / 3]}
    >>> print(nma.tables.Table(shares, index=["yoga"], caption="Shares.", notes=["Invented."]))
    Shares.
          share
    yoga   0.33
    - Invented.
    """

    _metadata: ClassVar[list[str]] = [
        "caption",
        "notes",
        "digits",
        "probabilities",
        "significant",
        "unprinted",
    ]

    def __init__(
        self,
        data: Any = None,
        *,
        caption: str = "",
        notes: Sequence[str] = (),
        digits: int | Mapping[str, int] = 2,
        probabilities: Sequence[Any] = (),
        significant: Sequence[Any] = (),
        unprinted: Sequence[Any] = (),
        **frame: Any,
    ) -> None:
        super().__init__(data, **frame)  # type: ignore[call-arg]  # the stubs only know __new__
        self.caption = caption
        self.notes = tuple(notes)
        self.digits = digits
        self.probabilities = tuple(probabilities)
        self.significant = tuple(significant)
        self.unprinted = tuple(unprinted)

    @property
    def _constructor(self) -> Any:
        return pd.DataFrame

    def _printing(self) -> dict[str, Any]:
        """Return how pandas is to print the cells."""
        named = {} if isinstance(self.digits, int) else self.digits
        others = self.digits if isinstance(self.digits, int) else 2
        formatters: dict[Any, Any] = {name: partial(fixed, n) for name, n in named.items()}
        formatters |= dict.fromkeys(self.significant, figures)
        return {
            "columns": [name for name in self.columns if name not in self._left_out()],
            "float_format": partial(fixed, others),
            "formatters": formatters | dict.fromkeys(self.probabilities, probability),
            "na_rep": "",
        }

    def _left_out(self) -> set[Any]:
        """Return the columns that are not printed, a Monte Carlo error that is nil among them."""
        told = self["mcse"].dropna() if "mcse" in self.columns else pd.Series([], dtype=float)
        exact = len(told) > 0 and bool((told == 0).all())
        return {*self.unprinted, *(["mcse"] if exact else [])}

    def head(self, n: int = 5) -> Table:  # type: ignore[misc]  # final in the stubs alone
        """Return the first rows as they are printed: caption, notes and digits stay.

        Parameters
        ----------
        n : int
            How many rows; a negative number leaves out as many.

        Returns
        -------
        Table
            The first rows, with a note that says of how many.

        Examples
        --------
        >>> import nma
        >>> table = nma.rank_probabilities(nma.fit(nma.datasets.network("back_pain")))
        >>> table.head(2).notes[0]
        'Of 4 rows, the first 2.'
        """
        return self._of_rows(pd.DataFrame(self).head(n), "first")

    def tail(self, n: int = 5) -> Table:  # type: ignore[misc]
        """Return the last rows as they are printed: caption, notes and digits stay.

        Parameters
        ----------
        n : int
            How many rows; a negative number leaves out as many.

        Returns
        -------
        Table
            The last rows, with a note that says of how many.

        Examples
        --------
        >>> import nma
        >>> table = nma.rank_probabilities(nma.fit(nma.datasets.network("back_pain")))
        >>> table.tail(2).notes[0]
        'Of 4 rows, the last 2.'
        """
        return self._of_rows(pd.DataFrame(self).tail(n), "last")

    def _of_rows(self, rows: pd.DataFrame, which: str) -> Table:
        """Return some of the rows, and say so: what they mean stays as it was."""
        part = Table(rows, **{name: getattr(self, name) for name in self._metadata})
        part.attrs.update(self.attrs)
        if len(rows) < len(self):
            part.notes = (f"Of {len(self)} rows, the {which} {len(rows)}.", *self.notes)
        return part

    def printed(self) -> pd.DataFrame:
        """Return the columns that are printed, their cells as the text that is printed.

        Returns
        -------
        DataFrame
            Of text, without the columns that are not printed.

        Examples
        --------
        >>> import nma
        >>> table = nma.rank_probabilities(nma.fit(nma.datasets.network("back_pain")))
        >>> table.printed().loc["passive control"].tolist()
        ['<0.01', '<0.01', '<0.01', '0.99']
        """
        how = self._printing()
        others, named = how["float_format"], how["formatters"]
        found = pd.DataFrame(self)[how["columns"]]
        return pd.DataFrame(
            {name: [_cell(x, named.get(name, others)) for x in found[name]] for name in found},
            index=found.index,
            dtype=object,
        )

    def __str__(self) -> str:
        """Return caption, cells and notes as text."""
        cells = pd.DataFrame(self).to_string(**self._printing())
        notes = [_wrapped(f"- {note}", indent="  ") for note in self.notes]
        return "\n".join([_wrapped(self.caption), cells, *notes])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """Return an accessible table, its caption and notes, every text escaped."""
        shown = markup.cells(pd.DataFrame(self), caption=self.caption, **self._printing())
        return markup.block(shown, markup.bullets(self.notes))

    def as_latex(self) -> str:
        r"""Return the table as printed, for a manuscript in LaTeX.

        A ``table`` environment with caption and notes, every name escaped; it needs the package
        booktabs and an input encoding of UTF-8. What is wider than 160 mm, a page of A4 between
        margins of 25 mm, is set smaller; what still is, or has too many rows for a page, becomes
        several tables, each with the labels of its rows and the caption with its part. Long names
        take several lines. LaTeX stops with "Too many unprocessed floats" when it holds some fifty
        tables that it has not placed (18 before 2015): after every ten parts stands ``\clearpage``,
        which begins a new page. Where many tables follow each other, write it between them.

        Returns
        -------
        str
            To be written to a file, or pasted.

        Examples
        --------
        >>> import nma
        >>> posterior = nma.fit(nma.datasets.network("back_pain"))
        >>> print(nma.sucra(posterior).as_latex())  # doctest: +ELLIPSIS
        \begin{table}
        \centering
        \caption{SUCRA and ranks with 95\% intervals...}
        ...
        multimodal care & 0.87 & 1.39 & 1 & 1 & 3 & 0.69 \\
        ...
        \end{table}
        """
        return latex.latex(self._grid(), caption=self.caption, notes=self.notes)

    def as_html(self) -> str:
        """Return the table as printed, for a word processor or a page of one's own.

        A fragment of HTML without classes or scripts: its rules are written in it, so they stay
        when a browser's view of it is copied into Word or Writer.

        Returns
        -------
        str
            To be written to a file.

        Examples
        --------
        >>> import nma
        >>> posterior = nma.fit(nma.datasets.network("back_pain"))
        >>> nma.league_table(posterior).as_html().count("<tr>")
        5
        """
        return typesetting.html(self._grid(), caption=self.caption, notes=self.notes)

    def as_csv(self) -> str:
        """Return every column with full precision, below caption and notes as comments.

        Names that a spreadsheet would take for formulas, because they begin with ``=``, ``+``,
        ``-`` or ``@``, get an apostrophe before them; numbers and intervals stay as they are.
        ``to_csv`` gives the same without the comments and apostrophes. Where a name has a ``#`` in
        it, read it back with ``skiprows=len(table.notes) + bool(table.caption)`` in place of
        ``comment="#"``. Before version 3, pandas reads the last digit of a number exactly only
        with ``float_precision="round_trip"``.

        Returns
        -------
        str
            One line ``# ...`` for the caption and for each note, then the header and the rows.

        Examples
        --------
        >>> import io
        >>> import nma
        >>> import pandas as pd
        >>> table = nma.sucra(nma.fit(nma.datasets.network("back_pain")))
        >>> text = table.as_csv()
        >>> again = pd.read_csv(io.StringIO(text), comment="#", index_col="treatment", dtype=str)
        >>> bool((again["sucra"].map(float) == table["sucra"]).all())
        True
        """
        told = typesetting.commented([self.caption, *self.notes])
        return told + typesetting.harmless(pd.DataFrame(self)).to_csv(lineterminator="\n")

    def _grid(self) -> typesetting.Grid:
        return typesetting.printed(pd.DataFrame(self), **self._printing())


def _cell(value: Any, written: Any) -> str:
    """Return a cell as text: numbers as their column is written, nothing where nothing is told."""
    if isinstance(value, float | np.floating):
        return "" if np.isnan(value) else str(written(value))
    return "" if value is None or value is pd.NA else str(value)


def _wrapped(text: str, indent: str = "") -> str:
    return textwrap.fill(text, width=WIDTH, subsequent_indent=indent, break_on_hyphens=False)


def fixed(digits: int, value: float) -> str:
    """Return a number with so many decimals; what rounds to zero has no sign."""
    text = f"{value:.{digits}f}"
    return text.lstrip("-") if float(text) == 0 else text


def figures(value: float) -> str:
    """Return a number with three figures, written out where that is short."""
    if value == 0:
        return "0"
    if not 1e-4 <= abs(value) < 1e6:
        return f"{value:.3g}"
    return np.format_float_positional(value, precision=3, fractional=False, trim="-")


def probability(value: float) -> str:
    """Return a probability with two decimals, never as certain."""
    if np.isnan(value):
        return ""
    if value < 0.005:
        return "<0.01"
    return ">0.99" if value > 0.995 else f"{value:.2f}"


def decimals(sd: NDArray[np.float64]) -> int:
    """Return the decimals that show every effect to a tenth of its spread: two, or more.

    A spread that is nothing but the rounding of a known number does not count.
    """
    spread = sd[sd > 1e-12 * sd.max(initial=0.0)]
    return max(2, math.ceil(1 - math.log10(spread.min()))) if spread.size else 2


def rounded(value: float, mcse: float, *, digits: int = 2) -> str:
    """Return ``value`` with no more decimals than its Monte Carlo error supports.

    A decimal is shown when two standard errors do not exceed ten of its units.
    """
    while digits > 0 and 2 * mcse > 10.0 ** (1 - digits):
        digits -= 1
    return fixed(digits, value)


def interval(estimate: float, lower: float, upper: float, mcse: float, *, digits: int) -> str:
    """Return ``estimate (lower, upper)`` with the digits its Monte Carlo error supports."""
    low, high = (rounded(bound, 3 * mcse, digits=digits) for bound in (lower, upper))
    return f"{rounded(estimate, mcse, digits=digits)} ({low}, {high})"
