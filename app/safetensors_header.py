"""What a StyleScope file says of itself, without its weights and without torch (networks/checkpoint reads it whole)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

METADATA_KEY = "stylescope"  # as in networks/checkpoint/safetensors_format.py, which loads torch
MAX_HEADER = 16 << 20  # bytes


def read_header(path: Path) -> dict[str, Any]:
    """The description inside of a safetensors file of ours (family, spec, source, notes); {} where there is none.

    A file that is damaged, half copied or not ours has no description either: whoever opens it says why.
    """
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(length)) if 0 < length <= MAX_HEADER else {}
        described = json.loads(header["__metadata__"][METADATA_KEY])
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return {}
    return described if isinstance(described, dict) else {}
