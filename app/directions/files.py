"""Directions from files: .npy, .npz, .json, and .pt, .pth, .pkl through the reader that executes nothing.

Named arrays tell what they are: `directions` with `sigma` (our own), `lat_comp` with `lat_stdev` (GANSpace's published
components), `comp` with `std` (the same as other tools pass them on), `eigvec` (columns, as rosinality's closed-form
factorization writes them); several names with a vector of W each are directions of these names. A bare array is
[w_dim], [K, w_dim], [K, 1, w_dim], [num_ws, w_dim] (one direction in W+) or [K, num_ws, w_dim].
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from app.directions import algebra
from app.directions.sets import ABOUT, DirectionSet
from app.errors import InputError
from app.studies import direction_files
from app.studies.direction_files import KNOWN, LATENT_KEYS, MOST_NAMES, broken, check_size
from networks.checkpoint.errors import CheckpointError
from networks.checkpoint.reader import read_source

SUFFIXES = (*direction_files.SUFFIXES, ".pt", ".pth", ".pkl")
SIGMA = {"directions": "sigma", "lat_comp": "lat_stdev", "comp": "std", "components": "stdev"}
MEAN = {"directions": "mean", "lat_comp": "lat_mean", "comp": "mean"}
LARGEST = 1e30  # beyond, squares leave float32


@dataclass(frozen=True, eq=False)
class Given:
    """What a file holds. directions: float64, scaled as `DirectionSet` says. sigma: None where the file has none."""

    name: str
    directions: np.ndarray
    sigma: np.ndarray | None = None
    mean: np.ndarray = field(default_factory=lambda: np.zeros(0, np.float32))
    samples: int = 0
    sha256: str = ""
    labels: tuple[str, ...] = ()

    def as_set(self, sigma: np.ndarray) -> DirectionSet:
        """The set, with these standard deviations."""
        return DirectionSet(
            self.name, "file", self.directions.astype(np.float32), sigma, self.mean, self.samples, self.sha256,
            self.labels,
        )  # fmt: skip


def read(path: str | Path, num_ws: int, w_dim: int) -> Given:
    """Open a file of directions for a model; raises InputError with one sentence on what does not fit."""
    path = Path(path)
    return _given(path.name, load(path), num_ws, w_dim)


def is_latent(path: str | Path, num_ws: int, w_dim: int) -> bool:
    """Whether a file is a latent of this model rather than directions (`direction_files.is_latent`)."""
    return direction_files.is_latent(load(Path(path)), num_ws, w_dim)


def read_own(path: Path) -> DirectionSet:
    """Read back an .npz that `sets.save` wrote, bit for bit; raises InputError or OSError."""
    content = load(path)
    try:
        about = json.loads(str(content[ABOUT]))
        return DirectionSet(
            name=str(about["name"]),
            kind=about["kind"],
            directions=content["directions"],
            sigma=content["sigma"],
            mean=content["mean"],
            samples=int(about["samples"]),
            sha256=str(about["model_sha256"]),
            labels=tuple(str(label) for label in about["labels"]),
        )
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise broken(path, error) from error


def load(path: Path) -> Any:
    """The arrays of a file: one array, or a mapping of names to arrays and values. Nothing in it is executed."""
    if path.suffix.lower() in direction_files.SUFFIXES:
        return direction_files.load(path)
    try:
        if path.suffix.lower() in SUFFIXES:
            check_size(path)
            return _plain(read_source(path).root)
    except OSError as error:
        raise InputError(f"{path}: the directions cannot be read ({error.strerror or error})") from error
    except CheckpointError as error:
        raise InputError(str(error)) from error
    except (ValueError, KeyError, TypeError, RuntimeError, MemoryError, OverflowError) as error:
        raise broken(path, error) from error
    raise InputError(f"{path.name}: a file of directions ends in {', '.join(SUFFIXES)}")


# -- what is in a file ------------------------------------------------------------------------------------------------


def _plain(root: Any) -> Any:
    """What the reader made of a torch file or a pickle, as NumPy arrays."""
    if isinstance(root, Mapping):
        return {str(key): _plain(value) for key, value in list(root.items())[:MOST_NAMES]}
    detach = getattr(root, "detach", None)
    if detach is not None:
        return detach().float().numpy()
    return np.asarray(root) if isinstance(root, list | tuple) else root


# -- what it means ----------------------------------------------------------------------------------------------------


def _given(name: str, content: Any, num_ws: int, w_dim: int) -> Given:
    if not isinstance(content, Mapping):
        return _scaled(name, _shaped(name, _numbers(name, content), num_ws, w_dim, bare=True))
    if isinstance(content.get("sliders"), list):
        return _of_sliders(name, content, num_ws, w_dim)
    content = _ganspace(name, content, w_dim)
    key = next((key for key in KNOWN if key in content), None)
    if key is not None:
        array = _numbers(f"{name}, `{key}`", content[key])
        directions = _shaped(name, array.T if key == "eigvec" else array, num_ws, w_dim, bare=False)
        sigma = content.get(SIGMA.get(key, ""))
        mean = content.get(MEAN.get(key, ""))
        labels = content.get("labels", _about(content).get("labels"))
        return _scaled(
            name, directions,
            None if sigma is None else _numbers(f"{name}, `{SIGMA[key]}`", sigma).reshape(-1),
            None if mean is None else _numbers(f"{name}, `{MEAN[key]}`", mean).reshape(-1),
            tuple(map(str, labels)) if isinstance(labels, list | np.ndarray) else (),
        )  # fmt: skip
    if latent := [key for key in LATENT_KEYS if key in content]:
        raise InputError(f"{name}: `{latent[0]}` is a latent, a point and no direction; open it in the Latent panel")
    return _named(name, content, num_ws, w_dim)


def _about(content: Mapping[str, Any]) -> dict[str, Any]:
    """The description inside of an .npz of our own; empty where there is none, or none that can be read."""
    try:
        found = json.loads(str(content.get(ABOUT, "{}")))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _ganspace(name: str, content: Mapping[str, Any], w_dim: int) -> Mapping[str, Any]:
    """GANSpace writes components of its latent space and of a layer; where the former is Z (all deviations are 1), the
    latter are in W if they are vectors: the layer was the mapping network's end."""
    deviations = content.get("lat_stdev")
    if "lat_comp" not in content or deviations is None or not np.all(np.asarray(deviations) == 1.0):
        return content
    of_layer = np.asarray(content.get("act_comp", np.zeros(0)))
    if of_layer.shape[-1:] != (w_dim,) or math.prod(of_layer.shape) != len(of_layer) * w_dim:
        raise InputError(f"{name}: these components lie in Z (made without --use_w); there is no push in Z")
    return {
        "directions": of_layer.reshape(-1, w_dim),
        "sigma": content.get("act_stdev"),
        "mean": content.get("act_mean"),
    }


