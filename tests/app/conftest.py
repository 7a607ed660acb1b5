"""A small StyleGAN2 with random weights, opened without a file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch

from app import models
from app.request import Model, RenderRequest
from networks import registry
from networks.checkpoint.records import Checkpoint
from networks.stylegan2 import StyleGAN2Spec

SPEC = StyleGAN2Spec(
    z_dim=16, c_dim=0, w_dim=16, resolution=(128, 128), img_channels=3, channels=(16, 16, 16, 8, 8, 8),
    mapping_features=(16, 16), half_resolutions=0,
)  # fmt: skip


def build(spec: StyleGAN2Spec = SPEC, seed: int = 0) -> Any:
    """A generator with drawn weights, noise of strength 0.5 and a mean w that is not 0."""
    generator = registry.get("stylegan2").build(spec)
    generator.init_weights(seed)
    for name, parameter in generator.named_parameters():
        if name.endswith("noise_strength"):
            parameter.data.fill_(0.5)
    generator.mapping.w_avg.copy_(torch.linspace(-1, 1, spec.w_dim))
    return generator


@dataclass
class FakeFiles:
    """Stands in for `load.load`: files that exist on disk but whose content is a specification."""

    folder: Path
    specs: dict[str, StyleGAN2Spec]
    loads: list[str]

    def add(self, name: str, **changes: Any) -> RenderRequest:
        path = self.folder / name
        path.write_text(name)
        self.specs[str(path)] = replace(SPEC, **changes)
        return RenderRequest(model=Model(str(path), device="cpu"))

    def load(self, path: str, device: Any = "cpu", **_: Any) -> Any:
        self.loads.append(Path(path).name)
        spec = self.specs[str(path)]
        return build(spec).to(device), Checkpoint(Path(path), "made", "stylegan2", spec, {}, sha256="0" * 64)


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeFiles:
    fake = FakeFiles(tmp_path, {}, [])
    monkeypatch.setattr(models.load, "load", fake.load)
    return fake


@pytest.fixture
def request_(files: FakeFiles) -> RenderRequest:
    """A request for seed 0 of the small generator."""
    return files.add("small.pkl")
