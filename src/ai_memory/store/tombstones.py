"""Tombstones: what is known of a forgotten text, so that it is refused when it comes again and cannot be read from what is known.

A tombstone has a `Trace` of the text: digests of what it says (`text/retelling.py`), and what finds it inside a longer text. A
short text (a PIN, "X has illness Y") could be guessed from its trace, so a store keeps it sealed under a secret of its own that is
not in the database. For other stores an archive has a digest that takes a few milliseconds for each text that one tries.
docs/decisions/tombstones.md says what this protects against, and what not.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Hashable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from msgspec import Struct, field
from numpy.typing import NDArray

from ai_memory.text.normal import value_digest
from ai_memory.text.retelling import Retelling, retelling, said
from ai_memory.types import ArchivedTombstone, Content

SECRET_BYTES = 32
DIGEST_BYTES = 16
_SEALED_BYTES = 2 * DIGEST_BYTES + 4 + 8

_SCRYPT_N, _SCRYPT_R = 1024, 8
"""1 MiB and about 3 ms for each text that is tried; writing into a namespace with tombstones of an archive costs it too."""
_MEMO = 4096
_THREADS = 8
MAX_SALTS = 16
"""From how many stores a namespace takes tombstones: each makes every write into it dearer by a slow digest."""

_BASE = 0x9E3779B97F4A7C15
_VALUE = 1
"""The total of a trace that is of an earlier version; any other without words has 0."""
_INVERSE = pow(_BASE, -1, 1 << 64)


class Trace(Struct, frozen=True):
    """What a tombstone knows of a text. Who has it can find out whether a text that they think of is the one."""

    digest: bytes
    other_digest: bytes
    length: int
    """How many words the text has; 0 where it is too short for being found in others, or written before there were traces."""
    total: int
    """A sum over all of these words, by which a row of as many words in another text is found in one pass."""

    @classmethod
    def of(cls, text: str) -> Trace:
        """The trace of a text."""
        retold = retelling(text)
        length = len(retold.words) if retold.is_telling else 0
        total = int(_totals(_numbers(retold.words), length)[0]) if length else 0
        return cls(retold.digest, retold.other_digest, length, total)

    @classmethod
    def of_value(cls, digest: bytes) -> Trace:
        """What a tombstone of an earlier version has: the digest of namespace, author, title and normal form."""
        return cls(digest, digest, 0, _VALUE)

    @property
    def is_value(self) -> bool:
        """Whether it is of an earlier version."""
        return not self.length and self.total == _VALUE


class Secret:
    """What makes the digests of one store unlike those of any other."""

    def __init__(self, key: bytes) -> None:
        self.key = key

    @classmethod
    def new(cls) -> Secret:
        """A random one."""
        return cls(secrets.token_bytes(SECRET_BYTES))

    def row(self, trace: Trace) -> bytes:
        """16 bytes under which a trace is stored."""
        return hashlib.blake2b(trace.digest, key=self.key, digest_size=DIGEST_BYTES, person=b"tombstone").digest()

    def seal(self, trace: Trace) -> bytes:
        """The trace for the store: without this secret nothing can be learned from it."""
        plain = trace.digest + trace.other_digest + trace.length.to_bytes(4, "big") + trace.total.to_bytes(8, "big")
        return _xor(plain, self._mask(self.row(trace)))

    def opened(self, row: bytes, sealed: bytes) -> Trace | None:
        """The other way round; None where another secret sealed it."""
        if len(sealed) != _SEALED_BYTES:
            return None
        plain = _xor(sealed, self._mask(row))
        length, total = plain[2 * DIGEST_BYTES : -8], plain[-8:]
        trace = Trace(
            plain[:DIGEST_BYTES],
            plain[DIGEST_BYTES : 2 * DIGEST_BYTES],
            int.from_bytes(length, "big"),
            int.from_bytes(total, "big"),
        )
        return trace if self.row(trace) == row else None

    def sealed(self, digest: bytes) -> bytes:
        """A digest of what may be guessed, for the store: the same each time, so that it is found again."""
        row = hashlib.blake2b(digest, key=self.key, digest_size=DIGEST_BYTES, person=b"once").digest()
        return row + _xor(digest, self._mask_once(row, len(digest)))

    def unsealed(self, sealed: bytes) -> bytes | None:
        """The other way round; None where another secret sealed it."""
        row, hidden = sealed[:DIGEST_BYTES], sealed[DIGEST_BYTES:]
        digest = _xor(hidden, self._mask_once(row, len(hidden))) if hidden else b""
        return digest if digest and self.sealed(digest) == sealed else None

    def _mask_once(self, row: bytes, size: int) -> bytes:
        return hashlib.blake2b(row, key=self.key, digest_size=size, person=b"once seal").digest()

    def _mask(self, row: bytes) -> bytes:
        return hashlib.blake2b(row, key=self.key, digest_size=_SEALED_BYTES, person=b"seal").digest()


def _xor(data: bytes, mask: bytes) -> bytes:
    return (int.from_bytes(data, "big") ^ int.from_bytes(mask, "big")).to_bytes(len(data), "big")


# ── for other stores ───────────────────────────────────────────────────────────────────────────────────────────────────


def archive_salt(store_id: str) -> bytes:
    """The salt of a store's archives: the same each time, so that equal stores give equal archives."""
    return hashlib.blake2b(store_id.encode(), digest_size=DIGEST_BYTES, person=b"archive").digest()


