"""What memories come to, for people: the digest with its sources, what repeats what, and the facts that changed."""

from __future__ import annotations

from collections.abc import Iterable

from ai_memory.cli.output.layout import cut, day, visible_line, wrap
from ai_memory.cli.output.screen import Screen
from ai_memory.operations.inbox import Consolidated, Digest

INDENT = "    "


def consolidated(value: Consolidated, screen: Screen) -> Iterable[str]:
    """Each digest, then copies, then facts that changed; last whether anything was written."""
    for digest in value.digests:
        yield from _digest(digest, screen)
        yield ""
    if value.repeated:
        yield screen.bold(f"Repeated ({len(value.repeated)})")
        for each in value.repeated:
            state = "" if each.proposal is None else f"  {each.proposal.id} {each.proposal.state}"
            line = f"  {each.id} says what {each.of} says: {each.reason} ({each.confidence:.0%} sure){state}"
            yield from wrap(visible_line(line), screen.width)
        yield ""
    if value.changed:
        yield screen.bold(f"Changed ({len(value.changed)})")
        for fact in value.changed:
            for one in fact:
                until = "" if one.until is None else day(one.until, screen.zone)
                head = f"  {day(one.since, screen.zone)} → {until:10}  "
                yield head + cut(one.text, screen.width - len(head))
            yield ""
    what = f"{value.memories} {'memory' if value.memories == 1 else 'memories'} looked at"
    yield screen.dim(f"{what}; nothing was written: --no-dry-run does it" if value.dry_run else what)


def _digest(digest: Digest, screen: Screen) -> Iterable[str]:
    state = [] if digest.outcome is None else [digest.outcome, digest.memory_id or digest.reason or ""]
    yield screen.bold(visible_line("  ".join([digest.title, *([f"of {digest.user}"] if digest.user else []), *state])))
    for line in digest.text.splitlines():
        yield from wrap(visible_line(line), screen.width, INDENT)
    for number, source in enumerate(digest.sources, 1):
        yield screen.dim(f"{INDENT}[{number}] {source}")
