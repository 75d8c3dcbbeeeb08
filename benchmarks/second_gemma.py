"""`embed.gemma2.`: EmbeddingGemma 2 at full size, with random weights, compared with sentence-transformers on the same weights.

As `benchmarks/engine.py`, of which the texts, the turns and the peers' command (BENCH_REFERENCE_PYTHON, with transformers 5.19 or
newer) are. The only other programs that run this architecture are transformers itself and those that build on it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from typing import Any

from ai_memory.embed.runtimes.processor import has_bfloat16, has_int8_products
from benchmarks import exactness
from benchmarks.engine import REFERENCE, best_peer, make_model, own_program, peers_rows, reference, started, texts_of
from benchmarks.figures import Figure, Peer, Target, load_average
from benchmarks.places import KEPT
from benchmarks.programs import ROUNDS, Program, run_in_turn, run_program

MODEL = KEPT / "models" / "random-embeddinggemma-2"
SHAPES = {"1x32": (1, 32), "10x32": (10, 32), "50x32": (50, 32), "8x512": (8, 512), "1x2048": (1, 2048)}
LONG = ("8x512", "1x2048")
LENGTHS = (1, 2, 31, 32, 257, 511, 512, 513, 514, 515, 1025, 1500, 2048, 4097, 8191, 8192)
"""Lengths in tokens for the cosines: on either side of the attention window, and the longest."""
FASTER = {("50x32", "bfloat16"): 2.0}
"""The targeted ratio to sentence-transformers' rate in float32."""
PEAK_GB = {"bfloat16": 1.2}


def figures(*, quick: bool) -> Iterator[Figure]:
    """All figures of this area."""
    make_model(MODEL, second=True)
    texts = KEPT / "models" / "texts_second.json"
    shapes = {name: shape for name, shape in SHAPES.items() if not (quick and name in LONG)}
    texts.write_text(json.dumps(texts_of(shapes, MODEL)), encoding="utf-8")
    about = {"weights": "random", "load": load_average(), "int8_products": has_int8_products()}
    dtypes = ("float32", *(["bfloat16"] if has_bfloat16() else []), "int8")
    command = reference()
    with ExitStack() as stack:
        programs = {dtype: stack.enter_context(own_program(MODEL, dtype, texts)) for dtype in dtypes}
        for dtype in ("float32", "bfloat16") if command and has_bfloat16() else ("float32",) if command else ():
            arguments = [str(MODEL), dtype, str(texts)]
            name = f"sentence-transformers {dtype}"
            program = started(name, partial(Program, command, "sentence_transformers_peer.py", arguments))
            if program is not None:
                programs[name] = stack.enter_context(program)
        found = run_in_turn(programs, list(json.loads(texts.read_text())), rounds=1 if quick else ROUNDS)
    ours = {dtype: found.pop(dtype) for dtype in dtypes}
    if command:
        rows = exactness.inputs(LENGTHS)
        expected = exactness.reference(MODEL, partial(run_program, command), rows)
        for dtype in dtypes:
            least = exactness.least_cosine(MODEL, dtype, expected, rows, together=((0, 2, 4), (1, 6, 8, 9)))
            target = Target(">=", exactness.LEAST[dtype])
            yield Figure(f"embed.gemma2.{dtype}.cosine", least, "", target=target, settings=about)
    else:
        print(f"sentence-transformers is skipped: {REFERENCE} is not set", file=sys.stderr)
    yield from peers_rows(found, ours["float32"]["vector"], about, "gemma2.peer")
    for dtype in dtypes:
        yield from _rows(dtype, ours[dtype], found, {**about, "load": load_average()})


def _rows(dtype: str, ours: dict[str, Any], peers: dict[str, Any], about: dict[str, Any]) -> Iterator[Figure]:
    counts = ours["tokens"]
    for name, seconds in ours["seconds"].items():
        peer, best = best_peer(peers, name, counts, dtype)
        least = FASTER.get((name, dtype))
        plain = peers.get("sentence-transformers float32")
        if least is not None and plain is not None:
            peer, best = "sentence-transformers float32", counts[name] / plain["seconds"][name]
        target = Target(">=", least, "ratio") if least else None
        against = Peer(peer, best) if best else None
        yield Figure(
            f"embed.gemma2.{dtype}.{name}", counts[name] / seconds, "tokens/s", against, target, settings=about
        )
    most = PEAK_GB.get(dtype)
    target = Target("<=", most) if most else None
    yield Figure(f"embed.gemma2.{dtype}.peak", ours["peak_gb"], "GB", target=target, settings=about)
    yield Figure(f"embed.gemma2.{dtype}.warm_load", ours["load_s"], "s", settings=about)
