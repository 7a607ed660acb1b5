"""Rows of a search -> the `droplets` command's CSV (app/studies/droplet_export.py)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from app.diagnostics.droplets_files import CsvTable, Row, heading
from app.renderer import Renderer
from app.studies import Update
from app.studies.droplet_export import DropletExport


def run(question: DropletExport, renderer: Renderer) -> Iterator[Update]:
    """One step. A file of the same model and settings is continued; raises InputError for any other, and WriteError."""
    info = renderer.open(question.request).info
    path = Path(question.path).expanduser()
    table = CsvTable(path, heading(question.request, question.rule, info.name, info.sha256))
    try:
        new = [row for row in question.rows if row.seed not in table.seeds]
        for row in new:
            table.add(Row(row))
    finally:
        table.close()
    there = len(question.rows) - len(new)
    sentence = f"{len(new)} seeds written to {path}" + (f"; {there} were there already." if there else ".")
    yield Update(1.0, sentence, sentence)
