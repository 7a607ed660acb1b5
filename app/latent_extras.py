"""What the latent file of a projection holds beside w, so that its picture can be drawn again: noise and a transform.

An .npz with `w` [1, num_ws, w_dim], which every reader of latents takes; for each layer `noise.NAME` [H, W], a map of
mean 0 and variance 1 that stands in for the stored one; and `transform` [3, 3], which moves the picture before the
user does.

Where a point is a blend (of files and seeds, on a walk, a timeline or the pad), every party brings both with the weight
that it has in w. A party without a map brings the checkpoint's stored one, one without a transform the identity, so
that nothing jumps where a file comes in or goes. How they are blended: `blended_noise`, `blended_transform`. What no
file holds stays what the model does by itself, and a single file keeps its bits.
"""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from app.bounded import Bounded
from app.errors import LatentFileError, WriteError
from app.projection.noise_maps import noisy_layers, scaled
from app.request import Latent, Matrix, RenderRequest
from networks.base import Generator
from networks.layers import StyledLayer
from networks.taps import Taps

NOISE, TRANSFORM = "noise.", "transform"
VANISHED = 1e-9  # of the power of maps: their sum is nothing, and is not blown up


@dataclass(frozen=True, eq=False)
class Extras:
    """noise: layer -> map [H, W] of variance 1; transform [3, 3] or None."""

    noise: Mapping[str, np.ndarray] = field(default_factory=dict)
    transform: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Party:
    """One that takes part in a point: a file, or with path '' the seeds."""

    path: str
    weight: float
    extras: Extras


_known: Bounded[tuple[str, int, int], Extras] = Bounded(32, 256 << 20, lambda found: 1 + _size(found))


def prepare(generator: Generator, request: RenderRequest, taps: Taps) -> Matrix | None:
    """Give a pass the noise of the request's latent files; returns the transform of its input, theirs included.

    Raises LatentFileError where a file was made for another model.
    """
    matrix = request.transform.as_matrix() if generator.has_transform else None
    parties = parties_of(request.latent)
    if request.noise.mode == "const" and any(party.extras.noise for party in parties):
        taps.added_noise = _added(parties, generator, request)
    if matrix is None or all(party.extras.transform is None for party in parties):
        return matrix
    a, b, c = (np.array(matrix) @ blended_transform(parties)).tolist()
    return (a[0], a[1], a[2]), (b[0], b[1], b[2]), (c[0], c[1], c[2])


def parties_of(latent: Latent) -> tuple[Party, ...]:
    """What takes part in a point: each file once, and all seeds together, whose noise and transform are the same."""
    weights: dict[str, float] = {}
    for path, weight in (*(("", weight) for _, weight in latent.seeds), *latent.files):
        weights[path] = weights.get(path, 0.0) + weight
    return tuple(
        Party(path, weight, read(Path(path)) if Path(path).suffix.lower() == ".npz" else Extras())
        for path, weight in weights.items()
        if weight
    )


def blended_noise(maps: Sequence[tuple[float, np.ndarray]]) -> np.ndarray:
    """(weight a_i, map n_i [H, W]) -> s sum_i a_i n_i, float32, with s such that its mean square is that of its maps,
    sum_i a_i^2 <n_i^2> / sum_i a_i^2.

    For independent maps of variance 1 this is sum_i a_i n_i / sqrt(sum_i a_i^2): again N(0, 1), where the plain sum of
    two halves would have half the variance, and fade. Maps that agree are not made stronger, as s is measured.
    """
    if len(maps) == 1:
        return maps[0][1]
    total = np.sum([weight * drawn.astype(np.float64) for weight, drawn in maps], axis=0)
    squares = sum(weight**2 for weight, _ in maps)
    wanted = sum(weight**2 * np.mean(drawn.astype(np.float64) ** 2) for weight, drawn in maps) / squares
    power = float(np.mean(total**2))
    scale = np.sqrt(wanted / power) if power > VANISHED * wanted else 1.0
    return np.asarray(total * scale, np.float32)


