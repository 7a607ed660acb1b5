"""`equivariance`: EQ-T, EQ-T_frac and EQ-R in dB, and where a network loses its equivariance, layer by layer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.commands._estimates import plain, shown, table, write_json
from app.commands._options import CHECKPOINT, Numbers, check_applies, request_options, to_request, truncation
from app.request import to_json
from app.studies.ablations import ABLATIONS, ablation
from app.studies.equivariance import METRICS, PUBLISHED, Equivariance, EquivarianceAnswer, Metric
from app.studies.layer_probe import LayerProbe, ProbeAnswer

if TYPE_CHECKING:
    from app.frame import ModelInfo
    from app.renderer import Renderer

NAMES = {"eqt": "EQ-T", "eqt_frac": "EQ-T_frac", "eqr": "EQ-R"}
LAYERS = "layers"
CHOICES = (*METRICS, LAYERS)


class Metrics(click.ParamType[tuple[str, ...]]):
    """'eqt,eqr' -> ('eqt', 'eqr')."""

    name = ",".join(CHOICES)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        names = tuple(dict.fromkeys(part.strip() for part in str(value).split(",")))
        if unknown := [name for name in names if name not in CHOICES]:
            self.fail(f"{unknown[0]!r} is no metric; there are {', '.join(CHOICES)}", param, ctx)
        return names


@click.command()
@click.argument("checkpoint", type=CHECKPOINT)
@click.option("--metric", "names", type=Metrics(), show_default="the first three; layers where they do not apply",
              help="What to measure; layers: the probe that works for every family.")  # fmt: skip
@click.option("--samples", type=click.IntRange(1, 1_000_000), default=64, show_default=True, help="Seeds to average.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="The first seed.")
@click.option("--probe-seeds", type=Numbers(256), default="0-3", show_default=True, help="Pictures of the layer probe.")
@click.option("--noise-follows", is_flag=True, help="Shift noise maps with the content (no rotations).")
@click.option("--ablation", "change", type=click.Choice([item.name for item in ABLATIONS]), default="none",
              show_default=True, help="Take one suspect away.")  # fmt: skip
@request_options
@click.option("--json", "out", type=click.Path(dir_okay=False, path_type=Path), help="Write all numbers there.")
def equivariance(
    checkpoint: Path, names: tuple[str, ...] | None, samples: int, seed: int, probe_seeds: tuple[int, ...],
    noise_follows: bool, change: str, out: Path | None, **options: Any,
) -> None:  # fmt: skip
    """Measure how exactly the picture follows its moved input, in dB (higher is better).

    Published for FFHQ-U 256, EQ-T / EQ-R: StyleGAN2 with Fourier input 15.9 / 10.8, StyleGAN3-T 61.7 / 14.0,
    StyleGAN3-R 64.8 / 47.6. docs/sticking.md says more.
    """
    from app.errors import InputError
    from app.renderer import Renderer

    renderer = Renderer()
    request = to_request(checkpoint, options)
    info = renderer.open(request).info
    check_applies(options, info)
    if refused := ablation(change).refusal(info):
        raise InputError(f"{info.name}: --ablation {change} changes nothing, {refused}")
    request = ablation(change)(replace(request, truncation=truncation(options, info)))
    names = names or (METRICS if info.has_transform else (LAYERS,))
    metrics: tuple[Metric, ...] = tuple(name for name in METRICS if name in names)
    document: dict[str, Any] = {
        "kind": "stylescope-equivariance", "version": 1, "checkpoint": info.path, "sha256": info.sha256,
        "family": info.family, "resolution": list(info.resolution), "device": info.device, "ablation": change,
        "request": to_json(request),
    }  # fmt: skip
    if metrics:
        question = Equivariance(request, metrics, samples, seed, noise_follows=noise_follows)
        document |= measured(renderer, info, question)
    if LAYERS in names:
        document |= probed(renderer, LayerProbe(request, seeds=probe_seeds, noise_follows=noise_follows))
    if out is not None:
        write_json(out, document)
        click.echo(f"numbers: {out}")


def measured(renderer: Renderer, info: ModelInfo, question: Equivariance) -> dict[str, Any]:
    """Run the metrics under a bar, print the table, return it for JSON."""
    from app.diagnostics import equivariance as study

    answer: EquivarianceAnswer | None = None
    with click.progressbar(
        length=question.samples, label=info.name, show_pos=True, width=24, item_show_func=running
    ) as bar:
        for update in study.run(question, renderer):
            before = 0 if answer is None else answer.samples
            answer = update.answer
            bar.update(answer.samples - before, answer)
    assert answer is not None
    rows = [["metric", "dB", *(f"config {name}" for name in PUBLISHED)]]
    for part in answer.metrics:
        known = {"eqt": 0, "eqr": 1}.get(part.metric)
        published = ["-" if known is None else f"{values[known]:.1f}" for values in PUBLISHED.values()]
        rows.append([NAMES[part.metric], shown(part.db), *published])
    notes = [f"{answer.samples} samples; ± is the 95 % interval over samples; configs as published for FFHQ-U 256"]
    click.echo("\n".join([*table(rows), *notes]))
    return {
        "samples": answer.samples,
        "seed": question.seed,
        "translate_max": question.translate_max,
        "rotate_max_deg": question.rotate_max_deg,
        "noise_follows": question.noise_follows,
        "metrics": {part.metric: plain(part.db) for part in answer.metrics},
    }


def running(answer: EquivarianceAnswer | None) -> str:
    """'EQ-T 61.70  EQ-R 14.02 dB'."""
    if answer is None:
        return ""
    known = [f"{NAMES[part.metric]} {part.db.value:.2f}" for part in answer.metrics if part.db is not None]
    return "  ".join(known) + " dB"


def probed(renderer: Renderer, question: LayerProbe) -> dict[str, Any]:
    """Run the layer probe under a bar, print the table, return it for JSON."""
    from app.diagnostics import layer_probe as study

    answer: ProbeAnswer | None = None
    with click.progressbar(length=1000, label="layers", width=24, show_percent=True) as bar:
        done = 0
        for update in study.run(question, renderer):
            answer = update.answer
            bar.update(round(1000 * (update.share or 0)) - done)
            done = round(1000 * (update.share or 0))
    assert answer is not None
    rows = [["moved behind", "size", "by px", "dB", "stuck"]]
    for layer in answer.layers:
        size = f"{layer.size[1]}x{layer.size[0]}"
        rows.append([layer.name, size, f"{layer.moved_px:g}", shown(layer.db), shown(layer.stuck)])
    notes = [f"{answer.pictures} pictures; state shifted by {question.shift:g} samples along both axes",
             "stuck: error over that of a picture that stands still; ± is the 95 % interval over pictures"]  # fmt: skip
    click.echo("\n".join([*table(rows), *notes]))
    layers = [
        {"name": layer.name, "size": list(layer.size), "moved_px": layer.moved_px, "db": plain(layer.db),
         "stuck": plain(layer.stuck)} for layer in answer.layers
    ]  # fmt: skip
    return {"probe": {"shift": question.shift, "seeds": list(question.seeds), "layers": layers}}
