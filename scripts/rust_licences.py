"""The licences of every crate that the Rust crate is built from, against the ones that may be used: exit status 1 for another.

    scripts/rust check      or: .venv/bin/python scripts/rust_licences.py

Reads what cargo knows (`cargo metadata`), for all platforms and features, the benchmark's crates included.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

CRATE = Path(__file__).resolve().parents[1] / "rust"
ALLOWED = {
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CDLA-Permissive-2.0",  # Mozilla's list of certificate authorities, with the feature `tls`
    "ISC",
    "MIT",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
}


def permitted(expression: str) -> bool:
    """Whether an SPDX expression can be met with allowed licences alone: any side of OR, every side of AND."""
    flat = expression.replace("/", " OR ").strip()
    while inner := re.search(r"\(([^()]*)\)", flat):  # innermost parentheses become a licence that is allowed or is not
        flat = flat[: inner.start()] + ("MIT" if permitted(inner[1]) else "refused") + flat[inner.end() :]
    if " OR " in flat:
        return any(permitted(side) for side in flat.split(" OR "))
    return all(side.strip() in ALLOWED for side in flat.split(" AND "))


def main() -> int:
    """Compare; tell what is not allowed."""
    asked = ["cargo", "metadata", "--format-version", "1", "--all-features", "--locked"]
    packages = json.loads(subprocess.run(asked, cwd=CRATE, check=True, stdout=subprocess.PIPE).stdout)["packages"]
    refused = [each for each in packages if not permitted(each.get("license") or "none is given")]
    for each in refused:
        print(f"{each['name']} {each['version']}: {each.get('license') or 'no licence is given'}", file=sys.stderr)
    print(f"{len(packages)} crates, {len(refused)} with a licence that may not be used")
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
