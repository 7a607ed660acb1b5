"""What the user asks for: frozen plain values, nested by topic. `==` decides whether anything must be drawn.

No tensor, no array, no handle, no torch: a request can be compared, hashed, written to JSON and read back.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from networks.plan import Intervention, Noise

if TYPE_CHECKING:
    from app.studies import Measure

Matrix = tuple[tuple[float, float, float], tuple[float, float, float], tuple[float, float, float]]
LONGEST = 100_000  # entries of a list in a file (seeds, channels, edits)
LARGEST = 2.0**64  # of a number in a file: far beyond every seed, row and channel
IDENTITY: Matrix = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))


@dataclass(frozen=True)
class Model:
    """Which generator, where. `attempt` counts the user's retries: a failed load is tried again when it grows."""

    path: str = ""
    device: str = "auto"  # 'auto', 'cpu', 'cuda', 'mps'
    precision: Literal["auto", "fp32"] = "auto"
    attempt: int = 0


@dataclass(frozen=True)
class Latent:
    """A point in W: the weighted sum of the w of some seeds and of latent files (w or W+); weights of sum 1.

    space 'z': z is the weighted sum of the seeds' z, and w is what the mapping makes of it (slerp in Z is such a sum).
    """

    seeds: tuple[tuple[int, float], ...] = ((0, 1.0),)
    files: tuple[tuple[str, float], ...] = ()
    space: Literal["w", "z"] = "w"

    @classmethod
    def of_file(cls, path: str) -> Latent:
        """The point that a latent file holds."""
        return cls((), ((path, 1.0),))

    @property
    def file(self) -> str:
        """The latent file that this is, '' where it is anything else."""
        return self.files[0][0] if not self.seeds and len(self.files) == 1 and self.files[0][1] == 1.0 else ""


@dataclass(frozen=True)
class Push:
    """ws moved along a direction: ws[rows] += strength * sigma * direction[rows].

    source: 'pca', 'sefa', 'random', 'style:LAYER' (a channel of that layer's style, StyleSpace), or a file of
    directions; index: which of them (for 'random' the seed, for 'style' the channel). strength is in standard
    deviations of w along the direction. rows: from the first up to but not including the second; None: all.
    """

    source: str
    index: int
    strength: float = 0.0
    rows: tuple[int, int] | None = None


@dataclass(frozen=True)
class Condition:
    """What conditional generators are given. None, '' and -1-free: unset means 'as the seed draws it'.

    `class_index` None: each seed draws its own class, as NVIDIA's visualizer does. `class_b` and `prompt_b` are the
    far end of a blend in W: 0 is the first, 1 the second. `vector_file`: a conditioning vector as .npy.
    """

    class_index: int | None = None
    class_b: int | None = None
    prompt: str = ""
    prompt_b: str = ""
    vector_file: str = ""
    blend: float = 0.0


@dataclass(frozen=True)
class Truncation:
    """psi scales the distance from the centre of W on rows below `cutoff` (None: all rows)."""

    psi: float = 1.0
    cutoff: int | None = None


@dataclass(frozen=True)
class Mix:
    """Style mixing: the rows of ws that come from a second seed (None: no mixing)."""

    seed: int | None = None
    rows: tuple[int, ...] = ()


@dataclass(frozen=True)
class Transform:
    """What the user does to the picture, where the input takes it: shift in picture widths, turn, or a full matrix.

    freeze_input: the rotation and translation that StyleGAN3, XL and T learn for their input are those of the mean w.
    """

    x: float = 0.0
    y: float = 0.0
    angle_deg: float = 0.0
    matrix: Matrix | None = None  # replaces the three above
    freeze_input: bool = False

    def as_matrix(self) -> Matrix:
        """Rotation by angle_deg, then translation by (x, y), as NVIDIA's tools compose it."""
        if self.matrix is not None:
            return self.matrix
        sin, cos = math.sin(math.radians(self.angle_deg)), math.cos(math.radians(self.angle_deg))
        return ((cos, sin, self.x), (-sin, cos, self.y), (0.0, 0.0, 1.0))


Sort = Literal["index", "variance", "energy", "droplet", "response"]
Mode = Literal["maps", "rgb", "pca"]


@dataclass(frozen=True)
class View:
    """Which layer's maps are shown: '' shows none. channel None: the contact sheet from place `first` on.

    normalize: scale each map by its own largest magnitude; else all by `gain_db` alone. sort: what decides the places
    on the sheet, the largest first; `held`: an order of channels that is kept instead. mode: 'rgb' shows the three
    maps `rgb` as red, green and blue, 'pca' the first three principal components of all maps; their axes are fitted
    once and kept until `fit` grows. colours: a colour map (app/colormaps.py). overlay: opacity of the one map over the
    picture; crop: without the margin that alias-free maps carry.
    """

    layer: str = ""
    stage: str = "output"
    channel: int | None = None
    first: int = 0
    count: int = 64
    normalize: bool = True
    gain_db: float = 0.0
    sort: Sort = "index"
    held: tuple[int, ...] = ()
    mode: Mode = "maps"
    rgb: tuple[int, int, int] = (0, 1, 2)
    fit: int = 0
    colours: str = "grey"
    overlay: float = 0.0
    crop: bool = True


