"""Write a question set over code: functions of the standard library, asked for by the first line of their docstrings.

    python scripts/code_questions.py > code.jsonl && ai-memory evaluate --jsonl code.jsonl --sides
    python scripts/code_questions.py textwrap shutil > few.jsonl    # of these modules only

The documents are the functions without their docstrings, so that an answer must be found by names and meaning.
"""

from __future__ import annotations

import ast
import json
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

FOLDERS = ("", "email", "asyncio", "concurrent/futures")
QUESTIONS = 500
LEAST_WORDS = 4
LEAST_CHARACTERS = 80


def functions(file: Path) -> Iterator[tuple[str, str]]:
    """First line of the docstring and code of each documented function."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8", errors="replace"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and len(node.body) > 1:
            line = (ast.get_docstring(node) or "").strip().split("\n")[0].strip()
            if len(line.split()) >= LEAST_WORDS:
                node.body = node.body[1:]
                code = ast.unparse(node)
                if len(code) >= LEAST_CHARACTERS:
                    yield line, code


def main() -> None:
    root = Path(sysconfig.get_paths()["stdlib"])
    named = [root / f"{name}.py" for name in sys.argv[1:]]
    files = named or [file for folder in FOLDERS for file in sorted((root / folder).glob("*.py"))]
    found = dict(pair for file in files for pair in functions(file))
    docs = {f"f{number}": {"text": code} for number, code in enumerate(found.values())}
    step = max(1, len(found) // QUESTIONS)
    queries = {f"q{n}": {"text": line, "category": "code"} for n, line in enumerate(found) if n % step == 0}
    qrels = {key: {"f" + key[1:]: 1} for key in queries}
    json.dump({"group": "code", "docs": docs, "queries": queries, "qrels": qrels}, sys.stdout)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
