"""Mapping networks of the TensorFlow generation: the label is concatenated to z, then both are normalized at once."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn

from networks.base import Mapping
from networks.layers import SQRT2, EqualizedLinear, lrelu, normalize_2nd_moment


class LabelEmbedding(nn.Module):
    """One learned vector per class, [embed_features, c_dim]; plain weights, no bias."""

    def __init__(self, c_dim: int, embed_features: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(embed_features, c_dim))

    def reset_weights(self, generator: torch.Generator) -> None:
        self.weight.data.normal_(generator=generator)

    def forward(self, c: Tensor) -> Tensor:
        """c [N, c_dim] -> [N, embed_features]."""
        return c @ self.weight.t()


class ConcatMapping(Mapping):
    """z and the embedded c side by side, normalized together, through an lrelu MLP (Karras et al. 2019, Fig. 1b).

    The gain sqrt(2) of He et al. 2015 sits in the weights (StyleGAN) or after the activation (StyleGAN2); they differ
    in whether the bias is multiplied as well.
    """

    def __init__(
        self,
        z_dim: int,
        c_dim: int,
        w_dim: int,
        features: tuple[int, ...],
        embed_features: int,
        lr_multiplier: float,
        gain: Literal["weight", "activation"],
    ) -> None:
        """features: the width of each layer, the last one is w_dim; one `fc{i}` for each."""
        super().__init__()
        self.c_dim, self.num_layers = c_dim, len(features)
        weight_gain, self.activation_gain = (SQRT2, 1.0) if gain == "weight" else (1.0, SQRT2)
        if c_dim > 0:
            self.embed = LabelEmbedding(c_dim, embed_features)
        widths = (z_dim + (embed_features if c_dim > 0 else 0), *features)
        for i, (n_in, n_out) in enumerate(pairwise(widths)):
            self.add_module(f"fc{i}", EqualizedLinear(n_in, n_out, lr_multiplier=lr_multiplier, gain=weight_gain))
        self.register_buffer("w_avg", torch.zeros(w_dim))

    def forward(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        x = z.float()
        if self.c_dim > 0:
            c = x.new_zeros(x.shape[0], self.c_dim) if c is None else c.float()
            x = torch.cat([x, self.embed(c)], dim=1)
        x = normalize_2nd_moment(x)
        for i in range(self.num_layers):
            x = lrelu(self.get_submodule(f"fc{i}")(x), self.activation_gain)
        return x
