"""Early pictures of alias-free networks resemble the full ones made small, and leave them as they are."""

import math
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from networks import early_chain, ops, presets
from networks.checkpoint.load import load
from networks.ops import compiled
from networks.plan import Intervention
from networks.registry import get
from networks.stylegan3 import design_spec
from networks.taps import Taps
from networks.trail import Trail
from tests.networks.small import REFERENCE

BUNDLED = Path(__file__).parents[2] / "assets" / "models"
# (model, early height) -> least correlation with the full picture made small, least PSNR in dB (black to white is 2)
BOUNDS = {
    ("emoji-stylegan3", 32): (0.97, 27.0),
    ("emoji-stylegan3", 16): (0.94, 23.0),
    ("stylegan3-t", 16): (0.98, 40.0),
    ("stylegan3-r", 16): (0.98, 35.0),
    ("stylegan-xl-stem", 16): (0.98, 40.0),
    ("stylegan-xl-superres", 32): (0.99, 45.0),
    ("stylegan-xl-superres", 16): (0.98, 35.0),
}


def opened(name):
    path = BUNDLED / name / f"{name}.safetensors" if name.startswith("emoji") else REFERENCE / f"{name}.pkl"
    return load(str(path))[0]


def latents(generator, count):
    z = torch.randn(count, generator.z_dim, generator=torch.Generator().manual_seed(1))
    c = torch.eye(generator.c_dim)[:1].repeat(count, 1) if generator.c_dim else None
    return generator.map(z, c, psi=0.7)


def made_small(full, height):
    return F.interpolate(full, (height, height), mode="bicubic", antialias=True, align_corners=False)


def likeness(one, other):
    """(correlation of what varies within the pictures, PSNR in dB)."""
    error = (one - other).square().mean().item()
    one, other = (x - x.mean(dim=(2, 3), keepdim=True) for x in (one, other))
    return ((one * other).sum() / (one.norm() * other.norm())).item(), 10 * math.log10(4 / error)


@torch.inference_mode()
@pytest.mark.parametrize(("name", "height"), BOUNDS)
def test_an_early_picture_is_the_picture_made_small(name, height):
    generator = opened(name)
    ws = latents(generator, 6)
    full = made_small(generator.synthesize(ws), height)
    early = generator.synthesize(ws, Taps(stop_at=height))
    alike, decibels = likeness(early, full)
    least, least_decibels = BOUNDS[name, height]
    assert alike > least
    assert decibels > least_decibels
    moved_by_a_pixel, _ = likeness(full.roll(1, dims=3), full)
    assert alike > moved_by_a_pixel, "nothing is shifted"


@torch.inference_mode()
def test_early_pictures_leave_the_full_one_as_it_is():
    """Bit for bit, with and without a trail that both kinds of passes use."""
    generator = opened("emoji-stylegan3")
    ws = latents(generator, 1)
    full = generator.synthesize(ws)
    trail = Trail(1 << 30)
    assert generator.preview_sizes == (16, 32, 64)
    for height in (16, 32, 64):
        again = generator.synthesize(ws, Taps(stop_at=height), trail=trail)
        assert again.shape[2:] == (height, height)
    assert trail.saved_ms(trail._identity, len(generator.layers), Taps()) > 0
    assert torch.equal(again, full)
    assert torch.equal(generator.synthesize(ws), full)


def test_layers_below_the_cap_are_the_same_rows():
    rows = presets.PRESETS["stylegan3-t-256"][1]().layers
    small = early_chain.coarser(rows, 64)
    same = early_chain.unchanged(rows, small)
    assert [row.name for row in rows[:same]] == ["L0_36_512", "L1_36_512", "L2_36_512", "L3_52_512", "L4_52_512",
                                                 "L5_84_512", "L6_84_512"]  # fmt: skip
    for row, before in zip(small, (None, *small[:-1]), strict=True):
        assert row.rate <= 64
        assert row.cutoff <= row.rate / 2
        assert row.in_rate * row.up == row.rate * row.down, "both filters meet at one rate"
        assert before is None or (row.in_size, row.in_rate) == (before.size, before.rate)
        assert row.size[0] >= row.rate
    assert small[-1].size == (64, 64)
    assert [row.size[0] for row in small[same:]] == [74, 74, 74, 70, 70, 70, 64, 64], "what margins cover stays"


def test_the_input_is_never_capped():
    assert sizes_at(256) == (16, 32, 64, 128, 256)
    assert sizes_at(1024)[0] == 16
    assert sizes_at(16) == (16,)


def sizes_at(resolution):
    with torch.device("meta"):
        return get("stylegan3").build(design_spec(resolution, channel_max=8)).preview_sizes


def test_moved_kernels_keep_the_response_at_low_frequencies():
    """Sum, slope and curvature of the response at frequency 0, from the moments of the taps around the middle."""
    weight = torch.randn(4, 5, 3, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    at = torch.tensor([-1.0, 0.0, 1.0], dtype=torch.float64)
    for ratio in (0.5, 0.25):
        coarse = early_chain.moved(weight, ratio)
        for p in range(3):
            for q in range(3):
                fine = torch.einsum("oiuv,u,v->oi", weight, (at * ratio) ** p, (at * ratio) ** q)
                assert torch.allclose(torch.einsum("oiuv,u,v->oi", coarse, at**p, at**q), fine)
    assert torch.allclose(early_chain.moved(weight, 1.0), weight)


@torch.inference_mode()
def test_every_backend_draws_the_same_early_picture(monkeypatch):
    generator = opened("emoji-stylegan3")
    ws = latents(generator, 2)
    assert compiled.settle()
    pictures = [generator.synthesize(ws, Taps(stop_at=16))]
    for backend in ("plain", "reference"):
        with ops.using(backend):
            pictures.append(generator.synthesize(ws, Taps(stop_at=16)))
    monkeypatch.setattr(compiled, "_kernels", None)
    pictures.append(generator.synthesize(ws, Taps(stop_at=16)))
    for other in pictures[1:]:
        assert (other - pictures[0]).abs().max() < 1e-4 * (other.max() - other.min())


@torch.inference_mode()
def test_edits_reach_early_pictures_and_their_maps_are_not_handed_out():
    generator = opened("emoji-stylegan3")
    ws = latents(generator, 1)
    last = generator.layers[-2]
    edits = [Intervention(last.name, "scale", 0.0)]
    taps = Taps(edits=edits, capture=[(last.name, "output")], stop_at=32)
    early = generator.synthesize(ws, taps)
    assert early.std(dim=(2, 3)).max() < 1e-6, "nothing but the bias of the to-RGB is left"
    assert not taps.captured
