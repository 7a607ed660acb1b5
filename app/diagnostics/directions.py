"""Answers about directions (app/studies/directions.py): found, read, saved, and style channels by what they change."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from app import latents
from app.diagnostics import drawing
from app.diagnostics.path_length import differentiable, draw_y
from app.directions import files, push, sets
from app.directions.library import Library
from app.directions.sefa import affines
from app.errors import InputError
from app.models import Opened
from app.renderer import Renderer
from app.request import Push, RenderRequest
from app.studies import Update
from app.studies.directions import (
    Channel,
    FindDirections,
    Found,
    OpenFile,
    RankChannels,
    Ranking,
    SaveSliders,
    Slider,
    Sliders,
    as_json,
    from_plain,
    parse,
)
from networks import ops
from networks.taps import Taps

Question = FindDirections | OpenFile | SaveSliders | RankChannels


def run(question: Question, renderer: Renderer) -> Iterator[Update]:
    """Answer one of the questions, in steps of about one picture."""
    opened = renderer.open(question.request)
    match question:
        case FindDirections():
            yield from find(opened.library, question.source)
        case OpenFile():
            yield from look_into(opened, question)
        case SaveSliders():
            yield from save(opened, question)
        case RankChannels():
            yield from rank(opened, question)


def find(library: Library, text: str) -> Iterator[Update]:
    """Compute a source's directions."""
    for share, words in library.steps(text):
        yield Update(share, words)
    yield Update(1.0, "Directions found", describe(library, text))


def describe(library: Library, text: str) -> Found:
    """What there is to know of a source that is computed."""
    source = parse(text)
    if source.kind == "random":
        return Found(source.text, 0)
    if source.kind == "style":
        spread = library.style(source.layer)[1]
        return Found(source.text, len(spread), tuple(float(value) for value in spread))
    found = library.find(text)
    sigma = tuple(float(value) for value in found.sigma)
    total = float(np.square(found.sigma).sum())
    share = tuple(value * value / total for value in sigma) if source.kind == "pca" and total > 0 else ()
    return Found(source.text, len(found), sigma, share, found.labels)


def look_into(opened: Opened, question: OpenFile) -> Iterator[Update]:
    """A file of directions, a saved set of sliders, or a latent."""
    path, info = Path(question.path), opened.info
    if question.points and files.is_latent(path, info.num_ws, info.w_dim):
        yield Update(1.0, "A latent", Found(str(path), 0, latent=True))
        return
    content = files.load(path) if path.suffix.lower() == ".json" else None
    if isinstance(content, dict) and isinstance(content.get("sliders"), list):
        yield Update(1.0, "Sliders", read_sliders(path, content, opened))
        return
    yield from find(opened.library, str(path))


def read_sliders(path: Path, content: dict[str, Any], opened: Opened) -> Sliders:
    """A saved set. Made for this very file, its sources mean the same here; else the vectors that it holds count."""
    same = content.get("model_sha256") == opened.info.sha256 != ""
    made: list[Slider] = []
    place = 0  # among those with a vector: their number in the file as a set of directions
    for values in content["sliders"]:
        slider = from_plain(values)
        if slider is None:
            raise InputError(f"{path.name}: slider {len(made) + 1} cannot be read; it has no source that is known")
        kind = parse(slider.push.source).kind
        vector = values.get("direction") is not None
        if (not same and vector) or kind == "file":
            moved = Push(str(path), place, slider.push.strength, slider.push.rows)
            slider = Slider(moved, slider.name)
        place += vector
        made.append(slider)
    words = "" if same else f"made for another model ({content.get('model', 'unknown')}): its vectors are used"
    return Sliders(tuple(made), words)


def save(opened: Opened, question: SaveSliders) -> Iterator[Update]:
    """Write sliders with their vectors."""
    if not question.sliders:
        raise InputError("there is no direction to save yet; add one first")
    path, library = Path(question.path), opened.library
    for slider in question.sliders:
        for share, words in library.steps(slider.push.source):
            yield Update(share, words)
    in_w = [slider for slider in question.sliders if parse(slider.push.source).kind != "style"]
    if path.suffix.lower() == ".npz":
        if not in_w:
            raise InputError("style channels have no vector in W; save them as .json")
        sets.save(together(library, in_w, opened), path)
        left = len(question.sliders) - len(in_w)
        rest = f"; {left} style channel{'s' if left > 1 else ''} left out" if left else ""
        yield Update(1.0, "Saved", f"saved {_counted(in_w)} to {path}{rest}")
        return
    if path.suffix.lower() != ".json":
        raise InputError(f"{path.name}: a set of directions is saved as .json or .npz")
    rows = [{**as_json(slider), **vector_of(library, slider)} for slider in question.sliders]
    content = {
        "what": "StyleScope directions",
        "model": opened.info.name,
        "model_sha256": opened.info.sha256,
        "units": "strength in standard deviations: ws[rows] += strength * sigma * direction",
        "sliders": rows,
    }
    sets.write(path, json.dumps(content, indent=1).encode())
    yield Update(1.0, "Saved", f"saved {_counted(rows)} to {path}")


