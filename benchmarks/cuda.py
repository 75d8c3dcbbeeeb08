"""`embed.cuda.`: both EmbeddingGemmas at full size on a CUDA device, compared with sentence-transformers in bfloat16.

The rows of the second are `embed.cuda.gemma2.`; the targets that are not ratios are the first one's.

    BENCH_CUDA_PYTHON=/path/to/python .venv/bin/python benchmarks/run.py cuda

BENCH_CUDA_PYTHON names a Python that has this package with its extra `gpu`, sentence-transformers, and a PyTorch that finds the
device; the default is this Python. Without a device, a message says so and nothing is measured.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.engine import MIXED, MODEL, flops_per_token, make_model, own_program, texts_of
from benchmarks.figures import Figure, Peer, Target, load_average
from benchmarks.places import KEPT
from benchmarks.programs import ROUNDS, Program, run_in_turn, run_program
from benchmarks.second_gemma import MODEL as SECOND

PYTHON = "BENCH_CUDA_PYTHON"
SHAPES = {"1x32": (1, 32), "10x32": (10, 32), "50x32": (50, 32), "256x32": (256, 32), "256x128": (256, 128)}
FASTER = 2.0
"""The targeted ratio to sentence-transformers' rate, in every row."""
TEXTS_PER_SECOND = {"1x32": 186.0, "10x32": 2_681.0, "50x32": 6_785.0}
"""Ten times the original service's figure."""
QUERY_MS = 2.0
SHARE_OF_PRODUCTS = 0.5
_ABOUT_DEVICE = "import torch; print(torch.cuda.get_device_name() if torch.cuda.is_available() else '')"


def figures(*, quick: bool) -> Iterator[Figure]:
    """All figures of this area; none without a device."""
    python = shlex.split(os.environ.get(PYTHON, "")) or [sys.executable]
    device = _device_name(python)
    if device:
        about = {"device": device, "weights": "random", "load": load_average()}
        yield from measured(python, "cuda", about, quick=quick)
        yield from second(python, "cuda", about, quick=quick)
    else:
        print(f"CUDA is skipped: {shlex.join(python)} has no PyTorch that finds a device ({PYTHON})", file=sys.stderr)


def measured(python: Sequence[str], device: str, about: dict[str, Any], *, quick: bool) -> Iterator[Figure]:
    """The figures of one device."""
    make_model()
    shapes = {name: shape for name, shape in SHAPES.items() if not (quick and shape[0] > 50)}
    texts = KEPT / "models" / "texts_cuda.json"
    texts.write_text(json.dumps(texts_of(shapes)), encoding="utf-8")
    ours, theirs = _timed(python, device, MODEL, texts, (*shapes, MIXED), rounds=1 if quick else ROUNDS)
    rate = json.loads(run_program(python, "torch_products.py", ["bfloat16", device]))["rate"]
    about = {**about, "versions": theirs["versions"]}
    for name in (*shapes, MIXED):
        value, peer = (side["tokens"][name] / side["seconds"][name] for side in (ours, theirs))
        target = Target(">=", FASTER, "ratio")
        peers = Peer("sentence-transformers bfloat16", peer)
        yield Figure(f"embed.cuda.{name}", value, "tokens/s", peers, target, settings=about)
    for name, least in TEXTS_PER_SECOND.items():
        value = shapes[name][0] / ours["seconds"][name]
        yield Figure(f"embed.cuda.texts.{name}", value, "texts/s", target=Target(">=", least), settings=about)
    query = ours["seconds"]["1x32"] * 1e3
    yield Figure("embed.cuda.query_p50", query, "ms", target=Target("<=", QUERY_MS), settings=about)
    yield Figure("embed.cuda.products", rate / 1e12, "TFLOP/s", settings=about)
    if "256x128" in shapes:
        tokens = ours["tokens"]["256x128"] / ours["seconds"]["256x128"]
        share = tokens * flops_per_token(128) / rate
        target = Target(">=", SHARE_OF_PRODUCTS)
        yield Figure("embed.cuda.share_of_products", share, "", target=target, settings=about)


def second(python: Sequence[str], device: str, about: dict[str, Any], *, quick: bool) -> Iterator[Figure]:
    """The rows of EmbeddingGemma 2 on one device."""
    make_model(SECOND, second=True)
    shapes = {name: shape for name, shape in SHAPES.items() if not (quick and shape[0] > 50)}
    texts = KEPT / "models" / "texts_cuda_second.json"
    texts.write_text(json.dumps(texts_of(shapes, SECOND)), encoding="utf-8")
    ours, theirs = _timed(python, device, SECOND, texts, (*shapes, MIXED), rounds=1 if quick else ROUNDS)
    about = {**about, "versions": theirs["versions"]}
    for name in (*shapes, MIXED):
        value, peer = (side["tokens"][name] / side["seconds"][name] for side in (ours, theirs))
        target = Target(">=", FASTER, "ratio")
        peers = Peer("sentence-transformers bfloat16", peer)
        yield Figure(f"embed.cuda.gemma2.{name}", value, "tokens/s", peers, target, settings=about)
    query = ours["seconds"]["1x32"] * 1e3
    yield Figure("embed.cuda.gemma2.query_p50", query, "ms", settings=about)


def _timed(
    python: Sequence[str], device: str, model: Path, texts: Path, rows: Sequence[str], *, rounds: int
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What this engine and sentence-transformers measured, in turn, in bfloat16."""
    arguments = [str(model), "bfloat16", str(texts), device]
    with (
        own_program(model, "bfloat16", texts, device, python) as own,
        Program(python, "sentence_transformers_peer.py", arguments) as reference,
    ):
        found = run_in_turn({"ours": own, "theirs": reference}, rows, rounds=rounds)
    return found["ours"], found["theirs"]


def _device_name(python: Sequence[str]) -> str:
    found = subprocess.run([*python, "-c", _ABOUT_DEVICE], capture_output=True, text=True, check=False)
    return found.stdout.strip()
