"""The step to a log whose hashes cannot be guessed, the same on every backend: new commitments, and the chain over them.

Earlier versions had plain hashes in the log, and the chain's digests cover them: who knows all other entries could try texts on
those as well. So every digest is computed again, from the first entry to the last. Where the old chain was broken, the new
one is broken at the same entry, so that `doctor` still finds what was changed before.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator

from msgspec.structs import replace

from ai_memory.store.base import Action
from ai_memory.store.chain import GENESIS, ChainedEntry, chain_digest, commitment, log_entry

Salts = dict[int, bytes]
"""By the sequence of the log entry that made a revision or a relation; those that are erased have none."""


def rechained(
    entries: Iterable[tuple[ChainedEntry, bytes]], salts: Salts, related_by: Callable[[str, str], int | None]
) -> Iterator[tuple[ChainedEntry, bytes]]:
    """The log's entries with commitments in place of hashes, and their new digests.

    `related_by` gives the sequence of the entry that made a relation, by its namespace and id, None where it is erased. What is
    erased has no hash any more.
    """
    old = new = GENESIS
    for entry, digest in entries:
        sound = chain_digest(old, entry) == digest
        old = digest
        salt = None if entry.content_hash is None else salts.get(_maker(entry, related_by) or 0)
        committed = None if salt is None else commitment(str(entry.content_hash), salt).hex()
        entry = replace(entry, content_hash=committed)
        new = chain_digest(new, entry) if sound else secrets.token_bytes(len(GENESIS))
        yield entry, new


def _maker(entry: ChainedEntry, related_by: Callable[[str, str], int | None]) -> int | None:
    """The sequence of the entry that made what an entry is about."""
    if entry.relation_id is not None:
        return related_by(entry.namespace, entry.relation_id)
    if entry.action == Action.RETIRED:
        return next(iter(log_entry(entry, "").retired_keys), None)
    return entry.sequence
