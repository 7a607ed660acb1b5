"""Directions in W and in StyleSpace: how a push names them, what can be asked about them, and what is answered.

A source says the same everywhere, for it holds all that decides the directions besides the model's own file:
'pca' or 'pca:N' (principal components of N mapped seeds), 'sefa' or 'sefa:FIRST-LAST' (rows of ws), 'random' (the index
is the seed), 'style:LAYER' (the index is the channel), 'orthogonal:[["pca", 0], ["random", 7]]' (these directions, each
made orthogonal to those before it); anything else is the path of a file.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Literal

from app.errors import InputError

Kind = Literal["pca", "sefa", "random", "style", "orthogonal", "file"]
SAMPLES = 10_000  # seeds behind 'pca', and behind every standard deviation
MOST_SAMPLES = 1_000_000
FEWEST_SAMPLES = 100


@dataclass(frozen=True)
class Source:
    """A source, taken apart. text: itself, in its one spelling ('pca' for 'pca:10000').

    samples: of 'pca'. rows: of 'sefa', from the first up to but not including the second; None: all. layer: of 'style'.
    parts: (source, index) of 'orthogonal'. path: of a file.
    """

    kind: Kind
    text: str
    samples: int = SAMPLES
    rows: tuple[int, int] | None = None
    layer: str = ""
    parts: tuple[tuple[str, int], ...] = ()
    path: str = ""


def parse(text: str) -> Source:
    """The source that a text names; raises InputError with one sentence where it names none."""
    name, colon, rest = text.partition(":")
    if text in ("pca", "sefa", "random"):
        return Source(text, text)  # type: ignore[arg-type]
    if colon and name == "pca":
        samples = int(rest) if rest.isascii() and rest.isdecimal() and len(rest) < 10 else 0
        if not FEWEST_SAMPLES <= samples <= MOST_SAMPLES:
            raise InputError(f"{text!r}: write pca:N with N from {FEWEST_SAMPLES} to {MOST_SAMPLES:,} mapped seeds")
        return Source("pca", "pca" if samples == SAMPLES else f"pca:{samples}", samples=samples)
    if colon and name == "sefa":
        first, _, last = rest.partition("-")
        if not (first.isdecimal() and last.isdecimal() and int(first) <= int(last) < 1000):
            raise InputError(f"{text!r}: write sefa:FIRST-LAST with rows of ws, as sefa:0-3")
        return Source("sefa", f"sefa:{int(first)}-{int(last)}", rows=(int(first), int(last) + 1))
    if colon and name == "style":
        if not rest:
            raise InputError(f"{text!r}: write style:LAYER, as style:b64.conv1")
        return Source("style", text, layer=rest)
    if colon and name == "orthogonal":
        return _orthogonal(text, rest)
    if not text:
        raise InputError("a push names no source; write pca, sefa, random, style:LAYER or a file of directions")
    return Source("file", text, path=text)


def _orthogonal(text: str, rest: str) -> Source:
    try:
        values = json.loads(rest)
        parts = tuple((str(source), int(index)) for source, index in values)
    except (ValueError, TypeError, RecursionError) as error:
        raise InputError(f"{text[:60]!r}: write orthogonal:[[SOURCE, INDEX], ...]") from error
    kinds = {parse(source).kind for source, _ in parts}
    if not parts or kinds & {"style", "orthogonal"}:
        raise InputError(f"{text[:60]!r}: only directions in W can be made orthogonal, and only once")
    return Source("orthogonal", text, parts=parts)


def orthogonal(parts: tuple[tuple[str, int], ...]) -> str:
    """The source whose directions are these, made orthogonal in order."""
    return "orthogonal:" + json.dumps([list(part) for part in parts], separators=(",", ":"))
