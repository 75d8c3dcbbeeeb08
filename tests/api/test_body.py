"""Reading bodies: lines and gzip, cut anywhere; query strings."""

from __future__ import annotations

import gzip
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_memory.api.http.body import EXPANSION_FROM, LineSplitter, Unpacker
from ai_memory.api.http.query import query_values
from ai_memory.errors import InvalidInputError, MediaTypeError, TooLargeError
from ai_memory.operations.reading import ListRequest

GZIP = [(b"content-encoding", b"gzip")]


def cut(data: bytes, size: int) -> Iterator[bytes]:
    return (data[start : start + size] for start in range(0, len(data), size))


@given(st.binary(max_size=200), st.integers(1, 50))
def test_lines_are_the_same_wherever_the_stream_is_cut(data: bytes, size: int) -> None:
    splitter = LineSplitter(limit=1_000)
    lines = [line for piece in cut(data, size) for line in splitter.lines(piece)]
    lines += splitter.last()
    expected = data.split(b"\n")
    assert lines == (expected if expected[-1] else expected[:-1])


@given(st.lists(st.binary(max_size=30).filter(lambda line: b"\n" not in line), max_size=8), st.integers(1, 40))
def test_long_lines_are_cut_and_the_others_kept(lines: list[bytes], size: int) -> None:
    splitter = LineSplitter(limit=10)
    data = b"".join(line + b"\n" for line in lines)
    found = [line for piece in cut(data, size) for line in splitter.lines(piece)]
    assert found == [line[:11] for line in lines]


@given(st.binary(max_size=500), st.binary(max_size=100), st.integers(1, 60))
def test_gzip_is_the_same_wherever_the_stream_is_cut(first: bytes, second: bytes, size: int) -> None:
    unpacker = Unpacker(GZIP)
    packed = gzip.compress(first) + gzip.compress(second)
    assert b"".join(out for piece in cut(packed, size) for out in unpacker.unpack(piece)) == first + second
    unpacker.finish()


def test_a_bomb_is_unpacked_in_bounded_pieces() -> None:
    unpacker = Unpacker(GZIP)
    sizes = [len(piece) for piece in unpacker.unpack(gzip.compress(bytes(20_000_000)))]
    assert sum(sizes) == 20_000_000
    assert max(sizes) <= 1 << 18


@given(st.binary(min_size=1, max_size=40))
def test_what_is_not_gzip_is_told(data: bytes) -> None:
    unpacker = Unpacker(GZIP)
    with pytest.raises(InvalidInputError, match="gzip"):
        list(unpacker.unpack(b"\x00" + data))
    cut_off = Unpacker(GZIP)
    list(cut_off.unpack(gzip.compress(data)[:-4]))
    with pytest.raises(InvalidInputError, match="too early"):
        cut_off.finish()


EMPTY = gzip.compress(b"", mtime=0)
FULL = gzip.compress(b"x" * 2_000)


def test_endless_empty_members_are_refused() -> None:
    """They give no byte that a limit could count."""
    unpacker = Unpacker(GZIP)
    with pytest.raises(InvalidInputError, match="members"):
        while True:
            assert b"".join(unpacker.unpack(EMPTY * 100)) == b""
    tiny = Unpacker(GZIP)
    with pytest.raises(InvalidInputError, match="members"):
        list(tiny.unpack(gzip.compress(b"x") * 100_000))


@pytest.mark.parametrize("packed", [FULL * 5_000, EMPTY * 900, gzip.compress(b"x") * 900, FULL * 5_000 + EMPTY])
def test_many_members_are_read_where_they_hold_something(packed: bytes) -> None:
    unpacker = Unpacker(GZIP)
    assert sum(map(len, unpacker.unpack(packed))) == len(gzip.decompress(packed))
    unpacker.finish()


def test_what_expands_without_end_is_refused() -> None:
    bomb = gzip.compress(gzip.compress(bytes(300_000_000), 9) * 1, 9)  # still a bomb when it has been unpacked once
    assert sum(map(len, Unpacker(GZIP).unpack(bomb))) < EXPANSION_FROM
    unpacker, size = Unpacker(GZIP), 0
    with pytest.raises(TooLargeError, match="expands"):
        for piece in unpacker.unpack(gzip.compress(bytes(300_000_000), 9)):
            size += len(piece)
    assert size <= 2 * EXPANSION_FROM
    text = gzip.compress(b"the quick brown fox " * 1_000)
    assert sum(map(len, Unpacker(GZIP).unpack(text * 5_000))) == 5_000 * 20_000


@pytest.mark.parametrize("rubbish", [b"\x00", b"rubbish", b"\x1f\x8b", EMPTY[:-1], b"\x1f\x8b\x08\x00"])
def test_rubbish_after_the_end_is_told(rubbish: bytes) -> None:
    for size in (1, 1_000_000):
        unpacker = Unpacker(GZIP)
        with pytest.raises(InvalidInputError, match="gzip"):
            for piece in cut(FULL + rubbish, size):
                list(unpacker.unpack(piece))
            unpacker.finish()


def test_encodings_are_known_or_refused() -> None:
    assert list(Unpacker([]).unpack(b"x")) == [b"x"]
    assert list(Unpacker([(b"content-encoding", b"Identity")]).unpack(b"x")) == [b"x"]
    for encoding in (b"deflate, gzip", b"deflate", b"br", b"zstd", b"gzip, gzip", b"chunked"):
        with pytest.raises(MediaTypeError):
            Unpacker([(b"content-encoding", encoding)])


@pytest.mark.parametrize(
    ("query", "values"),
    [
        (b"", {}),
        (b"limit=5&context=a%2Fb", {"limit": "5", "context": "a/b"}),
        (b"tags=a", {"tags": ["a"]}),
        (b"tags=a,b,", {"tags": ["a", "b"]}),
        (b"tags=a,b&tags=c", {"tags": ["a,b", "c"]}),
        (b'tags=["a,b","c"]', {"tags": ["a,b", "c"]}),
        (b"tags=[draft]", {"tags": ["[draft]"]}),
        (b"tags=", {"tags": []}),
        (b"context=", {"context": ""}),
        (b"context=a+b", {"context": "a b"}),
        (b"unknown=1", {"unknown": "1"}),
    ],
)
def test_query_strings(query: bytes, values: dict[str, object]) -> None:
    assert query_values(ListRequest, query) == values


@pytest.mark.parametrize("query", [b"context=%ff", b"limit=1&limit=2", b"\xff=1", b"a=1&" * 1_001])
def test_unreadable_query_strings(query: bytes) -> None:
    with pytest.raises(InvalidInputError):
        query_values(ListRequest, query)
