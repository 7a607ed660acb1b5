"""What the engine answers: frozen values; arrays inside are never written again once a frame exists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from app.request import Mode, RenderRequest
from networks.plan import LayerInfo

if TYPE_CHECKING:
    from app.studies import Measure

Pixels = np.ndarray  # uint8 [H, W, 4], RGBA, C-contiguous


@dataclass(frozen=True)
class Problem:
    """Something went wrong: what (title), the facts (detail), and what the user can do (hint)."""

    title: str
    detail: str
    hint: str = ""


@dataclass(frozen=True)
class Timing:
    """Where the time of one frame went, in milliseconds, and what computed it (`networks.ops.describe`).

    settled: the same request gives the same bits from now on; False while compiled kernels are still loading.
    """

    map_ms: float = 0.0
    synthesis_ms: float = 0.0
    view_ms: float = 0.0
    total_ms: float = 0.0
    backend: str = ""
    settled: bool = True


@dataclass(frozen=True)
class ModelInfo:
    """What panels need to know of the open generator."""

    path: str
    name: str
    family: str
    title: str  # 'StyleGAN2'
    format: str
    resolution: tuple[int, int]  # (H, W)
    img_channels: int
    z_dim: int
    c_dim: int
    w_dim: int
    num_ws: int
    layers: tuple[LayerInfo, ...]
    preview_sizes: tuple[int, ...]
    condition: str  # 'none', 'class', 'vector'
    has_transform: bool
    has_text_encoder: bool
    parameters: int
    device: str
    precision: str
    threads: int
    notes: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    default_psi: float = 1.0
    default_cutoff: int | None = None
    sha256: str = ""  # of the file


@dataclass(frozen=True)
class MapStatistics:
    """Statistics of the shown feature map, or of all maps of the layer when the sheet is shown (no unit)."""

    mean: float
    std: float
    minimum: float
    maximum: float
    kurtosis: float


@dataclass(frozen=True, eq=False)
class TileStatistics:
    """Statistics of every map of a layer, float32 [channels] each, without unit; of every `step`-th row and column."""

    mean: np.ndarray
    std: np.ndarray
    minimum: np.ndarray
    maximum: np.ndarray
    kurtosis: np.ndarray
    step: int = 1


@dataclass(frozen=True, eq=False)
class Histogram:
    """Values of one map, counted in equal bins from the smallest to the largest value."""

    counts: np.ndarray  # float32 [bins]
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class LayerView:
    """The shown maps as a picture: a sheet of tiles, one large map, or three things as red, green and blue.

    order: channels in the order of the sheet's places; the tiles are places first to first + count - 1. tiles, scores:
    of every channel of the layer, when a sheet is shown; `scores` is what it is sorted by. values: the very numbers
    behind the picture, [H, W] of the one map, [3, H, W] of three. ends: values at the two ends of the colour bar
    `bar` [1, levels, 4]. explained: shares of the variance that the three components stood for when they were fitted.
    """

    pixels: Pixels
    layer: str
    stage: str
    size: tuple[int, int]  # (H, W) of one map
    first: int
    count: int
    columns: int
    channels: int  # of the whole layer
    channel: int | None
    statistics: MapStatistics
    tile: tuple[int, int] = (0, 0)  # (h, w) of one tile in pixels; smaller than `size` where maps were averaged down
    mode: Mode = "maps"
    order: tuple[int, ...] = ()
    tiles: TileStatistics | None = None
    scores: np.ndarray | None = None
    values: np.ndarray | None = None
    histogram: Histogram | None = None
    ends: tuple[float, float] | None = None
    bar: Pixels | None = None
    explained: tuple[float, ...] = ()
    margin: tuple[float, float] = (0.0, 0.0)  # samples (rows, columns) beyond each edge of the picture


@dataclass(frozen=True)
class Frame:
    """The answer to one request. `complete` False: an early picture, the full one follows. After a problem
    `picture` is None and the views keep the last good one."""

    serial: int
    request: RenderRequest
    picture: Pixels | None = None
    complete: bool = True
    layer_view: LayerView | None = None
    difference: Pixels | None = None
    model: ModelInfo | None = None
    problem: Problem | None = None
    timing: Timing = field(default_factory=Timing)
    answers: tuple[tuple[Measure, Any], ...] = ()  # to the request's measures, as far as this picture allows
    next_height: int | None = None  # of the picture that refines this early one; None: the full one

    def answer(self, kind: type[Measure]) -> Any:
        """The answer to the first measure of a kind; None where there is none."""
        return next((answer for question, answer in self.answers if isinstance(question, kind)), None)


@dataclass(frozen=True)
class Status:
    """What the worker does right now: idle, loading (progress 0..1 and words), or rendering since when."""

    busy: bool = False
    text: str = ""
    progress: float | None = None  # None: not known
    since: float = 0.0  # time.perf_counter() when it began
    studying: bool = False  # a study's step: pictures go first


@dataclass(frozen=True)
class RecordingState:
    """What the recorder does: idle when `path` is ''."""

    path: str = ""
    frames: int = 0
    total: int | None = None  # known for offline walks
    seconds: float = 0.0
    dropped: int = 0
    message: str = ""  # the last result or failure, in a sentence
    encoder: str = ""  # what compresses the frames, in a sentence


@dataclass(frozen=True)
class PerformanceState:
    """The performance that is being recorded or can be played: '' as path where there is none. playing: at which
    second; None where it is not played."""

    path: str = ""
    seconds: float = 0.0
    changes: int = 0
    recording: bool = False
    playing: float | None = None


@dataclass(frozen=True)
class Snapshot:
    """A generator that a training run wrote. `stamp` tells the states of one file apart (mtime in ns)."""

    path: str
    kimg: float  # thousands of pictures seen
    stamp: int = 0


@dataclass(frozen=True, eq=False)
class TrainingRun:
    """A training run that is open: what lies in its folder, and which snapshot the window shows.

    A new object for every change. log: column of loss.csv -> float64 [rows], NaN where a cell is empty.
    """

    folder: str
    snapshots: tuple[Snapshot, ...]  # oldest first
    shown: Snapshot | None
    following: bool  # the newest snapshot is opened as soon as it is there
    log: Mapping[str, np.ndarray]
    settings: Mapping[str, str]  # name -> value, in words
    planned_kimg: float | None  # None: the run does not say
    written: float  # time.time() of the last sign of life
    problem: str = ""  # why the folder cannot be read any more, in a sentence


@dataclass(frozen=True)
class BundledModel:
    """A model that comes with the app (app/bundled.py)."""

    path: str
    title: str  # 'StyleGAN2'
    about: str  # a line: size of the pictures, what it was trained on
    details: str  # sentences: pictures seen, parameters, licence


@dataclass(frozen=True)
class LoopState:
    """How the window itself is doing; given to `show` with each frame."""

    gui_ms: float
    gui_fps: float
    render_ms: float
    backend: str  # 'gl' or 'raw'
    status: Status
    recording: RecordingState
    recent: tuple[str, ...] = ()
    fps_limit: int = 60
    ui_scale: float = 1.0
    training: TrainingRun | None = None
    bundled: tuple[BundledModel, ...] = ()
    compared: tuple[ModelInfo, ...] = ()  # of the panes of a comparison
    performance: PerformanceState = field(default_factory=PerformanceState)
