"""openapi-python-client: `openapi_python.py URL TEXT FOLDER` makes a client in FOLDER and uses it; the report is a line of JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Any


def made(url: str, folder: Path) -> str:
    """Generate the package `made_client`; what the generator says."""
    config = folder / "config.yml"
    config.write_text("post_hooks: []\n", encoding="utf-8")  # formatting needs a program that may not be there
    place = folder / "made_client"
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--url", f"{url}/openapi.json"]
    done = subprocess.run(
        [*command, "--meta", "none", "--output-path", str(place), "--config", str(config)],
        capture_output=True,
        text=True,
        check=True,
    )
    sys.path.insert(0, str(folder))
    return done.stdout + done.stderr


def called(name: str) -> Any:
    """The function that carries out an operation: `memories.remember`."""
    return import_module(f"made_client.api.{name}").sync_detailed


def main(url: str, text: str, folder: str) -> None:
    said = made(url, Path(folder))
    models = import_module("made_client.models")
    types = import_module("made_client.types")
    with import_module("made_client").Client(base_url=url) as client:
        written = models.RememberRequest(text=text, tags=["made"], type_=models.MemoryType.PROCEDURAL)
        remembered = called("memories.remember")(client=client, body=written)
        found = called("memories.recall")(client=client, body=models.RecallRequest(query=text)).parsed
        memory_id = remembered.parsed.memory_id
        got = called("memories.get")(memory_id, client=client).parsed
        revised = called("memories.revise")(memory_id, client=client, body=models.ReviseBody(title="Made")).parsed
        listed = called("memories.list_")(client=client, tags=["made"], order=models.ListOrder.OLDEST).parsed
        lines = types.File(payload=BytesIO(b'{"text": "Imported by a made client."}\n'))
        imported = called("transfer.import_lines")(client=client, body=lines).parsed
        exported = called("transfer.export")(client=client).content
        forgotten = called("memories.forget")(memory_id, client=client).parsed
        missing = called("memories.get")(memory_id, client=client)
        refused = called("memories.recall")(client=client, body=models.RecallRequest(query=text, limit=0))
        generations = called("generations.generations")(client=client).parsed
    report = {
        "status": remembered.status_code,
        "outcome": remembered.parsed.outcome,
        "type": got.type_,
        "recalled": [hit.memory.text for hit in found.hits],
        "got": got.text,
        "since": found.hits[0].since.isoformat(),
        "title": None if revised.outcome != "stored" else "Made",
        "listed": [memory.text for memory in listed.memories],
        "imported": imported.counts.to_dict(),
        "exported": text in exported.decode(),
        "forgotten": forgotten.forgotten,
        "missing": [missing.status_code, missing.parsed.error.code, missing.parsed.error.details.to_dict()],
        "refused": [refused.status_code, refused.parsed.error.code],
        "generations": len(generations.generations),
        "left_out": [line for line in said.splitlines() if "will not be generated" in line or "Unable to" in line],
    }
    print(json.dumps(report))


main(*sys.argv[1:])
