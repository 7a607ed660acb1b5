"""The operations on CUDA: cuDNN's convolutions, then one Triton kernel over the result.

The same kernels run on a CPU under Triton's interpreter (TRITON_INTERPRET=1), which is how they are tested where there
is no GPU. Where Triton is missing or cannot compile (it needs a C compiler on some systems), `plain` computes; and
where one of its kernels does not prove itself (`proven`), `plain` computes what that one would have.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import ModuleType

import torch
from torch import Tensor
from torch.utils.weak import WeakTensorKeyDictionary

from networks.failures import in_words, is_fatal
from networks.filters import separated, upfirdn2d
from networks.ops import plain, proven
from networks.ops.resampling import Resampling

BLOCK = 1024  # values of one program of the epilogues
TILE = 16  # side of the output tile of one program of the filtered leaky ReLU
RANK_ERROR = 1e-6  # of the largest tap: what a sum of products may miss of a radial filter
SLOPE = 0.2
SOFTWARE_GL = re.compile(r"/libLLVM[^/]*$|/swrast_dri[^/]*$", re.MULTILINE)
_derived = WeakTensorKeyDictionary()  # filter -> (by what, what was made of it)


@cache
def _module() -> tuple[ModuleType | None, str]:
    """(the kernels, why there are none)."""
    try:
        from networks.ops import triton_kernels
    except ImportError as error:
        return None, f"Triton is not there ({error})"
    return triton_kernels, ""


@cache
def why_not(device: torch.device) -> str:
    """Why this backend does not compute on a device, '' where it does: found out by running the smallest kernel."""
    if SOFTWARE_GL.search(mapped_files()):
        return "a software OpenGL driver is in use, and Triton's compiler crashes beside its"
    kernels, missing = _module()
    if kernels is None:
        return missing
    if device.type != "cuda" and not interpreted():
        return f"Triton compiles for GPUs, not for {device.type}"
    try:
        y = torch.ones(1, 1, 1, 1, device=device)
        one = torch.ones(1, 1, device=device)
        _epilogue(kernels, y, y, one, one[0], None, 1.0, None)
        return "" if y.item() == 2.0 else "Triton computes something else"
    except Exception as error:  # whatever a compiler or a driver may raise: torch alone will do
        if is_fatal(error):
            raise
        return f"Triton does not run ({in_words(error)})"


def mapped_files() -> str:
    """The files that this process has mapped, one a line; '' where the system does not say."""
    maps = Path("/proc/self/maps")
    return maps.read_text(encoding="utf-8", errors="replace") if maps.exists() else ""


def interpreted() -> bool:
    """Whether kernels run in Triton's interpreter, in numpy on any device."""
    return os.environ.get("TRITON_INTERPRET") == "1"


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
    kernels, _ = _module()
    taps = None if fir is None else _kept(fir, _axes)
    fits = (fir is None or taps is not None) and (noise is None or noise.shape[1] == 1)
    if kernels is None or not fits:
        return plain.styled_conv2d(x, weight, style, bias, noise, fir, gain, clamp)
    y, scales = plain.convolve(x, weight, style, up=1 if fir is None else 2)
    assert scales is not None
    y = y if _is_last(y) else y.contiguous()

    def plainly(y: Tensor, scale: Tensor, bias: Tensor, noise: Tensor | None, clamp: float | None) -> Tensor:
        if fir is not None:
            y = upfirdn2d(y, fir.to(y.device), pad=plain.fir_padding(fir), gain=4)
        return plain.activate(y, scale[:, :, None, None].to(y.dtype), bias, noise, gain, clamp)

    def kernel(y: Tensor, scale: Tensor, bias: Tensor, noise: Tensor | None, clamp: float | None) -> Tensor:
        if taps is None:
            return _epilogue(kernels, y, y, scale, bias, noise, gain, clamp)
        return _low_pass_epilogue(kernels, y, taps, scale, bias, noise, gain, clamp)

    what = _epilogue_configuration(y, noise, taps is not None, clamp)
    return proven.compute(what, kernel, plainly, (y, scales[:, :, 0, 0].float(), bias.float(), noise), clamp)


