"""Photo, projection and difference side by side with the curve of the distance: a figure, as PNG. No torch, no GUI."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from app.diagnostics.droplets_sheet import BACKGROUND, EDGE, GAP, MARK, NAME, WORDS, font, paste
from app.frame import Pixels
from app.studies.projection import SPACES, AttributionAnswer, Projecting, ProjectionAnswer

TILE, CURVE, LINE = 300, 150, 20  # px: a picture, the height of a plot, a line of words
WIDE = 3 * TILE + 2 * GAP
PHOTO: tuple[int, int, int] = (255, 196, 77)
OWN: tuple[int, int, int] = (112, 174, 255)
GAIN = 4.0  # of the difference picture


def draw(answer: ProjectionAnswer, question: Projecting, model: str, check: AttributionAnswer | None = None) -> Pixels:
    """The answers to a projection, and to an attribution check where there was one -> RGBA."""
    best = answer.best
    top = EDGE + 62
    plots = top + TILE + LINE + 34
    height = plots + CURVE + 28 + (0 if check is None else 90) + EDGE
    image = Image.new("RGB", (WIDE + 2 * EDGE, height), BACKGROUND)
    pen = ImageDraw.Draw(image)
    space = SPACES[question.settings.space]
    pen.text((EDGE, EDGE - 4), f"Projection into {space} of {model}", NAME, font(22, True))
    ratio = float(answer.distances[0]) / max(best.distance, 1e-12)
    words = f"{len(answer.distances)} steps; {answer.distance_name}: {best.distance:.4f} at step {best.step + 1}"
    pen.text((EDGE, EDGE + 27), f"{words}, {ratio:.1f} x closer than the mean of w", WORDS, font(14))
    pictures = (
        ("photo", "", answer.photo),
        ("projection", f"PSNR {best.psnr_db:.1f} dB", best.picture),
        (f"|difference| x {GAIN:g}", "", difference(answer.photo, best.picture)),
    )
    for place, (name, right, pixels) in enumerate(pictures):
        left = EDGE + place * (TILE + GAP)
        paste(image, on_grey(pixels), (left, top), TILE)
        pen.text((left, top + TILE + 6), name, NAME, font(14, True))
        pen.text((left + TILE, top + TILE + 6), right, WORDS, font(14), anchor="ra")
    curve(pen, answer.distances, best.step, (EDGE, plots, EDGE + WIDE, plots + CURVE))
    if check is not None and check.given is not None:
        dots(pen, check, (EDGE, plots + CURVE + 62, EDGE + WIDE, plots + CURVE + 96))
    return np.asarray(image.convert("RGBA"))


def on_grey(pixels: Pixels) -> Image.Image:
    """RGBA laid on middle grey."""
    picture = Image.fromarray(pixels)
    ground = Image.new("RGBA", picture.size, (128, 128, 128, 255))
    return Image.alpha_composite(ground, picture).convert("RGB")


def difference(a: Pixels, b: Pixels) -> Pixels:
    """|a - b| times GAIN of each colour on black, RGBA."""
    out = np.full_like(a, 255)
    amount = np.abs(a[..., :3].astype(np.float32) - b[..., :3].astype(np.float32)) * GAIN
    out[..., :3] = np.minimum(amount, 255).astype(np.uint8)
    return out


def curve(pen: ImageDraw.ImageDraw, values: np.ndarray, best: int, box: tuple[int, int, int, int]) -> None:
    """Distance over steps, logarithmic; a ring around the best."""
    left, upper, right, lower = box
    pen.rectangle(box, outline=(52, 56, 64))
    logs = np.log10(np.maximum(values, 1e-12))
    low, high = float(logs.min()), float(logs.max())
    high = max(high, low + 1e-3)
    x = left + 1 + (np.arange(len(values)) / max(1, len(values) - 1)) * (right - left - 2)
    y = lower - 6 - (logs - low) / (high - low) * (lower - upper - 12)
    pen.line(list(zip(x.tolist(), y.tolist(), strict=True)), OWN, 2)
    pen.ellipse((x[best] - 5, y[best] - 5, x[best] + 5, y[best] + 5), outline=MARK, width=2)
    pen.text((right - 8, upper + 6), f"distance, logarithmic: {10**high:.3g} to {10**low:.3g}", WORDS, font(13), "ra")
    pen.text((left, lower + 5), "step 1", WORDS, font(13))
    pen.text((right, lower + 5), f"step {len(values)}", WORDS, font(13), "ra")


def dots(pen: ImageDraw.ImageDraw, check: AttributionAnswer, box: tuple[int, int, int, int]) -> None:
    """Own distances as dots and the photo's as a line, on one logarithmic axis; the verdict above."""
    left, upper, right, lower = box
    assert check.given is not None
    values = np.log10(np.maximum([*check.own.tolist(), check.given], 1e-12))
    low, high = float(values.min()) - 0.05, float(values.max()) + 0.05
    x = left + (values - low) / (high - low) * (right - left)
    pen.rectangle(box, outline=(52, 56, 64))
    middle = (upper + lower) / 2
    for place in x[:-1]:
        pen.ellipse((place - 4, middle - 4, place + 4, middle + 4), outline=OWN, width=2)
    pen.line((x[-1], upper - 4, x[-1], lower + 4), PHOTO, 3)
    pen.text((left, upper - 24), check.verdict, NAME, font(14, True))
    middle_words = f"distance of {len(check.own)} own pictures (psi {check.psi:g}), and of the photo"
    words = ((0.0, f"{10**low:.3g}", "la"), (0.5, middle_words, "ma"), (1.0, f"{10**high:.3g}", "ra"))
    for share, text, anchor in words:
        pen.text((left + share * (right - left), lower + 6), text, WORDS, font(13), anchor)
