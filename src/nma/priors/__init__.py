"""Priors as values: families of distributions, and what past meta-analyses say of heterogeneity."""

from nma.priors._logarithms import LogNormal as LogNormal
from nma.priors._logarithms import LogT as LogT
from nma.priors._published import Published as Published
from nma.priors._published import rhodes2015 as rhodes2015
from nma.priors._published import turner2012 as turner2012
from nma.priors._published import turner2015 as turner2015
from nma.priors._shares import Beta as Beta
from nma.priors._values import Fixed as Fixed
from nma.priors._values import HalfCauchy as HalfCauchy
from nma.priors._values import HalfNormal as HalfNormal
from nma.priors._values import Invertible as Invertible
from nma.priors._values import Measured as Measured
from nma.priors._values import Normal as Normal
from nma.priors._values import Prior as Prior
from nma.priors._values import QuantilePrior as QuantilePrior
from nma.priors._values import Uniform as Uniform

__all__ = [
    "Beta",
    "Fixed",
    "HalfCauchy",
    "HalfNormal",
    "Invertible",
    "LogNormal",
    "LogT",
    "Measured",
    "Normal",
    "Prior",
    "Published",
    "QuantilePrior",
    "Uniform",
    "rhodes2015",
    "turner2012",
    "turner2015",
]
