"""The chunks of a run on a Ray cluster: Ray Data, one actor a device. Needs the extra `ray`.

A chunk that an actor was at work on when it died is given to another. What comes back goes into the same journal as that of
one process, so a driver that dies loses no more than one that works alone.
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

_KNOCK_SECONDS = 5.0


class RayEncoder:
    """The devices of a cluster."""

    def __init__(self, address: str, work: Work) -> None:
        """Connect. Raises InvalidInputError where Ray is not installed, ServiceUnavailableError where no cluster answers."""
        self._ray = _import_ray()
        self._work = work
        try:
            _knock(address)
            self._ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, ignore_reinit_error=True)
        except (OSError, RuntimeError, ValueError) as error:
            raise ServiceUnavailableError(
                f"no Ray cluster answers at {address}: {error}", hint="check it with: ray status --address ADDRESS"
            ) from error

    def encode(self, chunks: Iterable[Chunk]) -> Iterator[Result]:
        """In the order in which they are done. Raises EmbedderError with the worker's words where a model fails."""
        rows = [{"chunk": msgspec.msgpack.encode(chunk)} for chunk in chunks]
        if not rows:
            self._ray.shutdown()
            return
        devices, resources = self._devices()
        data = self._ray.data
        _be_quiet(data)
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
            self._ray.shutdown()  # lets go of the cluster; the cluster itself goes on

    def _devices(self) -> tuple[int, dict[str, float]]:
        """How many actors there are, and what each reserves: a GPU each where the cluster has some, else a node each."""
        gpus = int(self._ray.cluster_resources().get("GPU", 0))
        if gpus and self._work.device != "cpu":
            return gpus, {"num_gpus": 1}
        alive = [node for node in self._ray.nodes() if node["Alive"] and node["Resources"].get("CPU", 0) >= 1]
        return max(1, len(alive)), {"num_cpus": 1}


class _Worker:
    """An actor: the model, loaded once."""

    def __init__(self, work: bytes) -> None:
        self._work = msgspec.msgpack.decode(work, type=Work)
        self._model = open_worker(self._work)

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """One chunk in, one result out, both as bytes."""
        chunk = msgspec.msgpack.decode(batch["chunk"][0], type=Chunk)
        return {"result": [msgspec.msgpack.encode(encode_chunk(self._model, self._work, chunk))]}


def _knock(address: str) -> None:
    """Raises OSError where nobody listens at HOST:PORT: Ray itself would try for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdecimal():
        socket.create_connection((host, int(port)), timeout=_KNOCK_SECONDS).close()


def _import_ray() -> Any:
    try:
        import ray
        import ray.data
        import ray.exceptions
    except ImportError as error:
        raise InvalidInputError(
            f"Ray Data cannot be imported: {error}", hint=install_hint("ray")
        ) from None
    return ray


def _be_quiet(data: Any) -> None:
    """Our own bar is enough."""
    context = data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)


def _reason(error: BaseException) -> str:
    """The innermost cause that is ours, else the first line of the outermost."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, MemoryServiceError):
            return cause.message
        cause = getattr(cause, "cause", None) or cause.__cause__
    return str(error).strip().splitlines()[-1]
