"""Where a real face generator can be had: the PyPI package `random-face`, an optional extra."""

from __future__ import annotations

from importlib.machinery import PathFinder
from pathlib import Path

from networks.checkpoint.folders import SYNTHESIS

FACES_HINT = (
    "The face model is not installed. Install it with"
    " `pip install --no-deps random-face==2021.7.21.1` (38 MB). Its weights were distilled from NVIDIA's FFHQ"
    " StyleGAN2, whose licence allows non-commercial use only."
)


def find_faces() -> Path | None:
    """Return the folder of the installed package (its networks lie in data/), None when it is not installed.

    The package is located, never imported: importing it would need OpenVINO.
    """
    spec = PathFinder.find_spec("random_face")
    for folder in () if spec is None else spec.submodule_search_locations or ():
        if (Path(folder) / "data" / SYNTHESIS).is_file():
            return Path(folder)
    return None
