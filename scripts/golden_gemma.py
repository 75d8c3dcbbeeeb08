"""Write tests/golden/gemma.json and gemma.npz: sentence-transformers' results for the tiny checkpoint.

    python scripts/random_gemma.py FOLDER
    python scripts/golden_gemma.py FOLDER

With `--second` for both, gemma2.json and gemma2.npz: those for the tiny EmbeddingGemma 2.

Needs torch and sentence-transformers, and nothing of this package. tests/golden/README.md describes each entry.
"""

from __future__ import annotations

import bisect
import hashlib
import json
import random
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import sentence_transformers
import tokenizers
import torch
import transformers
from numpy.typing import NDArray
from sentence_transformers import SentenceTransformer

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.support.scripts_of_the_world import SENTENCES

GOLDEN = Path(__file__).resolve().parent.parent / "tests" / "golden"
LENGTHS = (2, 31, 32, 129, 130, 131, 255, 256, 257, 258, 259, 513, 514, 600, 940, 1500, 2047, 2048)
SECOND_LENGTHS = (2, 31, 32, 129, 257, 511, 512, 513, 514, 515, 1025, 1026, 2048, 2049, 4097, 8192)
LONG = 4000
"""Longer inputs are run once, in float32: their attention takes most of the time."""
RESAVED = ("129 tokens", "258 tokens", "600 tokens", "2048 tokens")
TEXT = "Which boat did the children count from the wooden bridge?"
CARD_PROMPTS = {
    "question answering": "task: question answering | query: ",
    "fact checking": "task: fact checking | query: ",
}
"""Prompts of the model card that the folder does not have."""
TITLES = ("Ferry timetable", "Расписание {паромов} | text: ", "none")
ODD = {
    "a space": " ",
    "spaces before": "   three before",
    "spaces after": "three after   ",
    "a new line": "\n",
    "new lines inside": "one\n\n\n\n\n\n\ntwo\r\nthree",
    "tabs": "\ttab\t\ttabs",
    "no-break space": "no\u00a0break\u2003em\u3000wide",
    "zero width": "zero\u200bwidth\u200dand\ufeffmark",
    "combining marks": "e\u0301 is not \u00e9, \u1112\u1161\u11ab is not \ud55c",
    "NUL": "NUL \x00 inside",
    "emoji": "🚀 done 🎉 👍🏽 👩‍👩‍👧‍👦 🇺🇦",
    "beyond the plane": "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𐍈 𓀀",
    "special tokens written out": "<bos>a<eos>b<pad>c<unk><mask><start_of_turn>",
    "the space piece": "a\u2581b\u2581\u2581c",
    "one long word": "x" * 150,
    "code": "def f(x):\n    return {'a': [x, -1.5e-9]}  # ok?\n",
    "replacement": "bad \ufffd byte",
}


def main(folder: Path, *, second: bool = False) -> None:
    torch.set_num_threads(2)
    exact = load(folder)
    rough = None if second else load(folder, torch.bfloat16)
    cases = list(make_cases(exact, SECOND_LENGTHS if second else LENGTHS))
    for case in cases:
        case["ids"] = token_ids(exact, case)
    vectors = np.concatenate([alone(exact, case) for case in cases])
    rounded = vectors if second else np.concatenate([alone(rough, case) for case in cases])
    document = {
        "made_by": {
            each.__name__: each.__version__ for each in (sentence_transformers, transformers, tokenizers, torch)
        },
        "folder": {name: digest(folder / name) for name in ("config.json", "tokenizer.json", "model.safetensors")},
        "cases": [
            {key: value for key, value in case.items() if key != "ids"} | {"tokens": len(case["ids"])} for case in cases
        ],
    }
    if rough is not None:
        document["mixed_batch"] = mixed(cases, ((exact, vectors), (rough, rounded)))
        document["bfloat16_to_float32"] = worst(vectors, rounded)
    for name, window in (("one_narrower", 511 if second else 510), ("one_wider", 513 if second else 514)):
        other = load(folder, sliding_window=window)
        for case, described, vector in zip(cases, document["cases"], vectors, strict=True):
            if case["group"] == "length" and len(case["ids"]) < LONG:
                described[name] = worst(vector[None], alone(other, case))
    places = [] if second else sorted((GOLDEN / "gemma_resaved").iterdir())
    resaved = {place.name: load(folder, over=place) for place in places}
    again = [row for row, case in enumerate(cases) if case["name"] in RESAVED]
    file = GOLDEN / ("gemma2" if second else "gemma")
    windows = {name: model[0].auto_model.config.sliding_window for name, model in resaved.items()}
    if resaved:
        document["resaved"] = {"cases": RESAVED, "windows": windows}
    file.with_suffix(".json").write_text(json.dumps(document, indent=1) + "\n", encoding="ascii")
    np.savez_compressed(
        file.with_suffix(".npz"),
        ids=np.concatenate([case["ids"] for case in cases]).astype(np.uint16),
        float32=vectors,
        **({} if second else {"bfloat16": (rounded.view(np.uint32) >> 16).astype(np.uint16)}),
        **{name: np.concatenate([alone(model, cases[row]) for row in again]) for name, model in resaved.items()},
        **{f"cut_{size}": cut(exact, size) for size in (512, 256, 128)},
    )
    print({key: value for key, value in document.items() if key != "cases"})
    for described in document["cases"]:
        if described["group"] == "length":
            print(*(described.get(key) for key in ("tokens", "one_narrower", "one_wider")))


