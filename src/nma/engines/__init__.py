"""Engines: how a finished problem becomes a posterior."""

from nma.engines._gaussian import Gaussian as Gaussian

__all__ = ["Gaussian"]
