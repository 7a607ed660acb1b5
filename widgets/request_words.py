"""What a request shows, in words: a short name, and lines for a tooltip."""

from __future__ import annotations

from pathlib import Path

from app.request import Latent, RenderRequest
from app.studies.picture_sheet import row_words


def short_name(request: RenderRequest) -> str:
    """'seed 12', '3 seeds', 'face.npz'."""
    latent = request.latent
    if latent.file:
        return Path(latent.file).name
    parts = len(latent.seeds) + len(latent.files)
    if parts == 1 and latent.seeds:
        return f"seed {latent.seeds[0][0]}"
    heaviest = max(latent.seeds, key=lambda item: abs(item[1]), default=None)
    return f"near {heaviest[0]}" if heaviest is not None and heaviest[1] > 0.5 else f"{parts} points"


def lines(request: RenderRequest) -> str:
    """Everything that is not as usual, a line each."""
    found = [f"{Path(request.model.path).name}", point(request.latent)]
    psi, cutoff = request.truncation.psi, request.truncation.cutoff
    found.append(f"psi {psi:g}" + ("" if cutoff is None else f" on rows below {cutoff}"))
    if request.condition.class_index is not None:
        found.append(f"class {request.condition.class_index}")
    if request.condition.prompt:
        found.append(f"“{request.condition.prompt}”")
    if request.mix.seed is not None and request.mix.rows:
        found.append(f"rows {row_words(request.mix.rows)} of ws from seed {request.mix.seed}")
    if request.noise.mode != "const":
        found.append("no noise" if request.noise.mode == "none" else f"random noise, seed {request.noise.seed}")
    moved = request.transform
    if (moved.x, moved.y, moved.angle_deg, moved.matrix) != (0.0, 0.0, 0.0, None):
        found.append("by a matrix" if moved.matrix else f"shift {moved.x:g}, {moved.y:g}, turn {moved.angle_deg:g}°")
    if request.pushes:
        found.append(f"{len(request.pushes)} directions")
    if request.edits:
        found.append(f"{len(request.edits)} interventions")
    return "\n".join(found)


def point(latent: Latent) -> str:
    """The parts of a point with their weights, the heaviest first, at most four."""
    named = [(f"seed {seed}", weight) for seed, weight in latent.seeds]
    named += [(Path(path).name, weight) for path, weight in latent.files]
    named.sort(key=lambda item: -abs(item[1]))
    if len(named) == 1:
        return named[0][0]
    shown = ", ".join(f"{name} {weight:.0%}" for name, weight in named[:4])
    return shown + (f" and {len(named) - 4} more" if len(named) > 4 else "")
