"""The operations for fp32 on a CPU without gradients: oneDNN's convolutions, then one compiled pass over the result."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from types import ModuleType

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from networks.filters import separated
from networks.ops import packed, plain, winograd, winograd_up
from networks.ops.compiled import kernels, up_kernels
from networks.ops.threads import share_rows

PACKED_PIXELS = 32 * 32  # maps up to this size gain from packed weights; larger ones hide the re-ordering
LEAST_FLOATS = 1 << 15  # a job smaller than this is not worth a second thread


def styled_conv2d(
    x: Tensor,
    weight: Tensor,
    style: Tensor,
    bias: Tensor,
    noise: Tensor | None,
    fir: Tensor | None,
    gain: float,
    clamp: float | None,
) -> Tensor:
    """See `networks.ops.styled_conv2d`."""
    compiled = kernels()
    taps = None if fir is None else separated(tuple(map(tuple, fir.tolist())))
    fits = (fir is None or (taps is not None and len(taps[0]) == 4)) and (noise is None or noise.shape[1] == 1)
    if compiled is None or not fits:
        return plain.styled_conv2d(x, weight, style, bias, noise, fir, gain, clamp)
    if fir is None and winograd.pays(weight, x.shape[2], x.shape[3]):
        return _by_winograd(compiled, x, weight, style, bias, noise, gain, clamp)
    if taps is None:
        source = _convolution(x * style[:, :, None, None], weight, transposed=False).permute(0, 2, 3, 1).contiguous()
        target, rows = source, iter([_rows(pixels) for pixels in source])
    else:
        target = torch.empty(len(x), 2 * x.shape[2], 2 * x.shape[3], len(weight))
        rows = _transposed(compiled, x, weight, style)
    bound = np.float32(math.inf if clamp is None else clamp)
    factors, shifts = (plain.style_scales(weight, style) * gain).numpy(), (bias * gain).numpy()
    for n, y in enumerate(rows):
        added = _noise_of(noise, n, gain)
        _epilogue(compiled, y, _rows(target[n]), taps, factors[n], shifts, added, bound)
    return target.permute(0, 3, 1, 2)


def _transposed(compiled: ModuleType, x: Tensor, weight: Tensor, style: Tensor) -> Iterator[np.ndarray]:
    """For each picture, rows and columns that begin with the transposed convolution [2H+1, (2W+1)*O]; use each before
    the next."""
    up = up_kernels()
    if up is None or not winograd_up.pays(weight, x.shape[2], x.shape[3]):
        y = _convolution(x * style[:, :, None, None], weight, transposed=True)
        yield from map(_rows, y.permute(0, 2, 3, 1).contiguous())
        return
    source, styles = x.permute(0, 2, 3, 1).contiguous(), style.contiguous().numpy()
    for pixels, own in zip(source, styles, strict=True):
        yield winograd_up.convolve_transposed(compiled, up, _rows(pixels), weight, own)


def _convolution(x: Tensor, weight: Tensor, transposed: bool) -> Tensor:
    """x [N, I, H, W] with weight [O, I, k, k]: of the same size, or transposed with stride 2; channels innermost."""
    x = x.contiguous(memory_format=torch.channels_last)
    if len(x) == 1 and x.shape[2] * x.shape[3] <= PACKED_PIXELS and packed.available():
        return packed.convolve_transposed(x, weight) if transposed else packed.convolve(x, weight)
    if transposed:
        return F.conv_transpose2d(x, weight.transpose(0, 1), stride=2)
    return F.conv2d(x, weight, padding=weight.shape[-1] // 2)


def _by_winograd(
    compiled: ModuleType,
    x: Tensor,
    weight: Tensor,
    style: Tensor,
    bias: Tensor,
    noise: Tensor | None,
    gain: float,
    clamp: float | None,
) -> Tensor:
    source = x.permute(0, 2, 3, 1).contiguous()
    N, H, W, _ = source.shape
    target = torch.empty(N, H, W, weight.shape[0])
    bound = np.float32(math.inf if clamp is None else clamp)
    scales = (plain.style_scales(weight, style) * gain).numpy()
    styles, shifts = style.contiguous().numpy(), (bias * gain).numpy()
    for n in range(N):
        finish = winograd.Finish(scales[n], shifts, _noise_of(noise, n, gain), compiled.SLOPE, bound)
        winograd.convolve(compiled, _rows(source[n]), _rows(target[n]), weight, styles[n], finish, before=1)
    return target.permute(0, 3, 1, 2)


def _epilogue(
    compiled: ModuleType,
    y: np.ndarray,
    out: np.ndarray,
    taps: tuple[tuple[float, ...], tuple[float, ...]] | None,
    scale: np.ndarray,
    bias: np.ndarray,
    noise: np.ndarray,
    clamp: np.float32,
) -> None:
    """One picture's rows, shared among the threads."""
    work: Callable[[int, int], None]
    if taps is None:

        def work(first: int, last: int) -> None:
            compiled.activate(y, scale, bias, noise, clamp, first, last)
    else:
        down, across = (np.array(part[::-1], np.float32) * np.float32(2) for part in taps)  # up-sampling by 2: gain 2

        def work(first: int, last: int) -> None:
            compiled.low_pass_and_activate(y, out, down, across, scale, bias, noise, clamp, first, last)

    if out.size < LEAST_FLOATS:
        work(0, len(out))
    else:
        share_rows(work, len(out))


def _rows(pixels: Tensor) -> np.ndarray:
    """pixels [H, W, C] -> the same memory as [H, W*C]."""
    array: np.ndarray = pixels.flatten(1).numpy()
    return array


def _noise_of(noise: Tensor | None, n: int, gain: float) -> np.ndarray:
    """The noise of one picture as [H, W]; [0, 0] for none."""
    if noise is None:
        return np.empty((0, 0), np.float32)
    array: np.ndarray = (noise[n if len(noise) > 1 else 0, 0] * gain).contiguous().numpy()
    return array