def make_cases(model: SentenceTransformer, lengths: Sequence[int]) -> Iterator[dict[str, Any]]:
    """All cases, each with its group, its name and, except for raw ids, its prompt and text."""
    yield {"group": "length", "name": "1 token", "prompt": None, "text": None}
    for length in lengths:
        yield case("length", f"{length} tokens", text_of(model, length))
    if lengths[-1] < LONG:
        yield case("cut", f"more than {lengths[-1]} tokens", text_of(model, lengths[-1] + 452))
    for name, prompt in [*model.prompts.items(), *CARD_PROMPTS.items()]:
        yield case("prompt", name, TEXT, prompt)
    for title in TITLES:
        yield case("title", title, TEXT, f"title: {title} | text: ")
    for name, text in ODD.items():
        yield case("odd", name, text)
    for name, text in SENTENCES.items():
        yield case("script", name, text)


def case(group: str, name: str, text: str, prompt: str = "") -> dict[str, Any]:
    return {"group": group, "name": name, "prompt": prompt, "text": text}


def text_of(model: SentenceTransformer, length: int) -> str:
    """A text of exactly `length` tokens: words of all scripts in a random order that depends on the length, and `x`s."""
    draw = random.Random(length)
    words = [word for text in SENTENCES.values() for word in text.split()]
    count = lambda text: len(model.tokenizer(text)["input_ids"])  # noqa: E731
    text = ""
    if length > LONG:  # the first half at once: each word more is counted with all before it
        some = [draw.choice(words) for _ in range(length)]
        text = " " + " ".join(
            some[: bisect.bisect_right(range(length), length - 50, key=lambda n: count(" ".join(some[:n]))) - 1]
        )
    while count(longer := f"{text} {draw.choice(words)}") <= length:
        text = longer
    while count(text) < length:
        text += "x"
    if count(text) != length:
        raise SystemExit(f"no text of {length} tokens was found")
    return text


def load(
    folder: Path, dtype: torch.dtype = torch.float32, *, over: Path | None = None, **changed: object
) -> SentenceTransformer:
    """The folder's model, with files replaced by those of `over` and with values of config.json changed."""
    with tempfile.TemporaryDirectory() as place:
        copy = Path(shutil.copytree(folder, Path(place) / "model"))
        if over is not None:
            shutil.copytree(over, copy, dirs_exist_ok=True)
        config = json.loads((copy / "config.json").read_text(encoding="utf-8"))
        (copy / "config.json").write_text(json.dumps(config | changed), encoding="utf-8")
        return SentenceTransformer(str(copy), device="cpu", model_kwargs={"dtype": dtype}, local_files_only=True)


def token_ids(model: SentenceTransformer, case: dict[str, Any]) -> list[int]:
    """The model's preprocessing of a case, including its truncation; raw ids are one <bos>."""
    if case["text"] is None:
        return [2]
    ids: list[int] = model.preprocess([case["prompt"] + case["text"]])["input_ids"][0].tolist()
    return ids


def alone(model: SentenceTransformer, case: dict[str, Any]) -> NDArray[np.float32]:
    """The case's vector, shape (1, d), float32: from `encode`, or from the module chain if there are only ids."""
    if case["text"] is not None:
        found = model.encode([case["text"]], prompt=case["prompt"], convert_to_tensor=True)
    else:
        ids = torch.tensor([case["ids"]])
        with torch.inference_mode():
            found = model({"input_ids": ids, "attention_mask": torch.ones_like(ids)})["sentence_embedding"]
    return found.float().numpy()


def mixed(cases: list[dict[str, Any]], models: Any) -> dict[str, float]:
    """The reference's own distance from `alone` when lengths from 2 to 2048 share one padded batch."""
    rows = [row for row, case in enumerate(cases) if case["text"] is not None and case["group"] in ("length", "odd")]
    texts = [cases[row]["prompt"] + cases[row]["text"] for row in rows]
    found = {}
    for name, (model, vectors) in zip(("float32", "bfloat16"), models, strict=True):
        together = model.encode(texts, batch_size=len(texts), convert_to_tensor=True).float().numpy()
        found[name] = worst(vectors[rows], together)
    return found


def cut(model: SentenceTransformer, size: int) -> NDArray[np.float32]:
    """The first prompt's vector of TEXT at a smaller dimension, renormalised as in the model card: (dimension,), float32."""
    return model.encode([TEXT], prompt_name="query", truncate_dim=size, normalize_embeddings=True)


def worst(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """The largest 1 - cosine over pairs of rows, computed in float64."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    cosines = (a * b).sum(axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
    return float(f"{(1 - cosines).max():.2e}")


def digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


if __name__ == "__main__":
    main(Path(sys.argv[1]), second="--second" in sys.argv[2:])
