"""Outcomes: what a trial reports, and the measure it is summarised by."""

from nma.outcomes._continuous import Continuous as Continuous
from nma.outcomes._contrast import Contrast as Contrast

__all__ = ["Continuous", "Contrast"]