@dataclass(frozen=True)
class Diagnostic:
    """An extra picture beside the main one. 'noise_difference': |with noise - without|, times gain."""

    kind: Literal["none", "noise_difference"] = "none"
    gain: float = 4.0


@dataclass(frozen=True)
class RenderRequest:
    """Everything that decides what a frame looks like.

    max_height: an early, lower-resolution picture of at most this height will do (while something is dragged);
    None asks for the full picture. bgr: swap red and blue (some ports were trained on BGR pictures). measures: what
    is measured on this picture; it changes no pixel and is not part of its JSON.
    """

    model: Model = field(default_factory=Model)
    latent: Latent = field(default_factory=Latent)
    condition: Condition = field(default_factory=Condition)
    truncation: Truncation = field(default_factory=Truncation)
    mix: Mix = field(default_factory=Mix)
    pushes: tuple[Push, ...] = ()
    noise: Noise = field(default_factory=Noise)
    edits: tuple[Intervention, ...] = ()
    transform: Transform = field(default_factory=Transform)
    view: View = field(default_factory=View)
    diagnostic: Diagnostic = field(default_factory=Diagnostic)
    max_height: int | None = None
    bgr: bool = False
    measures: tuple[Measure, ...] = ()


def plane(x: float, y: float) -> Latent:
    """The seed plane of NVIDIA's visualizer: seed = round(x) + 100 round(y), bilinear between the four neighbours."""
    weights: dict[int, float] = {}
    for corner_x in (math.floor(x), math.floor(x) + 1):
        for corner_y in (math.floor(y), math.floor(y) + 1):
            weight = (1 - abs(x - corner_x)) * (1 - abs(y - corner_y))
            if weight > 0:
                seed = (corner_x + corner_y * 100) % 2**32
                weights[seed] = weights.get(seed, 0.0) + weight
    return Latent(tuple(weights.items()))


def to_json(request: RenderRequest) -> dict[str, Any]:
    """Request -> plain dicts and lists."""
    values = asdict(replace(request, measures=()))
    del values["measures"]
    return values


def from_json(values: dict[str, Any]) -> RenderRequest:
    """The inverse of `to_json`. Raises ValueError that names what is unknown, of a wrong type or not finite."""
    if not isinstance(values, dict):
        raise ValueError(f"a request is an object with parts, not {type(values).__name__}")
    built: dict[str, Any] = {}
    for name, value in values.items():
        kind = _parts().get(name)
        if kind is None:
            raise ValueError(f"a request has no part {name!r}")
        built[name] = _part(name, kind, _renewed(name, value))
    return RenderRequest(**built)


def _part(name: str, kind: Any, value: Any) -> Any:
    """One part from plain JSON values, checked against its type."""
    import msgspec

    try:
        part = msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise ValueError(f"{name}: {error}") from error
    _check(name, value, msgspec.to_builtins(part))
    return part


def _check(name: str, given: Any, understood: Any) -> None:
    """Raise ValueError for a setting that was given and not understood, and for numbers that are not finite."""
    if isinstance(given, dict):
        if unknown := sorted(set(given) - set(understood)):
            raise ValueError(f"{name} has no setting {', '.join(unknown)}")
        for key, value in given.items():
            _check(f"{name}.{key}", value, understood[key])
    elif isinstance(given, list | tuple):
        if len(given) > LONGEST:
            raise ValueError(f"{name} has {len(given)} entries, more than {LONGEST}")
        for value, one in zip(given, understood, strict=True):
            _check(name, value, one)
    elif isinstance(given, int | float) and not abs(given) <= LARGEST:
        raise ValueError(f"{name} is {given}, not a finite number of use")


def _renewed(name: str, value: Any) -> Any:
    """What older files say in other words."""
    if name == "latent" and isinstance(value, dict) and "file" in value:  # shown instead of the seeds
        value = dict(value)
        if file := value.pop("file"):
            value |= {"seeds": (), "files": ((file, 1.0),)}
    if name == "edits" and isinstance(value, list):
        value = [_renewed_edit(edit) for edit in value]
    return value


def _renewed_edit(edit: Any) -> Any:
    """`channel`, one or None, where there are now `channels`."""
    if isinstance(edit, dict) and "channel" in edit:
        edit = dict(edit)
        channel = edit.pop("channel")
        edit["channels"] = None if channel is None else (channel,)
    return edit


@cache
def _parts() -> dict[str, Any]:
    """Each part of a request that is stored, and its type."""
    return {
        "model": Model,
        "latent": Latent,
        "condition": Condition,
        "truncation": Truncation,
        "mix": Mix,
        "pushes": tuple[Push, ...],
        "noise": Noise,
        "edits": tuple[Intervention, ...],
        "transform": Transform,
        "view": View,
        "diagnostic": Diagnostic,
        "max_height": int | None,
        "bgr": bool,
    }
