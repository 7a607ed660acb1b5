"""torch.save before 1.6, and the storages inside NVIDIA's pickles: four small pickles, then raw storages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from networks.checkpoint.torch_values import Storage, StorageId, part, read_storage, storage_id
from networks.checkpoint.unpickler import Unpickler
from networks.checkpoint.window import Window

MAGIC = bytes.fromhex("80028a0a6cfc9c46f9206aa850192e")  # the pickled number 0x1950a86a20f9469cfc6c
PROTOCOL = 1001

Storages = Callable[[Any], Storage]


def open_legacy(window: Window, *, calls: bool) -> tuple[Any, Storages]:
    """Return the root as nodes and the function that reads the storage of a persistent id.

    calls: whether the pickle may rebuild tensors (a whole file) or may only name a storage (inside a pickle).
    """
    protocol = Unpickler(window, len(MAGIC), calls=False)
    if protocol.run() != PROTOCOL:
        raise window.job.error("is a torch file of an unknown version; save it again with a current torch")
    system = Unpickler(window, protocol.position, calls=False)
    info = system.run()
    if not isinstance(info, dict) or info.get("little_endian") is not True:
        raise window.job.error("was saved on a big-endian machine; save it again on a common one")
    body = Unpickler(window, system.position, persistent=True, calls=calls)
    root = body.run()
    keys = Unpickler(window, body.position, calls=False)
    names = {name.key: name for name in (storage_id(node.pid) for node in body.persistents)}
    return root, _reader(window, names, _positions(window, keys.run(), keys.position, names))


def _positions(window: Window, keys: Any, position: int, names: dict[str, StorageId]) -> dict[str, int]:
    """Where each storage's elements begin: they follow each other, each behind its 8-byte count of elements."""
    positions: dict[str, int] = {}
    for key in keys if isinstance(keys, list) else ():
        if not isinstance(key, str) or key not in names:
            raise window.job.error("holds a storage that no tensor uses; the file is damaged")
        count = int.from_bytes(window.read(position, 8), "little", signed=True)
        if count != names[key].numel:
            raise window.job.error(
                f"says {names[key].numel:,} elements for storage {key} and {count:,} at its place; it is damaged"
            )
        positions[key] = position + 8
        position += 8 + names[key].nbytes
    return positions


def _reader(window: Window, names: dict[str, StorageId], positions: dict[str, int]) -> Storages:
    cache: dict[str, Storage] = {}

    def read(pid: Any) -> Storage:
        name = storage_id(pid)
        if name.key not in positions:
            raise window.job.error(f"has no data for storage {name.key}; it is cut off")
        if name.key not in cache:
            cache[name.key] = read_storage(window, positions[name.key], names[name.key])
        return part(cache[name.key], name)

    return read
