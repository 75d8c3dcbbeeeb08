"""Write tests/golden/gemma_tokens.json: the tokens of ten thousand fuzzed strings from transformers' Gemma tokenizer.

    python scripts/random_gemma.py FOLDER
    python scripts/golden_tokens.py FOLDER

The strings are those of tests/support/fuzzed_strings.py, every other one with a prompt. Stored are digests of a hundred strings
each, and the total number of tokens. Needs transformers.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import tokenizers
import transformers

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.support.fuzzed_strings import fuzzed_strings

OUT = Path(__file__).resolve().parent.parent / "tests" / "golden" / "gemma_tokens.json"
PROMPT = "title: none | text: "
GROUP = 100


def main(folder: Path) -> None:
    tokenizer = transformers.AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
    texts = [(PROMPT if number % 2 else "") + text for number, text in enumerate(fuzzed_strings())]
    ids = [tokenizer(text, truncation=False)["input_ids"] for text in texts]
    groups = [json.dumps(ids[start : start + GROUP], separators=(",", ":")) for start in range(0, len(ids), GROUP)]
    document = {
        "made_by": {
            "transformers": transformers.__version__,
            "tokenizers": tokenizers.__version__,
            "class": type(tokenizer).__name__,
        },
        "tokenizer": hashlib.sha256((folder / "tokenizer.json").read_bytes()).hexdigest(),
        "prompt_of_every_other": PROMPT,
        "strings": len(texts),
        "tokens": sum(map(len, ids)),
        "sha256_of_each_hundred": [hashlib.sha256(group.encode()).hexdigest() for group in groups],
    }
    OUT.write_text(json.dumps(document, indent=1) + "\n", encoding="ascii")
    print({key: value for key, value in document.items() if key != "sha256_of_each_hundred"})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
