"""Heterogeneity: how arms of one treatment differ between trials."""

from nma.heterogeneity._common import Common as Common
from nma.heterogeneity._down_weighted import DownWeighted as DownWeighted
from nma.heterogeneity._random import Random as Random

__all__ = ["Common", "DownWeighted", "Random"]
