"""Directions in W and in StyleSpace: how a push names them, what can be asked about them, and what is answered.

A source says the same everywhere, for it holds all that decides the directions besides the model's own file:
'pca' or 'pca:N' (principal components of N mapped seeds), 'sefa' or 'sefa:FIRST-LAST' (rows of ws), 'random' (the index
is the seed), 'style:LAYER' (the index is the channel), 'orthogonal:[["pca", 0], ["random", 7]]' (these directions, each
made orthogonal to those before it); anything else is the path of a file.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from app.errors import InputError
from app.request import Push, RenderRequest
from app.studies import Study

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


def name_of(push: Push) -> str:
    """What a direction is called until somebody names it, counted from 1 as papers do: 'PCA 1'."""
    source = parse(push.source)
    names = {"pca": "PCA", "sefa": "SeFa", "orthogonal": "Orthogonal"}
    if source.kind in names:
        return f"{names[source.kind]} {push.index + 1}"
    if source.kind == "random":
        return f"Random {push.index}"
    if source.kind == "style":
        return f"{source.layer} · {push.index}"
    stem = source.path.replace("\\", "/").rsplit("/", 1)[-1]
    return f"{stem.rsplit('.', 1)[0]} {push.index + 1}"


# -- questions --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Slider:
    """A direction under a name; the push says which, where, and how far."""

    push: Push
    name: str = ""


@dataclass(frozen=True)
class FindDirections(Study):
    """Compute the directions of a source for the request's model. Answer: `Found`."""

    answered_by: ClassVar[str] = "app.diagnostics.directions"
    request: RenderRequest = field(default_factory=RenderRequest)
    source: str = "pca"


@dataclass(frozen=True)
class Found:
    """count: how many directions (0: without end, 'random'). sigma: standard deviation of w along each, in units of w;
    of 'style' that of each channel. share: of the whole variance of w, each, 0..1 ('pca' alone). labels: names that a
    file gives, or (). latent: the file is a point of W and no direction."""

    source: str
    count: int
    sigma: tuple[float, ...] = ()
    share: tuple[float, ...] = ()
    labels: tuple[str, ...] = ()
    latent: bool = False


@dataclass(frozen=True)
class OpenFile(Study):
    """Look into a file that was chosen or dropped. Answer: `Found`, or `Sliders` where it holds a set that was saved.

    points: what has the shape of a latent is one (a dropped file); else it is a direction (a chosen one).
    """

    answered_by: ClassVar[str] = "app.diagnostics.directions"
    request: RenderRequest = field(default_factory=RenderRequest)
    path: str = ""
    points: bool = False


@dataclass(frozen=True)
class Sliders:
    """Sliders from a file, and what there is to say about them."""

    sliders: tuple[Slider, ...]
    words: str = ""


@dataclass(frozen=True)
class SaveSliders(Study):
    """Write sliders with their vectors: .json names, sources, strengths and vectors; .npz the vectors. Answer: a
    sentence."""

    answered_by: ClassVar[str] = "app.diagnostics.directions"
    request: RenderRequest = field(default_factory=RenderRequest)
    sliders: tuple[Slider, ...] = ()
    path: str = ""


@dataclass(frozen=True)
class RankChannels(Study):
    """Which style channels change the request's picture most: `draws` passes forward and back. Answer: `Ranking`.

    To first order, one standard deviation of channel c changes the picture by sigma_c J_c; E |y^T J_c|^2 over y from
    N(0, 1) is |J_c|^2 (Hutchinson 1989), so one backward pass counts for all channels of all layers at once.
    """

    answered_by: ClassVar[str] = "app.diagnostics.directions"
    request: RenderRequest = field(default_factory=RenderRequest)
    draws: int = 8
    count: int = 64


@dataclass(frozen=True)
class Channel:
    """effect: root mean square over the picture's values of what one standard deviation changes, in % of the range
    from black to white."""

    layer: str
    index: int
    effect: float


@dataclass(frozen=True)
class Ranking:
    """The strongest channels, the strongest first, after so many draws."""

    channels: tuple[Channel, ...]
    draws: int


def as_json(slider: Slider) -> dict[str, Any]:
    """A slider as plain values (without its vector)."""
    push = slider.push
    rows = None if push.rows is None else list(push.rows)
    return {
        "name": slider.name or name_of(push),
        "source": push.source,
        "index": push.index,
        "strength": push.strength,
        "rows": rows,
    }


def from_plain(values: Any) -> Slider | None:
    """The inverse of `as_json`; None for what is no slider."""
    try:
        rows = values.get("rows")
        push = Push(
            str(values["source"]),
            int(values["index"]),
            float(values.get("strength", 0.0)),
            None if rows is None else (int(rows[0]), int(rows[1])),
        )
        parse(push.source)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError):
        return None
    if not math.isfinite(push.strength):
        return None
    name = str(values.get("name", ""))[:80]
    return Slider(push, "" if name == name_of(push) else name)
