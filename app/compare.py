"""The compare view in plain values: what each pane has of its own, and what it asks of its generator. No torch.

One direction: the panels' request -> `derive` with a pane's own values -> `reduced` to what its model can take ->
that pane's engine (app/compare_run.py). None in a pane means: as the microscope's own view has it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from app.frame import Frame, ModelInfo, Status
from app.request import Condition, Diagnostic, Latent, Mix, RenderRequest, Transform, View
from networks.plan import Intervention, LayerInfo, LayerNoise, Noise, NoiseMode

MOST = 4  # panes
NOISE: dict[NoiseMode, str] = {"none": "noise off", "const": "stored noise", "random": "random noise"}


@dataclass(frozen=True)
class Pane:
    """One pane of the comparison. What is None follows the shared request: it is linked.

    path: of its own generator; None the open model, '' nothing chosen yet. attempt: as in Model. bgr: swap red and
    blue of its own generator. noise_strength multiplies every noise input. psi: with the shared cutoff.
    """

    path: str | None = None
    attempt: int = 0
    bgr: bool = False
    noise: NoiseMode | None = None
    noise_strength: float = 1.0
    mix: Mix | None = None
    latent: Latent | None = None
    psi: float | None = None
    transform: Transform | None = None

    @property
    def follows(self) -> bool:
        """Whether it shows what the microscope's own view shows, so that nothing has to be drawn twice."""
        return self == Pane()


@dataclass(frozen=True)
class PaneState:
    """A pane as the window sees it: its newest frame, what its worker does, what its model could not take."""

    frame: Frame | None = None
    status: Status = field(default_factory=Status)
    left_out: tuple[str, ...] = ()
    per_second: float = 0.0  # pictures that came in the last seconds


def derive(request: RenderRequest, pane: Pane) -> RenderRequest:
    """The shared request with a pane's own values; the picture alone, without maps and measures."""
    own = pane.path is not None
    model = replace(request.model, path=pane.path, attempt=pane.attempt) if pane.path is not None else request.model
    return replace(
        request,
        model=model,
        bgr=pane.bgr if own else request.bgr,
        latent=pane.latent or request.latent,
        truncation=request.truncation if pane.psi is None else replace(request.truncation, psi=pane.psi),
        mix=request.mix if pane.mix is None else pane.mix,
        noise=request.noise if pane.noise is None else replace(request.noise, mode=pane.noise),
        transform=pane.transform or request.transform,
        view=View(),
        diagnostic=Diagnostic(),
        measures=(),
    )


def scaled_noise(noise: Noise, factor: float, layers: Iterable[LayerInfo]) -> Noise:
    """The noise with the strength of every layer's input multiplied."""
    if factor == 1.0:
        return noise
    known = (noise.of(layer.name) for layer in layers if layer.has_noise)
    return replace(noise, layers=tuple(LayerNoise(was.name, was.on, was.strength * factor) for was in known))


def reduced(request: RenderRequest, info: ModelInfo) -> tuple[RenderRequest, tuple[str, ...]]:
    """What of a request a model can take, and in words what was left out.

    Left out is what has no meaning there: classes and prompts that it does not know, rows beyond its own, edits of
    layers that it lacks, a transform where its input takes none.
    """
    condition, no_condition = _condition(request.condition, info)
    mix, no_rows = _mix(request.mix, info)
    edits = tuple(edit for edit in request.edits if _fits(edit, info.layers))
    missing = dict.fromkeys(edit.layer for edit in request.edits if edit not in edits)
    moved = request.transform != Transform() and not info.has_transform
    said = (
        *no_condition,
        *no_rows,
        *(f"edits of {name}: no such map here" for name in missing),
        *(("shift and turn: its input takes none",) if moved else ()),
    )
    transform = Transform() if moved else request.transform
    return replace(request, condition=condition, mix=mix, edits=edits, transform=transform), said


def asked_of(request: RenderRequest, pane: Pane, info: ModelInfo) -> tuple[RenderRequest, tuple[str, ...]]:
    """What a pane asks of its model, and in words what of the shared request was left out."""
    own = derive(request, pane)
    return reduced(replace(own, noise=scaled_noise(own.noise, pane.noise_strength, info.layers)), info)


