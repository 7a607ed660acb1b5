"""StyleGAN-XL: the alias-free chain for ImageNet, with class embeddings and a centre of W for each class.

Sauer et al. 2022, "StyleGAN-XL: Scaling StyleGAN to Large Diverse Datasets". A super-resolution generator is its
stem's chain without the critically sampled layers, followed by head layers; both are rows of one `ChainSpec`.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from networks.alias_free import ChainSpec, ChainTrunk, layer_table
from networks.base import Mapping
from networks.early_chain import ChainGenerator
from networks.layers import EqualizedLinear, normalize_2nd_moment
from networks.registry import family


@dataclass(frozen=True)
class StyleGANXLSpec(ChainSpec):
    """Configuration of a StyleGAN-XL stem or super-resolution generator; `embed_features` is 0 when unconditional."""


class ClassEmbedding(nn.Module):
    """One feature vector per class, [c_dim, embed_features], of a pretrained classifier; fixed in training."""

    def __init__(self, c_dim: int, embed_features: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(c_dim, embed_features))

    def reset_weights(self, generator: torch.Generator) -> None:
        self.weight.data.normal_(generator=generator)

    def forward(self, c: Tensor) -> Tensor:
        """c [N, c_dim], one-hot or a blend of classes -> [N, embed_features]."""
        return c @ self.weight


class ClassMapping(Mapping):
    """Normalized z beside the normalized projection of the class embedding, through an lrelu MLP (section 3.2).

    `w_avg` is [c_dim, w_dim], one centre per class, or [w_dim] when unconditional.
    """

    def __init__(self, spec: StyleGANXLSpec) -> None:
        super().__init__()
        self.c_dim, self.num_layers = spec.c_dim, len(spec.mapping_features)
        conditional = spec.c_dim > 0
        if conditional:
            self.embed = ClassEmbedding(spec.c_dim, spec.embed_features)
            self.embed_proj = EqualizedLinear(spec.embed_features, spec.z_dim, activation="lrelu")
        widths = (spec.z_dim * (2 if conditional else 1), *spec.mapping_features)
        for i, (n_in, n_out) in enumerate(pairwise(widths)):
            layer = EqualizedLinear(n_in, n_out, activation="lrelu", lr_multiplier=spec.mapping_lr_multiplier)
            self.add_module(f"fc{i}", layer)
        self.register_buffer("w_avg", torch.zeros(*([spec.c_dim] if conditional else []), spec.w_dim))

    def forward(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """z [N, z_dim], c [N, c_dim] -> w [N, w_dim]. Without c all classes count alike, as they do in `centre`."""
        x = normalize_2nd_moment(z.float())
        if self.c_dim > 0:
            c = x.new_full((x.shape[0], self.c_dim), 1 / self.c_dim) if c is None else c.float()
            x = torch.cat([x, normalize_2nd_moment(self.embed_proj(self.embed(c)))], dim=1)
        for i in range(self.num_layers):
            x = self.get_submodule(f"fc{i}")(x)
        return x


@family("stylegan_xl", "StyleGAN-XL", StyleGANXLSpec)
class StyleGANXL(ChainGenerator):
    """StyleGAN-XL, stem or super-resolution; c is a one-hot class (or a blend of some), truncation is per class."""

    def __init__(self, spec: StyleGANXLSpec) -> None:
        super().__init__()
        self.spec = spec
        self.layers = layer_table(spec)
        self.num_ws = len(self.layers)
        self.mapping = ClassMapping(spec)
        self.synthesis = ChainTrunk(spec, self.layers)
