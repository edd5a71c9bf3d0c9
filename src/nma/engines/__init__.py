"""Engines: how a finished problem becomes a posterior."""

from nma.engines._gaussian import Gaussian as Gaussian
from nma.engines._laplace import Laplace as Laplace
from nma.engines._least_squares import LeastSquares as LeastSquares
from nma.engines._nuts import NUTS as NUTS

__all__ = ["NUTS", "Gaussian", "Laplace", "LeastSquares"]
