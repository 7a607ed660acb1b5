"""Loss curves as a PNG: one small chart per quantity, drawn with Pillow."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw

CHART = (360, 180)  # pixels, with the frame
MARGIN = (52, 24, 10, 26)  # left, top, right, bottom
INK, GRID, PAPER, LINE = (40, 40, 46), (220, 220, 226), (255, 255, 255), (44, 100, 190)
TITLES = {
    "d_loss": "discriminator loss",
    "g_loss": "generator loss",
    "real_sign": "mean sign of D on training pictures",
    "fake_sign": "mean sign of D on made pictures",
    "r1": "R1: mean squared gradient norm",
    "path_length": "mean path length",
}


def draw_curves(rows: Sequence[dict[str, float]]) -> Image.Image:
    """Rows of loss.csv -> a sheet of charts over thousands of pictures seen, two per line."""
    names = [name for name in TITLES if any(name in row for row in rows)]
    lines = -(-len(names) // 2)
    sheet = Image.new("RGB", (2 * CHART[0], max(lines, 1) * CHART[1]), PAPER)
    for place, name in enumerate(names):
        points = [(row["kimg"], row[name]) for row in rows if name in row]
        sheet.paste(_chart(TITLES[name], points), ((place % 2) * CHART[0], place // 2 * CHART[1]))
    return sheet


def _chart(title: str, points: Sequence[tuple[float, float]]) -> Image.Image:
    chart = Image.new("RGB", CHART, PAPER)
    pen = ImageDraw.Draw(chart)
    left, top, right, bottom = MARGIN[0], MARGIN[1], CHART[0] - MARGIN[2], CHART[1] - MARGIN[3]
    x_max = max(x for x, _ in points) or 1.0
    low, high = min(y for _, y in points), max(y for _, y in points)
    high = high if high > low else low + 1.0
    pen.text((left, 6), title, fill=INK)
    for share in (0.0, 0.5, 1.0):
        y = bottom - share * (bottom - top)
        pen.line([(left, y), (right, y)], fill=GRID)
        pen.text((4, y - 6), f"{low + share * (high - low):.3g}", fill=INK)
        x = left + share * (right - left)
        pen.text((x - 10, bottom + 6), f"{share * x_max:.3g}", fill=INK)
    pen.text((right - 28, top - 14), "kimg", fill=INK)
    placed = [
        (left + x / x_max * (right - left), bottom - (y - low) / (high - low) * (bottom - top)) for x, y in points
    ]
    pen.line(placed, fill=LINE, width=1)
    return chart