def _epilogue_configuration(
    y: Tensor, noise: Tensor | None, low_pass: bool, clamp: float | None
) -> proven.Configuration:
    """What an epilogue of y [N, C, H, W] is compiled for; H and W are one more than the output's before a low-pass."""
    (N, C, H, W), more = y.shape, int(low_pass)
    n, c, h, w = min(N, 2), proven.alike(C), proven.alike(H - more), proven.alike(W - more)
    few = None if noise is None else (min(len(noise), n), 1, h, w)
    family = "the low-pass epilogue" if low_pass else "the epilogue"
    constants = _is_last(y), noise is not None, clamp is not None
    return proven.Configuration(family, constants, y.dtype, ((n, c, h + more, w + more), (n, c), (c,), few))


def filtered_lrelu(x: Tensor, up_filter: Tensor, down_filter: Tensor, how: Resampling) -> Tensor:
    """See `networks.ops.filtered_lrelu`."""
    kernels, _ = _module()
    if kernels is None or how.up not in (1, 2, 4):
        return plain.filtered_lrelu(x, up_filter, down_filter, how)
    terms = _kept(down_filter, products)
    assert terms is not None

    def plainly(x: Tensor, clamp: float | None) -> Tensor:
        up, down = up_filter.to(x.device), down_filter.to(x.device)
        return plain.filtered_lrelu(x, up, down, replace(how, clamp=clamp))

    def kernel(x: Tensor, clamp: float | None) -> Tensor:
        return _filtered_lrelu(kernels, x, up_filter, down_filter.shape[-1], terms, replace(how, clamp=clamp))

    n, m = len(up_filter), down_filter.shape[-1]
    family = f"the {'radial ' if down_filter.ndim == 2 else ''}filtered leaky ReLU of up-sampling {how.up}"
    constants = how.up, how.down, n, m, len(terms), how.padding, how.clamp is not None
    few = min(len(x), 2), min(x.shape[1], 3), *_few_samples(x, n, m, how)
    return proven.compute(proven.Configuration(family, constants, x.dtype, (few,)), kernel, plainly, (x,), how.clamp)


