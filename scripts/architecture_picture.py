"""Draws docs/architecture.svg from ARCHITECTURE.md's table and from the imports that the code has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ai_memory import svg
from structure import area_of, areas, graph

WIDTH = 900
_TOP, _ROW, _BOX, _LEFT, _GAP = 56, 62, 30, 60, 14
_STYLE = """
  .paper { fill: #ffffff; stroke: #d0d7de } .band { fill: #f6f8fa } .box { fill: #ffffff; stroke: #8c959f }
  .adapter { fill: #ddf4ff; stroke: #0969da }
  text { font: 12.5px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328 }
  .title { font-size: 16px; font-weight: 600 } .quiet { fill: #57606a }
  .arrow { stroke: #8c959f; stroke-width: 1; fill: none; opacity: .75 } .tip { fill: #8c959f }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #0d1117; stroke: #30363d } .band { fill: #161b22 } .box { fill: #0d1117; stroke: #656c76 }
    .adapter { fill: #121d2f; stroke: #4493f8 }
    text { fill: #f0f6fc } .quiet { fill: #9198a1 } .arrow { stroke: #656c76 } .tip { fill: #656c76 }
  }
"""
FIRST_ADAPTER_ROW = 10


def imported_areas() -> dict[str, set[str]]:
    """For each area the areas that its modules import."""
    edges: dict[str, set[str]] = {name: set() for name in areas()}
    for module, targets in graph("src").items():
        if mine := area_of(module):
            edges[mine] |= {theirs for target in targets if (theirs := area_of(target)) and theirs != mine}
    return edges


def shown_edges(edges: Mapping[str, set[str]]) -> Iterator[tuple[str, str]]:
    """The imports that no chain of other imports implies: drawing all of them would hide the picture behind its lines."""
    reached: dict[str, set[str]] = {}

    def below(name: str) -> set[str]:
        if name not in reached:
            reached[name] = set().union(*({target} | below(target) for target in edges[name]))
        return reached[name]

    for name in edges:
        for target in sorted(edges[name]):
            if not any(target in below(other) for other in edges[name] - {target}):
                yield name, target


def places() -> dict[str, tuple[float, float, float]]:
    """The left edge, the upper edge and the width of each area's box."""
    rows: dict[int, list[str]] = {}
    for area in areas().values():
        rows.setdefault(area.row, []).append(area.name)
    found = {}
    for index, row in enumerate(sorted(rows)):
        widths = [max(58.0, 7.6 * len(name) + 22) for name in rows[row]]
        room = WIDTH - _LEFT - 20 - sum(widths) - _GAP * (len(widths) - 1)
        x = _LEFT + room / 2
        for name, width in zip(rows[row], widths, strict=True):
            found[name] = (x, _TOP + index * _ROW, width)
            x += width + _GAP
    return found


def architecture_picture() -> str:
    """The picture: rows from top to bottom, an area in each box, an arrow to what it imports."""
    boxes = places()
    rows = sorted({area.row for area in areas().values()})
    height = _TOP + _ROW * len(rows)
    bands = [
        svg.rect(12, _TOP + index * _ROW - 10, WIDTH - 24, _BOX + 20, class_="band", rx=6)
        + svg.text(24, _TOP + index * _ROW + 20, str(row), class_="quiet")
        for index, row in enumerate(rows)
    ]
    arrows = []
    for name, target in shown_edges(imported_areas()):
        x, y, width = boxes[name]
        to_x, to_y, to_width = boxes[target]
        start, end = x + width / 2, to_x + to_width / 2
        bend = (y - to_y - _BOX) / 2
        curve = f"M{svg.number(start)} {svg.number(y)}C{svg.number(start)} {svg.number(y - bend)} "
        curve += f"{svg.number(end)} {svg.number(to_y + _BOX + bend)} {svg.number(end)} {svg.number(to_y + _BOX)}"
        arrows.append(svg.path(curve, class_="arrow", marker_end="url(#tip)"))
    shapes = []
    for name, (x, y, width) in boxes.items():
        kind = "adapter" if areas()[name].row >= FIRST_ADAPTER_ROW else "box"
        shapes.append(svg.rect(x, y, width, _BOX, class_=kind, rx=4))
        shapes.append(svg.text(x + width / 2, y + 20, name, text_anchor="middle"))
    return (
        svg.document(
            (0, 0, WIDTH, height),
            svg.title("Areas of ai_memory by row, and which import which"),
            svg.element("style", _STYLE),
            svg.arrow_head("tip", class_="tip"),
            svg.rect(0.5, 0.5, WIDTH - 1, height - 1, class_="paper", rx=8),
            svg.text(20, 30, "An area imports areas of the rows above it; adapters are blue", class_="title"),
            *bands,
            *arrows,
            *shapes,
            role="img",
        )
        + "\n"
    )
