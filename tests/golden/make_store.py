"""Write store_vN.sql, a store of the schema N: 3, as version 0.1.0 wrote it, with what was forgotten still to be guessed from its
digests, and 7, the first with seals.

    PYTHONPATH=src python tests/golden/make_store.py FILE N

To be run in a checkout of the version whose schema is N. The file is SQL text, which `sqlite3.Connection.executescript` reads; the
store's secret, where it has one, is written next to it (store_v7.key), for tests alone.
"""

from __future__ import annotations

import shutil
import sqlite3
import sys
import tempfile
from pathlib import Path

from ai_memory import Memory

PIN = "4711"
ILLNESS = "Anna Ivers has diabetes."
KEPT = ("The ferry leaves at nine.", "Tickets are sold on board.", "The ferry leaves at ten.")
RELATION = {"note": "sold by Otto"}


def main() -> None:
    """Write the file."""
    with tempfile.TemporaryDirectory() as folder:
        fill(Path(folder))
        connection = sqlite3.connect(Path(folder) / "memory.db")
        version, application = (
            connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("user_version", "application_id")
        )
        assert version == int(sys.argv[2]), f"this is no version with schema {sys.argv[2]} but with {version}"
        lines = [*connection.iterdump(), f"PRAGMA application_id = {application};", f"PRAGMA user_version = {version};"]
        connection.close()
        secret = Path(folder) / "memory.db.key"
        if secret.exists():
            shutil.copy(secret, Path(sys.argv[1]).with_suffix(".key"))
    Path(sys.argv[1]).write_text("\n".join(lines) + "\n", encoding="utf-8")


def fill(folder: Path) -> None:
    """Remember, revise, supersede, retire, relate and forget."""
    with Memory(data_dir=folder, model="none", extract=False) as memory:
        first, second = (memory.remember(text).memory_id or "" for text in KEPT[:2])
        memory.revise(first, tags=["harbour"])
        memory.remember(KEPT[2], supersedes=[first])
        pin = memory.remember(PIN).memory_id or ""
        illness = memory.remember(ILLNESS, author="Otto", title="Health").memory_id or ""
        memory.relate(pin, illness, type="REFERS_TO", attributes=RELATION)
        kept = memory.relate(first, second, type="REFERS_TO", attributes=RELATION)
        memory.unrelate(kept.id)
        memory.relate(second, "entity:Otto", type="MENTIONS")
        memory.retire(second, reason="sold out")
        memory.remember(PIN, namespace="elsewhere")
        for forgotten in (pin, illness):
            memory.forget(forgotten)


if __name__ == "__main__":
    main()