def blended_transform(parties: Sequence[Party]) -> np.ndarray:
    """The parties' transforms [3, 3] as one: the chordal mean of the rotations (Moakher 2002, Means and averaging in
    the group of rotations), and the weighted sum of all else, shifts and what the polar decomposition leaves.

    A sum of the matrices would shrink the picture half way between two angles. Where there is no mean (one mirrors the
    picture, two are turned by 180 degrees against each other), the heaviest party's own is taken.
    """
    held = [np.eye(3) if party.extras.transform is None else party.extras.transform for party in parties]
    weights = [party.weight for party in parties]
    if len(held) == 1:
        return np.asarray(held[0])
    polar = [_polar(one[:2, :2]) for one in held]
    turn = np.asarray(sum(weight * turn for weight, (turn, _) in zip(weights, polar, strict=True)))
    mean = np.asarray(sum(weight * one for weight, one in zip(weights, held, strict=True)))
    mean[:2, :2] = _polar(turn)[0] @ sum(weight * rest for weight, (_, rest) in zip(weights, polar, strict=True))
    if np.linalg.det(turn) < 1e-9 or abs(np.linalg.det(mean)) < 1e-9:
        return np.asarray(held[int(np.argmax(weights))])
    return mean


def _polar(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """matrix [2, 2] = turn @ rest: a rotation (or reflection), and what is symmetric."""
    left, sizes, right = np.linalg.svd(matrix)
    return left @ right, right.T @ np.diag(sizes) @ right


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
        raise LatentFileError(f"{path.name}: not a readable .npz file of numbers ({error})") from error
    for name, values in noise.items() if transform is None else [*noise.items(), (TRANSFORM, transform)]:
        if values.dtype.kind != "f" or not np.isfinite(values).all():
            raise LatentFileError(f"{path.name}: `{name}` holds {values.dtype} or values that are not finite")
    if transform is not None and (transform.shape != (3, 3) or abs(np.linalg.det(transform)) < 1e-9):
        raise LatentFileError(f"{path.name}: `{TRANSFORM}` {list(transform.shape)} is no invertible [3, 3] matrix")
    return Extras(noise, transform)


def _added(parties: Sequence[Party], g: Generator, request: RenderRequest) -> dict[str, Tensor]:
    """What each layer adds: the parties' maps, times the layer's own strength and the one that the request asks for."""
    layers = noisy_layers(g)
    device = next(g.parameters()).device
    for party in parties:
        _check(party, layers)
    maps = {}
    for name in dict.fromkeys(name for party in parties for name in party.extras.noise):
        asked = request.noise.of(name)
        if asked.on and asked.strength != 0.0:
            drawn = blended_noise(_maps(parties, name, layers[name]))
            maps[name] = torch.from_numpy(drawn.astype(np.float32) * np.float32(asked.strength))[None, None].to(device)
    return scaled(layers, maps)


def _maps(parties: Sequence[Party], name: str, layer: StyledLayer) -> list[tuple[float, np.ndarray]]:
    """(weight, map) of a layer; those that bring none of their own share the stored one."""
    own = [(party.weight, party.extras.noise[name]) for party in parties if name in party.extras.noise]
    shared = sum(party.weight for party in parties if name not in party.extras.noise)
    return [*own, (shared, layer.noise_const.detach().cpu().numpy())] if shared else own


def _check(party: Party, layers: Mapping[str, StyledLayer]) -> None:
    for name, drawn in party.extras.noise.items():
        wanted = list(layers[name].noise_const.shape[-2:]) if name in layers else None
        if wanted != list(drawn.shape):
            there = "has no such layer with noise" if wanted is None else f"takes {wanted}"
            raise LatentFileError(
                f"{Path(party.path).name}: its noise for {name} is {list(drawn.shape)}; this model {there}"
            )


def _size(extras: Extras) -> int:
    return sum(drawn.nbytes for drawn in extras.noise.values())
