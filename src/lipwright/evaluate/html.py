"""Pieces of self-contained pages: no script, no network, readable on a phone."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lipwright.core.png import png

_STYLE = """
:root{--ink:#1c2330;--soft:#667084;--line:#e3e6ec;--note:#6a4b00;--best:#0b6b3a}
*{box-sizing:border-box}
body{font:15px/1.5 system-ui,-apple-system,"Segoe UI","DejaVu Sans",sans-serif;margin:0 auto;max-width:1240px;
padding:1.2rem 1rem 3rem;color:var(--ink);background:#fff}
h1{font-size:1.35rem;line-height:1.25;overflow-wrap:anywhere;margin:.4rem 0 1rem}
h2{font-size:1.05rem;margin:2.2rem 0 .6rem}
.scroll{overflow-x:auto;-webkit-overflow-scrolling:touch}
table{border-collapse:separate;border-spacing:0;width:100%}
th,td{padding:.28rem .6rem;text-align:right;border-bottom:1px solid var(--line);
font-variant-numeric:tabular-nums;white-space:nowrap}
th{color:var(--soft);font-weight:600;font-size:.85rem;vertical-align:bottom}
th:first-child,td:first-child{text-align:left;position:sticky;left:0;background:#fff;white-space:normal;min-width:9rem}
.t{text-align:left}.v{font-weight:600}.u{color:var(--soft)}.best{font-weight:700;color:var(--best)}
.span{display:block;color:var(--soft);font-size:.78rem;font-weight:400}
th .span{white-space:normal;min-width:6rem}
img,video{max-width:100%;height:auto;border:1px solid var(--line);display:block}
.wide img{max-width:none;width:max(100%,820px)}
ul.notes{color:var(--note);padding-left:1.2rem}p.small,footer{color:var(--soft);font-size:.85rem}
footer{margin-top:2.5rem;overflow-wrap:anywhere}
"""


def document(title: str, parts: Iterable[str]) -> str:
    """A whole page."""
    shown = html.escape(title)
    head = "<meta charset='utf-8'><meta name='viewport' content='width=device-width,initial-scale=1'>"
    return "\n".join(
        [
            f"<!doctype html><html lang='en'><head>{head}<title>{shown}</title><style>{_STYLE}</style></head>",
            f"<body><h1>{shown}</h1>",
            *parts,
            "</body></html>\n",
        ]
    )


def section(title: str, body: str) -> str:
    """A heading with what stands below it; nothing for an empty body."""
    return f"<h2>{html.escape(title)}</h2>\n{body}" if body else ""


def notes(lines: Sequence[str]) -> str:
    """What a reader must know first."""
    return "<ul class='notes'>" + "".join(f"<li>{html.escape(n)}</li>" for n in lines) + "</ul>" if lines else ""


def table(head: Sequence[str], rows: Sequence[Sequence[str]], left: Sequence[int] = (0,)) -> str:
    """Cells are HTML already; columns in `left` are text."""

    def line(tag: str, cells: Sequence[str]) -> str:
        shown = (f"<{tag}{' class=t' if i in left else ''}>{c}</{tag}>" for i, c in enumerate(cells))
        return f"<tr>{''.join(shown)}</tr>"

    return "\n".join(
        ["<div class=scroll><table>", line("th", head), *(line("td", row) for row in rows), "</table></div>"]
    )


def picture(png: bytes, name: str) -> str:
    """A picture that scrolls sideways where the window is narrow."""
    code = base64.b64encode(png).decode("ascii")
    return f"<div class='scroll wide'><img alt='{html.escape(name)}' src='data:image/png;base64,{code}'></div>"


def sheets(pictures: Mapping[str, Any]) -> Iterable[str]:
    """A section for each RGB uint8 sheet."""
    for name, sheet in pictures.items():
        yield section(name, picture(png(sheet), name))


def video(mp4: bytes) -> str:
    """A playable video."""
    code = base64.b64encode(mp4).decode("ascii")
    return f"<video controls preload='metadata' playsinline src='data:video/mp4;base64,{code}'></video>"


def footer(facts: Mapping[str, Any]) -> str:
    """How it was measured."""
    words = ", ".join(f"{k}: {_words(v)}" for k, v in facts.items())
    return f"<footer>{html.escape(words)}</footer>"


def _words(fact: object) -> str:
    return " ".join(f"{k} {v}" for k, v in fact.items()) if isinstance(fact, dict) else str(fact)
