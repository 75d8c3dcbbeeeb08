"""`embed.gemma.`: the EmbeddingGemma engine at full size, with random weights, compared with others that run the same model.

Speed does not depend on the values of the weights. Every program gets the same texts and the same weights and runs in a separate
process, tokenizing included. All are timed in turn (`benchmarks/programs.py`), as is the rate of bare matrix products at that
moment; each program's vector of one text is compared with that of this engine (`cosine` in the settings of its rows). llama.cpp
and fastembed are in separate environments, created on demand. sentence-transformers needs a CPU build of PyTorch, which the
package index does not have: BENCH_REFERENCE_PYTHON names a command that runs a Python with both, and with ONNX Runtime (and sees
this folder under the same path); without it these are skipped with a message. ONNX Runtime and fastembed need the model as ONNX,
which that Python exports once.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ai_memory.embed.models.folder import TOKENIZER
from ai_memory.embed.runtimes.processor import has_bfloat16, has_int8_products
from ai_memory.embed.tokenizer import TextTokenizer
from benchmarks import exactness
from benchmarks.corpus import Corpus
from benchmarks.environments import environment_of
from benchmarks.figures import ROOT, Figure, Peer, Target, load_average, median
from benchmarks.places import KEPT
from benchmarks.products import SHAPE, product_rate
from benchmarks.programs import ROUNDS, Program, ProgramError, run_in_turn, run_program

MODEL = KEPT / "models" / "random-embeddinggemma-300m"
OUTLIER = KEPT / "models" / "random-embeddinggemma-300m-outlier"
ONNX = KEPT / "models" / "random-embeddinggemma-300m-onnx"
GGUF = KEPT / "models" / "random-embeddinggemma-300m-gguf"
REFERENCE = "BENCH_REFERENCE_PYTHON"
LLAMA = ("xllamacpp>=2026.10", "gguf>=0.19", "safetensors", "tokenizers")
"""llama.cpp's own Python binding has no wheel on the index; this one includes llama.cpp built for AVX2."""
SHAPES = {
    "1x32": (1, 32),
    "10x32": (10, 32),
    "50x32": (50, 32),
    "32x128": (32, 128),
    "8x512": (8, 512),
    "1x2048": (1, 2048),
}
MIXED = "64_mixed"
_SHARE_ROW = "10x32"
"""Bare matrix products are measured next to the passes of this row."""

FASTER = {
    ("50x32", "bfloat16"): 2.5,
    ("50x32", "int8"): 4.0,
    (MIXED, "bfloat16"): 3.0,
    (MIXED, "int8"): 5.0,
}
"""The targeted ratio to sentence-transformers' rate in float32."""
SHARE_OF_PRODUCTS = {"float32": 0.9, "bfloat16": 0.8, "int8": 0.65}
QUERIES_PER_SECOND = {"bfloat16": 30.0, "int8": 50.0}
PEAK_GB = {"bfloat16": 1.6, "int8": 1.1}


def figures(*, quick: bool) -> Iterator[Figure]:
    """All figures of this area."""
    make_model()
    texts = KEPT / "models" / "texts.json"
    texts.write_text(json.dumps(texts_of(_shapes(quick=quick))), encoding="utf-8")
    about = {"weights": "random", "load": load_average(), "int8_products": has_int8_products()}
    dtypes = ("float32", *(["bfloat16"] if has_bfloat16() else []), "int8")
    rates: dict[str, list[float]] = {dtype: [] for dtype in dtypes}

    def measure_products(row: str) -> None:
        if row == _SHARE_ROW:
            for dtype in dtypes:
                rates[dtype].append(product_rate(dtype))

    with ExitStack() as stack:
        programs = {dtype: stack.enter_context(own_program(MODEL, dtype, texts)) for dtype in dtypes}
        for name, start in _peers(texts):
            if (program := started(name, start)) is not None:
                programs[name] = stack.enter_context(program)
        rounds = 1 if quick else ROUNDS
        found = run_in_turn(programs, list(json.loads(texts.read_text())), rounds=rounds, before=measure_products)
    ours = {dtype: found.pop(dtype) for dtype in dtypes}
    peers = found
    if command := reference():
        expected = exactness.reference(MODEL, partial(run_program, command), exactness.inputs())
        yield from exactness.figures(MODEL, dtypes, expected, about)
    if not quick:
        make_model(OUTLIER, outliers=1)
        yield from exactness.outlier_figures(OUTLIER, dtypes, about)
    yield from peers_rows(peers, ours["float32"]["vector"], about)
    for dtype in dtypes:
        rate = median(rates[dtype])
        settings = {**about, "load": load_average()}
        yield Figure(f"embed.gemma.products.{dtype}", rate / 1e9, "GFLOP/s", settings={"shapes": SHAPE, **settings})
        yield from _rows(dtype, ours[dtype], peers, rate, settings)


