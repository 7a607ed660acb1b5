"""What can be done to feature maps, in words: names, sentences, amounts, lists of maps. No GUI in here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from networks.plan import DISC_OPS, NORM_OPS, PRE_NORM, Disc, EditOp, Intervention, LayerInfo

Amount = Literal["none", "factor", "summand", "bound", "k", "strength"]
NORM_TAKES_IT = "Before the norm this does nothing: the norm takes it away again."


@dataclass(frozen=True)
class Op:
    """An op as the panel offers it. short: in the list."""

    op: EditOp
    name: str
    short: str
    amount: Amount
    sentence: str

    @property
    def for_spikes(self) -> bool:
        """Whether it is meant for a spike, which is strongest before the norm."""
        return self.op in DISC_OPS or self.op in NORM_OPS or self.op == "clamp_mad"


OPS: dict[str, Op] = {
    "silence": Op("scale", "silence", "silenced", "none",
        "Every value becomes 0: what the map says is not heard."),
    "scale": Op("scale", "scale", "×", "factor", "Every value times the factor."),
    "shift": Op("shift", "shift", "+", "summand", "Every value plus the summand."),
    "clamp": Op("clamp", "clamp to a bound", "±", "bound", "Values beyond the bound, on both sides of 0, are cut off."),
    "mean": Op("mean", "flatten", "flattened", "strength",
        "Every value becomes the map's mean: its level stays, its pattern goes."),
    "clamp_mad": Op("clamp_mad", "clamp at k MAD", "clamped", "k",
        "Values further than k robust deviations (1.4826 MAD) from the map's median are cut off: a spike loses its "
        "height, wherever it is."),
    "inpaint": Op("inpaint", "in-paint the disc", "in-painted", "strength",
        "The disc is filled smoothly from its rim. Without a spike the map has a smaller sigma, and a norm that "
        "divides by sigma makes all the rest larger: the picture that StyleGAN becomes when its spike is removed."),
    "inpaint_same_norm": Op("inpaint_same_norm", "in-paint, keep mean and sigma", "in-painted, sigma kept", "strength",
        "The disc is filled, but the norm goes on using mean and sigma of the map with its spike: what the spike drew "
        "goes, all the rest stays as it was."),
    "clean_norm": Op("clean_norm", "clean mean and sigma", "sigma cleaned", "strength",
        "The spike stays in the map, but the norm uses mean and sigma of the map without it: what the spike does to "
        "all the rest, alone."),
    "untouched_norm": Op("untouched_norm", "hold mean and sigma", "norm held", "strength",
        "The norm uses the mean and sigma that the map has in the untouched picture. Held in every later layer, no "
        "norm passes on what was changed elsewhere: a change stays where the convolutions carry it."),
    "no_norm": Op("no_norm", "instance norm off", "norm off", "strength",
        "No mean is subtracted and nothing is divided by sigma: the map reaches the style as it is."),
    "only_disc": Op("only_disc", "keep only the spike", "only the spike", "strength",
        "Everything outside of the disc becomes the map's median: the spike alone goes on."),
}  # fmt: skip


def fitting(layer: LayerInfo | None) -> dict[str, str]:
    """The names of the ops that a layer takes, by key."""
    normed = layer is not None and PRE_NORM in layer.stages
    return {key: op.name for key, op in OPS.items() if normed or op.op not in NORM_OPS}


def key_of(edit: Intervention) -> str:
    """The key in OPS under which an intervention is offered."""
    if edit.op == "scale" and edit.value == 0:
        return "silence"
    return next(key for key, op in OPS.items() if op.op == edit.op and key != "silence")


def in_short(edit: Intervention) -> str:
    """What is done: '× 0.5', 'in-painted, 50 %'."""
    op = OPS[key_of(edit)]
    if op.amount == "strength":
        return op.short if edit.value == 1 else f"{op.short}, {100 * edit.value:.0f} %"
    if op.amount == "k":
        return f"{op.short} at {edit.value:g} MAD"
    return op.short if op.amount == "none" else f"{op.short} {edit.value:g}"


def in_one_line(edit: Intervention) -> str:
    """For a line of the list, with the layer."""
    return f"{'from ' if edit.onward else ''}{edit.layer}   {in_short(edit)}"


def in_full(edit: Intervention) -> str:
    """All of an intervention in a few lines."""
    stage = "before the norm" if edit.stage == PRE_NORM else "after the layer"
    later = " and every later layer" if edit.onward else ""
    lines = [f"{edit.layer}{later}, {stage}: {in_short(edit)}", f"maps: {maps_in_words(edit.channels)}"]
    if edit.op in DISC_OPS and edit.disc is not None:
        disc = edit.disc
        lines.append(
            f"disc: x {100 * disc.x:.1f} %, y {100 * disc.y:.1f} %, radius {100 * disc.radius:.1f} % of the height"
        )
    return "\n".join(lines)


@dataclass(frozen=True)
class Recipe:
    """Interventions that together show one thing about a spike. ops: each on the spike's layer and every later one."""

    name: str
    hint: str
    ops: tuple[EditOp, ...]

    def at(self, layer: str, disc: Disc) -> tuple[Intervention, ...]:
        """For a spike that begins in a layer."""
        return tuple(
            Intervention(layer, op, 1.0, None, PRE_NORM, disc if op in DISC_OPS else None, onward=True)
            for op in self.ops
        )


RECIPES = (
    Recipe("Spike out", "In-paint the spike where it begins and in every later layer: each norm measures a smaller "
           "sigma, and the whole picture changes, though only the spike was taken.", ("inpaint",)),
    Recipe("Out, norms held", "The same, but all norms use the mean and sigma of the untouched picture: only the spot "
           "changes. What happened elsewhere before was sigma's doing.", ("inpaint", "untouched_norm")),
    Recipe("Only sigma", "The spike stays, but no norm counts it: what it does through sigma, alone.", ("clean_norm",)),
)  # fmt: skip


def maps_in_words(channels: Sequence[int] | None) -> str:
    """(3, 7, 8, 9) -> '3, 7-9'; None -> 'all'."""
    return "all" if channels is None else ", ".join(runs(channels)) or "none"


def runs(channels: Iterable[int]) -> list[str]:
    """Numbers -> '3' or '7-9' for each run of neighbours, ascending."""
    words: list[list[int]] = []
    for channel in sorted(set(channels)):
        if words and words[-1][-1] == channel - 1:
            words[-1].append(channel)
        else:
            words.append([channel])
    return [str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in words]
