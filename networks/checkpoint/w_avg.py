"""The centre of W where a file does not hold it: estimated once from seeded z, then kept by the file's hash."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from platformdirs import user_cache_dir
from torch import Tensor

from networks.base import Generator
from networks.checkpoint.window import ReadCancelled

SAMPLES = 8192
SEED = 0
CHUNK = 1024

Progress = Callable[[float, str], None]


def default_cache() -> Path:
    """The folder for estimates: `w_avg` in the user's cache folder of the app."""
    return Path(user_cache_dir("stylescope", appauthor=False)) / "w_avg"


def mean_w(
    generator: Generator,
    sha256: str,
    *,
    cache: Path | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Tensor:
    """The mean w [w_dim] of a file's generator, from the cache if it was estimated before.

    sha256 names the file; with an empty one nothing is kept. cache: folder, None for `default_cache()`.
    """
    path = (cache or default_cache()) / f"{sha256}-{SAMPLES}-{SEED}.npy" if sha256 else None
    known = _read(path, generator.w_dim) if path is not None else None
    if known is not None:
        return known.to(generator.mapping.w_avg.device)
    estimate = estimate_w_avg(generator, progress=progress, cancelled=cancelled)
    if path is not None:
        _write(path, estimate)
    return estimate


def estimate_w_avg(
    generator: Generator,
    samples: int = SAMPLES,
    *,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Tensor:
    """Mean of w over seeded z (`RandomState(0)`), [w_dim]; over random classes as well where there are classes.

    The standard error of one entry is its spread over W divided by sqrt(samples). Raises ReadCancelled when called off.
    """
    rnd = np.random.RandomState(SEED)
    device = generator.mapping.w_avg.device
    total = torch.zeros(generator.w_dim, dtype=torch.float64)
    with torch.inference_mode():
        for start in range(0, samples, CHUNK):
            if cancelled is not None and cancelled():
                raise ReadCancelled("estimating the mean w was cancelled")
            n = min(CHUNK, samples - start)
            z = torch.from_numpy(rnd.randn(n, generator.z_dim)).float().to(device)
            c = None
            if generator.c_dim > 0:
                classes = torch.from_numpy(rnd.randint(generator.c_dim, size=n))
                c = torch.nn.functional.one_hot(classes, generator.c_dim).float().to(device)
            total += generator.mapping(z, c).double().sum(dim=0).cpu()
            if progress is not None:
                progress((start + n) / samples, f"Estimating the mean w from {samples} seeds")
    return (total / samples).float().clone().to(device)


def _read(path: Path, w_dim: int) -> Tensor | None:
    """A kept estimate; None when there is none or the file is damaged (it is then written anew)."""
    try:
        array = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    usable = array.shape == (w_dim,) and array.dtype == np.float32 and bool(np.isfinite(array).all())
    return torch.from_numpy(array) if usable else None


def _write(path: Path, w_avg: Tensor) -> None:
    """Keep an estimate; written beside and renamed, so that no half file is ever read."""
    part = path.with_suffix(f".{os.getpid()}.part")
    with contextlib.suppress(OSError):  # a cache that cannot be written costs a second at the next start, no more
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            np.save(file, w_avg.cpu().numpy())
        part.replace(path)
