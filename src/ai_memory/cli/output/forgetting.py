"""What was erased, or would be, as lines of text for a person."""

from __future__ import annotations

from collections.abc import Iterable

from ai_memory.cli.output.layout import cut, isolated, visible_line
from ai_memory.cli.output.screen import Screen
from ai_memory.operations.about import ForgottenAbout
from ai_memory.operations.writing import Forgotten


def forgotten(value: Forgotten, screen: Screen) -> Iterable[str]:
    """How many were erased, or would be."""
    word = "memory" if value.forgotten == 1 else "memories"
    states = ", ".join(f"{count} {state}" for state, count in value.states.items())
    what = f"{value.forgotten} {word}" + (f" ({states})" if value.states.keys() - {"current"} else "")
    yield f"would erase {what}; add --no-dry-run to do it" if value.dry_run else f"erased {what}"
    if value.wipe_pending is not None:
        yield f"the bytes are still on disk and are wiped as soon as this ends: {visible_line(value.wipe_pending.why)}"
    del screen


def forgotten_about(value: ForgottenAbout, screen: Screen) -> Iterable[str]:
    """What names it, what would be erased, and what is left and why."""
    if value.names:
        yield "found as " + ", ".join(visible_line(name) for name in value.names)
    for erased in value.erased if value.dry_run else ():
        how = f"{erased.how} {visible_line(erased.written)}" if erased.written else erased.how
        where = "" if erased.where == "text" else f", in its {erased.where}"
        yield f"  {erased.id}  {_beginning(erased.text or '', screen)}  ({how}{where}{', earlier' if erased.earlier else ''})"
    if value.left:
        yield f"left: {len(value.left)}"
        for each in value.left:
            yield f"  {each.id}  {_beginning(each.text, screen)}  ({each.why.replace('_', ' ')}: {visible_line(each.written)})"
    yield from forgotten(
        Forgotten(
            forgotten=value.forgotten,
            dry_run=value.dry_run,
            ids=(),
            states=value.states,
            wipe_pending=value.wipe_pending,
        ),
        screen,
    )


def _beginning(text: str, screen: Screen) -> str:
    """As much of a text as leaves room for the id and the reason on a line."""
    return isolated(cut(visible_line(text), max(20, screen.width - 70)))
