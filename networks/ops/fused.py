"""The operations on CUDA: cuDNN's convolutions, then one Triton kernel over the result.

The same kernels run on a CPU under Triton's interpreter (TRITON_INTERPRET=1), which is how they are tested where there
is no GPU. Where Triton is missing or cannot compile (it needs a C compiler on some systems), `plain` computes.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType

import torch
from torch import Tensor
from torch.utils.weak import WeakTensorKeyDictionary

from networks.filters import separated
from networks.ops import plain
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
        return f"Triton does not run: {type(error).__name__}: {error}".splitlines()[0]


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
    scale, shift = scales[:, :, 0, 0].float(), bias.float()
    if taps is None:
        return _epilogue(kernels, y, y, scale, shift, noise, gain, clamp)
    return _low_pass_epilogue(kernels, y.contiguous(), taps, scale, shift, noise, gain, clamp)


def filtered_lrelu(x: Tensor, up_filter: Tensor, down_filter: Tensor, how: Resampling) -> Tensor:
    """See `networks.ops.filtered_lrelu`."""
    kernels, _ = _module()
    if kernels is None or how.up not in (1, 2, 4):
        return plain.filtered_lrelu(x, up_filter, down_filter, how)
    left, right, top, bottom = how.padding
    n, m = len(up_filter), down_filter.shape[-1]
    terms = _kept(down_filter, products)
    assert terms is not None
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
    last = not y.is_contiguous()
    if last and not y.is_contiguous(memory_format=torch.channels_last):
        y = out = y.contiguous()
        last = False
    kernels.epilogue[(-(-y.numel() // BLOCK),)](
        y, out, scale.contiguous(), bias, *_noise(noise, y), C, H * W, _step(noise), SLOPE, gain,
        math.inf if clamp is None else clamp, y.numel(),
        LAST=last, NOISY=noise is not None, BOUNDED=clamp is not None, BLOCK=BLOCK,
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
    out = y.new_empty(N, C, H - 1, W - 1)
    kernels.low_pass_epilogue[(-(-out.numel() // BLOCK),)](
        y, out, taps[0], taps[1], scale.contiguous(), bias, *_noise(noise, y), C, H - 1, W - 1, _step(noise),
        SLOPE, gain, math.inf if clamp is None else clamp, out.numel(),
        TAPS=taps.shape[1], NOISY=noise is not None, BOUNDED=clamp is not None, BLOCK=BLOCK,
    )  # fmt: skip
    return out


def _noise(noise: Tensor | None, y: Tensor) -> tuple[Tensor]:
    """The noise [N or 1, 1, H, W] as fp32 planes; any tensor where there is none (the kernel does not look at it)."""
    return (y,) if noise is None else (noise.float().contiguous(),)


def _step(noise: Tensor | None) -> int:
    """Values from one sample's noise to the next one's: 0 where all share it."""
    return 0 if noise is None or len(noise) == 1 else noise[0].numel()
