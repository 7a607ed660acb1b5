"""The alias-free trunk of StyleGAN3 and StyleGAN-XL: a Fourier input and one chain of filtered layers.

Karras et al. 2021, "Alias-Free Generative Adversarial Networks". Every layer is a row of values (`ChainLayer`): sizes,
cut-offs and sampling rates are data, so that networks whose layers follow another rule are rows as well.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from networks import ops
from networks.base import Inverted, Pass, Spec, Transform, layer_dtype
from networks.filter_design import lowpass, radial_lowpass
from networks.layers import SQRT2, EqualizedLinear, StyledLayer
from networks.ops.resampling import Padding, Resampling
from networks.plan import LayerInfo
from networks.taps import Taps


class ChainInput(NamedTuple):
    """The Fourier input: its map's size and sampling rate, and the band its frequencies are drawn from."""

    channels: int
    size: tuple[int, int]  # (H, W)
    rate: float  # samples per picture width
    bandwidth: float  # cycles per picture width


NO_INPUT = ChainInput(0, (0, 0), 0.0, 0.0)


class ChainLayer(NamedTuple):
    """One layer: what it is called, how wide, and how it samples. Rates and frequencies are per picture width."""

    name: str
    in_channels: int
    channels: int
    kernel: int
    in_size: tuple[int, int]  # (H, W)
    size: tuple[int, int]
    in_rate: float
    rate: float
    in_cutoff: float
    cutoff: float
    in_half_width: float
    half_width: float
    up: int
    up_taps: int
    down: int
    down_taps: int
    radial: bool
    padding: Padding  # left, right, top, bottom, in up-sampled pixels
    torgb: bool = False
    half: bool = False
    clamp: float | None = 256.0


@dataclass(frozen=True)
class ChainSpec(Spec):
    """Configuration of an alias-free generator: the input, the layers in order, and its mapping network's widths."""

    input: ChainInput = NO_INPUT
    layers: tuple[ChainLayer, ...] = ()
    output_scale: float = 0.25
    mapping_features: tuple[int, ...] = (512, 512)
    embed_features: int = 0
    mapping_lr_multiplier: float = 0.01

    def __post_init__(self) -> None:
        """Rows that were plain tuples (from a JSON header) become named ones again."""
        object.__setattr__(self, "input", ChainInput(*self.input))
        object.__setattr__(self, "layers", tuple(ChainLayer(*row) for row in self.layers))


def layer_table(spec: ChainSpec) -> tuple[LayerInfo, ...]:
    """Specification -> the layer table: the input (row 0 of ws), then one row of ws for each layer."""
    start = LayerInfo(
        index=0,
        name="input",
        kind="input",
        size=spec.input.size,
        channels=spec.input.channels,
        style_dim=4,
        w_index=0,
        sampling_rate=spec.input.rate,
    )
    rest = (
        LayerInfo(
            index=i,
            name=row.name,
            kind="torgb" if row.torgb else "conv",
            size=row.size,
            channels=row.channels,
            style_dim=row.in_channels,
            w_index=i,
            sampling_rate=row.rate,
            half=row.half,
        )
        for i, row in enumerate(spec.layers, start=1)
    )
    return (start, *rest)


def symmetric_padding(row: ChainLayer) -> Padding:
    """Padding before the up-filter that keeps the centre of the map in place (`row.padding` is not looked at)."""

    def split(in_size: int, size: int) -> tuple[int, int]:
        needed = (size - 1) * row.down + 1 + row.up_taps + row.down_taps - 2  # samples that the two filters consume
        total = needed - (in_size + row.kernel - 1) * row.up
        before = (total + row.up) // 2  # the up-1 zeros after the last sample belong to the right side
        return before, total - before

    return *split(row.in_size[1], row.size[1]), *split(row.in_size[0], row.size[0])


class InputAffine(EqualizedLinear):
    """w -> (r_c, r_s, t_x, t_y): rotation and translation of the input; starts as the identity for every w."""

    def __init__(self, w_dim: int) -> None:
        super().__init__(w_dim, 4)

    def reset_weights(self, generator: torch.Generator) -> None:
        assert self.bias is not None
        self.weight.data.zero_()
        self.bias.data.copy_(torch.tensor([1.0, 0.0, 0.0, 0.0]))


