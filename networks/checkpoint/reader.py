"""From a path to a `Source`: detection by content, then the reader of that format. No code from a file ever runs.

A pickle goes through three stages: the machine (`unpickler.py`, `machine.py`, `opcodes.py`) makes inert nodes under a
budget, the allow-list (`allow_list.py`) says which names it accepts, and the resolver (`resolve.py`, `handlers.py`,
`modules.py`) turns nodes into arrays and records.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from networks.checkpoint.errors import CheckpointError
from networks.checkpoint.handlers import HANDLERS
from networks.checkpoint.machine import MALFORMED
from networks.checkpoint.records import Source
from networks.checkpoint.resolve import Resolver
from networks.checkpoint.safetensors_format import read_safetensors
from networks.checkpoint.sniff import HEAD, other, sniff
from networks.checkpoint.torch_legacy import open_legacy
from networks.checkpoint.torch_zip import Member, directory, is_torch, open_zip
from networks.checkpoint.unpickler import Unpickler
from networks.checkpoint.window import Job, Progress, ReadCancelled, Window, changed, fingerprint

__all__ = ["ReadCancelled", "read_source"]

HASH_PIECE = 1 << 20  # bytes


def read_source(path: Path, *, progress: Progress | None = None, cancelled: Callable[[], bool] | None = None) -> Source:
    """Read a checkpoint file as data. `progress(fraction, what)` fires on the calling thread.

    Raises CheckpointError with one sentence that names the file and the reason, ReadCancelled when `cancelled()`
    turned true.
    """
    path = Path(path)
    try:
        _check_kind(path)
        with path.open("rb", buffering=0) as file:
            return _read(path, file, progress, cancelled)
    except FileNotFoundError as error:
        raise CheckpointError(f"{path.name} does not exist in {path.parent}; was it moved?") from error
    except (OSError, ValueError) as error:
        sentence = f"{path.name[:200]} cannot be read ({_reason(error)}); check its permissions and the disk"
        raise CheckpointError(sentence) from error


def _check_kind(path: Path) -> None:
    """Raise CheckpointError for what is there and is no file: a pipe would make us wait for ever."""
    if path.is_dir():
        raise CheckpointError(f"{path.name} is a folder; open the checkpoint file inside it")
    if path.exists() and not path.is_file():
        raise CheckpointError(f"{path.name} is a pipe or a device, not a file; copy the checkpoint to a file first")


def _reason(error: Exception) -> str:
    return error.strerror.lower() if isinstance(error, OSError) and error.strerror else str(error)


def _read(path: Path, file: BinaryIO, progress: Progress | None, cancelled: Callable[[], bool] | None) -> Source:
    before = fingerprint(file)
    job = Job(path, before[0], progress, cancelled)
    if not before[0]:
        raise job.error("is empty (0 bytes); download it again")
    window = Window(file, job, 0, before[0])
    try:
        kind, root, header = _open(window)
    except (*MALFORMED, MemoryError) as error:
        raise job.error(f"is damaged ({str(error)[:300]}); download it again") from error
    except CheckpointError as error:
        if fingerprint(file) != before and not isinstance(error, ReadCancelled):
            raise changed(job) from error
        raise
    digest = _sha256(window)
    if fingerprint(file) != before:
        raise changed(job)
    job.finish()
    return Source(path, kind, root, header, digest)


def _open(window: Window) -> tuple[str, Any, dict[str, str]]:
    """(kind, root, header) of a file, as `Source` describes them."""
    head = window.read(0, min(HEAD, window.length))
    match sniff(head, window.length):
        case "zip":
            return "torch", _read_zip(window, directory(window)), {}
        case "legacy":
            return "torch", _resolved(window, *open_legacy(window, calls=True)), {}
        case "safetensors":
            root, header = read_safetensors(window)
            return "safetensors", root, header
        case "pickle":
            return "pickle", Resolver(window, HANDLERS).root(Unpickler(window).run()), {}
    raise CheckpointError(f"{window.job.path.name} is {other(head)}")


def _resolved(window: Window, root: Any, storages: Callable[[Any], Any]) -> Any:
    return Resolver(window, HANDLERS, storages).root(root)


def _read_zip(window: Window, members: dict[str, Member]) -> Any:
    names = list(members)
    if is_torch(members):
        if any(name.endswith("constants.pkl") for name in names):
            raise window.job.error("is a TorchScript program, not a checkpoint; open the .pkl or .pt it was made from")
        root, storages = open_zip(window, members, calls=True)
        return _resolved(window, root, storages)
    if names and all(name.endswith(".npy") for name in names):
        raise window.job.error(f"is a NumPy archive with {', '.join(names[:4])}; open it as a latent, not as a model")
    raise window.job.error(
        f"is a zip archive with {len(names)} files and no torch checkpoint; unpack it and open the model inside"
    )


def _sha256(window: Window) -> str:
    """The SHA-256 of the whole file, in hexadecimal."""
    digest = hashlib.sha256()
    buffer = memoryview(bytearray(min(HASH_PIECE, window.length)))
    for start in range(0, window.length, HASH_PIECE):
        piece = buffer[: min(HASH_PIECE, window.length - start)]
        window.read_into(start, piece, "checking")
        digest.update(piece)
    return digest.hexdigest()
