"""The checklist of PRISMA-NMA, in our own words: what the report fills and what authors write.

Numbers, order and subjects are those of the 32 items of the extension statement (Hutton et al.
2015, doi:10.7326/M14-2385), checked against a transcription of its table.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from nma.reports._parts import Written
from nma.tables import Table

__all__ = ["ITEMS", "checklist"]

ITEMS = {
    "1": "Title names a systematic review with network meta-analysis",
    "2": "Structured summary",
    "3": "Why the review, and why a network meta-analysis",
    "4": "Question: participants, interventions, comparisons, outcomes, designs",
    "5": "Protocol and registration",
    "6": "Eligibility of studies; which treatments are in the network, and any that were lumped",
    "7": "Where studies were searched, and when",
    "8": "One full search strategy",
    "9": "How studies were selected",
    "10": "How data were extracted from reports and confirmed",
    "11": "Which variables were sought, and assumptions about them",
    "S1": "Methods: how the geometry of the network, and bias from it, was explored",
    "12": "Methods: risk of bias in each study, and its use in the synthesis",
    "13": "Effect measures, and how treatments are ranked and summarised",
    "14": "Methods of synthesis: multi-arm trials, variance, priors, fit",
    "S2": "Methods: how inconsistency was assessed, and addressed where found",
    "15": "Methods: bias across studies, such as selective publication",
    "16": "Methods: further analyses, such as sensitivity and regression",
    "17": "Results of the search, with a flow diagram",
    "S3": "A graph of the network",
    "S4": "The geometry of the network in words and numbers",
    "18": "Characteristics of each study, with citations",
    "19": "Risk of bias found in each study",
    "20": "Results of each study: summary data by arm, effects with intervals",
    "21": "Results of each meta-analysis with intervals; rankings if any",
    "S5": "Inconsistency found",
    "22": "Bias across studies found",
    "23": "Results of further analyses",
    "24": "Main findings and the strength of evidence",
    "25": "Limitations, with transitivity, consistency and the network's geometry",
    "26": "Conclusions, and what to study next",
    "27": "Funding and conflicts of interest",
}
"""The 27 items of PRISMA as extended, and the five that networks add, in the checklist's order."""

AUTHORS = "for the authors to write"
JUDGE = (
    "A section named here holds numbers or sentences for the item; whether they suffice is for the "
    "authors to judge."
)


def checklist(sections: Sequence[Written]) -> Table:
    """Return every item, and the sections that fill it.

    Returns
    -------
    Table
        One row for each item: what it asks, and where it is.

    References
    ----------
    Hutton et al. 2015, doi:10.7326/M14-2385.
    """
    where = [
        "; ".join(part.title for part in sections if item in part.items and part.filled) or AUTHORS
        for item in ITEMS
    ]
    return Table(
        pd.DataFrame(
            {"asks for": list(ITEMS.values()), "in this report": where},
            index=pd.Index(list(ITEMS), name="item"),
        ),
        caption="PRISMA-NMA checklist (Hutton 2015, doi:10.7326/M14-2385), items in short.",
        notes=[JUDGE],
    )
