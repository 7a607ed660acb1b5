"""Measured numbers with their intervals, for people and for JSON; and where reports are written."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from app.errors import WriteError
from app.studies.estimate import Estimate


def shown(estimate: Estimate | None, digits: int = 2, signed: bool = False) -> str:
    """'0.52 ± 0.03'; without what is not known; '-' where there is no number."""
    if estimate is None or math.isnan(estimate.value):
        return "-"
    value = f"{estimate.value:{'+' if signed else ''}.{digits}f}"
    return f"{value} ± {estimate.half_width:.{digits}f}" if math.isfinite(estimate.half_width) else value


def plain(estimate: Estimate | None) -> dict[str, float | None] | None:
    """For JSON, which has no infinity: value, low, high, and null for what is infinite or not known."""
    if estimate is None:
        return None
    parts = {"value": estimate.value, "low": estimate.low, "high": estimate.high}
    return {name: number if math.isfinite(number) else None for name, number in parts.items()}


def write_json(path: Path, document: dict[str, Any]) -> None:
    """Write a report; raises WriteError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise WriteError(f"{path}: writing failed, {error.strerror or error}") from error


def table(rows: list[list[str]]) -> list[str]:
    """Rows (the first is the head) -> lines with aligned columns: the first to the left, numbers to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        lines.append("  ".join(cells).rstrip())
    return lines
