"""Generators whose sticking is known, for the measures of texture sticking: opened through the Renderer like any file.

Every picture is a sum of plane waves, computed at each pixel's place in float64: shifts by any amount and rotations are
exact, and the share of the detail's energy that is glued to the pixel grid is what the specification says.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from app import models
from app.request import Model, RenderRequest
from networks import registry
from networks.base import Generator, Mapping, Pass, Spec
from networks.checkpoint.records import Checkpoint
from networks.plan import LayerInfo

SIDE = 64


@dataclass(frozen=True)
class SyntheticSpec(Spec):
    """glued: share of the detail's energy that stays in place. gain_px: how far the content moves per unit of w.

    grid_px: the moving detail goes from place to place of a grid of this pitch (0: freely). detail: which periods
    the detail has, px.
    """

    glued: float = 0.0
    gain_px: float = 6.0
    grid_px: float = 0.0
    detail: tuple[float, float] = (4.0, 7.0)


def spec(**changes: Any) -> SyntheticSpec:
    """A square picture of SIDE px; w = z has two coordinates, x and y of the content's place."""
    return SyntheticSpec(z_dim=2, c_dim=0, w_dim=2, resolution=(SIDE, SIDE), img_channels=3, **changes)


@dataclass(frozen=True)
class Waves:
    """sum of amplitude cos(2 pi f . p + phase) over waves, with a phase for each colour; RMS as asked."""

    frequencies: np.ndarray  # [K, 2], cycles per px
    phases: np.ndarray  # [3, K]
    amplitude: float

    def at(self, back: np.ndarray) -> np.ndarray:
        """back [2, 3]: px from the centre -> the place p that is shown there. Returns [3, H, W], float64."""
        f, phases = self.frequencies @ back[:, :2], self.phases + 2 * np.pi * self.frequencies @ back[:, 2]
        along = np.arange(SIDE) - (SIDE - 1) / 2
        rows, columns = (np.exp(2j * np.pi * np.multiply.outer(along, f[:, axis])) for axis in (1, 0))
        return self.amplitude * np.stack([((rows * np.exp(1j * phase)) @ columns.T).real for phase in phases])


def waves(seed: int, periods: tuple[float, float], rms: float, count: int = 60) -> Waves:
    """Waves of all directions with periods drawn evenly from a range."""
    stream = np.random.default_rng(seed)
    frequency, angle = 1 / stream.uniform(*periods, count), stream.uniform(0, 2 * np.pi, count)
    directions = np.stack([frequency * np.cos(angle), frequency * np.sin(angle)], axis=1)
    return Waves(directions, stream.uniform(0, 2 * np.pi, (3, count)), rms * math.sqrt(2 / count))


class Identity(Mapping):
    """w = z."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("w_avg", torch.zeros(2))

    def forward(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        return z.float()


class Synthetic(Generator):
    """Coarse content and detail that move with w and follow a transform, and detail that does neither."""

    has_transform = True

    def __init__(self, spec: SyntheticSpec) -> None:
        super().__init__()
        self.spec: SyntheticSpec = spec
        self.mapping = Identity()
        self.num_ws = 1
        self.layers = (LayerInfo(0, "picture", "torgb", spec.resolution, 3, 2, 0, sampling_rate=float(SIDE)),)
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.coarse = waves(1, (24.0, 44.0), 0.12, 24)
        self.moving = waves(2, spec.detail, 0.1 * math.sqrt(1 - spec.glued))
        self.fixed = waves(3, spec.detail, 0.1 * math.sqrt(spec.glued))

    def draw(self, ws: Tensor, asked: Pass) -> Tensor:
        return torch.cat([torch.from_numpy(self.picture(w[0].double().numpy(), asked)).float()[None] for w in ws])

    def picture(self, w: np.ndarray, asked: Pass) -> np.ndarray:
        """w [2] -> [3, H, W]."""
        back = np.eye(3) if asked.transform is None else np.linalg.inv(np.asarray(asked.transform, dtype=np.float64))
        back = back[:2] * [1, 1, SIDE]
        place = self.spec.gain_px * w
        stepped = place if not self.spec.grid_px else np.round(place / self.spec.grid_px) * self.spec.grid_px
        moved, jumped = (back - np.array([[0, 0, x], [0, 0, y]]) for x, y in (place, stepped))
        return self.coarse.at(moved) + self.moving.at(jumped) + self.fixed.at(np.eye(2, 3))


@dataclass
class Synthetics:
    """Opens generators without a file's content."""

    folder: Path
    generators: dict[str, Generator]

    def add(self, generator: Generator, name: str = "synthetic.pkl") -> RenderRequest:
        """A request for this very generator."""
        path = self.folder / name
        path.write_text(name)
        self.generators[str(path)] = generator.eval().requires_grad_(False)
        return RenderRequest(model=Model(str(path), device="cpu"))

    def load(self, path: str, device: Any = "cpu", **_: Any) -> Any:
        generator = self.generators[str(path)]
        return generator, Checkpoint(Path(path), "made", generator.family, generator.spec, {}, sha256="0" * 64)


@pytest.fixture
def synthetics(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Synthetics:
    """Registers the family for one test alone: the contract tests run over the registry."""
    registry.families()
    monkeypatch.setattr(Synthetic, "family", "synthetic")
    family = registry.Family("synthetic", "Synthetic", SyntheticSpec, Synthetic)
    monkeypatch.setitem(registry._FAMILIES, "synthetic", family)
    made = Synthetics(tmp_path, {})
    monkeypatch.setattr(models.load, "load", made.load)
    return made
