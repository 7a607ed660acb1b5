"""Seeds, classes, prompts and files -> ws. Pure functions; the same seed gives the same picture as NVIDIA's tools.

Every seed is mapped by itself (batch 1), so that its w has the same bits wherever it is used.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from app import latent_files
from app.bounded import Bounded
from app.directions import push
from app.directions.library import Library
from app.errors import InputError
from app.request import Condition, Latent, RenderRequest, Truncation
from app.seeds import draw_z as draw_z
from networks.base import Generator

Encode = Callable[[str], np.ndarray]  # prompt -> conditioning vector [c_dim]


@dataclass(frozen=True)
class End:
    """One end of a blend: a class, a vector, or neither ('as the seed draws it')."""

    class_index: int | None = None
    vector: tuple[float, ...] | None = None


@dataclass
class Workspace:
    """What the functions below need beside the generator: the text encoder, w of recent seeds, its directions."""

    encode: Encode | None = None
    mapped: Bounded[tuple[int, End], Tensor] = field(default_factory=lambda: Bounded(256))
    prompts: Bounded[str, np.ndarray] = field(default_factory=lambda: Bounded(64))
    library: Library | None = None


def draw_c(stream: np.random.RandomState, c_dim: int, kind: str, end: End) -> np.ndarray | None:
    """Return c [1, c_dim] (None when unconditional): the given class or vector, else the stream's own draw.

    A class is drawn by `randint(c_dim)` right after z, as NVIDIA's visualizer does; a vector is a direction drawn
    from N(0, 1) and scaled to length 1, as text embeddings are.
    """
    if c_dim == 0:
        return None
    if end.vector is not None:
        return np.asarray(end.vector, dtype=np.float32)[None]
    if kind == "vector":
        drawn = stream.randn(1, c_dim)
        return np.asarray(drawn / np.linalg.norm(drawn), dtype=np.float32)
    index = int(stream.randint(c_dim)) if end.class_index is None else end.class_index
    c = np.zeros((1, c_dim), dtype=np.float32)
    c[0, index] = 1
    return c


def make_ws(generator: Generator, request: RenderRequest, workspace: Workspace | None = None) -> Tensor:
    """Request -> ws [1, num_ws, w_dim] on the generator's device.

    w is the weighted sum of the seeds' w, or the latent file; truncated by psi below the cutoff; blended between two
    classes or prompts; rows of `mix` come from the second seed; then come the pushes (app/directions/push.py says why
    last); the input's row may be frozen.
    """
    workspace = workspace or Workspace()
    first, second = ends(generator, request.condition, workspace)
    ws = _ws_at(generator, request, first, workspace)
    if second is not None and request.condition.blend != 0.0:
        ws = torch.lerp(ws, _ws_at(generator, request, second, workspace), request.condition.blend)
    if request.pushes:
        ws = push.moved(ws, request.pushes, push.library_of(generator, workspace.library))
    return freeze_input(generator, ws, first) if request.transform.freeze_input else ws


def freeze_input(g: Generator, ws: Tensor, end: End) -> Tensor:
    """ws [1, num_ws, w_dim] with the input's own row at the centre, so that the input no longer moves with w.

    Only a Fourier input has a row; it feeds nothing else. The centre is that of the chosen class, or of all of them.
    """
    rows = [layer.w_index for layer in g.layers if layer.kind == "input" and layer.w_index is not None]
    if rows:
        ws = ws.clone()
        ws[:, rows] = g.centre(given_c(g, end))[:, None]
    return ws


def _ws_at(generator: Generator, request: RenderRequest, end: End, workspace: Workspace) -> Tensor:
    ws = _latent_ws(generator, request.latent, request.truncation, end, workspace)
    if request.mix.seed is None or not request.mix.rows:
        return ws
    rows = [row for row in request.mix.rows if 0 <= row < generator.num_ws]
    other = seed_ws(generator, request.mix.seed, request.truncation, end, workspace)
    ws = ws.clone()
    ws[:, rows] = other[:, rows]
    return ws


def _latent_ws(g: Generator, latent: Latent, truncation: Truncation, end: End, workspace: Workspace) -> Tensor:
    if not latent.seeds and not latent.files:
        raise InputError("no seed is given; name at least one")
    if latent.space == "z":
        return _mapped_blend(g, latent, truncation, end)
    parts = [seed_ws(g, seed, truncation, end, workspace) * weight for seed, weight in latent.seeds]
    for path, weight in latent.files:
        ws = torch.from_numpy(latent_files.read(path, g.num_ws, g.w_dim)).to(device_of(g))
        parts.append(g.truncate(ws, given_c(g, end), truncation.psi, truncation.cutoff) * weight)
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


def _mapped_blend(g: Generator, latent: Latent, truncation: Truncation, end: End) -> Tensor:
    """ws of a weighted sum of z, mapped as one. A latent file has no z, and seeds that draw classes have no mean."""
    if latent.files:
        raise InputError("a latent file lies in W; blend it there, not in Z")
    drawn = g.c_dim > 0 and end.class_index is None and end.vector is None
    if drawn and len(latent.seeds) > 1:
        raise InputError("seeds are blended in Z for one class or prompt; choose it first")
    z = sum(weight * draw_z(seed, g.z_dim)[0] for seed, weight in latent.seeds)
    stream = draw_z(latent.seeds[0][0], g.z_dim)[1]
    given = draw_c(stream, g.c_dim, g.condition, end)
    c = None if given is None else torch.from_numpy(given).to(device_of(g))
    ws = g.map(torch.from_numpy(z).to(torch.float32).to(device_of(g)), c)
    return g.truncate(ws, c, truncation.psi, truncation.cutoff)


def seed_ws(g: Generator, seed: int, truncation: Truncation, end: End, workspace: Workspace) -> Tensor:
    """ws [1, num_ws, w_dim] of one seed, truncated towards the centre of its own class.

    Truncation is affine, so truncating each seed and then summing with weights of sum 1 is truncating the sum.
    """
    stream_z, stream = draw_z(seed, g.z_dim)
    drawn = draw_c(stream, g.c_dim, g.condition, end)
    c = None if drawn is None else torch.from_numpy(drawn).to(device_of(g))
    ws = workspace.mapped.get((seed, end))
    if ws is None:
        ws = g.map(torch.from_numpy(stream_z).to(torch.float32).to(device_of(g)), c)
        workspace.mapped.put((seed, end), ws)
    return g.truncate(ws, c, truncation.psi, truncation.cutoff)


def given_c(g: Generator, end: End) -> Tensor | None:
    """c [1, c_dim] of a chosen class or vector; None when nothing was chosen."""
    if g.c_dim == 0 or (end.class_index is None and end.vector is None):
        return None
    c = draw_c(np.random.RandomState(0), g.c_dim, g.condition, end)
    return None if c is None else torch.from_numpy(c).to(device_of(g))


def ends(g: Generator, condition: Condition, workspace: Workspace) -> tuple[End, End | None]:
    """The near and the far end (None: no blend) of what a condition asks for, checked against the generator."""
    if g.c_dim == 0:
        return End(), None
    if g.condition == "class":
        first = End(class_index=_checked_class(g, condition.class_index))
        far = _checked_class(g, condition.class_b)
        return first, None if far is None else End(class_index=far)
    if condition.vector_file:
        first = End(vector=tuple(latent_files.read_vector(condition.vector_file, g.c_dim).tolist()))
    else:
        first = _prompt_end(g, condition.prompt, workspace) or End()
    return first, _prompt_end(g, condition.prompt_b, workspace)


def _prompt_end(g: Generator, prompt: str, workspace: Workspace) -> End | None:
    if not prompt:
        return None
    vector = workspace.prompts.get(prompt)
    if vector is None:
        if workspace.encode is None:
            raise InputError(
                f"no text encoder is at hand for the prompt {prompt!r}; give a conditioning vector [{g.c_dim}] as .npy"
            )
        vector = np.asarray(workspace.encode(prompt), dtype=np.float32).reshape(-1)
        if vector.shape != (g.c_dim,):
            raise InputError(f"the text encoder gives {vector.size} numbers, this model takes {g.c_dim}")
        workspace.prompts.put(prompt, vector)
    return End(vector=tuple(vector.tolist()))


def _checked_class(g: Generator, index: int | None) -> int | None:
    if index is not None and not 0 <= index < g.c_dim:
        raise InputError(f"class {index} is outside 0 to {g.c_dim - 1}, the classes of this model")
    return index


def device_of(generator: Generator) -> torch.device:
    """The device that the generator's weights are on."""
    return next(generator.parameters()).device
