"""Structures: how the level of an arm depends on its treatment and covariates."""

from nma.structures._consistency import Consistency as Consistency

__all__ = ["Consistency"]
