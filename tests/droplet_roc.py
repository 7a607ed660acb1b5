"""How well planted droplets are told from networks that have none, over their strength, place and layer.

    python -m tests.droplet_roc

measures some hundred pictures (minutes) and writes the tables into docs/droplets.md. tests/app/diagnostics/
test_droplets_roc.py runs a short version of the same functions.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from app.diagnostics.droplets import MeasuringTaps, report
from app.studies.droplets import DropletReport, DropletRule
from networks import registry
from networks.base import Generator
from networks.checkpoint.load import load
from networks.stylegan2 import StyleGAN2Spec
from tests.planted import MARGIN, Plant, plant, random_stylegan1

ROOT = Path(__file__).parents[1]
DOCUMENT = ROOT / "docs" / "droplets.md"
BUNDLED = ROOT / "assets" / "models" / "emoji-stylegan2" / "emoji-stylegan2.safetensors"
RULE = DropletRule()
FRESH = 100  # networks from this number on were not looked at when the thresholds were set
STRENGTHS = (2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0, 24.0, 32.0)
LAYERS = {128: ("b32.conv1", "b64.conv0", "b64.conv1"), 256: ("b64.conv1", "b128.conv0", "b128.conv1")}


@dataclass(frozen=True, eq=False)
class Picture:
    """One measured picture. strength: planted, in standard deviations, 0 for none; place: where."""

    group: str
    strength: float
    report: DropletReport
    place: tuple[float, float] = (0.5, 0.5)
    layer: str = ""

    @property
    def error(self) -> float:
        """Distance of the found from the planted place in picture widths; nan where nothing was found."""
        spot = self.report.verdict.spot
        return math.dist(spot, self.place) if spot is not None else math.nan


def look(generator: Generator, w: Tensor, rule: DropletRule = RULE) -> DropletReport:
    """Draw and measure w [1, w_dim]."""
    taps = MeasuringTaps(generator, rule, map_px=1)
    with torch.inference_mode():
        generator.synthesize(w[:, None].repeat(1, generator.num_ws, 1), taps)
    return report(taps.rows, rule, generator.resolution)


def draw(generator: Generator, count: int, seed: int) -> Tensor:
    """w [count, w_dim]."""
    z = torch.from_numpy(np.random.RandomState(seed).randn(count, generator.z_dim)).float()
    with torch.inference_mode():
        return generator.mapping(z)


def planted(
    networks: Sequence[int], strengths: Sequence[float], places: int, seeds: int, size: int = 128, **kwargs: int
) -> Iterator[Picture]:
    """Each strength in each network, at drawn places and in drawn layers, each seen by several latents."""
    stream = np.random.RandomState(1)
    for number in networks:
        source = random_stylegan1(number, size, **kwargs)
        for strength in strengths:
            for _ in range(places):
                x, y = stream.uniform(MARGIN, 1 - MARGIN, 2)
                layer = LAYERS[size][stream.randint(len(LAYERS[size]))]
                generator = plant(source, Plant(strength, (x, y), layer)).generator
                for w in draw(generator, seeds, int(stream.randint(1 << 30))):
                    yield Picture("planted", strength, look(generator, w[None]), (x, y), layer)


def clean(group: str, generator: Generator, seeds: int, seed: int = 0) -> Iterator[Picture]:
    """Latents of a network without a droplet."""
    for w in draw(generator, seeds, seed):
        yield Picture(group, 0.0, look(generator, w[None]))


def random_stylegan2(seed: int, size: int = 128) -> Generator:
    """A StyleGAN2 with drawn weights and a little noise."""
    levels = int(math.log2(size)) - 1
    spec = StyleGAN2Spec(
        z_dim=32, c_dim=0, w_dim=32, resolution=(size, size), img_channels=3,
        channels=tuple(min(48, 4096 >> (level + 2)) for level in range(levels)), mapping_features=(32,) * 4,
    )  # fmt: skip
    generator = registry.get("stylegan2").build(spec)
    generator.init_weights(seed)
    stream = torch.Generator().manual_seed(seed)
    for name, parameter in generator.named_parameters():
        if name.endswith("noise_strength"):
            parameter.data.normal_(std=0.2, generator=stream)
    return generator


def auc(with_: Sequence[float], without: Sequence[float]) -> float:
    """Area under the ROC curve: the chance that one with a droplet scores above one without (ties count half)."""
    a, b = np.asarray(with_)[:, None], np.asarray(without)[None]
    return float((a > b).mean() + 0.5 * (a == b).mean())


def scores(pictures: Sequence[Picture]) -> list[float]:
    """The strength that the detector gives each."""
    return [picture.report.verdict.strength for picture in pictures]


def wilson(hits: int, count: int) -> float:
    """Upper end of the 95 % interval of a share (Wilson 1927)."""
    z, share = 1.96, hits / count
    middle = share + z * z / (2 * count)
    return (middle + z * math.sqrt(share * (1 - share) / count + z * z / (4 * count**2))) / (1 + z * z / count)


def roc_table(pictures: Sequence[Picture], without: Sequence[Picture]) -> list[str]:
    """One row per strength: AUC against all pictures without, share found, error of the place."""
    lines = ["| strength | pictures | AUC | found | median strength found | place: median error | largest |"]
    lines.append("|---|---|---|---|---|---|---|")
    for strength in sorted({picture.strength for picture in pictures}):
        group = [picture for picture in pictures if picture.strength == strength]
        errors = [picture.error for picture in group if picture.report.verdict.flag]
        place = f"{np.median(errors):.1%} | {max(errors):.1%}" if errors else "- | -"
        lines.append(
            f"| {strength:g} sigma | {len(group)} | {auc(scores(group), scores(without)):.3f} | "
            f"{len(errors) / len(group):.0%} | {np.median(scores(group)):.1f} x | {place} |"
        )
    return lines


def alarm_table(pictures: Sequence[Picture]) -> list[str]:
    """One row per group of networks without a droplet: false alarms, with the upper end of their interval."""
    lines = ["| networks without a droplet | pictures | false alarms | at most (95 %) | largest strength |"]
    lines.append("|---|---|---|---|---|")
    for group in dict.fromkeys(picture.group for picture in pictures):
        mine = [picture for picture in pictures if picture.group == group]
        alarms = sum(picture.report.verdict.flag for picture in mine)
        lines.append(
            f"| {group} | {len(mine)} | {alarms} | {wilson(alarms, len(mine)):.1%} | {max(scores(mine)):.1f} x |"
        )
    return lines


def without_droplets() -> Iterator[Picture]:
    """All that the full table looks at."""
    for number in range(FRESH, FRESH + 10):
        yield from clean("StyleGAN, drawn weights, 128 px (10 networks)", random_stylegan1(number), 20, number)
    for number in range(FRESH, FRESH + 5):
        yield from clean("StyleGAN, drawn weights, 256 px (5 networks)", random_stylegan1(number, 256), 40, number)
    for number in range(FRESH, FRESH + 8):
        yield from clean("StyleGAN2, drawn weights, 128 px (8 networks)", random_stylegan2(number), 25, number)
    yield from clean("StyleGAN2, the bundled model, 64 px", load(BUNDLED)[0], 300, FRESH)


def write(name: str, lines: Sequence[str], document: str) -> str:
    """The document with a table put between its two marks."""
    table = "\n".join(lines)
    marks = f"<!-- {name} -->", f"<!-- end of {name} -->"
    text, count = re.subn(f"{marks[0]}.*?{marks[1]}", f"{marks[0]}\n{table}\n{marks[1]}", document, flags=re.DOTALL)
    if count != 1:
        raise ValueError(f"{DOCUMENT.name} needs one {marks[0]} and {marks[1]}")
    return text


def main() -> None:
    torch.set_num_threads(1)
    without = list(without_droplets())
    sys.stdout.write("\n".join(alarm_table(without)) + "\n")
    found = [
        *planted(range(FRESH, FRESH + 4), STRENGTHS, 4, 3),
        *planted((FRESH,), STRENGTHS, 3, 3, size=256),
    ]
    sys.stdout.write("\n".join(roc_table(found, without)) + "\n")
    text = write("roc", roc_table(found, without), DOCUMENT.read_text(encoding="utf-8"))
    DOCUMENT.write_text(write("false alarms", alarm_table(without), text), encoding="utf-8")


if __name__ == "__main__":
    main()
