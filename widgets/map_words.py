"""What the layers panel says about maps, in words. No GUI in here."""

from __future__ import annotations

from app.frame import LayerView
from widgets.map_cursor import PAGE, MapCursor, is_sheet

SORTS = {
    "index": "by number",
    "variance": "by variance",
    "energy": "by energy",
    "droplet": "by droplet score",
    "response": "by response to edits",
}
SCORES = {"variance": "variance", "energy": "energy", "droplet": "droplet score", "response": "response to the edits"}


def headline(view: LayerView, cursor: MapCursor) -> str:
    """What is shown, in a line."""
    if view.mode == "pca":
        shares = " + ".join(f"{share * 100:.0f}" for share in view.explained)
        return f"{view.layer}: PCA, {shares} %"
    if view.mode == "rgb":
        return f"{view.layer}: maps " + ", ".join(map(str, view.order)) + " as RGB"
    if view.channel is not None:
        return f"{view.layer}: map {view.channel} of {view.channels}"
    if view.channels <= PAGE:
        return f"{view.layer}: {view.channels} maps"
    return f"{view.layer}: places {view.first}–{view.first + view.count - 1} of {view.channels}"


def tile_words(view: LayerView, channel: int, sort: str = "index") -> str:
    """What is known of one tile of a sheet that is sorted so."""
    lines = [f"map {channel} of {view.channels}"]
    if view.order and view.order[channel] != channel:
        lines[0] += f", place {view.order.index(channel)}"
    of = view.tiles
    if of is not None:
        lines.append(f"mean {of.mean[channel] + 0.0:+.3g}   std {of.std[channel]:.3g}")
        lines.append(f"min {of.minimum[channel] + 0.0:+.3g}   max {of.maximum[channel] + 0.0:+.3g}")
        lines.append(f"kurtosis {of.kurtosis[channel]:.3g}")
        if of.step > 1:
            lines.append(f"from every {of.step}. row and column")
    if view.scores is not None and sort in SCORES:
        lines.append(f"{SCORES[sort]} {view.scores[channel]:.4g}")
    return "\n".join([*lines, "Click: large. Right click: pin."])


def value_words(view: LayerView, x: int, y: int) -> str:
    """The very value under the mouse, with its place in samples of the map."""
    values = view.values
    if is_sheet(view) or values is None:
        return f"x {x} y {y}"
    if values.ndim == 2:
        return f"x {x} y {y}   value {values[y, x] + 0.0:+.6g}"
    return f"x {x} y {y}   " + "  ".join(f"{value + 0.0:+.3g}" for value in values[:, y, x])
