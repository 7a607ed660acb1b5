"""Names of classes, and finding one by a few letters. No GUI in here."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

IMAGENET_FILE = Path(__file__).parent.parent / "assets" / "imagenet_classes.json"
IMAGENET_CLASSES = 1000


@cache
def class_names(count: int) -> tuple[str, ...]:
    """Names of `count` classes: ImageNet's for 1000, numbers else."""
    if count == IMAGENET_CLASSES:
        return tuple(json.loads(IMAGENET_FILE.read_text(encoding="utf-8"))["names"])
    return tuple(f"class {number}" for number in range(count))


def matching(names: tuple[str, ...], words: str) -> list[int]:
    """Numbers of the classes whose name holds all the words, or whose number it is.

    Whole words come before parts of words: 'fox' finds 'red fox' before 'foxhound'.
    """
    wanted = words.casefold().split()
    if len(wanted) == 1 and wanted[0].isdecimal() and int(wanted[0]) < len(names):
        exact = int(wanted[0])
        return [exact, *(n for n, name in enumerate(names) if n != exact and wanted[0] in name.split())]
    found = [number for number, name in enumerate(names) if all(part in name.casefold() for part in wanted)]
    return sorted(found, key=lambda number: _rank(names[number].casefold(), wanted))


def _rank(name: str, wanted: list[str]) -> tuple[bool, bool]:
    """Sorts first: names in which all the words stand whole, then names that begin with them."""
    return not set(wanted) <= set(re.findall(r"\w+", name)), not name.startswith(" ".join(wanted))