@lru_cache(maxsize=_MEMO)
def slow_digest(salt: bytes, digest: bytes) -> bytes:
    """16 bytes, scrypt."""
    return hashlib.scrypt(digest, salt=salt, n=_SCRYPT_N, r=_SCRYPT_R, p=1, dklen=DIGEST_BYTES)


def slow_digests(salt: bytes, digests: Sequence[bytes]) -> list[bytes]:
    """The same for many, on several cores."""
    if len(digests) < _THREADS:
        return [slow_digest(salt, digest) for digest in digests]
    with ThreadPoolExecutor(_THREADS) as pool:
        return list(pool.map(lambda digest: slow_digest(salt, digest), digests))


# ── what a store refuses ───────────────────────────────────────────────────────────────────────────────────────────────


class Entry(Struct, frozen=True):
    """One tombstone in memory: the digest that it is stored under, and the log entry that made it."""

    row: bytes
    sequence: int
    memory_id: str | None
    """What was forgotten; None for a tombstone of an archive."""
    trace: Trace | None = None


class StoredTombstone(NamedTuple):
    """A tombstone as every store keeps it."""

    namespace: str
    digest: bytes
    sealed: bytes | None
    """The sealed trace; of one from an archive its other digest."""
    salt: bytes | None
    """Of one from an archive."""
    sequence: int
    memory_id: str | None = None

    def trace(self, secret: Secret) -> Trace | None:
        """The trace of one of the store's own, None where another secret sealed it or where it is from an archive."""
        return None if self.salt is not None or self.sealed is None else secret.opened(self.digest, self.sealed)


class Verdict(Struct, frozen=True):
    """What the tombstones of a namespace say to a content."""

    said: tuple[Entry, ...] = ()
    """Those of which the text is a retelling: it is refused."""
    contained: tuple[Entry, ...] = ()
    """Those whose text is in this one, among other words, or in its title, source or attributes."""

    @property
    def forgotten_ids(self) -> tuple[str, ...]:
        """The ids of the memories whose text is contained."""
        ids = (entry.memory_id for entry in self.contained)
        return tuple(dict.fromkeys(memory_id for memory_id in ids if memory_id is not None))


NOTHING = Verdict()


class _Here(Struct):
    """The tombstones of one namespace."""

    said: dict[bytes, list[Entry]] = field(default_factory=dict)
    by_length: dict[int, dict[int, list[Entry]]] = field(default_factory=dict)
    archived: dict[bytes, dict[bytes, Entry]] = field(default_factory=dict)
    """Those that came with archives, by their salt."""
    has_values: bool = False
    """Whether there are tombstones of an earlier version among them."""


