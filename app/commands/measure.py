"""`measure`: contributions of the resolutions, power spectrum, or what the noise changes, without a screen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.commands._estimates import table, write_json
from app.commands._options import CHECKPOINT, MAX_SEED, check_applies, request_options, to_request, truncation
from app.request import Latent
from app.studies import Update
from app.studies import contributions as shares
from app.studies import noise_study as noise
from app.studies import spectrum as spectra

if TYPE_CHECKING:
    from app.renderer import Renderer

KINDS = ("contributions", "spectrum", "noise")
COUNTS = {"contributions": 1024, "spectrum": 100, "noise": 16}
Result = tuple[dict[str, Any], list[list[str]]]  # for JSON, and the rows of a table


@click.command()
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("checkpoint", type=CHECKPOINT)
@click.option("--count", type=click.IntRange(1, 1_000_000), help="Latents, or draws of the noise. [1024; 100; 16]")
@click.option("--seed", type=click.IntRange(0, MAX_SEED), default=0, show_default=True,
              help="The first latent; for noise the only one.")  # fmt: skip
@click.option("--beta", type=click.FloatRange(min=0), default=spectra.BETA, show_default=True,
              help="Shape of the spectrum's Kaiser window.")  # fmt: skip
@request_options
@click.option("--json", "out", type=click.Path(dir_okay=False, path_type=Path), help="Write all numbers there.")
def measure(
    kind: str, checkpoint: Path, count: int | None, seed: int, beta: float, out: Path | None, **options: Any
) -> None:
    """Measure over many pictures; KIND is one of

    \b
    contributions: the share of each resolution's to-RGB (Karras et al. 2020, Fig. 8);
    spectrum: the average power spectrum (avg_spectra.py of StyleGAN3);
    noise: the spread of the pixels when noise is drawn anew, layer by layer.

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
