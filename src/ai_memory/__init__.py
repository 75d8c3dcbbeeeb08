"""AI Memory Service: long-term memory for AI agents, on the user's own machine.

`Memory` opens a store in this process, `Client` talks to a running service; `AsyncMemory` and `AsyncClient` are the same as
coroutines. `EmbeddingModel` is the engine without a store. Where only the client is installed, `Memory` and `EmbeddingModel` raise
NotInstalledError. Names are loaded at their first use, so that importing the package
costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ai_memory.embed.base import Encoded as Encoded
    from ai_memory.embed.base import Task as Task
    from ai_memory.embed.base import TooLong as TooLong
    from ai_memory.embed.cache import VectorCache as VectorCache
    from ai_memory.errors import BrakeError as BrakeError
    from ai_memory.errors import ConflictError as ConflictError
    from ai_memory.errors import EmbedderError as EmbedderError
    from ai_memory.errors import EmbedderMismatchError as EmbedderMismatchError
    from ai_memory.errors import EmbedderUnavailableError as EmbedderUnavailableError
    from ai_memory.errors import ForbiddenError as ForbiddenError
    from ai_memory.errors import IdempotencyConflictError as IdempotencyConflictError
    from ai_memory.errors import InternalError as InternalError
    from ai_memory.errors import InvalidInputError as InvalidInputError
    from ai_memory.errors import MediaTypeError as MediaTypeError
    from ai_memory.errors import MemoryServiceError as MemoryServiceError
    from ai_memory.errors import MethodNotAllowedError as MethodNotAllowedError
    from ai_memory.errors import ModelFilesError as ModelFilesError
    from ai_memory.errors import NotFoundError as NotFoundError
    from ai_memory.errors import NotInstalledError as NotInstalledError
    from ai_memory.errors import OfflineError as OfflineError
    from ai_memory.errors import OverloadedError as OverloadedError
    from ai_memory.errors import RequestTimeoutError as RequestTimeoutError
    from ai_memory.errors import ServiceUnavailableError as ServiceUnavailableError
    from ai_memory.errors import StaleRevisionError as StaleRevisionError
    from ai_memory.errors import StoreBusyError as StoreBusyError
    from ai_memory.errors import StoreCorruptError as StoreCorruptError
    from ai_memory.errors import StoreError as StoreError
    from ai_memory.errors import StoreFullError as StoreFullError
    from ai_memory.errors import StoreReadOnlyError as StoreReadOnlyError
    from ai_memory.errors import StoreUnavailableError as StoreUnavailableError
    from ai_memory.errors import StoreVersionError as StoreVersionError
    from ai_memory.errors import TooLargeError as TooLargeError
    from ai_memory.errors import UnauthorizedError as UnauthorizedError
    from ai_memory.operations.graph import Entities as Entities
    from ai_memory.operations.graph import FoundPath as FoundPath
    from ai_memory.operations.graph import Graph as Graph
    from ai_memory.operations.graph import GraphNode as GraphNode
    from ai_memory.operations.graph import NamedThing as NamedThing
    from ai_memory.operations.graph import Neighbours as Neighbours
    from ai_memory.operations.graph import Paths as Paths
    from ai_memory.operations.moving import ImportReport as ImportReport
    from ai_memory.operations.moving import NamespaceCount as NamespaceCount
    from ai_memory.operations.moving import Namespaces as Namespaces
    from ai_memory.operations.moving import RejectedLine as RejectedLine
    from ai_memory.operations.reading import Bucket as Bucket
    from ai_memory.operations.reading import ContextCount as ContextCount
    from ai_memory.operations.reading import Contexts as Contexts
    from ai_memory.operations.reading import History as History
    from ai_memory.operations.reading import Timeline as Timeline
    from ai_memory.operations.watching import Health as Health
    from ai_memory.operations.watching import Part as Part
    from ai_memory.operations.watching import Stats as Stats
    from ai_memory.operations.writing import Draft as Draft
    from ai_memory.operations.writing import Forgotten as Forgotten
    from ai_memory.operations.writing import Receipts as Receipts
    from ai_memory.python.asynchronous import AsyncClient as AsyncClient
    from ai_memory.python.asynchronous import AsyncMemory as AsyncMemory
    from ai_memory.python.client import Client as Client
    from ai_memory.python.embedding_model import EmbeddingModel as EmbeddingModel
    from ai_memory.python.embedding_model import ModelInfo as ModelInfo
    from ai_memory.python.memory import Memory as Memory
    from ai_memory.recall.answer import Answer as Answer
    from ai_memory.recall.answer import Detail as Detail
    from ai_memory.recall.answer import Hit as Hit
    from ai_memory.recall.answer import Layer as Layer
    from ai_memory.recall.answer import Notice as Notice
    from ai_memory.recall.answer import PassageText as PassageText
    from ai_memory.recall.answer import Searched as Searched
    from ai_memory.recall.answer import Stage as Stage
    from ai_memory.recall.answer import Surrounding as Surrounding
    from ai_memory.recall.answer import Trace as Trace
    from ai_memory.settings import Settings as Settings
    from ai_memory.types import EmbedderIdentity as EmbedderIdentity
    from ai_memory.types import MemoryRecord as MemoryRecord
    from ai_memory.types import MemoryType as MemoryType
    from ai_memory.types import Neighbour as Neighbour
    from ai_memory.types import Outcome as Outcome
    from ai_memory.types import Page as Page
    from ai_memory.types import Receipt as Receipt
    from ai_memory.types import Relation as Relation
    from ai_memory.types import RelationType as RelationType
    from ai_memory.types import Searchable as Searchable

__version__ = "0.1.0"

_MODULES: dict[str, tuple[str, ...]] = {
    "python.asynchronous": ("AsyncClient", "AsyncMemory"),
    "python.client": ("Client",),
    "embed.base": ("Encoded", "Task", "TooLong"),
    "embed.cache": ("VectorCache",),
    "python.embedding_model": ("EmbeddingModel", "ModelInfo"),
    "errors": (
        "BrakeError",
        "ConflictError",
        "EmbedderError",
        "EmbedderMismatchError",
        "EmbedderUnavailableError",
        "ForbiddenError",
        "IdempotencyConflictError",
        "InternalError",
        "InvalidInputError",
        "MediaTypeError",
        "MemoryServiceError",
        "MethodNotAllowedError",
        "ModelFilesError",
        "NotFoundError",
        "NotInstalledError",
        "OfflineError",
        "OverloadedError",
        "RequestTimeoutError",
        "ServiceUnavailableError",
        "StaleRevisionError",
        "StoreBusyError",
        "StoreCorruptError",
        "StoreError",
        "StoreFullError",
        "StoreReadOnlyError",
        "StoreUnavailableError",
        "StoreVersionError",
        "TooLargeError",
        "UnauthorizedError",
    ),
    "python.memory": ("Memory",),
    "operations.graph": ("Entities", "FoundPath", "Graph", "GraphNode", "NamedThing", "Neighbours", "Paths"),
    "operations.moving": ("ImportReport", "NamespaceCount", "Namespaces", "RejectedLine"),
    "operations.reading": ("Bucket", "ContextCount", "Contexts", "History", "Timeline"),
    "operations.watching": ("Health", "Part", "Stats"),
    "operations.writing": ("Draft", "Forgotten", "Receipts"),
    "recall.answer": (
        "Answer",
        "Detail",
        "Hit",
        "Layer",
        "Notice",
        "PassageText",
        "Searched",
        "Stage",
        "Surrounding",
        "Trace",
    ),
    "settings": ("Settings",),
    "types": (
        "EmbedderIdentity",
        "MemoryRecord",
        "MemoryType",
        "Neighbour",
        "Outcome",
        "Page",
        "Receipt",
        "Relation",
        "RelationType",
        "Searchable",
    ),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    "__version__",
    *_MODULE_OF,
]


def __getattr__(name: str) -> Any:
    """Load a public name from the module that has it."""
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = f"{__name__}.{_MODULE_OF[name]}"
    try:
        value = getattr(import_module(module), name)
    except ModuleNotFoundError as error:
        if error.name is not None and module.startswith(error.name):
            from ai_memory.installation import require_service

            require_service(name)  # the client has no such module
        raise
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULE_OF})