def input_transform(style: Tensor) -> Tensor:
    """style [N, 4] = (r_c, r_s, t_x, t_y) -> [N, 3, 3]: translate by -t, then rotate by (r_c, r_s) made unit length.

    Karras et al. 2021, appendix F: the first affine layer aligns the Fourier features.
    """
    style = style / style[:, :2].norm(dim=1, keepdim=True)
    cos, sin, x, y = style.unbind(dim=1)
    zero, one = torch.zeros_like(cos), torch.ones_like(cos)
    rotate = torch.stack([cos, -sin, zero, sin, cos, zero, zero, zero, one], dim=1).view(-1, 3, 3)
    translate = torch.stack([one, zero, -x, zero, one, -y, zero, zero, one], dim=1).view(-1, 3, 3)
    return rotate @ translate


class FourierInput(nn.Module):
    """Sines of fixed random frequencies on the (transformed) plane, mixed by a learned matrix (section 3.1).

    `transform` [3, 3] maps picture coordinates to input coordinates: the inverse of what the user sees happen.
    """

    freqs: Tensor
    phases: Tensor
    transform: Tensor

    def __init__(self, info: LayerInfo, plan: ChainInput, w_dim: int) -> None:
        super().__init__()
        self.info, self.plan = info, plan
        self.affine = InputAffine(w_dim)
        self.weight = nn.Parameter(torch.empty(plan.channels, plan.channels))
        self.register_buffer("freqs", torch.zeros(plan.channels, 2))
        self.register_buffer("phases", torch.zeros(plan.channels))
        self.register_buffer("transform", torch.eye(3))

    def reset_weights(self, generator: torch.Generator) -> None:
        """Frequencies uniform over the disc of radius `bandwidth`, phases over a whole turn."""
        self.weight.data.normal_(generator=generator)
        radius = torch.rand(self.plan.channels, generator=generator).sqrt() * self.plan.bandwidth
        angle = torch.rand(self.plan.channels, generator=generator) * (2 * math.pi)
        self.freqs.copy_(torch.stack([radius * angle.cos(), radius * angle.sin()], dim=1))
        self.phases.uniform_(-0.5, 0.5, generator=generator)
        self.transform.copy_(torch.eye(3))

    def forward(self, w: Tensor, taps: Taps, transform: Tensor | None = None) -> Tensor:
        """w [N, w_dim], transform [3, 3] or None (the stored one) -> [N, C, H, W]."""
        style = taps.on_style(self.info, self.affine(w))
        matrix = input_transform(style) @ (self.transform if transform is None else transform)  # [N 3 3]
        freqs = self.freqs @ matrix[:, :2, :2]  # [N C 2]
        phases = self.phases + (self.freqs @ matrix[:, :2, 2:]).squeeze(2)  # [N C]
        waves = self._waves(freqs, phases) * self._amplitudes(freqs)[:, :, None, None]
        x = torch.einsum("oc,nchw->nohw", self.weight / math.sqrt(self.plan.channels), waves)
        return taps.on_feature(self.info, x)

    def _amplitudes(self, freqs: Tensor) -> Tensor:
        """[N, C]: 1 inside the band, falling to 0 at the Nyquist frequency, where a transform would make them alias."""
        nyquist, bandwidth = self.plan.rate / 2, self.plan.bandwidth
        return (1 - (freqs.norm(dim=2) - bandwidth) / (nyquist - bandwidth)).clamp(0, 1)

    def _waves(self, freqs: Tensor, phases: Tensor) -> Tensor:
        """sin 2 pi (f_x x + f_y y + phase) on the grid, [N, C, H, W]; x and y are in picture widths around the centre.

        By the addition theorem only H + W sines and cosines per channel are computed instead of H W.
        """
        H, W = self.plan.size
        x = (torch.arange(W, device=freqs.device) - (W - 1) / 2) / self.plan.rate
        y = (torch.arange(H, device=freqs.device) - (H - 1) / 2) / self.plan.rate
        across = (2 * math.pi) * (freqs[:, :, :1] * x + phases[:, :, None])  # [N C W]
        down = (2 * math.pi) * (freqs[:, :, 1:] * y)  # [N C H]
        rows = torch.stack([down.sin(), down.cos()], dim=3)  # [N C H 2]
        columns = torch.stack([across.cos(), across.sin()], dim=2)  # [N C 2 W]
        return rows @ columns


