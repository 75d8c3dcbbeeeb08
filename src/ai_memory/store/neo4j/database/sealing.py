"""Seals of nodes and relationships: a property `seal` over all their other properties; and finding those that it does not fit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, NamedTuple

from ai_memory.store.rules import MEND, RESTORE, changed, sealed_otherwise
from ai_memory.store.seals import Seals
from ai_memory.types import Problem

Read = Callable[..., list[list[Any]]]
Properties = dict[str, Any]

SEAL = "seal"
_PAGE = 2_000

RELATIONSHIP = "RELATIONSHIP"
"""The kind of what is between two nodes that people relate: its type is the user's own."""


class _Kind(NamedTuple):
    """Nodes with one label, or the relationships, and how they are read and named."""

    pattern: str
    names: tuple[str, ...]
    pages: str | None = None
    """The property by which they are read some at a time; None where there are few."""


KINDS: dict[str, _Kind] = {
    "Store": _Kind("(n:Store)", ("store_id",)),
    "Memory": _Kind("(n:Memory)", ("id",), "number"),
    "Revision": _Kind("(n:Revision)", ("key", "memory_id"), "key"),
    "Entity": _Kind("(n:Entity)", ("id",), "number"),
    "Alias": _Kind("(n:Alias)", ("folded",)),
    "Relation": _Kind("(n:Relation)", ("id",), "key"),
    RELATIONSHIP: _Kind("(:Node)-[n]->(:Node)", ("id",), "key"),
    "Proposal": _Kind("(n:Proposal)", ("id",), "key"),
    "Feedback": _Kind("(n:Feedback)", ("id",), "key"),
    "Tombstone": _Kind("(n:Tombstone)", ("sequence",)),
    "Generation": _Kind("(n:Generation)", ("number",)),
    "Vector": _Kind("(n:Vector)", ("generation", "position"), "key"),
    "Job": _Kind("(n:Job)", ("id",)),
    "Answer": _Kind("(n:Answer)", ("key",)),
}
"""What has seals. The log has its chain, and `Owed` follows from revisions and vectors."""


def sealed(seals: Seals, kind: str, properties: Properties) -> Properties:
    """The properties with their seal; those that are None are not stored, and left out."""
    kept = {name: value for name, value in properties.items() if value is not None and name != SEAL}
    return kept | {SEAL: seals.of(kind)(tuple(chain.from_iterable(sorted(kept.items())))).hex()}


def reseal(read: Read, seals: Seals, kind: str, match: str, rows: Sequence[Any] = ()) -> None:
    """Seal what a pattern finds as `n`, in a write transaction, as it is now; `rows` are what the pattern takes from `row`."""
    found = read(f"{match} RETURN DISTINCT elementId(n), properties(n)", rows=list(rows))
    _set(read, kind, [(element, sealed(seals, kind, properties)[SEAL]) for element, properties in found])


def seal_all(read: Read, seals: Seals, *, others_only: bool = False) -> None:
    """Seal everything as it is, or what another secret sealed, in a write transaction."""
    for kind in KINDS:
        pairs = []
        for element, properties in _all(read, kind):
            if not others_only or seals.is_other(_bytes(properties.get(SEAL))):
                pairs.append((element, sealed(seals, kind, properties)[SEAL]))
        for start in range(0, len(pairs), _PAGE):
            _set(read, kind, pairs[start : start + _PAGE])


def seals_broken(read: Read, seals: Seals) -> Iterator[Problem]:
    """One finding for each kind that has members which their seals do not fit, with the names of some of them."""
    others = 0
    for kind in KINDS:
        wrong, other = _broken(read, seals, kind)
        others += other
        if wrong:
            names = [" ".join(str(each.get(name)) for name in KINDS[kind].names) for _, each in wrong]
            what = "relationships" if kind == RELATIONSHIP else f"{kind} nodes"
            yield changed(what, names, MEND if kind == "Vector" else RESTORE)
    if others:
        yield sealed_otherwise(others)


def broken_vectors(read: Read, seals: Seals) -> list[str]:
    """The element ids of vectors that are not as they were stored."""
    return [element for element, _ in _broken(read, seals, "Vector")[0]]


def _broken(read: Read, seals: Seals, kind: str) -> tuple[list[tuple[str, Properties]], int]:
    """What its seal does not fit, as element id and properties; and how many another secret sealed."""
    wrong, others = [], 0
    for element, properties in _all(read, kind):
        seal = properties.get(SEAL)
        if seal == sealed(seals, kind, properties)[SEAL]:
            continue
        if seals.is_other(_bytes(seal)):
            others += 1
        else:
            wrong.append((element, properties))
    return wrong, others


def _all(read: Read, kind: str) -> Iterable[tuple[str, Properties]]:
    """Every member of a kind, some at a time; those whose place in the order was lost come last."""
    pattern, _, pages = KINDS[kind]
    if pages is None:
        yield from _pairs(read(f"MATCH {pattern} RETURN elementId(n), properties(n)"))
        return
    order = f"n.{pages}"
    after, seen = -(2**63), 0
    while True:
        # All that have the number at the end of a page are taken with it: several vectors have one key.
        following = f"MATCH {pattern} WHERE {order} > $after RETURN {order} ORDER BY {order} LIMIT $limit"
        ends = read(following, after=after, limit=_PAGE)
        if not ends:
            break
        query = f"MATCH {pattern} WHERE $after < {order} <= $end RETURN elementId(n), properties(n)"
        for element, properties in read(query, after=after, end=ends[-1][0]):
            seen += 1
            yield element, properties
        after = ends[-1][0]
    ((count,),) = read(f"MATCH {pattern} RETURN count(n)")
    if count != seen:
        query = f"MATCH {pattern} WHERE {order} IS NULL OR NOT {order} IS :: INTEGER RETURN elementId(n), properties(n)"
        yield from _pairs(read(query))


def _pairs(rows: list[list[Any]]) -> Iterator[tuple[str, Properties]]:
    return ((element, properties) for element, properties in rows)


def _set(read: Read, kind: str, pairs: Sequence[tuple[str, str]]) -> None:
    if pairs:
        pattern = "()-[n]->()" if kind == RELATIONSHIP else "(n)"
        read(f"UNWIND $rows AS row MATCH {pattern} WHERE elementId(n) = row[0] SET n.seal = row[1]", rows=list(pairs))


def _bytes(digits: Any) -> bytes | None:
    try:
        return bytes.fromhex(digits)
    except (TypeError, ValueError):
        return None
