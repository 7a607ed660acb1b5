"""The rows of ws by what they style: coarse, middle and fine. No torch."""

from __future__ import annotations

from networks.plan import LayerInfo

COARSE, MIDDLE = 8, 32  # pixels: rows up to 8² are coarse, up to 32² middle (Karras et al. 2019, section 3.1)


def groups(layers: tuple[LayerInfo, ...], num_ws: int) -> dict[str, range]:
    """Coarse, middle and fine rows of ws by the resolution they style; by thirds where none is coarse (StyleGAN3)."""
    sides: list[float] = []
    for number in range(num_ws):
        styled = [layer for layer in layers if layer.w_index == number]
        own = [layer for layer in styled if layer.kind != "torgb"] or styled  # a to-RGB borrows the next block's row
        sides.append(min((layer.sampling_rate or max(layer.size) for layer in own), default=sides[-1] if sides else 0))
    coarse = sum(side <= COARSE for side in sides)
    middle = sum(side <= MIDDLE for side in sides)
    if not 0 < coarse < num_ws or sides != sorted(sides):
        coarse, middle = max(1, num_ws // 3), max(2, 2 * num_ws // 3)
    parts = {"coarse": range(coarse), "middle": range(coarse, middle), "fine": range(middle, num_ws)}
    return {name: rows for name, rows in parts.items() if rows}