def _few_samples(x: Tensor, n: int, m: int, how: Resampling) -> tuple[int, int]:
    """Height and width of a map that gives more than one tile, with the remainders by 16 that x [N, C, H, W] has."""
    left, right, top, bottom = how.padding
    sides = []
    for side, pads in ((x.shape[2], top + bottom), (x.shape[3], left + right)):
        least = -(-(TILE * how.down + n - 1 + m - pads) // how.up)
        sides.append(min(side, least + (side - least) % 16))
    return sides[0], sides[1]


def _filtered_lrelu(
    kernels: ModuleType, x: Tensor, up_filter: Tensor, m: int, terms: Tensor, how: Resampling
) -> Tensor:
    left, right, top, bottom = how.padding
    n = len(up_filter)
    N, C, H, W = x.shape
    HO, WO = (_length(side, pads, n, m, how) for side, pads in ((H, (top, bottom)), (W, (left, right))))
    out = x.new_empty(N, C, HO, WO)
    fine = (TILE - 1) * how.down + m  # up-sampled samples that a tile needs
    U, K = _power(fine), _power((fine + n) // how.up + 3)
    grid = (-(-WO // TILE), -(-HO // TILE), N * C)
    kernels.filtered_lrelu[grid](
        x.contiguous(), out, up_filter.float().contiguous(), terms, H, W, HO, WO,
        left, top, how.slope, how.gain, math.inf if how.clamp is None else how.clamp,
        UP=how.up, N=n, DOWN=how.down, M=m, RANK=len(terms), BOUNDED=how.clamp is not None, D=TILE, U=U, K=K,
        PRECISION="tf32" if x.dtype == torch.float16 else "tf32x3",
    )  # fmt: skip
    return out


def _kept(taps: Tensor, make: Callable[[Tensor], Tensor | None]) -> Tensor | None:
    """What `make` derives from a filter, on its device; made once, for it asks the GPU what the taps are."""
    known: tuple[str, Tensor | None] | None = _derived.get(taps)  # type: ignore[no-untyped-call]
    if known is None or known[0] != make.__name__:
        made = make(taps.cpu())
        known = _derived[taps] = (make.__name__, None if made is None else made.to(taps.device))
    return known[1]


def _axes(fir: Tensor) -> Tensor | None:
    """A separable 4 x 4 filter as [2, 4], the taps along columns and along rows, each with the gain 2 of up-sampling;
    None for any other. They are in the order in which they meet rising rows and columns."""
    taps = separated(tuple(map(tuple, fir.tolist())))
    return None if taps is None or len(taps[0]) != 4 else 2 * torch.tensor([part[::-1] for part in taps])


def products(down_filter: Tensor) -> Tensor:
    """A down filter [m] (separable) or [m, m] as the sum of [rank, 2, m], column taps times row taps.

    As few as RANK_ERROR allows: the radial filters of StyleGAN3-R are jinc functions under a Kaiser window, and four
    terms give them to 1e-7.
    """
    if down_filter.ndim == 1:
        return down_filter.float().expand(1, 2, -1).contiguous()
    filter_ = down_filter.double()
    columns, sizes, rows = torch.linalg.svd(filter_)
    for rank in range(1, len(sizes) + 1):
        rebuilt = columns[:, :rank] * sizes[:rank] @ rows[:rank]
        if (rebuilt - filter_).abs().max() <= RANK_ERROR * filter_.abs().max():
            break
    roots = sizes[:rank].sqrt()
    return torch.stack([(columns[:, :rank] * roots).t(), rows[:rank] * roots[:, None]], dim=1).float().contiguous()


def _length(side: int, pads: tuple[int, int], n: int, m: int, how: Resampling) -> int:
    """Samples of one axis after it all."""
    return (side * how.up + sum(pads) - n + 1 - m) // how.down + 1


def _power(least: int) -> int:
    """The smallest power of two that is not smaller, and at least 16."""
    return max(16, 1 << (least - 1).bit_length())


def _is_last(y: Tensor) -> bool:
    """Whether the channels lie innermost in memory."""
    return not y.is_contiguous() and y.is_contiguous(memory_format=torch.channels_last)


def _epilogue(
    kernels: ModuleType,
    y: Tensor,
    out: Tensor,
    scale: Tensor,
    bias: Tensor,
    noise: Tensor | None,
    gain: float,
    clamp: float | None,
) -> Tensor:
    _, C, H, W = y.shape
    kernels.epilogue[(-(-y.numel() // BLOCK),)](
        y, out, scale.contiguous(), bias, *_noise(noise, y), C, H * W, _step(noise), SLOPE, gain,
        math.inf if clamp is None else clamp, y.numel(),
        LAST=_is_last(y), NOISY=noise is not None, BOUNDED=clamp is not None, BLOCK=BLOCK,
    )  # fmt: skip
    return out


def _low_pass_epilogue(
    kernels: ModuleType,
    y: Tensor,
    taps: Tensor,
    scale: Tensor,
    bias: Tensor,
    noise: Tensor | None,
    gain: float,
    clamp: float | None,
) -> Tensor:
    N, C, H, W = y.shape
    layout = torch.channels_last if _is_last(y) else torch.contiguous_format
    out = torch.empty((N, C, H - 1, W - 1), dtype=y.dtype, device=y.device, memory_format=layout)
    kernels.low_pass_epilogue[(-(-out.numel() // BLOCK),)](
        y, out, taps[0], taps[1], scale.contiguous(), bias, *_noise(noise, y), C, H - 1, W - 1, _step(noise),
        SLOPE, gain, math.inf if clamp is None else clamp, out.numel(),
        TAPS=taps.shape[1], LAST=_is_last(y), NOISY=noise is not None, BOUNDED=clamp is not None, BLOCK=BLOCK,
    )  # fmt: skip
    return out


def _noise(noise: Tensor | None, y: Tensor) -> tuple[Tensor]:
    """The noise [N or 1, 1, H, W] as fp32 planes; any tensor where there is none (the kernel does not look at it)."""
    return (y,) if noise is None else (noise.float().contiguous(),)


def _step(noise: Tensor | None) -> int:
    """Values from one sample's noise to the next one's: 0 where all share it."""
    return 0 if noise is None or len(noise) == 1 else noise[0].numel()
