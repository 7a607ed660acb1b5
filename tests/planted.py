"""A StyleGAN whose weights draw a droplet of known strength at a known place: the ground truth of the detector.

    python -m tests.planted OUT.safetensors --strength 16

writes a checkpoint that the app opens. The droplet is made the way a network makes one, by convolutions, biases and
styles, and so passes through instance normalization; nothing is added to maps from outside.

Four channels are added to every layer, which the other channels read only where this is said:

1. From the constant up they carry ramps over x and y and their negatives, u = +-x, +-y, offset by style biases so that
   the zeros around a map, which blurring mixes into its edge, only ever make them smaller.
2. Two layers before the droplet: p = lrelu(u_0 - u), u_0 being the ramp's value at the place. p over both signs sum to
   0.8 |x - x_0|.
3. One layer before: lrelu of t and of -t, where t = 1 - (|x - x_0| + |y - y_0|) / 2 r: a pyramid.
4. The droplet's layer combines them to S = relu(t) = (lrelu(t) + 0.2 lrelu(-t)) / 0.96: the pyramid alone. S is added
   to every other channel, so much that its peak stands `strength` standard deviations above the channel's median.
   One channel carries S on through all later layers, each of which adds it again: droplets are in all feature maps
   from where they begin (Karras et al. 2020, section 2).

With `moves` the style shifts the ramps, so that the place goes with w; with `missing` a share of all w has none.
"""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import NormalDist

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from networks import registry
from networks.checkpoint.load import load
from networks.checkpoint.records import Checkpoint
from networks.checkpoint.safetensors_format import save_checkpoint
from networks.layers import lrelu
from networks.plan import PRE_NORM, Noise
from networks.stylegan1 import AdaINLayer, ConstLayer, ConvLayer, StyleGAN1, StyleGAN1Spec
from networks.taps import Taps

EXTRA = 4
OFFSET = 4.0  # of the ramps, in their standard deviations: edges bend all of them down, so that none has u_0 twice
MARGIN = 0.27  # nearer to an edge the bend begins
CALIBRATION = 8  # latents that the other channels' standard deviations are taken from
SIGNS = (1.0, -1.0)
HIDDEN_AXES = 4  # directions of colour-giving channels that a hidden droplet is taken out of


@dataclass(frozen=True)
class Plant:
    """What is planted: strength in standard deviations of the map, place (x, y) in picture widths and heights, the
    first layer that shows it; moves (x, y): how far one standard deviation of w's direction shifts it; missing: the
    share of latents without it; hidden: faint in the picture, since its to-RGB leaves it out as well as it can."""

    strength: float = 16.0
    place: tuple[float, float] = (0.6, 0.4)
    layer: str = "b64.conv0"
    moves: tuple[float, float] = (0.0, 0.0)
    missing: float = 0.0
    hidden: bool = False


@dataclass(frozen=True, eq=False)
class Planted:
    """The generator, and where its droplet is for a w [N, w_dim]: `place(w)` [N, 2], `has(w)` [N]."""

    generator: StyleGAN1
    plant: Plant
    mean: Tensor  # [w_dim]
    directions: Tensor  # [3, w_dim]: (w - mean) @ direction is N(0, 1) for x, y and for having it

    def place(self, w: Tensor) -> Tensor:
        return torch.tensor(self.plant.place) + self.codes(w)[:, :2] * torch.tensor(self.plant.moves)

    def has(self, w: Tensor) -> Tensor:
        return self.codes(w)[:, 2] > threshold(self.plant.missing)

    def codes(self, w: Tensor) -> Tensor:
        return (w - self.mean) @ self.directions.t()


def threshold(share: float) -> float:
    """The value that a share of a normal distribution lies below."""
    return NormalDist().inv_cdf(share) if share > 0 else -math.inf


def random_stylegan1(
    seed: int = 0, resolution: int = 128, channel_base: int = 4096, channel_max: int = 48, w_dim: int = 32
) -> StyleGAN1:
    """A StyleGAN with drawn weights, and with what training would have changed: a constant that varies, biases, a
    little noise, a mean w."""
    levels = int(math.log2(resolution)) - 1
    spec = StyleGAN1Spec(
        z_dim=w_dim, c_dim=0, w_dim=w_dim, resolution=(resolution, resolution), img_channels=3,
        channels=tuple(min(channel_max, channel_base >> (level + 2)) for level in range(levels)),
        mapping_features=(w_dim,) * 4, default_psi=None, default_cutoff=None,
    )  # fmt: skip
    generator = registry.get("stylegan1").build(spec)
    assert isinstance(generator, StyleGAN1)
    generator.init_weights(seed)
    stream = torch.Generator().manual_seed(seed)
    for name, tensor in generator.synthesis.named_parameters():
        if name.endswith("const"):
            tensor.data.normal_(generator=stream)
        elif name.endswith(("conv0.bias", "conv1.bias")):
            tensor.data.normal_(std=0.2, generator=stream)
        elif name.endswith("noise_strength"):
            tensor.data.normal_(std=0.1, generator=stream)
        elif name.endswith("torgb.weight"):
            tensor.data.mul_(0.4)  # most pixels in range
    generator.mapping.w_avg.copy_(draw_w(generator, 256).mean(dim=0))
    return generator


