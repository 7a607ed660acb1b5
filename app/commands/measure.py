"""`measure`: contributions of the resolutions, power spectrum, what noise changes, path lengths, without a screen."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from app.commands._estimates import table, write_json
from app.commands._options import CHECKPOINT, MAX_SEED, check_applies, request_options, to_request, truncation
from app.request import Latent
from app.studies import Update
from app.studies import contributions as shares
from app.studies import noise_study as noise
from app.studies import path_length as lengths
from app.studies import spectrum as spectra

if TYPE_CHECKING:
    from app.renderer import Renderer

KINDS = ("contributions", "spectrum", "noise", "path-length")
COUNTS = {"contributions": 1024, "spectrum": 100, "noise": 16, "path-length": 256}
Result = tuple[dict[str, Any], list[list[str]]]  # for JSON, and the rows of a table


@click.command()
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("checkpoint", type=CHECKPOINT)
@click.option("--count", type=click.IntRange(1, 1_000_000), help="Latents, or draws of the noise. [1024; 100; 16; 256]")
@click.option("--seed", type=click.IntRange(0, MAX_SEED), default=0, show_default=True,
              help="The first latent; for noise the only one.")  # fmt: skip
@click.option("--beta", type=click.FloatRange(min=0), default=spectra.BETA, show_default=True,
              help="Shape of the spectrum's Kaiser window.")  # fmt: skip
@click.option("--draws", type=click.IntRange(1, 1000), default=4, show_default=True,
              help="Draws of y for each latent of path-length.")  # fmt: skip
@request_options
@click.option("--json", "out", type=click.Path(dir_okay=False, path_type=Path), help="Write all numbers there.")
def measure(
    kind: str,
    checkpoint: Path,
    count: int | None,
    seed: int,
    beta: float,
    draws: int,
    out: Path | None,
    **options: Any,
) -> None:
    """Measure over many pictures; KIND is one of

    \b
    contributions: the share of each resolution's to-RGB (Karras et al. 2020, Fig. 8);
    spectrum: the average power spectrum (avg_spectra.py of StyleGAN3);
    noise: the spread of the pixels when noise is drawn anew, layer by layer;
    path-length: ||J^T y|| of many latents (Karras et al. 2020, Eq. 4).

    docs/measurements.md has the formulas.
    """
    from app.renderer import Renderer

    renderer = Renderer()
    request = to_request(checkpoint, options)
    info = renderer.open(request).info
    check_applies(options, info)
    request = replace(request, truncation=truncation(options, info), latent=Latent(((seed, 1.0),)))
    number = count or COUNTS[kind]
    if kind == "contributions":
        document, rows = _contributions(renderer, shares.ContributionShares(request, number, seed))
    elif kind == "spectrum":
        document, rows = _spectrum(renderer, spectra.AverageSpectrum(request, number, seed, beta))
    elif kind == "path-length":
        document, rows = _lengths(renderer, lengths.PathLengths(request, seed, number, draws))
    else:
        document, rows = _noise(renderer, noise.NoiseSpread(request, number, options["noise_seed"]))
    for line in table(rows):
        click.echo(line)
    if out is not None:
        write_json(out, {"model": info.name, "sha256": info.sha256, **document})
        click.echo(str(out))


def _last(steps: Iterator[Update], label: str) -> Any:
    """Take all steps with a bar; the last answer."""
    answer: Any = None
    with click.progressbar(length=1000, label=label, width=30) as bar:
        for update in steps:
            answer = update.answer
            bar.update(round(1000 * (update.share or 0.0)) - bar.pos)
    return answer


def _contributions(renderer: Renderer, question: shares.ContributionShares) -> Result:
    from app.diagnostics.contributions import run

    answer: shares.SharesAnswer = _last(run(question, renderer), "contributions")
    rows = [["to-RGB", "share %", "std % of range"]]
    for (height, width), share, std in zip(answer.sizes, answer.share, answer.std, strict=True):
        rows.append([f"{width} x {height}", f"{share:.2f}", f"{std:.2f}"])
    return shares.as_json(answer, question), rows


def _spectrum(renderer: Renderer, question: spectra.AverageSpectrum) -> Result:
    from app.diagnostics.spectrum import run

    answer: spectra.Spectrum = _last(run(question, renderer), "spectrum")
    rows = [["cycles / width", *(f"{words} dB" for words in ("0 deg", "45 deg", "radial"))]]
    end = answer.size[1] // 2
    for cycles in (0, *(1 << power for power in range(end.bit_length()) if 1 << power <= end)):
        rows.append([str(cycles), *(f"{_at(answer.curve(name), cycles):.1f}" for name in spectra.CURVES)])
    return spectra.as_json(answer, question.request, question), rows


def _at(curve: spectra.Curve, cycles: float) -> float:
    """Power at the nearest frequency of a curve."""
    return float(curve.power_db[abs(curve.frequency - cycles).argmin()])


def _noise(renderer: Renderer, question: noise.NoiseSpread) -> Result:
    from app.diagnostics.noise_study import run

    answer: noise.NoiseAnswer = _last(run(question, renderer), "noise")
    rows = [["noise of", "mean %", "largest %"]]
    rows += [[noise.layer_name(row.layer), f"{row.mean:.3f}", f"{row.largest:.3f}"] for row in answer.rows]
    return noise.as_json(answer, question), rows


def _lengths(renderer: Renderer, question: lengths.PathLengths) -> Result:
    from app.diagnostics.path_length import run

    answer: lengths.Lengths = _last(run(question, renderer), "path length")
    rows = [["||J^T y||", "mean a", "std. error", "E(l - a)^2", "from y %", "5 %", "median", "95 %"]]
    for name, joint in (("rows apart", False), ("one w", True)):
        found = lengths.summary(answer.joint if joint else answer.rows)
        tails = np.quantile(answer.points(joint), (0.05, 0.5, 0.95))
        from_y = 100 * found.within / found.penalty if found.penalty else math.nan
        numbers = (found.mean, found.error, found.penalty)
        rows.append(
            [name, *(_number(each) for each in numbers), _number(from_y, 3), *(_number(each) for each in tails)]
        )
    by_row = np.sqrt(np.square(answer.by_row).mean(axis=0))
    rows += [[f"row {row} of ws, rms", _number(length), *[""] * 6] for row, length in enumerate(by_row.tolist())]
    return lengths.as_json(answer, question), rows


def _number(value: float, figures: int = 4) -> str:
    return "-" if math.isnan(value) else f"{value:.{figures}g}"
