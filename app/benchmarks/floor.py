"""The least time that a picture can take on a device: what must be computed, and what must be moved.

operations = sum over layers of FLOP / peak(type), bytes = sum of bytes / copy rate, floor = max(operations, bytes).

- A convolution of k x k taps from I to O channels costs 2 I O k^2 FLOP for each position of its output, or, where it
  doubles the size (StyleGAN2), of its input.
- A separable FIR of n taps behind up-sampling by u costs 2 n / u FLOP for each value and axis, rows first; before
  decimation 2 n for each value that stays. A radial one of n x n taps costs 2 n^2 for each value that stays.
- Each layer reads its input and its weights once and writes its output once, in the type that it is computed in: what
  a kernel for the whole layer would move. Whatever is between (StyleGAN3's up-sampled maps) stays on the chip.

Peaks are measured on the spot: a large product of matrices for each type, a large copy (read and written bytes count).
Styles, noise maps and the sum of the to-RGBs are left out: below 2 % of StyleGAN2 at 1024 px.
"""

from __future__ import annotations

from dataclasses import dataclass

from networks.alias_free import ChainSynthesisLayer
from networks.base import Generator
from networks.stylegan2 import ModulatedConvLayer, ToRGBLayer

FIR_TAPS = 4  # of StyleGAN2's low-pass behind a transposed convolution


@dataclass(frozen=True)
class Work:
    """One layer and one picture: FLOP of the convolution and of the filters; values in and out; weights."""

    name: str
    conv_flop: float
    fir_flop: float
    values: int
    weights: int
    half: bool  # in fp16 where the precision is 'auto'


@dataclass(frozen=True)
class Peaks:
    """What a device reaches: FLOP per second in fp16 and fp32, bytes per second of a copy."""

    half_flop: float
    full_flop: float
    copied: float


def work_of(generator: Generator) -> tuple[Work, ...]:
    """The layers of a StyleGAN2 or a StyleGAN3 generator."""
    found: list[Work] = []
    for module in generator.modules():
        if isinstance(module, ModulatedConvLayer | ToRGBLayer):
            found.append(of_stylegan2(module))
        elif isinstance(module, ChainSynthesisLayer):
            found.append(of_chain(module))
    return tuple(found)


def of_stylegan2(layer: ModulatedConvLayer | ToRGBLayer) -> Work:
    """A layer of StyleGAN2: convolution, doubled in size where it up-samples."""
    info = layer.info
    H, W = info.size
    O, I, k, _ = layer.weight.shape  # noqa: E741
    up = 2 if info.kind == "up" else 1
    read = I * (H // up) * (W // up)
    conv = 2 * I * O * k * k * (H // up) * (W // up)
    fir = 2 * FIR_TAPS * O * (H * (W + 1) + H * W) if up == 2 else 0
    return Work(info.name, conv, fir, read + O * H * W, layer.weight.numel(), info.half)


def of_chain(layer: ChainSynthesisLayer) -> Work:
    """A layer of StyleGAN3: convolution over the whole plane, then the filtered leaky ReLU."""
    row = layer.plan
    (H, W), (HO, WO), more = row.in_size, row.size, row.kernel - 1
    conv = 2 * row.in_channels * row.channels * row.kernel**2 * (H + more) * (W + more)
    fir = 0.0
    if not row.torgb:
        fine_H, fine_W = (HO - 1) * row.down + row.down_taps, (WO - 1) * row.down + row.down_taps
        up = (H + more) * fine_W + fine_H * fine_W
        fir += 2 * row.up_taps / row.up * row.channels * up
        if row.radial:
            fir += 2 * row.down_taps**2 * row.channels * HO * WO
        else:
            fir += 2 * row.down_taps * row.channels * (fine_H * WO + HO * WO)
    values = row.in_channels * H * W + row.channels * HO * WO
    return Work(row.name, conv, fir, values, layer.weight.numel(), row.half)


def floor_ms(work: tuple[Work, ...], peaks: Peaks, batch: int, precision: str) -> float:
    """Milliseconds for a batch: the larger of operations and bytes, as if each hid behind the other."""
    flop_s, moved = 0.0, 0
    for layer in work:
        half = layer.half and precision == "auto"
        flop_s += batch * (layer.conv_flop + layer.fir_flop) / (peaks.half_flop if half else peaks.full_flop)
        moved += (batch * layer.values + layer.weights) * (2 if half else 4)
    return 1000 * max(flop_s, moved / peaks.copied)