class ChainSynthesisLayer(StyledLayer):
    """Modulated convolution, bias, filtered lrelu; as the last layer a linear to-RGB without filters."""

    magnitude_ema: Tensor
    up_filter: Tensor | None
    down_filter: Tensor | None

    def __init__(self, info: LayerInfo, row: ChainLayer, w_dim: int) -> None:
        super().__init__(info)
        self.plan = row
        self.affine = EqualizedLinear(w_dim, row.in_channels, bias_init=1.0)
        self.weight = nn.Parameter(torch.empty(row.channels, row.in_channels, row.kernel, row.kernel))
        self.bias = nn.Parameter(torch.empty(row.channels))
        self.resampling = Resampling(row.up, row.down, row.padding, SQRT2, 0.2, row.clamp)
        self.weight_gain = 1 / math.sqrt(row.in_channels * row.kernel**2)
        up, down = (None, None) if row.torgb else design_filters(row)
        self.register_buffer("magnitude_ema", torch.ones([]))
        self.register_buffer("up_filter", up)
        self.register_buffer("down_filter", down)

    def reset_weights(self, generator: torch.Generator) -> None:
        self.weight.data.normal_(generator=generator)
        self.bias.data.zero_()
        self.magnitude_ema.fill_(1.0)

    def run(self, x: Tensor, style: Tensor, noise: Tensor | None, taps: Taps) -> Tensor:
        input_gain = self.magnitude_ema.rsqrt()
        if self.plan.torgb:
            style = style * self.weight_gain
            x = ops.modulated_conv2d_full(x, self.weight, style, self.bias, input_gain, demodulate=False)
            return x if self.plan.clamp is None else x.clamp(-self.plan.clamp, self.plan.clamp)
        assert self.up_filter is not None
        assert self.down_filter is not None
        return ops.filtered_conv2d(
            x, self.weight, style, self.bias, input_gain, self.up_filter, self.down_filter, self.resampling
        )


def design_filters(row: ChainLayer) -> tuple[Tensor, Tensor]:
    """The low-pass filters before and after the activation, both at the activation's sampling rate.

    The first passes what the input holds (`in_cutoff`), the second what the output may hold (`cutoff`); transition
    bands are twice the half-widths (section 3.2). A single tap is the identity.
    """
    rate = row.in_rate * row.up
    up = lowpass(row.up_taps, row.in_cutoff, 2 * row.in_half_width, rate)
    design = radial_lowpass if row.radial else lowpass
    return up, design(row.down_taps, row.cutoff, 2 * row.half_width, rate)


class ChainTrunk(nn.Module):
    """The chain: Fourier input, layers one after the other, the last one makes the pixels."""

    def __init__(self, spec: ChainSpec, table: Sequence[LayerInfo]) -> None:
        super().__init__()
        self.output_scale = spec.output_scale
        self.names = tuple(row.name for row in spec.layers)
        self.input = FourierInput(table[0], spec.input, spec.w_dim)
        for info, row in zip(table[1:], spec.layers, strict=True):
            self.add_module(row.name, ChainSynthesisLayer(info, row, spec.w_dim))

    def forward(self, ws: Tensor, asked: Pass, transform: Tensor | None) -> Tensor:
        """ws [N, num_ws, w_dim], transform [3, 3] of the input or None -> picture [N, C, H, W], float32."""
        return self.run(ws, asked, transform, len(self.names)).float() * self.output_scale

    def run(self, ws: Tensor, asked: Pass, transform: Tensor | None, count: int) -> Tensor:
        """The map behind the first `count` layers (0: the input's)."""
        done, (x,) = asked.resume(None)
        if x is None:
            x = self.input(ws[:, 0], asked.taps, transform)
            done = 1
        for name in self.names[done - 1 : count]:
            layer = self.get_submodule(name)
            assert isinstance(layer, ChainSynthesisLayer)
            x = x.to(layer_dtype(layer.info, ws.device, asked.precision))
            x = layer(x, ws[:, layer.info.w_index], asked.taps, asked.noise)
            asked.keep(layer.info.index + 1, x)
        return x


def invert_transform(transform: Transform, device: torch.device) -> Tensor:
    """The user's 3x3 matrix -> what enters the input: its inverse, because the input is sampled where pixels come from.

    The result of a tensor can be differentiated. Raises ValueError when the matrix has another shape, is not finite,
    or cannot be inverted.
    """
    if isinstance(transform, Inverted):
        return transform.matrix
    given = transform if isinstance(transform, Tensor) else torch.tensor(transform, dtype=torch.float64)
    matrix = given.cpu().double()
    if matrix.shape != (3, 3):
        raise ValueError(f"transform is {list(matrix.shape)}, expected [3, 3]")
    determinant = abs(float(torch.linalg.det(matrix.detach())))
    if not math.isfinite(determinant) or determinant < 1e-9:
        raise ValueError(f"transform has determinant {determinant:g}; scale and rotation must be invertible")
    return torch.linalg.inv(matrix).float().to(device)
