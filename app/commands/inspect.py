"""`inspect`: what is in a file, without building its network."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import click

from app.commands._options import CHECKPOINT


@click.command()
@click.argument("checkpoint", type=CHECKPOINT)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def inspect(checkpoint: Path, as_json: bool) -> None:
    """Family, format, sizes and layer table of a checkpoint; what was ignored."""
    from networks.checkpoint.load import read_checkpoint

    facts = describe(read_checkpoint(checkpoint))
    click.echo(json.dumps(facts, indent=1) if as_json else as_text(facts))


def describe(checkpoint: Any) -> dict[str, Any]:
    """Checkpoint -> facts. The layer table comes from an empty skeleton on torch's meta device: no weight is made."""
    import torch

    from networks import registry

    family = registry.get(checkpoint.family)
    with torch.device("meta"):
        skeleton = family.build(checkpoint.spec)
    wanted, spec = skeleton.state_dict(), dataclasses.asdict(checkpoint.spec)
    return {
        "file": str(checkpoint.path),
        "sha256": checkpoint.sha256,
        "family": checkpoint.family,
        "title": family.title,
        "format": checkpoint.format,
        "resolution": list(skeleton.resolution),
        "img_channels": skeleton.spec.img_channels,
        "z_dim": skeleton.z_dim,
        "c_dim": skeleton.c_dim,
        "w_dim": skeleton.w_dim,
        "num_ws": skeleton.num_ws,
        "condition": skeleton.condition if skeleton.c_dim > 0 else "none",
        "transform": skeleton.has_transform,
        "preview_sizes": list(skeleton.preview_sizes),
        "parameters": sum(parameter.numel() for parameter in skeleton.parameters()),
        "w_avg_known": checkpoint.w_avg_known,
        "spec": spec,
        "layers": [dataclasses.asdict(layer) for layer in skeleton.layers],
        "missing": [key for key in wanted if key not in checkpoint.state],
        "ignored": [*checkpoint.ignored, *sorted(set(checkpoint.state) - set(wanted))],
        "notes": list(checkpoint.notes),
    }


def as_text(facts: dict[str, Any]) -> str:
    """Facts -> lines for people."""
    height, width = facts["resolution"]
    lines = [
        f"{Path(facts['file']).name}: {facts['title']}, {width}x{height}, {facts['img_channels']} channels",
        f"format      {facts['format']}",
        f"sha256      {facts['sha256']}",
        f"z, c, w     {facts['z_dim']}, {facts['c_dim']}, {facts['w_dim']}   ws rows {facts['num_ws']}",
        f"condition   {facts['condition']}   transform {'yes' if facts['transform'] else 'no'}",
        f"parameters  {facts['parameters']:,}",
        "",
        f"{'#':>3}  {'layer':<22} {'kind':<8} {'size':>11} {'channels':>8} {'row':>4} {'noise':>5} {'style':>6}",
    ]
    lines += [layer_line(layer) for layer in facts["layers"]]
    for name in ("missing", "ignored", "notes"):
        lines += ["", *wrapped(name, facts[name])] if facts[name] else []
    return "\n".join(lines)


def layer_line(layer: dict[str, Any]) -> str:
    """One row of the layer table; size is height x width of the output in pixels."""
    size = "x".join(map(str, layer["size"]))
    row = "-" if layer["w_index"] is None else layer["w_index"]
    noise = "yes" if layer["has_noise"] else "-"
    return (
        f"{layer['index']:>3}  {layer['name']:<22} {layer['kind']:<8} {size:>11} {layer['channels']:>8}"
        f" {row:>4} {noise:>5} {layer['style_dim'] or '-':>6}"
    )


def wrapped(name: str, values: list[str], limit: int = 12) -> list[str]:
    """A heading and at most `limit` values, one per line."""
    more = [f"  ... and {len(values) - limit} more"] if len(values) > limit else []
    return [f"{name}:", *(f"  {value}" for value in values[:limit]), *more]
