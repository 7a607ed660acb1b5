"""A request as the command that draws the same picture."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from typing import Any

from app.request import Latent, RenderRequest, to_json
from networks.plan import Noise

LOOKED_AT = ("view", "diagnostic", "max_height", "model")  # what `render` has no use for


def as_command(request: RenderRequest) -> str:
    """request -> 'python main.py render ...'. What has no option of its own goes into --request as JSON."""
    words, said = ["python", "main.py", "render", request.model.path], RenderRequest()
    for option, part in _options(request):
        words += option
        said = replace(said, **part)
    wanted, have = to_json(request), to_json(said)
    rest = {name: value for name, value in wanted.items() if name not in LOOKED_AT and value != have[name]}
    if rest:
        words += ["--request", json.dumps(rest, separators=(",", ":"))]
    return shlex.join([*words, "--out", "pictures"])


def _options(request: RenderRequest) -> list[tuple[list[str], dict[str, Any]]]:
    """(words, the parts of a request that they say), where words say the whole part."""
    found: list[tuple[list[str], dict[str, Any]]] = []
    latent, psi = request.latent, request.truncation
    if latent.file:
        found.append((["--latent", latent.file], {"latent": latent}))
    elif latent == Latent(latent.seeds) and len(latent.seeds) == 1 and latent.seeds[0][1] == 1.0:
        found.append((["--seeds", str(latent.seeds[0][0])], {"latent": latent}))
    cutoff = [] if psi.cutoff is None else ["--cutoff", str(psi.cutoff)]
    found.append((["--psi", repr(psi.psi), *cutoff], {"truncation": psi}))
    asked = request.condition
    if asked == replace(asked, class_b=None, prompt_b="", blend=0.0):
        pairs = (("--class", asked.class_index), ("--prompt", asked.prompt), ("--vector", asked.vector_file))
        words = [word for option, value in pairs if value not in (None, "") for word in (option, str(value))]
        found.append((words, {"condition": asked}))
    if request.mix.seed is not None and request.mix.rows:
        rows = ",".join(map(str, request.mix.rows))
        found.append((["--mix-seed", str(request.mix.seed), "--mix-rows", rows], {"mix": request.mix}))
    noise = request.noise
    if noise == Noise(noise.mode, noise.seed):
        seed = ["--noise-seed", str(noise.seed)] if noise.seed else []
        found.append((["--noise", noise.mode, *seed] if noise != Noise() else [], {"noise": noise}))
    if request.model.device != "auto":
        found.append((["--device", request.model.device], {}))
    if request.model.precision != "auto":
        found.append((["--precision", request.model.precision], {}))
    found.append((["--bgr"] if request.bgr else [], {"bgr": request.bgr}))
    return found
