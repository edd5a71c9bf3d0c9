"""How well a model fits: deviance, leverage and DIC, and how it predicts what it has not seen."""

from nma.fit_measures._deviance import deviance as deviance
from nma.fit_measures._deviance import dic as dic
from nma.fit_measures._left_out import leave_one_study_out as leave_one_study_out
from nma.fit_measures._left_out import pointwise as pointwise

__all__ = ["deviance", "dic", "leave_one_study_out", "pointwise"]