def _condition(asked: Condition, info: ModelInfo) -> tuple[Condition, tuple[str, ...]]:
    """The condition that a model understands; the rest in words."""
    described = asked.prompt or asked.prompt_b or asked.vector_file
    chosen = [index for index in (asked.class_index, asked.class_b) if index is not None]
    if info.condition == "class":
        beyond = [index for index in chosen if not 0 <= index < info.c_dim]
        first, second = (None if index in beyond else index for index in (asked.class_index, asked.class_b))
        kept = Condition(class_index=first, class_b=second, blend=asked.blend if second is not None else 0.0)
        words = [f"class {index}: it has 0 to {info.c_dim - 1}" for index in dict.fromkeys(beyond)]
        return kept, (*words, *(("prompt or vector: it takes classes",) if described else ()))
    if info.condition == "vector":
        words = ["class: it takes prompts or vectors"] if chosen else []
        if not info.has_text_encoder and (asked.prompt or asked.prompt_b):
            words.append("prompt: the file holds no text encoder")
            return Condition(vector_file=asked.vector_file), tuple(words)
        return replace(asked, class_index=None, class_b=None), tuple(words)
    return Condition(), ("class or prompt: it takes none",) if chosen or described else ()


def _mix(asked: Mix, info: ModelInfo) -> tuple[Mix, tuple[str, ...]]:
    """Rows of the second seed that a model has."""
    beyond = [row for row in asked.rows if not 0 <= row < info.num_ws]
    if not beyond:
        return asked, ()
    rows = tuple(row for row in asked.rows if row not in beyond)
    names = ", ".join(map(str, beyond))
    return Mix(asked.seed, rows) if rows else Mix(), (f"mixed rows {names}: it has 0 to {info.num_ws - 1}",)


def _fits(edit: Intervention, layers: Iterable[LayerInfo]) -> bool:
    """Whether a model has the maps that an edit changes."""
    layer = next((layer for layer in layers if layer.name == edit.layer), None)
    if layer is None or edit.stage not in layer.stages:
        return False
    return edit.channels is None or all(channel < layer.channels for channel in edit.channels)


def threads_each(threads: int, workers: int) -> int:
    """How many threads an operation gets when so many workers share a processor: together no more than there are.

    Each worker needs one. The operating system shares the cores between them; slices of a worker's own making would
    be as long as its slowest layer, seconds in a large StyleGAN3.
    """
    return max(1, threads // max(1, workers))


def label(pane: Pane, info: ModelInfo | None) -> tuple[str, str]:
    """Two lines under a pane: the file; the family, its size, and what the pane has of its own."""
    if info is None:
        return Path(pane.path).name if pane.path else "no model", ""
    height, width = info.resolution
    return info.name, ", ".join((info.title, f"{width} × {height} px", *own_values(pane)))


def own_values(pane: Pane) -> tuple[str, ...]:
    """What a pane does not share, in words."""
    said = []
    if pane.latent is not None:
        said.append("its own point of W")
    if pane.psi is not None:
        said.append(f"psi {pane.psi:.2f}")
    if pane.noise is not None:
        said.append(NOISE[pane.noise])
    if pane.noise_strength != 1.0:
        said.append(f"noise × {pane.noise_strength:.2f}")
    if pane.mix is not None:
        rows = spans(pane.mix.rows)
        said.append(f"rows {rows} of seed {pane.mix.seed}" if rows else "no mixing")
    if pane.transform is not None:
        said.append("its own shift and turn")
    return tuple(said)


def spans(rows: Iterable[int]) -> str:
    """0, 1, 2, 5 -> '0-2, 5'."""
    found: list[list[int]] = []
    for row in sorted(set(rows)):
        if found and row == found[-1][-1] + 1:
            found[-1].append(row)
        else:
            found.append([row])
    return ", ".join(str(part[0]) if len(part) == 1 else f"{part[0]}-{part[-1]}" for part in found)


def position(latent: Latent) -> tuple[float, float] | None:
    """Where a point lies on the plane of seeds (the inverse of `app.request.plane`); None where it does not.

    The plane names a place in several ways (x + 100, y is x, y + 1); this is the one with 0 <= x < 100.
    """
    weights = dict(latent.seeds)
    if latent.files or latent.space != "w" or not weights:
        return None
    for corner in weights:
        ahead = {(corner + step) % 2**32: step for step in (0, 1, 100, 101)}
        if all(seed in ahead for seed in weights):
            x = sum(weight for seed, weight in weights.items() if ahead[seed] in (1, 101))
            y = sum(weight for seed, weight in weights.items() if ahead[seed] in (100, 101))
            return corner % 100 + x, corner // 100 + y
    return None
