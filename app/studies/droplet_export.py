"""Writing what a search for droplets found, as the `droplets` command does. No torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from app.request import RenderRequest
from app.studies import Study
from app.studies.droplets import DropletRule, SeedDroplet


@dataclass(frozen=True)
class DropletExport(Study):
    """Write these rows of a search to a CSV file; answered by a sentence.

    request: that of the search; its model and settings stand in every row, so that rows are never mixed up.
    """

    answered_by: ClassVar[str] = "app.diagnostics.droplet_export"
    request: RenderRequest
    rows: tuple[SeedDroplet, ...]
    path: str
    rule: DropletRule = field(default_factory=DropletRule)
