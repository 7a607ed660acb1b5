"""Models that are a folder: what lies in them. No torch here."""

from __future__ import annotations

import os
from pathlib import Path

MAPPING, SYNTHESIS = "MappingNetwork.xml", "SynthesisNetwork.xml"


def find_folder(path: Path) -> Path | None:
    """Return the folder with the two networks that a path names, None when it names no OpenVINO model.

    A path names them as the folder itself, as a package folder with `data/` in it, or as either .xml file.
    """
    if path.suffix.lower() == ".xml" and os.path.isfile(path):
        return path.parent
    for folder in (path, path / "data"):
        if os.path.isfile(folder / SYNTHESIS) or os.path.isfile(folder / MAPPING):
            return folder
    return None
