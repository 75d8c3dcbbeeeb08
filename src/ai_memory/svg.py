"""A small writer of SVG: elements as text, with escaped values. The same values give the same bytes.

Every picture of the project is made with it: the graph, the pages of evaluations, the charts of benchmarks and of recall.
"""

from __future__ import annotations

import re

NAMESPACE = "http://www.w3.org/2000/svg"

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def escape(text: str, *, quote: bool = False) -> str:
    """Plain text as XML; with `quote`, as the value of an attribute, where line breaks and tabs are kept as well.

    Characters that XML cannot represent (most control characters, lone surrogates) become U+FFFD.
    """
    text = _NO_XML.sub("\ufffd", text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    if quote:
        for character, reference in (('"', "&quot;"), ("\t", "&#9;"), ("\n", "&#10;"), ("\r", "&#13;")):
            text = text.replace(character, reference)
    return text


def number(value: float) -> str:
    """A number with at most two decimals, which is enough for a pixel; no exponent, no zeros at the end."""
    if isinstance(value, int):
        return str(value)
    shown = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if shown == "-0" else shown


def element(name: str, *children: str, **attributes: str | float | None) -> str:
    """An element. `children` are elements or escaped text; values of attributes are plain and are escaped here.

    In the name of an attribute `_` becomes `-`, and one at the end is dropped (`class_`). An attribute of None is omitted.
    """
    given = "".join(
        f' {key.removesuffix("_").replace("_", "-")}="{escape(value, quote=True) if isinstance(value, str) else number(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    return f"<{name}{given}>{''.join(children)}</{name}>" if children else f"<{name}{given}/>"


def document(
    view_box: tuple[float, float, float, float], *children: str, separator: str = "\n", **attributes: str | float | None
) -> str:
    """A whole document. `view_box` is the left, the top, the width and the height of the picture, in pixels."""
    box = " ".join(map(number, view_box))
    inside = separator.join(("", *children, ""))
    return element("svg", inside, xmlns=NAMESPACE, viewBox=box, **attributes)


def text(x: float, y: float, content: str, **attributes: str | float | None) -> str:
    """A line of plain text whose baseline is at `y`; `content` is escaped here."""
    return element("text", escape(content), x=x, y=y, **attributes)


def title(content: str, **attributes: str | float | None) -> str:
    """The title of the element that it is in: shown when the pointer rests on it, and read aloud; `content` is escaped here."""
    return element("title", escape(content), **attributes)


def rect(x: float, y: float, width: float, height: float, *children: str, **attributes: str | float | None) -> str:
    """A rectangle, by its upper left corner."""
    return element("rect", *children, x=x, y=y, width=width, height=height, **attributes)


def line(x1: float, y1: float, x2: float, y2: float, **attributes: str | float | None) -> str:
    """A straight line."""
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, **attributes)


def path(d: str, **attributes: str | float | None) -> str:
    """A path."""
    return element("path", d=d, **attributes)


def arrow_head(name: str, *, end: float = 8, **attributes: str | float | None) -> str:
    """Defines an arrow head for `marker_end="url(#name)"`, 8 long, where a line ends at `end`; `attributes` are of its shape."""
    shape = path("M0 0L8 4L0 8z", **attributes)
    marker = element(
        "marker", shape, id=name, viewBox="0 0 8 8", refX=end, refY=4, markerWidth=7, markerHeight=7, orient="auto"
    )
    return element("defs", marker)