class Tombstones:
    """All tombstones of a store that its secret opens, in memory."""

    def __init__(self) -> None:
        self._namespaces: dict[str, _Here] = {}
        self.position: Hashable = None
        """Which state of the store this is."""

    def __bool__(self) -> bool:
        return bool(self._namespaces)

    def add(self, namespace: str, entry: Entry, salt: bytes | None = None, other: bytes | None = None) -> None:
        """Take up a tombstone: one of this store's own with its trace, or one of an archive with its salt and other digest."""
        here = self._namespaces.setdefault(namespace, _Here())
        if salt is not None:
            here.archived.setdefault(salt, {}).update({entry.row: entry, other or entry.row: entry})
        trace = entry.trace
        if trace is None:
            return
        for digest in {trace.digest, trace.other_digest}:
            here.said.setdefault(digest, []).append(entry)
        if trace.length:
            here.by_length.setdefault(trace.length, {}).setdefault(trace.total, []).append(entry)
        here.has_values |= trace.is_value

    def about(self, namespace: str, content: Content) -> Verdict:
        """What they say to a content that is to be stored in a namespace."""
        here = self._namespaces.get(namespace)
        if here is None:
            return NOTHING
        retold = retelling(content.text)
        found = {entry.row: entry for entry in _retold(here, retold)}
        if here.has_values:
            value = value_digest(namespace, content.author, content.title, content.text)
            found |= {entry.row: entry for entry in here.said.get(value, ())}
        inside: dict[bytes, Entry] = {}
        if here.by_length:
            for words in (retold.words, *(retelling(text).words for text in _also_said(content))):
                inside |= {entry.row: entry for entry in _inside(here, words)}
        return Verdict(tuple(found.values()), tuple(entry for row, entry in inside.items() if row not in found))

    def refuses(self, namespace: str, text: str) -> bool:
        """Whether they refuse a text without author and title."""
        return bool(self.about(namespace, Content(text=text)).said)

    def archived(self, namespace: str, salt: bytes, digest: bytes) -> bool:
        """Whether a tombstone of an archive is among them."""
        here = self._namespaces.get(namespace)
        return here is not None and digest in here.archived.get(salt, ())

    def salts(self, namespace: str) -> frozenset[bytes]:
        """The salts of the archives that brought tombstones."""
        return frozenset(self._namespaces.get(namespace, _Here()).archived)

    def traces(self, namespace: str) -> list[Trace]:
        """The traces of a namespace's own tombstones."""
        here = self._namespaces.get(namespace, _Here())
        return list({entry.row: entry.trace for found in here.said.values() for entry in found if entry.trace}.values())


class Refusing:
    """The tombstones as one write transaction sees them: those of the store and what it adds, less what it lifts."""

    def __init__(self, known: Tombstones) -> None:
        self._known = known
        self._own = Tombstones()
        self._lifted: set[tuple[str, bytes]] = set()

    def about(self, namespace: str, content: Content) -> Verdict:
        """As `Tombstones.about`."""
        if not (self._known or self._own):
            return NOTHING
        verdicts = self._known.about(namespace, content), self._own.about(namespace, content)
        said, contained = (
            tuple(entry for entry in (*first, *more) if (namespace, entry.row) not in self._lifted)
            for first, more in zip(*((each.said, each.contained) for each in verdicts), strict=True)
        )
        return Verdict(said, contained)

    def is_full(self, namespace: str, salt: bytes) -> bool:
        """Whether the namespace has tombstones of as many other stores as it may have, and none of the one with this salt."""
        salts = self._known.salts(namespace) | self._own.salts(namespace)
        return salt not in salts and len(salts) >= MAX_SALTS

    def has(self, namespace: str, salt: bytes, digest: bytes) -> bool:
        """Whether a tombstone of an archive is among them."""
        return (namespace, digest) not in self._lifted and (
            self._known.archived(namespace, salt, digest) or self._own.archived(namespace, salt, digest)
        )

    def traces(self, namespace: str) -> list[Trace]:
        """The traces of a namespace's own tombstones."""
        return [*self._known.traces(namespace), *self._own.traces(namespace)]

    def add(self, namespace: str, entry: Entry, salt: bytes | None = None, other: bytes | None = None) -> None:
        """As `Tombstones.add`, for this transaction alone."""
        self._lifted.discard((namespace, entry.row))
        self._own.add(namespace, entry, salt, other)

    def lift(self, namespace: str, entry: Entry) -> None:
        """Take no notice of a tombstone any more."""
        self._lifted.add((namespace, entry.row))


def same_text(one: str, other: str) -> bool:
    """Whether one text is a retelling of the other."""
    return not retelling(one).digests.isdisjoint(retelling(other).digests)


def is_own(brought: ArchivedTombstone, traces: Iterable[Trace], store_id: str) -> bool:
    """Whether a tombstone of an archive is one of these traces of the store that the archive is of."""
    salt = archive_salt(store_id)
    if bytes.fromhex(brought.salt) != salt:
        return False
    return bytes.fromhex(brought.digest) in slow_digests(salt, [trace.digest for trace in traces])


