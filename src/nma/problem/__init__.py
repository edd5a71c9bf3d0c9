"""The narrow waist: what an engine is given and what it gives back.

In trial *i*, arm *k* has the linear predictor

    theta[i,k] = m[i] + (z[i,k] - mean of z over the trial's arms) . beta + u[i,k]

where ``levels`` holds z, ``parameters`` the prior of beta and ``effects`` the make-up of u.
"""

from nma.mixtures import Moments
from nma.problem._draws import Draws
from nma.problem._evidence import Arms, Contrasts, Evidence, Reading, trials_by_size
from nma.problem._parameters import Parameters, Scale
from nma.problem._problem import ArmEffect, Problem, arm_parts

__all__ = [
    "ArmEffect",
    "Arms",
    "Contrasts",
    "Draws",
    "Evidence",
    "Moments",
    "Parameters",
    "Problem",
    "Reading",
    "Scale",
    "arm_parts",
    "trials_by_size",
]