def _named(name: str, content: Mapping[str, Any], num_ws: int, w_dim: int) -> Given:
    """Names with one direction each, or one name with all of them."""
    arrays = {key: _numbers(f"{name}, `{key}`", value) for key, value in content.items() if np.ndim(value) > 0}
    if not arrays:
        raise InputError(f"{name}: no directions in it; found {', '.join(map(str, list(content)[:6])) or 'nothing'}")
    if len(arrays) == 1:
        return _scaled(name, _shaped(name, next(iter(arrays.values())), num_ws, w_dim, bare=True))
    parts = [_shaped(f"{name}, `{key}`", value, num_ws, w_dim, bare=True) for key, value in arrays.items()]
    if any(len(part) != 1 for part in parts):
        raise InputError(
            f"{name}: {', '.join(list(arrays)[:6])} are not one direction each; call the array `directions`"
        )
    return _scaled(name, _together(parts, num_ws), labels=tuple(arrays))


def _of_sliders(name: str, content: Mapping[str, Any], num_ws: int, w_dim: int) -> Given:
    """A set that the panel saved: the vectors of its sliders; those of style channels have none."""
    parts, sigma, labels = [], [], []
    for slider in _rows(name, content["sliders"]):
        vector = slider.get("direction")
        if vector is not None:
            parts.append(_shaped(name, _numbers(name, vector), num_ws, w_dim, bare=True))
            sigma.append(float(slider.get("sigma", math.nan)))
            labels.append(str(slider.get("name", "")))
    if not parts:
        raise InputError(f"{name}: none of its sliders is a direction in W")
    return _scaled(name, _together(parts, num_ws), np.array(sigma), labels=tuple(labels))