def _counted(rows: Sequence[object]) -> str:
    return f"{len(rows)} direction{'s' if len(rows) > 1 else ''}"


def vector_of(library: Library, slider: Slider) -> dict[str, Any]:
    """Vector and standard deviation of a slider; of a style channel the latter alone."""
    source = parse(slider.push.source)
    if source.kind == "style":
        return {"sigma": float(library.style(source.layer)[1][slider.push.index])}
    one = library.one(slider.push.source, slider.push.index)
    return {"sigma": float(one.sigma[0]), "direction": one.directions[0].tolist()}


def together(library: Library, sliders: list[Slider], opened: Opened) -> sets.DirectionSet:
    """The directions of sliders as one set."""
    ones = [library.one(slider.push.source, slider.push.index) for slider in sliders]
    vectors = [one.directions[0] for one in ones]
    if any(vector.ndim == 2 for vector in vectors):
        vectors = [np.broadcast_to(vector, (opened.info.num_ws, opened.info.w_dim)) for vector in vectors]
    return sets.DirectionSet(
        opened.info.name,
        "file",
        np.stack(vectors).astype(np.float32),
        np.array([one.sigma[0] for one in ones]),
        ones[0].mean,
        ones[0].samples,
        opened.info.sha256,
        tuple(as_json(slider)["name"] for slider in sliders),
    )


# -- style channels ---------------------------------------------------------------------------------------------------


def rank(opened: Opened, question: RankChannels) -> Iterator[Update]:
    """The strongest style channels; one draw a step, the ranking so far with each."""
    if question.draws < 1:
        raise InputError(f"{question.draws} draws: give at least 1")
    layers = list(affines(opened.generator))
    for layer in layers:
        for share, words in opened.library.steps(f"style:{layer}"):
            yield Update(0.2 * share, words)
    push.prepare(question.request.pushes, opened.library)
    request, workable = drawing.bare(question.request), differentiable(opened)
    squares: dict[str, np.ndarray] = {}
    for draw in range(question.draws):
        for layer, gradient in style_gradients(workable, request, layers, draw).items():
            squares[layer] = squares.get(layer, 0.0) + np.square(gradient)
        answer = ranking(opened, squares, draw + 1, question.count)
        yield Update(0.2 + 0.8 * (draw + 1) / question.draws, f"{draw + 1} of {question.draws} draws", answer)


def ranking(opened: Opened, squares: dict[str, np.ndarray], draws: int, count: int) -> Ranking:
    """Sums of (y^T J_c)^2 -> the strongest channels."""
    height, width = opened.generator.resolution
    values = height * width * opened.generator.spec.img_channels
    low, high = opened.generator.spec.pixel_range
    channels = []
    for layer, sums in squares.items():
        effects = np.sqrt(sums / draws / values) * opened.library.style(layer)[1] / (high - low)
        channels += [Channel(layer, index, 100.0 * float(effect)) for index, effect in enumerate(effects)]
    channels.sort(key=lambda channel: -channel.effect)
    return Ranking(tuple(channels[:count]), draws)


def style_gradients(opened: Opened, request: RenderRequest, layers: list[str], draw: int) -> dict[str, np.ndarray]:
    """y^T J of each layer's style [C], float64, for the y of a draw; 0 where a layer does not reach the picture."""
    with torch.inference_mode():
        ws = latents.make_ws(opened.generator, request, opened.workspace)
    y = draw_y(opened, 0, draw)
    with torch.inference_mode(False), torch.enable_grad(), ops.using("plain"):
        leaves = {layer: _leaf(opened, layer) for layer in layers}
        taps = ShiftedTaps(leaves, request)
        picture = drawing.synthesize(opened, request, ws.clone(), taps)
        if not picture.requires_grad:
            return {layer: np.zeros(len(leaf)) for layer, leaf in leaves.items()}
        found = torch.autograd.grad((picture * y.clone()).sum(), list(leaves.values()), allow_unused=True)
    return {
        layer: np.zeros(len(leaf)) if gradient is None else gradient.double().cpu().numpy()
        for (layer, leaf), gradient in zip(leaves.items(), found, strict=True)
    }


def _leaf(opened: Opened, layer: str) -> Tensor:
    count = len(opened.library.style(layer)[1])
    return torch.zeros(count, device=latents.device_of(opened.generator), requires_grad=True)


class ShiftedTaps(Taps):
    """Taps that add leaves to the styles, beside what the request's own pushes add."""

    def __init__(self, leaves: dict[str, Tensor], request: RenderRequest) -> None:
        super().__init__(edits=request.edits)
        self.leaves = leaves

    def on_style(self, info: Any, style: Tensor) -> Tensor:
        style = super().on_style(info, style)
        leaf = self.leaves.get(info.name)
        return style if leaf is None else style + leaf.to(style)
