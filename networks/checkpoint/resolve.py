"""From inert nodes to arrays and records: what each allowed call of a pickle means, done by our own code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from networks.checkpoint import allow_list
from networks.checkpoint.errors import CheckpointError
from networks.checkpoint.machine import MALFORMED, is_setattr
from networks.checkpoint.nodes import Blob, Call, Instance, Opaque, Persistent, Reference, SetNode
from networks.checkpoint.torch_values import DTYPES
from networks.checkpoint.window import Window

MAX_DEPTH = 100  # levels of containers and modules; a StyleGAN-T with its text encoder has about 30
MAX_NODES = 4_000_000  # values of the tree, shared ones counted each time
PLAIN = (str, int, float, bool, bytes, complex, type(None))

Storages = Callable[[Any], Any]
Handler = Callable[["Resolver", Any], Any]


@dataclass(frozen=True)
class Handlers:
    """What the allowed names mean: calls and classes by name, and what an instance of any other class becomes."""

    calls: Mapping[allow_list.Name, Handler]
    instances: Mapping[allow_list.Name, Handler]
    default: Handler


class CycleError(CheckpointError):
    """A value that contains itself."""


class Resolver:
    """Turns the nodes of one pickle into values; `storages` reads what a torch persistent id means."""

    def __init__(self, window: Window, handlers: Handlers, storages: Storages | None = None) -> None:
        self.window, self.job = window, window.job
        self._handlers, self._storages = handlers, storages
        self._path: list[str] = []
        self._memo: dict[int, tuple[Any, int, Any]] = {}  # node id -> (value, size of its tree, the node)
        self._open: set[int] = set()
        self._nodes = 0

    def root(self, node: Any) -> Any:
        """Resolve the whole tree; raises CheckpointError where it makes no sense."""
        try:
            return self.resolve(node)
        except RecursionError as error:
            raise self.error("is nested too deeply") from error

    def error(self, detail: str) -> CheckpointError:
        """The error for the value that is being resolved."""
        parts = self._path if len(self._path) <= 12 else [*self._path[:6], "..", *self._path[-2:]]
        where = ".".join(parts)
        return self.job.error(f"{where} {detail}" if where else detail)

    def resolve(self, node: Any) -> Any:
        """The value of a node; shared nodes give shared values."""
        if isinstance(node, PLAIN):
            self._nodes += 1
            return node
        key = id(node)
        if key in self._memo:
            value, size, _ = self._memo[key]
            self._count(size)
            return value
        if key in self._open:
            raise CycleError(str(self.error("contains itself; no generator does")))
        if len(self._open) >= MAX_DEPTH:
            raise self.error(f"is nested more than {MAX_DEPTH} levels deep; no generator is")
        before = self._nodes
        self._count(1)
        self._open.add(key)
        try:
            value = self._value(node)
        except (*MALFORMED, RuntimeError, MemoryError) as error:
            if isinstance(error, RecursionError):
                raise
            raise self.error(f"is damaged: {_subject(node)}: {str(error)[:300]}; download the file again") from error
        finally:
            self._open.discard(key)
        self._memo[key] = value, self._nodes - before, node
        return value

    def at(self, name: Any, node: Any) -> Any:
        """Resolve a named child; the name appears in error messages."""
        self._path.append(str(name)[:60])
        value = self.resolve(node)
        self._path.pop()
        return value

    def attribute(self, name: str, node: Any) -> Any:
        """As `at`, but a value that refers back to its owner becomes Opaque."""
        depth = len(self._path)
        try:
            return self.at(name, node)
        except CycleError:
            del self._path[depth:]
            return Opaque("refers back to its owner")

    def _count(self, size: int) -> None:
        self._nodes += size
        if self._nodes > MAX_NODES:
            raise self.error(f"has more than {MAX_NODES:,} values by referring to itself; no generator does")

    def _value(self, node: Any) -> Any:
        if isinstance(node, dict):
            return {self.key(key): self.at(key, value) for key, value in node.items()}
        if isinstance(node, SetNode):
            members = [self.resolve(member) for member in node]
            return frozenset(members) if all(isinstance(m, PLAIN) for m in members) else members
        if isinstance(node, list):
            return [self.at(index, value) for index, value in enumerate(node)]
        if isinstance(node, tuple):
            return tuple(self.at(index, value) for index, value in enumerate(node))
        if isinstance(node, Call):
            return self._call(node)
        if isinstance(node, Instance):
            return self._instance(node)
        return self._leaf(node)

    def _leaf(self, node: Any) -> Any:
        if isinstance(node, Reference):
            return DTYPES.get(node.name, node) if node.module == "torch" else node
        if isinstance(node, Blob):
            return Opaque(f"{node.length:,} bytes")
        if isinstance(node, Persistent) and self._storages is not None:
            return self._storages(node.pid)
        raise ValueError(f"{type(node).__name__} has no place here")

    def _call(self, node: Call) -> Any:
        if is_setattr(node.function):
            return None
        return self._handlers.calls.get(node.function.path, self._handlers.default)(self, node)

    def _instance(self, node: Instance) -> Any:
        if isinstance(node.cls, Reference):
            return self._handlers.instances.get(node.cls.path, self._handlers.default)(self, node)
        return self._handlers.default(self, node)

    def key(self, key: Any) -> Any:
        """A dict key: a plain value as it is, anything else as text."""
        if isinstance(key, PLAIN):
            return key
        if isinstance(key, tuple):
            return tuple(self.key(part) for part in key)
        return str(self.resolve(key))

    # -- helpers for handlers --------------------------------------------------------------------------------------

    def mapping(self, node: Any) -> Mapping[str, Any]:
        """A node that must be a dict with text keys."""
        value = self.resolve(node)
        if not isinstance(value, Mapping):
            raise ValueError(f"expected a dict, found {type(value).__name__}")
        return {str(key): item for key, item in value.items()}

    def raw_mapping(self, node: Any) -> dict[Any, Any]:
        """A dict or OrderedDict node, its values not resolved."""
        if isinstance(node, dict):
            return node
        if isinstance(node, Call | Instance):
            return dict(node.pairs or ())
        if node is None:
            return {}
        raise ValueError(f"expected a dict, found {type(node).__name__}")

    def text(self, node: Any) -> str:
        """A node that must be a short text."""
        if not isinstance(node, str):
            raise ValueError(f"expected a text, found {type(node).__name__}")
        return node

    def bytes_of(self, node: Any) -> bytes:
        """The bytes of a node: bytes, Python 2's strings, and what `_codecs.encode` makes."""
        if isinstance(node, Blob):
            self.job.spend_array(node.length)
            data = self.window.read(node.start, node.length)
            return data if node.kind != "utf8" else data.decode("utf-8", "surrogatepass").encode("latin1")
        if isinstance(node, str):
            return node.encode("latin1")
        value = self.resolve(node)
        if not isinstance(value, bytes):
            raise ValueError(f"expected bytes, found {type(value).__name__}")
        return value


def _subject(node: Any) -> str:
    """What a damaged node is, in words."""
    if isinstance(node, Call):
        return str(node.function)[:80]
    return f"an instance of {str(node.cls)[:80]}" if isinstance(node, Instance) else f"a {type(node).__name__}"