def _rows(name: str, sliders: list[Any]) -> Iterator[dict[str, Any]]:
    for slider in sliders:
        if not isinstance(slider, dict):
            raise InputError(f"{name}: a slider is no set of named values")
        yield slider


def _together(parts: list[np.ndarray], num_ws: int) -> np.ndarray:
    """Directions [1, w_dim] and [1, num_ws, w_dim] -> one array; those of W are repeated where one is of W+."""
    if any(part.ndim == 3 for part in parts):
        parts = [part if part.ndim == 3 else np.repeat(part[:, None], num_ws, axis=1) for part in parts]
    return np.concatenate(parts)


def _shaped(name: str, array: np.ndarray, num_ws: int, w_dim: int, *, bare: bool) -> np.ndarray:
    """An array -> [K, w_dim] or [K, num_ws, w_dim]. bare: [num_ws, w_dim] is one direction of W+, not num_ws of W."""
    shape = list(array.shape)
    if array.ndim == 1:
        array = array[None]
    if bare and num_ws > 1 and array.shape == (num_ws, w_dim):
        array = array[None]
    if array.ndim == 4 and array.shape[1] == 1:  # [K, 1, num_ws, w_dim]
        array = array[:, 0]
    if array.ndim == 3 and array.shape[1] == 1:
        array = array[:, 0]
    fits = array.ndim in (2, 3) and len(array) > 0 and array.shape[1:] in ((w_dim,), (num_ws, w_dim))
    if not fits:
        raise InputError(
            f"{name}: the directions are {shape}; this model takes [{w_dim}], [K, {w_dim}], [{num_ws}, {w_dim}]"
            f" or [K, {num_ws}, {w_dim}]"
        )
    return array


def _scaled(
    name: str, directions: np.ndarray, sigma: np.ndarray | None = None, mean: np.ndarray | None = None,
    labels: tuple[str, ...] = (),
) -> Given:  # fmt: skip
    """Directions of length 1; a standard deviation that the file gives keeps its step, sigma times direction."""
    size = algebra.lengths(directions)
    scaled = algebra.unit(directions, name)
    if sigma is not None:
        if sigma.shape != size.shape:
            raise InputError(f"{name}: {len(size)} directions have {sigma.size} standard deviations")
        sigma = sigma.astype(np.float64) * size
        if not (np.isfinite(sigma).all() and (sigma >= 0).all()):
            raise InputError(f"{name}: a standard deviation is negative or no number")
    centre = (
        mean.astype(np.float32) if mean is not None and mean.shape == directions.shape[-1:] else np.zeros(0, np.float32)
    )
    return Given(name, scaled, sigma, centre, labels=labels if len(labels) == len(size) else ())


def _numbers(name: str, value: Any) -> np.ndarray:
    try:
        array = np.asarray(value)
    except (ValueError, TypeError) as error:
        raise InputError(f"{name}: no array of numbers ({error})") from error
    if array.dtype.kind not in "fiu" or array.size == 0:
        raise InputError(f"{name}: holds {array.dtype} {list(array.shape)[:8]}, expected numbers")
    array = array.astype(np.float64)
    if not (np.abs(array) < LARGEST).all():
        raise InputError(f"{name}: holds NaN, infinite or absurdly large values")
    return array