def own_program(
    folder: Path, dtype: str, texts: Path, device: str = "cpu", python: Sequence[str] = (sys.executable,)
) -> Program:
    """This service's engine. Raises ProgramError if it cannot be started."""
    return Program(python, "engine_ours.py", [str(folder), dtype, str(texts), device])


def _rows(
    dtype: str, ours: dict[str, Any], peers: dict[str, dict[str, Any]], rate: float, about: dict[str, Any]
) -> Iterator[Figure]:
    counts = ours["tokens"]
    for name, seconds in ours["seconds"].items():
        value = counts[name] / seconds
        peer_name, best = best_peer(peers, name, counts, dtype)
        plain = peers.get("sentence-transformers float32")
        least = FASTER.get((name, dtype))
        target = Target(">=", least, "ratio") if least else None
        if target is not None and plain is not None:
            peer_name, best = "sentence-transformers float32", counts[name] / plain["seconds"][name]
        peer = Peer(peer_name, best) if best else None
        yield Figure(f"embed.gemma.{dtype}.{name}", value, "tokens/s", peer, target, settings=about)
    alone = ours["seconds"]["1x32"]
    wanted = QUERIES_PER_SECOND.get(dtype)
    yield Figure(
        f"embed.gemma.{dtype}.queries",
        1 / alone,
        "queries/s",
        target=Target(">=", wanted) if wanted else None,
        settings=about,
    )
    share = counts[_SHARE_ROW] / ours["seconds"][_SHARE_ROW] * flops_per_token(32) / rate
    target = Target(">=", SHARE_OF_PRODUCTS[dtype])
    yield Figure(f"embed.gemma.{dtype}.share_of_products", share, "", target=target, settings=about)
    if "1x2048" in ours["seconds"]:
        long = ours["seconds"]["1x2048"] / counts["1x2048"] / (ours["seconds"]["8x512"] / counts["8x512"])
        yield Figure(
            f"embed.gemma.{dtype}.cost_of_2048", long, "of 512, a token", target=Target("<=", 1.3), settings=about
        )
    peak = PEAK_GB.get(dtype)
    yield Figure(
        f"embed.gemma.{dtype}.peak", ours["peak_gb"], "GB", target=Target("<=", peak) if peak else None, settings=about
    )
    yield Figure(f"embed.gemma.{dtype}.warm_load", ours["load_s"], "s", target=Target("<=", 2.0), settings=about)


def best_peer(peers: Mapping[str, Any], name: str, counts: Mapping[str, int], dtype: str) -> tuple[str, float]:
    """The fastest peer of this row in `dtype`, and its tokens per second."""
    rates = [
        (counts[name] / found["seconds"][name], peer)
        for peer, found in peers.items()
        if peer.endswith(dtype) and name in found["seconds"]
    ]
    best = max(rates, default=(0.0, ""))
    return best[1], best[0]


def peers_rows(
    peers: Mapping[str, Any], vector: Sequence[float], about: dict[str, Any], place_of: str = "peer"
) -> Iterator[Figure]:
    """The peers' own rates, memory, and the cosine of their vector of one text with this engine's `vector`."""
    ours = np.array(vector)
    for peer, found in peers.items():
        place = f"embed.{place_of}.{peer.replace('.', '').replace(' ', '_')}"
        theirs = np.array(found["vector"])
        cosine = float(ours @ theirs / (np.linalg.norm(ours) * np.linalg.norm(theirs)))
        settings = {**about, "versions": found["versions"], "cosine": round(cosine, 6)}
        for name, seconds in found["seconds"].items():
            yield Figure(f"{place}.{name}", found["tokens"][name] / seconds, "tokens/s", settings=settings)
        yield Figure(f"{place}.peak", found["peak_gb"], "GB", settings=settings)


