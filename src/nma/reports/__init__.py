"""A report for readers: sections as values, written as one page, as Markdown, or as a folder."""

from nma.reports._parts import Figure as Figure
from nma.reports._parts import Part as Part
from nma.reports._parts import Refused as Refused
from nma.reports._parts import Section as Section
from nma.reports._report import report as report
from nma.reports._sections import SECTIONS as SECTIONS

__all__ = ["SECTIONS", "Figure", "Part", "Refused", "Section"]