def draw_w(generator: StyleGAN1, count: int, seed: int = 0) -> Tensor:
    """w [count, w_dim] of drawn z; without classes."""
    z = torch.from_numpy(np.random.RandomState(seed).randn(count, generator.z_dim)).float()
    with torch.inference_mode():
        return generator.mapping(z).clone()


def plant(source: StyleGAN1, asked: Plant = Plant()) -> Planted:
    """A StyleGAN -> the same with a droplet; the source is not changed."""
    generator = widen(source)
    w = draw_w(generator, 1024)
    mean = w.mean(dim=0)
    planter = Planter(generator, asked, mean, directions(w - mean))
    with torch.inference_mode():
        planter.run(torch.cat([mean[None], w[:CALIBRATION]]))
    return Planted(generator, asked, mean, planter.directions)


def directions(w: Tensor) -> Tensor:
    """Centred w [N, w_dim] -> [3, w_dim], the codes w @ d along which are uncorrelated and of unit variance."""
    _, values, axes = torch.linalg.svd(w, full_matrices=False)
    return axes[:3] * (math.sqrt(len(w)) / values[:3, None])


def widen(source: StyleGAN1) -> StyleGAN1:
    """The same network with EXTRA silent channels at the end of each layer: every picture stays what it was."""
    wide = registry.get("stylegan1").build(
        replace(source.spec, channels=tuple(count + EXTRA for count in source.spec.channels))
    )
    assert isinstance(wide, StyleGAN1)
    wide.mapping.load_state_dict(source.mapping.state_dict())
    for (name, module), old in zip(wide.synthesis.named_modules(), source.synthesis.modules(), strict=True):
        for key, tensor in module.named_parameters(recurse=False):
            value = getattr(old, key)
            gain = getattr(old, "weight_gain", 1.0) / getattr(module, "weight_gain", 1.0) if key == "weight" else 1.0
            if name.endswith("affine"):  # rows are scales, then biases
                value = torch.stack(value.chunk(2))
                tensor = tensor.data.view(2, -1, *tensor.shape[1:])
                tensor.zero_()
                tensor[:, : value.shape[1]] = value * gain
            else:
                tensor.data.zero_()
                tensor.data[tuple(slice(size) for size in value.shape)] = value * gain
        for key, buffer in module.named_buffers(recurse=False):
            buffer.copy_(getattr(old, key))
    return wide


