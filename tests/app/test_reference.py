"""Every family through the app's own path, request to picture, against what the official code computes."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.renderer import Renderer
from app.request import Condition, Latent, Model, RenderRequest, Transform, Truncation
from networks.plan import Noise

FOLDER = Path(__file__).parent.parent / "data" / "reference"
FILES = sorted(path.name for path in FOLDER.glob("*.pkl"))
SEEDS = (0, 7)


def condition_of(io, row, kind, folder):
    """What makes the app give the network the same c."""
    if "class_idx" in io:
        return Condition(class_index=int(io["class_idx"][row]))
    if "c" not in io or io["c"].shape[1] == 0:
        return Condition()
    if kind == "class":
        return Condition(class_index=int(io["c"][row].argmax()))
    np.save(folder / "c.npy", io["c"][row])
    return Condition(vector_file=str(folder / "c.npy"))


def asked(name, request, cut):
    """The request that an array of the reference answers; None for what is no answer (z, c, ...)."""
    truncated = replace(request, truncation=cut)
    requests = {
        "ws": request,
        "ws_psi1": request,
        "img_psi1": request,
        "ws_psi0.7": truncated,
        "ws_psi0.7_cut4": truncated,
        "img_psi0.7_cut8": replace(request, truncation=Truncation(0.7, 8)),
        "img_const": truncated,
        "img_none": replace(truncated, noise=Noise("none")),
        "img_transform": truncated,
    }
    return requests.get(name)


@pytest.mark.parametrize("name", FILES)
def test_same_seed_same_picture(name, tmp_path):
    io = np.load(FOLDER / name.replace(".pkl", ".io.npz"))
    renderer = Renderer()
    base = RenderRequest(model=Model(str(FOLDER / name), "cpu"))
    info = renderer.open(base).info
    cut = Truncation(0.7, 4 if "ws_psi0.7_cut4" in io else None)
    compared = 0
    for row, seed in enumerate(SEEDS):
        request = replace(
            base, latent=Latent(((seed, 1.0),)), condition=condition_of(io, row, info.condition, tmp_path)
        )
        for key in io:
            if (wanted := asked(key, request, cut)) is None:
                continue
            if key == "img_transform":
                wanted = replace(wanted, transform=Transform(matrix=tuple(map(tuple, io["transform"].tolist()))))
            made = renderer.ws(wanted) if key.startswith("ws") else renderer.image(wanted)
            expected = io[key][row : row + 1]
            scale = 1 if key.startswith("ws") else np.ptp(expected)
            assert np.abs(made - expected).max() <= 1e-4 * scale, (key, seed)
            compared += 1
    assert compared >= 4
