"""Latents on disk: npy, npz (key `w`, as NVIDIA's projector writes it), pt (tensors only), JSON."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from app.errors import InputError, LatentFileError, WriteError

SUFFIXES = (".npy", ".npz", ".pt", ".pth", ".json")
LARGEST = {".json": 64 << 20}  # bytes; a latent takes some kilobytes, its noise maps some megabytes
LARGEST_ELSE = 512 << 20
KEYS = ("w", "ws", "latent", "latent_code", "projected_w")


def read(path: str | Path, num_ws: int, w_dim: int) -> np.ndarray:
    """Open a w ([w_dim], [1, w_dim]) or W+ ([num_ws, w_dim], [1, num_ws, w_dim]) -> float32 [1, num_ws, w_dim].

    Raises LatentFileError that says which shape was found and which this model takes.
    """
    try:
        return _read(Path(path), num_ws, w_dim)
    except InputError as error:
        raise LatentFileError(str(error)) from error


def _read(path: Path, num_ws: int, w_dim: int) -> np.ndarray:
    array = _numbers(path, _load(path))
    shape = list(array.shape)
    w = array.reshape(-1, *array.shape[-2:]) if array.ndim == 3 else array[None]
    if array.shape in ((w_dim,), (1, w_dim), (1, 1, w_dim)):
        ws = np.broadcast_to(array.reshape(1, 1, w_dim), (1, num_ws, w_dim))
    elif w.shape == (1, num_ws, w_dim):
        ws = w
    else:
        raise InputError(
            f"{path.name}: the latent is {shape}; this model takes w [{w_dim}] or [1, {w_dim}],"
            f" or W+ [1, {num_ws}, {w_dim}]"
        )
    if not np.isfinite(ws).all():
        raise InputError(f"{path.name}: the latent {shape} holds NaN or infinite values")
    return np.array(ws, dtype=np.float32)


def read_vector(path: str | Path, c_dim: int) -> np.ndarray:
    """Open a conditioning vector [c_dim] or [1, c_dim] from .npy -> float32 [c_dim]."""
    path = Path(path)
    array = _numbers(path, _load_numpy(path))
    if array.shape not in ((c_dim,), (1, c_dim)):
        raise InputError(f"{path.name}: the vector is {list(array.shape)}; this model takes [{c_dim}]")
    if not np.isfinite(array).all():
        raise InputError(f"{path.name}: the vector holds NaN or infinite values")
    return array.reshape(c_dim).astype(np.float32)


def write(path: str | Path, ws: np.ndarray) -> Path:
    """Save ws [1, num_ws, w_dim] in the format that the suffix names; returns the path."""
    path = Path(path)
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(f"{path.name}: a latent is saved as {', '.join(SUFFIXES)}")
    data = _encode(path.suffix.lower(), np.ascontiguousarray(ws, dtype=np.float32))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    except OSError as error:
        raise WriteError(f"{path}: the latent was not saved, {error.strerror or error}") from error
    return path


def _encode(suffix: str, ws: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    if suffix == ".npy":
        np.save(buffer, ws)
    elif suffix == ".npz":
        np.savez(buffer, w=ws)
    elif suffix == ".json":
        return json.dumps({"w": ws.tolist()}).encode()
    else:
        import torch

        torch.save(torch.from_numpy(ws), buffer)
    return buffer.getvalue()


def _load(path: Path) -> Any:
    suffix = path.suffix.lower()
    if (size := path.stat().st_size) > LARGEST.get(suffix, LARGEST_ELSE):
        raise InputError(f"{path.name}: {size / 1e9:.1f} GB, far more than a latent takes; is it something else?")
    if suffix in (".npy", ".npz"):
        return _load_numpy(path)
    if suffix in (".pt", ".pth"):
        return _load_torch(path)
    if suffix == ".json":
        return _load_json(path)
    raise InputError(f"{path.name}: a latent file ends in {', '.join(SUFFIXES)}")


def _load_numpy(path: Path) -> Any:
    try:
        loaded = np.load(path, allow_pickle=False)
        if not isinstance(loaded, np.lib.npyio.NpzFile):
            return loaded
        with loaded:
            wanted = [key for key in loaded.files if key in KEYS or len(loaded.files) == 1]
            return _pick(path, {key: loaded[key] for key in wanted} or dict.fromkeys(loaded.files))
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        raise _broken(path, error) from error


def _load_torch(path: Path) -> Any:
    import torch

    try:
        return _pick(path, torch.load(path, map_location="cpu", weights_only=True))
    except (RuntimeError, pickle.UnpicklingError, EOFError, ValueError) as error:
        raise _broken(path, error) from error


def _load_json(path: Path) -> Any:
    try:
        return _pick(path, json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, RecursionError) as error:
        raise _broken(path, error) from error


def _pick(path: Path, value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    key = next((key for key in KEYS if key in value), next(iter(value)) if len(value) == 1 else None)
    if key is None or value[key] is None:
        found = ", ".join(map(str, list(value)[:6])) or "nothing"
        raise InputError(f"{path.name}: no entry `w` in it, so it is no latent; found {found}")
    return value[key]


def _numbers(path: Path, value: Any) -> np.ndarray:
    detach = getattr(value, "detach", None)
    try:
        array = np.asarray(detach().float().cpu().numpy() if detach is not None else value)
    except (ValueError, TypeError) as error:
        raise _broken(path, error) from error
    if array.dtype.kind not in "fiu":
        raise InputError(f"{path.name}: holds {array.dtype}, expected numbers")
    return array


def _broken(path: Path, error: Exception) -> InputError:
    if isinstance(error, InputError):
        return error
    first = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return InputError(f"{path.name}: not a readable {path.suffix} file of numbers ({first[:120]})")
