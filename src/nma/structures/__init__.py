"""Structures: how the level of an arm depends on its treatment and covariates."""

from nma.structures._classes import Classes as Classes
from nma.structures._components import Components as Components
from nma.structures._consistency import Consistency as Consistency
from nma.structures._design_by_treatment import DesignByTreatment as DesignByTreatment
from nma.structures._dose import Dose as Dose
from nma.structures._node_split import NodeSplit as NodeSplit
from nma.structures._random_inconsistency import RandomInconsistency as RandomInconsistency
from nma.structures._regression import Regression as Regression
from nma.structures._unrelated_means import UnrelatedMeans as UnrelatedMeans

__all__ = [
    "Classes",
    "Components",
    "Consistency",
    "DesignByTreatment",
    "Dose",
    "NodeSplit",
    "RandomInconsistency",
    "Regression",
    "UnrelatedMeans",
]
