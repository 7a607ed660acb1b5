"""Negative control of the droplets: the same seed on another model, judged by the same rule. No torch.

StyleGAN2 demodulates its weights instead of normalizing its maps, and has no droplets (Karras et al. 2020, section
2.2): whoever sees the rule flag StyleGAN and not StyleGAN2 knows that it measures what it says.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from app.frame import ModelInfo, Pixels
from app.request import Model, RenderRequest
from app.studies import Study
from app.studies.droplets import DropletReport, DropletRule


@dataclass(frozen=True)
class DropletControl(Study):
    """What does another model show at the same seed and psi? Answered by a DropletControlAnswer.

    request: the picture to compare with; of it, only seeds, truncation and noise mode mean anything to another model.
    """

    answered_by: ClassVar[str] = "app.diagnostics.droplet_control"
    request: RenderRequest
    model: Model
    rule: DropletRule = field(default_factory=DropletRule)
    map_px: int = 128


@dataclass(frozen=True, eq=False)
class DropletControlAnswer:
    """The other model, what it shows, and its picture at no more than 256 px."""

    model: ModelInfo
    report: DropletReport
    picture: Pixels
