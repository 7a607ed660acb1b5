"""A set of directions with the standard deviation of w along each; on disk as .npz with a description inside."""

from __future__ import annotations

import io
import json
import os
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from app.errors import InputError, WriteError
from app.studies.directions import Kind

ABOUT = "about"  # the .npz entry with the description, JSON text


@dataclass(frozen=True, eq=False)
class DirectionSet:
    """K directions in W or in W+.

    directions: float32 [K, w_dim] of length 1, or [K, num_ws, w_dim] whose rows have a mean square length of 1 (so that
    a direction of W, repeated for every row, has the same scale). sigma: float64 [K], the standard deviation of w
    along each, in units of w (for W+ the root of the mean variance over its rows). mean: float32 [w_dim], of w; empty
    where it is not known. samples: mapped seeds behind sigma. sha256: of the model's file. labels: names, or ().
    """

    name: str
    kind: Kind
    directions: np.ndarray
    sigma: np.ndarray
    mean: np.ndarray = field(default_factory=lambda: np.zeros(0, np.float32))
    samples: int = 0
    sha256: str = ""
    labels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raises InputError where the parts do not fit together or are no numbers."""
        shape = self.directions.shape
        if len(shape) not in (2, 3) or 0 in shape:
            raise InputError(f"{self.name}: directions are {list(shape)}, expected [K, w_dim] or [K, num_ws, w_dim]")
        if self.sigma.shape != shape[:1]:
            raise InputError(f"{self.name}: {shape[0]} directions have {list(self.sigma.shape)} standard deviations")
        if self.mean.shape not in ((0,), shape[-1:]):
            raise InputError(f"{self.name}: the mean is {list(self.mean.shape)}, expected [{shape[-1]}]")
        for what, values in (("directions", self.directions), ("sigma", self.sigma), ("mean", self.mean)):
            if values.dtype.kind != "f" or not np.isfinite(values).all():
                raise InputError(f"{self.name}: {what} hold {values.dtype} or values that are not finite")
        if (self.sigma < 0).any():
            raise InputError(f"{self.name}: a standard deviation is negative")
        if self.labels and len(self.labels) != shape[0]:
            raise InputError(f"{self.name}: {shape[0]} directions have {len(self.labels)} names")

    def __len__(self) -> int:
        return len(self.directions)

    @property
    def w_dim(self) -> int:
        return int(self.directions.shape[-1])

    @property
    def num_ws(self) -> int | None:
        """Rows of a set in W+, None for one in W."""
        return int(self.directions.shape[1]) if self.directions.ndim == 3 else None

    def step(self, index: int) -> np.ndarray:
        """One standard deviation along a direction: float32 [w_dim] or [num_ws, w_dim]; raises InputError."""
        if not 0 <= index < len(self):
            raise InputError(f"{self.name}: there is no direction {index}; they go from 0 to {len(self) - 1}")
        step: np.ndarray = (self.directions[index].astype(np.float64) * self.sigma[index]).astype(np.float32)
        return step

    def first(self, count: int) -> DirectionSet:
        """The first so many of it."""
        return replace(
            self, directions=self.directions[:count], sigma=self.sigma[:count], labels=self.labels[:count]
        )  # fmt: skip


def about(found: DirectionSet) -> dict[str, object]:
    """The description: everything but the arrays."""
    return {
        "what": "StyleScope directions",
        "name": found.name,
        "kind": found.kind,
        "count": len(found),
        "w_dim": found.w_dim,
        "num_ws": found.num_ws,
        "samples": found.samples,
        "model_sha256": found.sha256,
        "labels": list(found.labels),
        "units": "directions have length 1 (W+: mean square length 1 over rows); sigma is in units of w",
    }


def save(found: DirectionSet, path: Path) -> Path:
    """Write a set: .npz (keys directions, sigma, mean, about) or .json with the same names, by rename.

    Raises WriteError, and InputError for another ending.
    """
    suffix = path.suffix.lower()
    if suffix == ".npz":
        buffer = io.BytesIO()
        text = np.array(json.dumps(about(found)))
        np.savez(buffer, directions=found.directions, sigma=found.sigma, mean=found.mean, about=text)
        data = buffer.getvalue()
    elif suffix == ".json":
        arrays = {name: getattr(found, name).tolist() for name in ("directions", "sigma", "mean")}
        data = json.dumps({**about(found), **arrays}, indent=1).encode()
    else:
        raise InputError(f"{path.name}: directions are saved as .npz or .json")
    write(path, data)
    return path


def write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all; raises WriteError."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(data)
        os.replace(part, path)
    except OSError as error:
        raise WriteError(f"{path}: the directions were not saved, {error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)
