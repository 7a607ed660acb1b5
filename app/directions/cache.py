"""Principal components on disk, so that they are computed once for each model; in the platform's cache folder."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import platformdirs

from app.directions.files import read_own
from app.directions.sets import DirectionSet, save
from app.errors import InputError, WriteError

MOST_FILES = 64  # about 1 MB each; the oldest go


def folder() -> Path:
    """Where they are kept; STYLESCOPE_CACHE replaces the platform's own cache folder."""
    base = os.environ.get("STYLESCOPE_CACHE") or platformdirs.user_cache_dir("stylescope", appauthor=False)
    return Path(base) / "directions"


def read(name: str, w_dim: int) -> DirectionSet | None:
    """A kept set; None where there is none or the file is damaged (it is then written anew)."""
    try:
        found = read_own(folder() / name)
    except (InputError, OSError):
        return None
    return found if found.kind == "pca" and found.directions.ndim == 2 and found.w_dim == w_dim else None


def keep(name: str, found: DirectionSet) -> None:
    """Write a set and let the oldest go. A cache that cannot be written costs seconds at the next start, no more."""
    with contextlib.suppress(WriteError, OSError):
        save(found, folder() / name)
        kept = sorted(folder().glob("*.npz"), key=lambda path: path.stat().st_mtime_ns)
        for path in kept[:-MOST_FILES]:
            path.unlink(missing_ok=True)