def take_up(known: Tombstones, rows: Iterable[StoredTombstone], secret: Secret) -> None:
    """Add what a store has; tombstones that another secret sealed are left out."""
    for row in rows:
        trace = row.trace(secret)
        if row.salt is not None or trace is not None:
            known.add(row.namespace, Entry(row.digest, row.sequence, row.memory_id, trace), row.salt, row.sealed)


def archived(rows: Iterable[StoredTombstone], secret: Secret, store_id: str) -> list[ArchivedTombstone]:
    """As `Store.tombstones`: a store's own for its archives, and those that came with archives as they came."""
    salt = archive_salt(store_id)
    own: list[tuple[str, Trace]] = []
    found: set[tuple[str, bytes, bytes, bytes]] = set()
    for row in rows:
        trace = row.trace(secret)
        if row.salt is not None:
            found.add((row.namespace, row.salt, row.digest, row.sealed or row.digest))
        elif trace is not None and not trace.is_value:
            own.append((row.namespace, trace))
    slow = slow_digests(salt, [digest for _, trace in own for digest in (trace.digest, trace.other_digest)])
    found.update((named[0], salt, *digests) for named, digests in zip(own, batched(slow), strict=True))
    return [
        ArchivedTombstone(namespace=namespace, salt=salt.hex(), digest=digest.hex(), other_digest=other.hex())
        for namespace, salt, digest, other in sorted(found)
    ]


def batched(digests: Sequence[bytes]) -> list[tuple[bytes, bytes]]:
    """Two at a time."""
    return list(zip(digests[::2], digests[1::2], strict=True))


def _retold(here: _Here, retold: Retelling) -> Iterator[Entry]:
    for digest in retold.digests:
        yield from here.said.get(digest, ())
        for salt, found in here.archived.items():
            entry = found.get(slow_digest(salt, digest))
            if entry is not None:
                yield entry


def _inside(here: _Here, words: tuple[str, ...]) -> Iterator[Entry]:
    """The tombstones whose words are in a row among these."""
    numbers = _numbers(words)
    for length, totals in here.by_length.items():
        for start, total in enumerate(_totals(numbers, length).tolist()):
            for entry in totals.get(total, ()):
                if entry.trace is not None and said(words[start : start + length]) == entry.trace.digest:
                    yield entry


def _also_said(content: Content) -> Iterator[str]:
    """What a content says in addition to its text."""
    for text in (content.title, content.source):
        if text is not None:
            yield text
    yield from _texts_in(content.attributes)


def _texts_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list | tuple):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts_in(inner)


def _numbers(words: Iterable[str]) -> NDArray[np.uint64]:
    """A random number for each word, the same for the same word."""
    known: dict[str, int] = {}
    for word in words:
        if word not in known:
            known[word] = int.from_bytes(said((word,))[:8], "big")
    return np.array([known[word] for word in words], dtype=np.uint64)


def _totals(numbers: NDArray[np.uint64], length: int) -> NDArray[np.uint64]:
    """Σ number × base^place over each row of `length` numbers, modulo 2^64; empty where there are fewer."""
    count = len(numbers)
    if count < length:
        return np.zeros(0, dtype=np.uint64)
    sums = np.concatenate((np.zeros(1, dtype=np.uint64), np.cumsum(numbers * _powers(_BASE, count), dtype=np.uint64)))
    return np.asarray((sums[length:] - sums[:-length]) * _powers(_INVERSE, count - length + 1), dtype=np.uint64)


def _powers(base: int, count: int) -> NDArray[np.uint64]:
    factors = np.full(count, base, dtype=np.uint64)
    factors[:1] = 1
    return np.cumprod(factors, dtype=np.uint64)


# ── doctor ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def come_back(revisions: Iterable[tuple[int, Hashable, str, Content]], tombstones: Tombstones) -> int:
    """How many revisions say what had been forgotten when they were made.

    `revisions` are (key, memory, namespace, content), those of a memory together and oldest first. A memory that said it before
    the forget, another user's for example, may go on saying it.
    """
    wrong = 0
    memory: Hashable = None
    before: set[bytes] = set()
    for key, of, namespace, content in revisions:
        if of != memory:
            memory, before = of, set()
        for entry in tombstones.about(namespace, content).said:
            if key < entry.sequence:
                before.add(entry.row)
            elif entry.row not in before:
                wrong += 1
    return wrong
