"""Whose numbers the tests in ``tests/literature`` compare with, and where they stand.

A page or table that is not known is not named: ``place`` says how the numbers came here instead.
"""

from __future__ import annotations

from typing import NamedTuple


class Place(NamedTuple):
    """Where a number stands: a source, its network, and the example, table or run within it."""

    source: str
    network: str
    where: str


class Source(NamedTuple):
    """A paper, a document or a program.

    ``title``: what it is and who wrote it. ``doi``: empty where it has none. ``place``: where
    within it the numbers stand, or how they came here.
    """

    name: str
    title: str
    doi: str
    place: str

    def at(self, network: str, *where: str) -> Place:
        """Return a place in it: the network, then from the large to the small."""
        return Place(self.name, network, ", ".join(where))


QUOTED = "As the tests of the R package multinma quote the document: table and page are not known."

TSD2 = Source(
    "NICE DSU TSD 2",
    "Dias S, Welton NJ, Sutton AJ, Ades AE 2011. NICE DSU Technical Support Document 2: a "
    "generalised linear modelling framework for pairwise and network meta-analysis of randomised "
    "controlled trials.",
    "",
    f"The example is named with each table. {QUOTED}",
)
TSD3 = Source(
    "NICE DSU TSD 3",
    "Dias S, Sutton AJ, Welton NJ, Ades AE 2011. NICE DSU Technical Support Document 3: "
    "heterogeneity: subgroups, meta-regression, bias and bias-adjustment.",
    "",
    QUOTED,
)
TSD4 = Source(
    "NICE DSU TSD 4",
    "Dias S, Welton NJ, Sutton AJ, Caldwell DM, Lu G, Ades AE 2011. NICE DSU Technical Support "
    "Document 4: inconsistency in networks of evidence based on randomised controlled trials.",
    "",
    QUOTED,
)
COOPER = Source(
    "Cooper et al. 2009",
    "Cooper NJ, Sutton AJ, Morris D, Ades AE, Welton NJ 2009. Addressing between-study "
    "heterogeneity and inconsistency in mixed treatment comparisons: application to stroke "
    "prevention treatments in individuals with non-rheumatic atrial fibrillation. Statistics in "
    "Medicine 28:1861-1881.",
    "10.1002/sim.3594",
    "The number of the model is named with each table. As the tests of the R package multinma "
    "quote the paper: table and page are not known.",
)
DIAS = Source(
    "Dias et al. 2010",
    "Dias S, Welton NJ, Caldwell DM, Ades AE 2010. Checking consistency in mixed treatment "
    "comparison meta-analysis. Statistics in Medicine 29:932-944.",
    "10.1002/sim.3767",
    "The table of node-splits, as the tests of the R packages multinma and gemtc quote it: its "
    "number and page are not known.",
)
BEASLEY = Source(
    "Beasley et al. 2015",
    "Beasley M et al. 2015. Patient-reported improvements in health are maintained 2 years after "
    "completing a short course of cognitive behaviour therapy, exercise or both treatments for "
    "chronic widespread pain: long-term results from the MUSICIAN randomised controlled trial. RMD "
    "Open 1:e000026.",
    "",
    "The abstract.",
)
GEMTC = Source(
    "gemtc",
    "The R package gemtc, version 1.0-2, with JAGS. van Valkenhoef G et al. 2012, Research "
    "Synthesis Methods.",
    "10.1002/jrsm.1054",
    "A stored run for each network and model.",
)
MULTINMA = Source(
    "multinma",
    "The R package multinma, version 0.5.1, with Stan. Phillippo DM, multinma: Bayesian network "
    "meta-analysis of individual and aggregate data.",
    "10.5281/zenodo.3904454",
    "A stored run for each network and model; vignettes where they are named.",
)
NETMETA = Source(
    "netmeta",
    "The R package netmeta, version 3.3-1. Balduzzi S et al. 2023. netmeta: an R package for "
    "network meta-analysis using frequentist methods. Journal of Statistical Software 106(2):1-40.",
    "10.18637/jss.v106.i02",
    "A stored run for each network and function.",
)
METAFOR = Source(
    "metafor",
    "The R package metafor, version 3.8-1, its function rma.mv. Viechtbauer W 2010. Journal of "
    "Statistical Software 36(3).",
    "10.18637/jss.v036.i03",
    "A stored run for each network and estimator.",
)
NMATHRESH = Source(
    "nmathresh",
    "The R package nmathresh, which accompanies Phillippo DM et al. 2018 on thresholds.",
    "",
    "The words of the package's vignette on thrombolytics.",
)
SOURCES = (
    *(TSD2, TSD3, TSD4, COOPER, DIAS, BEASLEY),
    *(GEMTC, MULTINMA, NETMETA, METAFOR, NMATHRESH),
)
"""In the order of the page: documents, then programs."""


def stored_run(program: str, network: str) -> Place:
    """Return the place of a run that is named by program and, unless random effects, by model."""
    name, _, model = program.partition(", ")
    source = {"gemtc": GEMTC, "multinma": MULTINMA}[name]
    return source.at(network, model or "random effects")
