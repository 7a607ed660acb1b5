"""Files of numbers that may hold directions: .npy, .npz and .json, read without torch, so that the window may ask."""

from __future__ import annotations

import json
import math
import tokenize
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

from app.errors import InputError

SUFFIXES = (".npz", ".npy", ".json")
TORCH_SUFFIXES = (".pt", ".pth")
LATENT_KEYS = ("w", "ws", "latent", "latent_code", "projected_w")
KNOWN = ("directions", "lat_comp", "comp", "components", "boundary", "direction", "eigvec")
MOST_BYTES = 512 << 20
MOST_DROPPED = 64 << 20  # bytes of a file that the window itself looks into
MOST_NAMES = 4096
FEW_TENSORS = 2048  # bytes of a torch file's own pickle: the names of a generator's tensors take more


def is_latent(content: Any, num_ws: int, w_dim: int) -> bool:
    """Whether arrays are a latent rather than directions: by their names; a bare array where it has the shape of one w
    or one W+. (A latent wins: directions of that shape are opened from the panel.)"""
    if isinstance(content, Mapping):
        if any(key in content for key in (*KNOWN, "sliders")):
            return False
        if any(key in content for key in LATENT_KEYS):
            return True
        content = next(iter(content.values())) if len(content) == 1 else np.zeros(0)
    return np.shape(content) in (
        (w_dim,), (1, w_dim), (1, 1, w_dim), (num_ws, w_dim), (1, num_ws, w_dim)
    )  # fmt: skip


def for_directions(path: str | Path, num_ws: int, w_dim: int) -> bool:
    """Whether a dropped file is one of directions for a model: its names or its shape say so, and it is no latent. A
    torch file of a few tensors may be one: its reader tells a latent later."""
    path = Path(path)
    try:
        if path.suffix.lower() in TORCH_SUFFIXES:
            return _few_tensors(path)
        if path.suffix.lower() not in SUFFIXES or path.stat().st_size > MOST_DROPPED:
            return False
        content = load(path)
    except (InputError, OSError):
        return False
    if is_latent(content, num_ws, w_dim):
        return False
    if isinstance(content, Mapping):
        if any(key in content for key in (*KNOWN, "sliders")):
            return True
        arrays = [np.shape(value) for value in content.values() if np.ndim(value) > 0]
    else:
        arrays = [np.shape(content)]
    return bool(arrays) and all(shape[-1] == w_dim and len(shape) <= 4 for shape in arrays)


def _few_tensors(path: Path) -> bool:
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        sizes = [member.file_size for member in archive.infolist() if member.filename.endswith("data.pkl")]
    return len(sizes) == 1 and sizes[0] <= FEW_TENSORS


def load(path: Path) -> Any:
    """One array, or a mapping of names to arrays and values. Nothing in the file is executed. Raises InputError."""
    try:
        check_size(path)
        if path.suffix.lower() == ".npz":
            return _archive(path)
        if path.suffix.lower() == ".json":
            return _from_json(path)
        with path.open("rb") as file:
            return _array(file, path.stat().st_size)
    except OSError as error:
        raise InputError(f"{path}: the directions cannot be read ({error.strerror or error})") from error
    except (ValueError, EOFError, KeyError, TypeError, RecursionError, RuntimeError, MemoryError, OverflowError,
            SyntaxError, tokenize.TokenError, zipfile.BadZipFile, zlib.error) as error:  # fmt: skip
        raise broken(path, error) from error


def check_size(path: Path) -> None:
    """Raise InputError for a file that is larger than any set of directions."""
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise InputError(f"{path.name}: {size:,} bytes; a file of directions has at most {MOST_BYTES:,}")


def broken(path: Path, error: BaseException) -> InputError:
    """What went wrong with a file, in one sentence."""
    if isinstance(error, InputError):
        return error
    first = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return InputError(f"{path.name}: not a readable {path.suffix} file of directions ({first[:160]})")


def _array(file: IO[bytes], size: int) -> np.ndarray:
    """One .npy of numbers or text. Its header is believed only as far as the bytes that are there."""
    version = np.lib.format.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"NumPy format {version[0]}.{version[1]}")
    header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = header(file)
    if dtype.kind not in "fiuU" or dtype.hasobject:
        raise ValueError(f"it holds {dtype}, expected numbers")
    wanted = math.prod(shape) * dtype.itemsize
    if wanted > size or len(shape) > 8:
        raise ValueError(f"its header asks for {list(shape)[:8]}, {wanted:,} bytes of {size:,}")
    data = file.read(wanted)
    if len(data) != wanted:
        raise EOFError(f"{len(data):,} of {wanted:,} bytes are there")
    found: np.ndarray = np.frombuffer(data, dtype).reshape(shape, order="F" if fortran else "C")
    return found


def _archive(path: Path) -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = {}
    with zipfile.ZipFile(path) as archive:
        members = [member for member in archive.infolist() if member.filename.endswith(".npy")]
        if len(members) > MOST_NAMES or sum(member.file_size for member in members) > MOST_BYTES:
            raise ValueError(f"{len(members)} arrays, or more than {MOST_BYTES:,} bytes unpacked")
        for member in members:
            with archive.open(member) as file:
                found[member.filename.removesuffix(".npy")] = _array(file, member.file_size)
    return found


def _from_json(path: Path) -> Any:
    content = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict):
        return np.asarray(content, np.float64)
    if isinstance(content.get("sliders"), list):
        return content
    return {key: np.asarray(value) if isinstance(value, list) else value for key, value in content.items()}
