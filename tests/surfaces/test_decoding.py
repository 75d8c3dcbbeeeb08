"""Decoding into types: from many threads at once, and in one place only."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from ai_memory.decoding import from_builtins, from_json

PACKAGE = Path(__file__).resolve().parents[2] / "src" / "ai_memory"

AT_ONCE = """
import sys, threading
import msgspec
from ai_memory.decoding import from_builtins, from_json

sys.setswitchinterval(1e-6)
for _ in range(100):
    kind = int
    for level in range(12):
        fields = [(f"field{n}", str | None, None) for n in range(8)]
        kind = msgspec.defstruct(f"Level{level}", [*fields, ("inner", kind | None, None), ("many", tuple[kind, ...], ())])
    value = {"field0": "x", "inner": {"field1": "y", "inner": {"field2": "z"}}}
    together = threading.Barrier(4)
    read = []

    def decode(number):
        together.wait()
        read.append(from_builtins(value, kind) if number % 2 else from_json(msgspec.json.encode(value), kind))

    threads = [threading.Thread(target=decode, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(read) == 4 and all(each.inner.inner.field2 == "z" for each in read), read
"""
"""A new tree of types, first decoded by four threads at once: with msgspec alone the process ends by a signal."""


def test_many_threads_may_decode_a_type_first() -> None:
    ended = subprocess.run([sys.executable, "-c", AT_ONCE], capture_output=True, text=True, timeout=100)
    assert ended.returncode == 0, ended.stderr


def test_what_is_wrong_is_said() -> None:
    assert from_json(b'["a"]', list[str]) == from_builtins(("a",), list[str]) == ["a"]
    assert from_builtins("7", int, strict=False) == 7
    with pytest.raises(msgspec.ValidationError):
        from_builtins("7", int)
    with pytest.raises(msgspec.ValidationError):
        from_json(b'{"a": 1}', list[str])
    with pytest.raises(msgspec.DecodeError):
        from_json(b"[", list[str])


def test_nobody_decodes_into_types_elsewhere() -> None:
    """`bulk` reads its own journal with msgpack, in one thread."""
    for path in PACKAGE.rglob("*.py"):
        if path.name == "decoding.py":
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                typed = any(keyword.arg == "type" for keyword in node.keywords) or len(node.args) > 1
                assert called not in ("msgspec.convert", "msgspec.json.Decoder"), f"{path}:{node.lineno}"
                assert not (called == "msgspec.json.decode" and typed), f"{path}:{node.lineno}"
