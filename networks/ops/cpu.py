"""The operations for fp32 on a CPU without gradients."""

from __future__ import annotations

from torch import Tensor

from networks.ops import plain


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
    return plain.styled_conv2d(x, weight, style, bias, noise, fir, gain, clamp)