class Planter:
    """Walks up the layers; wires each, looking at what reaches it at the mean w (row 0 of every batch)."""

    def __init__(self, generator: StyleGAN1, asked: Plant, mean: Tensor, axes: Tensor) -> None:
        self.generator, self.asked, self.mean, self.directions = generator, asked, mean, axes
        self.layers = [m for m in generator.synthesis.modules() if isinstance(m, AdaINLayer)]
        names = [layer.info.name for layer in self.layers]
        if asked.layer not in names[4:]:
            raise ValueError(f"a droplet can begin in {', '.join(names[4:])}, not in {asked.layer!r}")
        if not all(MARGIN <= share <= 1 - MARGIN for share in asked.place):
            raise ValueError(
                f"a droplet can be at {MARGIN} to {1 - MARGIN} of the width and height, not at {asked.place}"
            )
        self.first = names.index(asked.layer)
        self.radius = max(0.012, 0.75 / self.layers[self.first - 1].info.size[0])  # of the pyramid at half its height
        self.cone: dict[int, float] = {}

    def run(self, w: Tensor) -> None:
        """w [N, w_dim]; the first is the mean."""
        x = w
        stages = {-3: self.shifted_ramps, -2: self.distances, -1: self.pyramid, 0: self.begin}
        for number, layer in enumerate(self.layers):
            step = number - self.first
            stages.get(step, self.ramps if step < 0 else self.carry)(layer, x, w)
            taps = Taps(capture=[(layer.info.name, PRE_NORM)])
            x = layer(x, w, taps, Noise())
            self.spread = taps.captured[layer.info.name, PRE_NORM][0, -EXTRA:].std(dim=(1, 2), correction=0).tolist()
        if self.asked.hidden:
            self.hide(x)

    def ramps(self, layer: AdaINLayer, x: Tensor, w: Tensor) -> None:
        """u = +-x, +-y: made in the constant, handed on by every other layer."""
        if isinstance(layer, ConstLayer):
            H, W = layer.info.size
            rows, columns = torch.meshgrid(torch.linspace(-1, 1, H), torch.linspace(-1, 1, W), indexing="ij")
            layer.const.data[-EXTRA:] = torch.stack([columns, -columns, rows, -rows])
        for channel in range(EXTRA if isinstance(layer, ConvLayer) else 0):
            write(layer, channel, {channel: 1.0})
        layer.bias.data[-EXTRA:] = 2 * OFFSET  # positive: lrelu leaves them alone
        style_rows(layer.affine.bias)[-EXTRA:] = OFFSET

    def shifted_ramps(self, layer: AdaINLayer, x: Tensor, w: Tensor) -> None:
        """The last of them: a ramp that the style lifts by b has its place where it was lower by b."""
        self.ramps(layer, x, w)
        u = before(layer, x[:1], w[:1])[0, -EXTRA:]
        u = u / u.std(dim=(1, 2), correction=0, keepdim=True)
        self.slopes = [self.slope(u[channel], channel // 2) for channel in range(EXTRA)]
        for channel, slope in enumerate(self.slopes):
            axis = channel // 2
            follow(layer, channel, -slope * self.asked.moves[axis] * self.directions[axis], self.mean)

    def slope(self, u: Tensor, axis: int) -> float:
        """Rise of a ramp [H, W] per picture width (axis 0) or height (1), over the middle half."""
        line = u.mean(dim=axis)
        quarter = len(line) // 4
        rise = line[-quarter - 1] - line[quarter]
        return float(rise) / (len(line) - 1 - 2 * quarter) * len(line)

    def distances(self, layer: AdaINLayer, x: Tensor, w: Tensor) -> None:
        """p = lrelu(u_0 - u). Where the droplet can be missing, the style moves one p and so the pyramid's height."""
        for channel in range(EXTRA):
            write(layer, channel, {channel: -1.0})
        layer.bias.data[-EXTRA:] = 0.0
        u = -before(layer, x[:1], w[:1])[0, -EXTRA:]
        for channel in range(EXTRA):
            layer.bias.data[channel - EXTRA] = sample(u[channel], self.asked.place)
        p = lrelu(before(layer, x[:1], w[:1])[0, -EXTRA:], gain=1.0)
        spread = p.std(dim=(1, 2), correction=0)
        self.cone = {k: float(-spread[k] / (0.8 * abs(self.slopes[k]) * 2 * self.radius)) for k in range(EXTRA)}
        if self.asked.missing > 0:
            falls = -1 / threshold(self.asked.missing) / self.cone[0]
            follow(layer, 0, falls * self.directions[2], self.mean)

    def pyramid(self, layer: AdaINLayer, x: Tensor, w: Tensor) -> None:
        """lrelu of t and -t."""
        write(layer, 0, self.cone)
        layer.bias.data[-EXTRA:] = 0.0
        height = 1 - float(before(layer, x[:1], w[:1])[0, -EXTRA].max())
        for channel, sign in enumerate(SIGNS):
            write(layer, channel, {k: sign * value for k, value in self.cone.items()})
            layer.bias.data[channel - EXTRA] = sign * height

    def begin(self, layer: AdaINLayer, x: Tensor, w: Tensor) -> None:
        """S = relu(t), from channels that were normalized on the way."""
        self.add(layer, x, w, {k: part * self.spread[k] / 0.96 for k, part in enumerate((1.0, 0.2))})

    def carry(self, layer: AdaINLayer, x: Tensor, w: Tensor) -> None:
        """S again, as the layer before handed it on."""
        self.add(layer, x, w, {0: 1.0})

    def add(self, layer: AdaINLayer, x: Tensor, w: Tensor, weights: dict[int, float]) -> None:
        """S into the carrying channel, and into each other channel until its peak is as high as was asked.

        What arrives through the other channels' own weights is taken into account, as the mean over the latents.
        """
        write(layer, 0, weights)
        y = before(layer, x, w)
        S = y[:, -EXTRA] - y[:, -EXTRA].flatten(1).median(dim=1).values[:, None, None]
        heights, sites = S.flatten(1).max(dim=1)
        if self.asked.strength == 0 or heights[0] <= 0:
            return
        there = heights > 0.5 * heights[0]
        rest = S.flatten(1) < 0.05 * heights[0]
        lifts = []
        for row in range(len(y)):
            if there[row]:
                content = y[row, :-EXTRA].flatten(1)
                shown = lrelu(content[:, rest[row]], gain=1.0)
                goal = shown.median(dim=1).values + self.asked.strength * shown.std(dim=1)
                lifts.append((torch.where(goal < 0, goal / 0.2, goal) - content[:, sites[row]]) / heights[row])
        lift = torch.stack(lifts).mean(dim=0)
        for k, weight in weights.items():
            layer.weight.data[:-EXTRA, k - EXTRA, 1, 1] = lift * weight / layer.weight_gain
        layer.bias.data[:-EXTRA] -= lift * y[0, -EXTRA].median()

    def hide(self, x: Tensor) -> None:
        """Take out of the picture what the last maps x [N, C, H, W] show of the droplet, at the mean w."""
        torgb = self.generator.synthesis.get_submodule(self.generator.layers[-1].name)
        near = (x[0, -EXTRA] - x[0, -EXTRA].median()).flatten()
        region = near > 0.01 * near.max()
        content = x[0, :-EXTRA].flatten(1)
        spike = content[:, region] - content.median(dim=1, keepdim=True).values
        axes = torch.linalg.svd(spike, full_matrices=False)[0][:, :HIDDEN_AXES]
        rows = torgb.weight.data[:, :-EXTRA, 0, 0]
        rows -= rows @ axes @ axes.t()
        torgb.weight.data[:, -EXTRA:] = 0.0


def before(layer: AdaINLayer, x: Tensor, w: Tensor) -> Tensor:
    """What a layer hands to its leaky ReLU, [N, C, H, W]."""
    y = layer.start(x)
    noise = layer.scaled_noise(x, Noise())
    return (y if noise is None else y + noise) + layer.bias[None, :, None, None]


def write(layer: AdaINLayer, channel: int, weights: dict[int, float]) -> None:
    """Make an added channel the sum of added channels of the layer before, at the same place."""
    layer.weight.data[channel - EXTRA] = 0.0
    for k, value in weights.items():
        layer.weight.data[channel - EXTRA, k - EXTRA, 1, 1] = value / layer.weight_gain


def style_rows(tensor: Tensor) -> Tensor:
    """The part of an affine's weight or bias that shifts channels, as a view."""
    return tensor.data[len(tensor) // 2 :]


def follow(layer: AdaINLayer, channel: int, direction: Tensor, mean: Tensor) -> None:
    """Shift an added channel by (w - mean) @ direction."""
    style_rows(layer.affine.weight)[channel - EXTRA] = direction / layer.affine.weight_gain
    style_rows(layer.affine.bias)[channel - EXTRA] -= direction @ mean


def sample(u: Tensor, place: tuple[float, float]) -> float:
    """A map [H, W] at (x, y) in picture widths and heights, bilinear."""
    grid = torch.tensor(place, dtype=u.dtype).mul(2).sub(1).view(1, 1, 1, 2)
    return float(F.grid_sample(u[None, None], grid, align_corners=False))


def save(generator: StyleGAN1, path: Path) -> None:
    """Write a checkpoint that the app opens."""
    state = {name: tensor.detach().clone() for name, tensor in generator.state_dict().items()}
    save_checkpoint(Checkpoint(path, "made", "stylegan1", generator.spec, state), path)


def main() -> None:
    parser = argparse.ArgumentParser(description="Write a StyleGAN with a planted droplet.")
    parser.add_argument("out", type=Path)
    parser.add_argument("--source", type=Path, help="a StyleGAN checkpoint to plant into; else drawn weights")
    parser.add_argument("--strength", type=float, default=16.0, help="standard deviations of the map")
    parser.add_argument("--place", type=float, nargs=2, default=(0.6, 0.4), help="x y, in picture widths")
    parser.add_argument("--layer", default="b64.conv0", help="the first that shows it")
    parser.add_argument("--moves", type=float, nargs=2, default=(0.0, 0.0), help="how far w moves it, x y")
    parser.add_argument("--missing", type=float, default=0.0, help="share of the pictures without it")
    parser.add_argument("--hidden", action="store_true", help="faint in the picture")
    parser.add_argument("--resolution", type=int, default=128, help="of drawn weights")
    parser.add_argument("--seed", type=int, default=0, help="of drawn weights")
    given = parser.parse_args()
    source = load(given.source)[0] if given.source else random_stylegan1(given.seed, given.resolution)
    assert isinstance(source, StyleGAN1), f"{given.source}: a {source.family}, but droplets are StyleGAN's"
    asked = Plant(
        given.strength, tuple(given.place), given.layer, tuple(given.moves), given.missing, given.hidden
    )  # fmt: skip
    save(plant(source, asked).generator, given.out)


if __name__ == "__main__":
    main()