def reference() -> list[str]:
    """The command of the reference's Python; empty if none is set."""
    return shlex.split(os.environ.get(REFERENCE, ""))


def _peers(texts: Path) -> Iterator[tuple[str, Callable[[], Program]]]:
    """The name of each peer, and a function that starts it."""
    if command := reference():
        for dtype in ("float32", "bfloat16") if has_bfloat16() else ("float32",):
            arguments = [str(MODEL), dtype, str(texts)]
            yield (
                f"sentence-transformers {dtype}",
                partial(Program, command, "sentence_transformers_peer.py", arguments),
            )
        for dtype in ("float32", "int8"):
            arguments = [str(MODEL), str(ONNX), dtype]
            yield f"onnxruntime {dtype}", partial(_prepared, command, "onnxruntime_peer.py", arguments, texts)
    else:
        print(f"sentence-transformers and ONNX Runtime are skipped: {REFERENCE} is not set", file=sys.stderr)
    yield "fastembed float32", partial(_fastembed, texts)
    for dtype in ("float32", "int8"):
        yield f"llama.cpp {dtype}", partial(_llama_cpp, dtype, texts)


def _fastembed(texts: Path) -> Program:
    return Program([str(environment_of("fastembed>=0.9"))], "fastembed_peer.py", [str(ONNX), str(texts)])


def _llama_cpp(dtype: str, texts: Path) -> Program:
    return _prepared([str(environment_of(*LLAMA))], "llama_cpp_peer.py", [str(MODEL), str(GGUF), dtype], texts)


def _prepared(python: Sequence[str], program: str, arguments: list[str], texts: Path) -> Program:
    """The program, after a separate process, whose memory is not measured, has converted the model."""
    run_program(python, program, arguments)
    return Program(python, program, [*arguments, str(texts)])


def started(name: str, start: Callable[[], Program]) -> Program | None:
    """The started program, or None, with the reason printed."""
    try:
        return start()
    except (ProgramError, subprocess.SubprocessError) as error:
        print(f"{name} is skipped: {error}", file=sys.stderr)
        return None


def make_model(folder: Path = MODEL, outliers: int = 0, *, second: bool = False) -> None:
    """Write a random EmbeddingGemma of full size, the second if asked for, if it is missing."""
    if (folder / "model.safetensors").exists():
        return
    print("  writing a random EmbeddingGemma of full size (1.2 GB)", file=sys.stderr, flush=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    script = [sys.executable, str(ROOT / "scripts" / "random_gemma.py"), str(folder)]
    subprocess.run([*script, "--full", *(["--second"] if second else ["--outliers", str(outliers)])], check=True)


def flops_per_token(length: int) -> int:
    """Floating-point operations per token of an input of up to 257: the layers' products, and attention in 24 layers."""
    return 202_899_456 + 3_072 * 24 * length


def _shapes(*, quick: bool) -> dict[str, tuple[int, int]]:
    return {name: shape for name, shape in SHAPES.items() if not (quick and name in ("8x512", "1x2048", "32x128"))}


def texts_of(shapes: Mapping[str, tuple[int, int]], folder: Path = MODEL) -> dict[str, list[str]]:
    """The texts of each row, each with the given number of tokens, special tokens included; and the row of mixed lengths."""
    tokenizer = TextTokenizer(folder / TOKENIZER, 2048)
    words = " ".join(made.text for made in Corpus().memories(0, 400)).split(" ")
    rng = np.random.default_rng(11)
    rows = {
        name: [_text(tokenizer, words, length, int(rng.integers(0, len(words)))) for _ in range(count)]
        for name, (count, length) in shapes.items()
    }
    lengths = np.clip(np.exp(rng.normal(4.2, 1.0, 64)), 8, 512).astype(int).tolist()
    rows[MIXED] = [_text(tokenizer, words, length, int(rng.integers(0, len(words)))) for length in lengths]
    return rows


def _text(tokenizer: TextTokenizer, words: list[str], length: int, first: int) -> str:
    """The words from `first` on, cut so that the text has `length` tokens."""
    doubled = words[first:] + words[:first]
    text = " ".join(doubled[: 2 * length])
    pieces = tokenizer.pieces(text, special=False)
    end = pieces[length - 3].stop if len(pieces) >= length - 2 else len(text)
    text = text[:end]
    while (count := len(tokenizer.pieces(text))) > length:
        text = text[:-1]
    return text + "." * (length - count)
