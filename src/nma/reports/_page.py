"""A report as one page: no scripts, nothing fetched, readable by keyboard and in print."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from xml.etree import ElementTree as ET

from nma import markup
from nma.reports._parts import Figure, Part, Refused, Written
from nma.reports._pictures import picture
from nma.reports._tables import is_wide, region, table_region
from nma.tables import Table

__all__ = ["page"]

POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "form-action 'none'"
)
WIDEST = 560
"""Pixels below which pictures are scrolled rather than shrunk."""

PHONE = 288
"""Pixels that the narrowest screen has for a picture."""

STYLE = """
:root{color-scheme:light dark;--ink:#1a1a1a;--paper:#fff;--line:#8a8a8a;--link:#005a8c}
@media(prefers-color-scheme:dark){:root{--ink:#ececec;--paper:#16181b;--line:#7d838a;--link:#8cc8f0}}
*{box-sizing:border-box}
body{margin:0 auto;padding:1rem;max-width:72rem;font:1rem/1.5 system-ui,sans-serif;
color:var(--ink);background:var(--paper);overflow-wrap:anywhere}
a{color:var(--link)}
.skip{position:absolute;left:-99rem}.skip:focus{position:static}
h2{margin-top:2.5rem;border-bottom:1px solid var(--line)}
.scroll{overflow-x:auto;margin:1rem 0}
a:focus-visible,.scroll:focus-visible{outline:3px solid var(--link);outline-offset:2px}
table{border-collapse:separate;border-spacing:0;width:max-content;font-size:.9rem}
caption{text-align:left;font-weight:600;padding-bottom:.3rem;
min-width:min(38rem,calc(100vw - 3rem));max-width:min(60rem,calc(100vw - 3rem))}
th,td{border-bottom:1px solid var(--line);padding:.2em .6em;vertical-align:top;text-align:left;
max-width:min(24rem,70vw);overflow-wrap:anywhere}
th{max-width:min(14rem,45vw)}thead th{vertical-align:bottom}
thead .n{max-width:9rem}.n{text-align:right}
td.n{white-space:nowrap;max-width:none;font-variant-numeric:tabular-nums}
[scope=colgroup]{text-align:center}
tbody th{font-weight:500}
tbody th:first-child{position:sticky;left:0;background:var(--paper)}
figure{margin:1rem 0}figcaption,p,ul{max-width:60em}
svg{display:block;max-width:100%;height:auto;background:#fff;color:#1a1a1a}
svg *{stroke-linejoin:round;stroke-linecap:butt}
.poor{border:3px solid #c33;padding:.5rem 1rem}
@page{margin:14mm 15mm}
@page wide{size:landscape}
@media print{:root{color-scheme:light;--ink:#000;--paper:#fff;--line:#777;--link:#000}
nav,.skip{display:none}
body{max-width:none;padding:0;font-size:9pt}.wide{page:wide}
.scroll{overflow:visible}caption{min-width:38em;max-width:60em;font-size:7.5pt}
table{width:auto;font-size:var(--size,7.5pt)}
th,td{padding:.15em .5em}th{max-width:14em}td{max-width:28em}
.dense th,.dense td{padding:.15em .3em}.dense .n{white-space:normal}
tbody th:first-child{position:static}
thead{display:table-header-group}tr,figure{break-inside:avoid}h2,caption,thead{break-after:avoid}
tbody tr:first-child{break-before:avoid}
svg{max-height:23cm;width:auto;min-width:0!important}.wide svg{max-height:15cm}}
""".replace("\n", "")


def page(title: str, poor: str, sections: Sequence[Written]) -> str:
    """Return the report as HTML."""
    links = "".join(
        f'<li><a href="#{part.name}">{html.escape(part.title)}</a></li>' for part in sections
    )
    bodies = "".join(_section(part) for part in sections)
    warning = f'<div class="poor">{markup.paragraph(poor, loud=True)}</div>' if poor else ""
    name = html.escape(title)
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{name}</title><style>{STYLE}</style></head>\n"
        f'<body><a class="skip" href="#report">Skip to the report</a><header><h1>{name}</h1>'
        f'{warning}</header><nav aria-label="Sections"><ul>{links}</ul></nav>\n'
        f'<main id="report">{bodies}</main></body></html>\n'
    )


def _section(section: Written) -> str:
    head = f'<h2 id="{section.name}-title">{html.escape(section.title)}</h2>'
    parts = "\n".join(_part(part, f"{section.name}-{k}") for k, part in enumerate(section.parts, 1))
    wide = any(isinstance(part, Table) and is_wide(part) for part in section.parts)
    kind = ' class="wide"' if wide else ""
    start = f'<section id="{section.name}"{kind} aria-labelledby="{section.name}-title">'
    return f"{start}{head}\n{parts}</section>\n"


def _part(part: Part, name: str) -> str:
    if isinstance(part, str):
        return markup.paragraph(part)
    if isinstance(part, Refused):
        return markup.paragraph(part.reason)
    if isinstance(part, Table):
        return table_region(part)
    if isinstance(part, Figure):
        return _figure(part, name)
    return markup.bullets(part)


def _figure(figure: Figure, name: str) -> str:
    width = float(figure.axes.figure.figure.get_figwidth()) * 96
    drawn = inline(picture(figure.axes, "svg").decode(), f"{name}-", figure.text)
    caption = f"<figcaption>{html.escape(figure.text)}</figcaption>"
    shown = region(drawn, f"Figure {name}", scrolls=width > PHONE)
    return f"<figure>{shown}{caption}</figure>"


def inline(drawn: str, prefix: str, text: str) -> str:
    """Return a vector picture as a part of a page: a text for it, and names of its own."""
    root = ET.fromstring(drawn)  # noqa: S314  we drew it
    for element in list(root.iter()):
        for child in list(element):
            if _local(child.tag) in {"metadata", "style"}:
                element.remove(child)
        element.tag = _local(element.tag)
        element.attrib = {_local(k): _prefixed(_local(k), v, prefix) for k, v in element.items()}
    width = float(root.attrib["width"].removesuffix("pt")) * 96 / 72
    narrow = f"min-width:{min(round(width), WIDEST)}px"
    root.attrib |= {"role": "img", "aria-label": text, "style": narrow}
    return ET.tostring(root, encoding="unicode")


def _local(name: str) -> str:
    return name.rpartition("}")[2]


def _prefixed(key: str, value: str, prefix: str) -> str:
    if key == "id":
        return prefix + value
    if key == "href":
        return re.sub("^#", f"#{prefix}", value)
    return value.replace("url(#", f"url(#{prefix}")
