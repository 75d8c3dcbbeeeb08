"""Show that no field of a memory's content can get lost unnoticed: `scripts/mutate_fields.py [STORE | PLACE | FIELD] …`.

For every field and every place that carries it, a run of `tests/store/test_content_fields.py` in which that field is dropped
there (see `tests/support/dropped_field.py`) must fail. Prints one row per field: the first test that fails for each place, or
SURVIVED. Exit status: 0 all caught, 1 some survived, 2 the tests do not pass as they are. Neo4j needs `scripts/neo4j start`.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from ai_memory.types import Content

ROOT = Path(__file__).resolve().parent.parent
TESTS = "tests/store/test_content_fields.py"
CHOICE = {"sqlite": "not neo4j", "neo4j": "neo4j-newest"}
FIELDS = Content.__struct_fields__
PLACES = ("write", "read", "compare", "first")
COVERED = {("compare", "text"): "(the content hash differs as well)"}
"""What cannot be seen from outside: different texts have different hashes, which are compared too."""
FAILED = re.compile(r"^(?:FAILED|ERROR) \S+::(\w+)", re.MULTILINE)


def tests(backend: str, drop: str | None = None) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "pytest", "-q", "-x", "-k", CHOICE[backend], TESTS]
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join((str(ROOT / "src"), str(ROOT))))
    if drop is not None:
        words[3:3] = ["-p", "tests.support.dropped_field"]
        environment["AI_MEMORY_DROP"] = drop
    return subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def caught(backend: str, place: str, field: str) -> str | None:
    """The first test that fails when the field is dropped; None where none does."""
    where = backend if place in ("write", "read") else "both"
    done = tests(backend, f"{where}:{place}:{field}")
    failed = FAILED.search(done.stdout)
    if done.returncode == 1 and failed is not None:
        return failed[1].removeprefix("test_")
    if done.returncode == 0:
        return None
    sys.exit(f"the tests could not be run:\n{done.stdout}{done.stderr}")


def main() -> int:
    survived = 0
    backends = [each for each in sys.argv[1:] if each in CHOICE] or list(CHOICE)
    chosen = [each for each in sys.argv[1:] if each in PLACES] or list(PLACES)
    for backend in backends:
        whole = tests(backend)
        if whole.returncode != 0 or "passed" not in whole.stdout:
            print(whole.stdout)
            return 2
        print(
            f"\n{backend}: {whole.stdout.strip().splitlines()[-1]}, and with one field dropped the first test to fail:\n"
        )
        print(f"| field | {' | '.join(chosen)} |\n|---|{'---|' * len(chosen)}")
        for field in [each for each in sys.argv[1:] if each in FIELDS] or FIELDS:
            found = [COVERED.get((place, field)) or caught(backend, place, field) for place in chosen]
            survived += found.count(None)
            print(f"| {field} | {' | '.join(each or 'SURVIVED' for each in found)} |", flush=True)
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main())
