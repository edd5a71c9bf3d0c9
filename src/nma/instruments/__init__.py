"""Questionnaires and scales by name: their range, their direction, and differences that matter."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from nma.errors import ModelError, nearest, shown
from nma.instruments._instrument import ImportantDifference, Instrument, Kind, ReferenceSD

__all__ = [
    "NRS",
    "ODI",
    "PSEQ",
    "PSFS",
    "QBPDS",
    "RMDQ",
    "SF36_PHYSICAL_FUNCTIONING",
    "VAS",
    "ImportantDifference",
    "Instrument",
    "Kind",
    "ReferenceSD",
    "find",
    "hint",
    "known",
    "named",
]

OSTELO = "Ostelo 2008, Spine 33:90"
HAYDEN = "Hayden 2021, doi:10.1002/14651858.CD009790.pub2"


def _back_pain(
    name: str,
    upper: float,
    change: float,
    of: Literal["pain", "function"],
    aliases: tuple[str, ...],
) -> Instrument:
    """Return an instrument of Ostelo's consensus, with Hayden's group difference on its range."""
    of_hundred = {"pain": 15, "function": 10}[of]
    on = f"{of_hundred} of 100 points of {of}, against no treatment, usual care or placebo"
    rescaled = "" if upper == 100 else f", rescaled to 0 to {upper:g}"
    return Instrument(
        name,
        0,
        upper,
        "lower",
        important=(
            ImportantDifference(change, "within-person", OSTELO),
            ImportantDifference(0.3, "within-person", OSTELO, relative=True),
            ImportantDifference(
                of_hundred * upper / 100, "between-group", f"{HAYDEN}: {on}{rescaled}"
            ),
        ),
        source=OSTELO,
        aliases=aliases,
    )


VAS = _back_pain("VAS", 100, 15, "pain", ("VAS 0-100", "VAS mm", "VAS 100 mm", "VAS 0-100 mm"))
"""Visual analogue scale of pain, 0 to 100; lower is better."""

NRS = _back_pain("NRS", 10, 2, "pain", ("NPRS", "NRS-11", "NPRS-11", "NRS 0-10", "NPRS 0-10"))
"""Numerical rating scale of pain, 0 to 10; lower is better."""

ROLAND = ("Roland-Morris", "Roland-Morris disability questionnaire", "Roland-Morris questionnaire")

RMDQ = _back_pain("RMDQ", 24, 5, "function", ("RDQ", "RMQ", "RMDQ-24", "RMDQ 0-24", *ROLAND))
"""Roland-Morris disability questionnaire, 0 to 24; lower is better."""

ODI = _back_pain("ODI", 100, 10, "function", ("Oswestry", "Oswestry disability index", "ODI 0-100"))
"""Oswestry disability index, 0 to 100; lower is better."""

QBPDS = _back_pain(
    "QBPDS", 100, 20, "function", ("Quebec", "Quebec back pain disability scale", "QBPDS 0-100")
)
"""Quebec back pain disability scale, 0 to 100; lower is better."""

PSFS = Instrument(
    "PSFS",
    0,
    10,
    "higher",
    source="Stratford 1995, Physiotherapy Canada 47:258",
    aliases=("PSFS 0-10",),
)
"""Patient-specific functional scale, mean over activities, 0 to 10; higher is better."""

PSEQ = Instrument(
    "PSEQ",
    0,
    60,
    "higher",
    source="Nicholas 2007, doi:10.1016/j.ejpain.2005.12.008",
    aliases=("PSEQ-10", "PSEQ 0-60", "Pain self-efficacy questionnaire"),
)
"""Pain self-efficacy questionnaire, 0 to 60; higher is better."""

SF36_PHYSICAL_FUNCTIONING = Instrument(
    "SF-36 physical functioning",
    0,
    100,
    "higher",
    source="Ware and Sherbourne 1992, Med Care 30:473",
    aliases=("SF-36 physical function", "SF-36 PF", "SF-36 PF 0-100"),
)
"""Physical functioning scale of the SF-36, 0 to 100; higher is better."""

KNOWN = {
    instrument.name: instrument
    for instrument in (VAS, NRS, RMDQ, ODI, QBPDS, PSFS, PSEQ, SF36_PHYSICAL_FUNCTIONING)
}


def known() -> Mapping[str, Instrument]:
    """Return the instruments of the library by name; a copy.

    Returns
    -------
    dict of str to Instrument
        Changing it changes nothing in the library.

    Examples
    --------
    >>> import nma
    >>> list(nma.instruments.known())
    ['VAS', 'NRS', 'RMDQ', 'ODI', 'QBPDS', 'PSFS', 'PSEQ', 'SF-36 physical functioning']
    """
    return dict(KNOWN)


def find(name: str, among: Mapping[str, Instrument]) -> Instrument | None:
    """Return the instrument that a name or alias means; None where it is none, or could be two.

    The name as it is written goes first, then names and last aliases, whatever their case, blanks,
    hyphens and brackets.

    Parameters
    ----------
    name : str
        A name or an alias.
    among : mapping of str to Instrument
        Where to look: ``known()``, or yours.

    Returns
    -------
    Instrument or None
        None where no instrument has the name, or several may.

    Examples
    --------
    >>> import nma
    >>> print(nma.instruments.find("roland morris", nma.instruments.known()))
    RMDQ (0 to 24, lower is better)
    >>> nma.instruments.find("VAS 0-10", nma.instruments.known()) is None
    True
    """
    if name in among:
        return among[name]
    plain = _plain(name)
    by_name = {str(it): it for key, it in among.items() if _plain(str(key)) == plain}
    by_alias = {str(it): it for it in among.values() if plain in map(_plain, it.aliases)}
    found = list((by_name or by_alias).values())
    return found[0] if len(found) == 1 else None


def _plain(name: str) -> str:
    return re.sub(r"[\s_\u2010-\u2015()\[\]-]", "", name).casefold()


def hint(name: str, among: Mapping[str, Instrument]) -> str:
    """Return what an unknown name may mean: another version of an instrument, or a near name.

    Parameters
    ----------
    name : str
        What ``find`` did not find.
    among : mapping of str to Instrument
        Where it was looked for.

    Returns
    -------
    str
        A sentence for the end of a message, with a blank before it; empty where nothing is near.

    Examples
    --------
    >>> import nma
    >>> nma.instruments.hint("RMDQ-18", nma.instruments.known())
    ' It may be RMDQ (0 to 24, lower is better), or a version with another range or direction.'
    """
    spelt = [(word, it) for key, it in among.items() for word in (str(key), *it.aliases)]
    within = [pair for pair in spelt if _plain(pair[0]) and _plain(pair[0]) in _plain(name)]
    if not within:
        return nearest(name, among) or nearest(name, [word for word, _ in spelt])
    _, instrument = max(within, key=lambda pair: len(pair[0]))
    return f" It may be {instrument}, or a version with another range or direction."


def named(name: str) -> Instrument:
    """Return the instrument of that name.

    Parameters
    ----------
    name : str
        One of ``known()``, or an alias, whatever its case, blanks and hyphens.

    Returns
    -------
    Instrument

    Raises
    ------
    ModelError
        If there is none, with the closest name.

    Examples
    --------
    >>> import nma
    >>> nma.instruments.named("NRS").important_difference("between-group").value
    1.5
    >>> print(nma.instruments.named("Oswestry"))
    ODI (0 to 100, lower is better)
    """
    found = find(name, KNOWN) if isinstance(name, str) else None
    if found is None:
        message = (
            f"{shown(name)} is not an instrument the library knows: {', '.join(KNOWN)}."
            f"{hint(str(name), KNOWN)} "
            "Write your own: nma.instruments.Instrument(name, lower, upper, better)."
        )
        raise ModelError(message)
    return found
