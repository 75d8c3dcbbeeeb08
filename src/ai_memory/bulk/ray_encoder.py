"""Embeds the chunks of a run on a Ray cluster: Ray Data, one actor per device. Needs the extra `ray`.

The chunk of an actor that dies is given to another one. Results go into the same journal as those of a single process, so a
driver that dies loses no more than a local run.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from ai_memory.bulk.encoder import Work, encode_chunk, open_worker
from ai_memory.bulk.records import Chunk, Result
from ai_memory.errors import EmbedderError, InvalidInputError, MemoryServiceError, ServiceUnavailableError
from ai_memory.installation import install_hint

_CONNECT_SECONDS = 5.0


class RayEncoder:
    """An `Encoder` on the devices of a cluster."""

    def __init__(self, address: str, work: Work) -> None:
        """Connect. Raises InvalidInputError if Ray is not installed, ServiceUnavailableError if no cluster answers."""
        self._ray = _import_ray()
        self._work = work
        try:
            _check_reachable(address)
            self._ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, ignore_reinit_error=True)
        except (OSError, RuntimeError, ValueError) as error:
            raise ServiceUnavailableError(
                f"no Ray cluster answers at {address}: {error}", hint="check it with: ray status --address ADDRESS"
            ) from error

    def encode(self, chunks: Iterable[Chunk]) -> Iterator[Result]:
        """In the order of completion. Raises EmbedderError with the worker's message if a model fails."""
        rows = [{"chunk": msgspec.msgpack.encode(chunk)} for chunk in chunks]
        if not rows:
            self._ray.shutdown()
            return
        devices, resources = self._devices()
        data = self._ray.data
        _disable_progress(data)
        done = data.from_items(rows, override_num_blocks=len(rows)).map_batches(
            _Worker,
            batch_size=1,
            fn_constructor_args=(msgspec.msgpack.encode(self._work),),
            compute=data.ActorPoolStrategy(size=min(devices, len(rows))),
            scheduling_strategy="SPREAD",
            max_restarts=-1,
            max_task_retries=-1,
            **resources,
        )
        try:
            for row in done.iter_rows():
                yield msgspec.msgpack.decode(row["result"], type=Result)
        except self._ray.exceptions.RayError as error:
            raise EmbedderError(f"a worker of the cluster failed: {_reason(error)}") from error
        finally:
            self._ray.shutdown()  # disconnects from the cluster, which keeps running

    def _devices(self) -> tuple[int, dict[str, float]]:
        """The number of actors, and what each reserves: one GPU each if the cluster has GPUs, else one actor per node."""
        gpus = int(self._ray.cluster_resources().get("GPU", 0))
        if gpus and self._work.device != "cpu":
            return gpus, {"num_gpus": 1}
        alive = [node for node in self._ray.nodes() if node["Alive"] and node["Resources"].get("CPU", 0) >= 1]
        return max(1, len(alive)), {"num_cpus": 1}


class _Worker:
    """An actor that loads the model once."""

    def __init__(self, work: bytes) -> None:
        self._work = msgspec.msgpack.decode(work, type=Work)
        self._model = open_worker(self._work)

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """One chunk in, one result out, both as MessagePack bytes."""
        chunk = msgspec.msgpack.decode(batch["chunk"][0], type=Chunk)
        return {"result": [msgspec.msgpack.encode(encode_chunk(self._model, self._work, chunk))]}


def _check_reachable(address: str) -> None:
    """Raises OSError if nothing listens at HOST:PORT; Ray would keep trying for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdecimal():
        socket.create_connection((host, int(port)), timeout=_CONNECT_SECONDS).close()


def _import_ray() -> Any:
    try:
        import ray
        import ray.data
        import ray.exceptions
    except ImportError as error:
        raise InvalidInputError(f"Ray Data cannot be imported: {error}", hint=install_hint("ray")) from None
    return ray


def _disable_progress(data: Any) -> None:
    """Switch off Ray Data's progress bars: the command shows one itself."""
    context = data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)


def _reason(error: BaseException) -> str:
    """The message of the first MemoryServiceError in the chain of causes, else the last line of the error."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, MemoryServiceError):
            return cause.message
        cause = getattr(cause, "cause", None) or cause.__cause__
    return str(error).strip().splitlines()[-1]
