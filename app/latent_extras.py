"""What the latent file of a projection holds beside w, so that its picture can be drawn again: noise and a transform.

An .npz with `w` [1, num_ws, w_dim], which every reader of latents takes; for each layer `noise.NAME` [H, W], a map of
mean 0 and variance 1 that stands in for the stored one; and `transform` [3, 3], which moves the picture before the
user does.
"""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from app.bounded import Bounded
from app.errors import InputError, WriteError
from app.projection.noise_maps import noisy_layers, scaled
from app.request import Matrix, RenderRequest
from networks.base import Generator
from networks.taps import Taps

NOISE, TRANSFORM = "noise.", "transform"


@dataclass(frozen=True, eq=False)
class Extras:
    """noise: layer -> map [H, W] of variance 1; transform [3, 3] or None."""

    noise: Mapping[str, np.ndarray] = field(default_factory=dict)
    transform: np.ndarray | None = None


_known: Bounded[tuple[str, int, int], Extras] = Bounded(4, 256 << 20, lambda found: 1 + _size(found))


def prepare(generator: Generator, request: RenderRequest, taps: Taps) -> Matrix | None:
    """Give a pass the noise of the request's latent file; returns the transform of its input, the file's included.

    Raises InputError where the file was made for another model.
    """
    matrix = request.transform.as_matrix() if generator.has_transform else None
    path = Path(request.latent.file)
    if path.suffix.lower() != ".npz":
        return matrix
    extras = read(path)
    if extras.noise and request.noise.mode == "const":
        taps.added_noise = _added(path, extras.noise, generator, request)
    if matrix is None or extras.transform is None:
        return matrix
    a, b, c = (np.array(matrix) @ extras.transform).tolist()
    return (a[0], a[1], a[2]), (b[0], b[1], b[2]), (c[0], c[1], c[2])


def read(path: Path) -> Extras:
    """The noise and the transform of a file; empty where it holds none."""
    stat = os.stat(path)
    key = str(path), stat.st_mtime_ns, stat.st_size
    found = _known.get(key)
    if found is None:
        found = _load(path)
        _known.put(key, found)
    return found


def write(path: Path, ws: np.ndarray, extras: Extras) -> Path:
    """Save ws [1, num_ws, w_dim] with its extras as .npz, by rename; raises WriteError."""
    values = {"w": np.ascontiguousarray(ws, np.float32)}
    values |= {NOISE + name: np.ascontiguousarray(drawn, np.float32) for name, drawn in extras.noise.items()}
    if extras.transform is not None:
        values[TRANSFORM] = np.asarray(extras.transform, np.float64)
    buffer = io.BytesIO()
    np.savez(buffer, **values)  # type: ignore[arg-type]
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(buffer.getvalue())
        os.replace(part, path)
    except OSError as error:
        raise WriteError(f"{path}: the latent was not saved, {error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)
    return path


def _load(path: Path) -> Extras:
    try:
        with np.load(path, allow_pickle=False) as file:
            noise = {key.removeprefix(NOISE): file[key] for key in file.files if key.startswith(NOISE)}
            transform = file[TRANSFORM] if TRANSFORM in file.files else None
    except (ValueError, EOFError, zipfile.BadZipFile, AttributeError) as error:
        raise InputError(f"{path.name}: not a readable .npz file of numbers ({error})") from error
    for name, values in noise.items() if transform is None else [*noise.items(), (TRANSFORM, transform)]:
        if values.dtype.kind != "f" or not np.isfinite(values).all():
            raise InputError(f"{path.name}: `{name}` holds {values.dtype} or values that are not finite")
    if transform is not None and (transform.shape != (3, 3) or abs(np.linalg.det(transform)) < 1e-9):
        raise InputError(f"{path.name}: `{TRANSFORM}` {list(transform.shape)} is no invertible [3, 3] matrix")
    return Extras(noise, transform)


def _added(path: Path, noise: Mapping[str, np.ndarray], g: Generator, request: RenderRequest) -> dict[str, Tensor]:
    """What each layer adds: the file's maps, times the layer's own strength and the one that the request asks for."""
    layers = noisy_layers(g)
    device = next(g.parameters()).device
    maps = {}
    for name, drawn in noise.items():
        wanted = list(layers[name].noise_const.shape[-2:]) if name in layers else None
        if wanted != list(drawn.shape):
            there = "has no such layer with noise" if wanted is None else f"takes {wanted}"
            raise InputError(f"{path.name}: its noise for {name} is {list(drawn.shape)}; this model {there}")
        asked = request.noise.of(name)
        if asked.on and asked.strength != 0.0:
            maps[name] = torch.from_numpy(drawn.astype(np.float32) * np.float32(asked.strength))[None, None].to(device)
    return scaled(layers, maps)


def _size(extras: Extras) -> int:
    return sum(drawn.nbytes for drawn in extras.noise.values())
