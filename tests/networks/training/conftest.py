"""A tiny training set."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from networks.training.data import PictureSet


@pytest.fixture(scope="session")
def tiny_set(tmp_path_factory: pytest.TempPathFactory) -> PictureSet:
    """24 pictures of 16 px: a bright disc somewhere on a dark ground."""
    folder: Path = tmp_path_factory.mktemp("set")
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:16, :16]
    pictures = np.zeros((24, 16, 16, 3), dtype=np.uint8)
    for picture in pictures:
        cy, cx = rng.uniform(5, 11, 2)
        picture[:] = rng.integers(0, 60, 3)
        picture[(y - cy) ** 2 + (x - cx) ** 2 < 16] = rng.integers(150, 255, 3)
    np.save(folder / "pictures.npy", pictures)
    return PictureSet(folder)
