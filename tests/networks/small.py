"""Small generators of every family with random weights, for tests that hold whatever the family."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch

from networks import registry
from networks.base import Generator, Spec
from networks.checkpoint.load import load
from networks.lucidrains import LucidrainsSpec
from networks.mobile_stylegan import MobileStyleGANSpec
from networks.stylegan1 import StyleGAN1Spec
from networks.stylegan2 import StyleGAN2Spec

REFERENCE = Path(__file__).parents[1] / "data" / "reference"
SHAPE = {"z_dim": 10, "c_dim": 0, "w_dim": 14, "img_channels": 3, "mapping_features": (9, 14)}
TRUNK = {**SHAPE, "resolution": (16, 16), "channels": (12, 8, 6)}
SPECS: dict[str, tuple[str, Spec]] = {
    "stylegan1": ("stylegan1", StyleGAN1Spec(**TRUNK)),
    "stylegan1-conditional": ("stylegan1", StyleGAN1Spec(**{**TRUNK, "c_dim": 3}, embed_features=5)),
    "stylegan1-tall-grey": (
        "stylegan1",
        StyleGAN1Spec(**{**TRUNK, "resolution": (16, 8), "img_channels": 1}, start=(4, 2)),
    ),
    "stylegan2-skip": ("stylegan2", StyleGAN2Spec(**TRUNK)),
    "stylegan2-resnet": ("stylegan2", StyleGAN2Spec(**TRUNK, architecture="resnet")),
    "stylegan2-orig": ("stylegan2", StyleGAN2Spec(**TRUNK, architecture="orig")),
    "stylegan2-progressive": ("stylegan2", StyleGAN2Spec(**TRUNK, architecture="progressive")),
    "stylegan2-conditional": ("stylegan2", StyleGAN2Spec(**{**TRUNK, "c_dim": 3}, embed_features=5)),
    "stylegan2-label-concat": (
        "stylegan2",
        StyleGAN2Spec(**{**TRUNK, "c_dim": 3}, embed_features=5, label_concat=True, conv_clamp=None),
    ),
    "stylegan2-tall-rgba": (
        "stylegan2",
        StyleGAN2Spec(**{**TRUNK, "resolution": (16, 8), "img_channels": 4}, start=(4, 2)),
    ),
    "lucidrains": (
        "lucidrains",
        LucidrainsSpec(
            z_dim=14, c_dim=0, w_dim=14, resolution=(16, 16), img_channels=4, channels=(12, 8, 6), mapping_layers=3
        ),
    ),
    "mobile_stylegan": (
        "mobile_stylegan",
        MobileStyleGANSpec(**{**SHAPE, "z_dim": 14}, resolution=(32, 32), channels=(32, 16, 16)),
    ),
}
FILES = ("stylegan3-t", "stylegan3-r", "stylegan-xl-stem", "stylegan-xl-superres", "stylegan-t-conditional")
NAMES = (*SPECS, *FILES)


@dataclass(frozen=True)
class Small:
    """A generator with two latents and their ws (rows different, so that no test mixes them up)."""

    generator: Generator
    z: torch.Tensor
    c: torch.Tensor | None
    ws: torch.Tensor


def randomize(generator: Generator, seed: int = 0) -> Generator:
    """Fill everything that a checkpoint holds with random numbers, so that nothing is without effect."""
    stream = torch.Generator().manual_seed(seed)
    for key, tensor in generator.state_dict().items():
        tensor.normal_(generator=stream)
        if key.endswith("bias"):
            tensor.mul_(0.3)
        if key.endswith("affine.bias") and generator.family != "stylegan1":
            tensor.add_(1.0)
    return generator


def build(name: str, seed: int = 0) -> Generator:
    """A fresh small generator."""
    if name in FILES:
        generator = load(REFERENCE / f"{name}.pkl")[0]
        for key, tensor in generator.state_dict().items():
            if key.endswith("input.affine.weight"):  # untrained inputs start without any effect of w
                tensor.normal_(std=0.1, generator=torch.Generator().manual_seed(seed))
        return generator
    family, spec = SPECS[name]
    return randomize(registry.get(family).build(spec), seed)


@cache
def small(name: str) -> Small:
    """A small generator and its inputs, shared by all tests: do not change it."""
    with torch.inference_mode(False):  # whoever asks first: others take gradients
        return _small(name)


def _small(name: str) -> Small:
    generator = build(name)
    stream = torch.Generator().manual_seed(1)
    z = torch.randn(2, generator.z_dim, generator=stream)
    c = torch.eye(generator.c_dim)[:2] if generator.c_dim else None
    ws = torch.randn(2, generator.num_ws, generator.w_dim, generator=stream)
    return Small(generator, z, c, ws)
