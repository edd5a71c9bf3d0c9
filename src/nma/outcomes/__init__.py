"""Outcomes: what a trial reports, and the measure it is summarised by."""

from nma.outcomes._binary import Binary as Binary
from nma.outcomes._continuous import Continuous as Continuous
from nma.outcomes._contrast import Contrast as Contrast
from nma.outcomes._ordinal import Ordinal as Ordinal
from nma.outcomes._rate import Rate as Rate

__all__ = ["Binary", "Continuous", "Contrast", "Ordinal", "Rate"]
