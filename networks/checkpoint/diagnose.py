"""What a readable file holds when it is no generator of a known family, in a few words with a remedy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch

from networks.checkpoint.records import ModuleRecord, Source, TFNetwork

# (what keys begin with or contain, what such a file is)
KINDS: tuple[tuple[tuple[str, ...], str], ...] = (
    (
        ("model.diffusion_model.", "unet.", "down_blocks.", "double_blocks.", "transformer_blocks.", "time_embed"),
        "a diffusion model, which is no StyleGAN",
    ),
    (("first_stage_model.", "quant_conv.", "post_quant_conv."), "an autoencoder, which is no StyleGAN"),
    (("lora_", ".lora_A", ".lora_down"), "a LoRA add-on for another kind of model"),
    (("visual.transformer.", "text_model.encoder."), "a CLIP network, which is no generator"),
    (("layer1.0.conv1.", "features.0.weight", "layer4.1.conv2."), "a classifier, which is no generator"),
    (("lin0.model.", "lins.0."), "a perceptual metric (LPIPS), which is no generator"),
)
DEPTH = 3


def describe(source: Source) -> str:
    """A few words on what a file holds, for the sentence 'no generator of a known family in this file (...)'."""
    root = source.root
    if _is_discriminator(root):
        return "it holds a discriminator only; get the file with G_ema"
    if isinstance(root, torch.Tensor | np.ndarray):
        return f"one array of shape {list(root.shape)}; open it as a latent, not as a model"
    keys = list(_keys(root, DEPTH))
    for needles, what in KINDS:
        if any(needle in key for key in keys for needle in needles):
            return what
    if isinstance(root, Mapping):
        return _of_mapping(source, root)
    if isinstance(root, ModuleRecord):
        return f"one network of class {root.class_name!r} with {len(root.modules)} parts"
    if isinstance(root, TFNetwork):
        return f"one TensorFlow network, {root.build_func_name or root.name!r}"
    return f"a {source.kind} file that holds a {type(root).__name__}"


def _of_mapping(source: Source, root: Mapping[Any, Any]) -> str:
    if set(root) == {"state", "param_groups"}:
        return "the state of an optimizer; get the file with the networks"
    names = [str(key)[:60] for key in root]
    listed = f"{', '.join(names[:6])}{', ...' if len(names) > 6 else ''}"
    return f"a {source.kind} file with {len(names)} {'entry' if len(names) == 1 else 'entries'}: {listed}"


def _is_discriminator(root: Any) -> bool:
    """A discriminator by its class or function name, or a container that has `D` or `d` and no generator."""
    if isinstance(root, ModuleRecord):
        return "Discriminator" in root.class_name
    if isinstance(root, TFNetwork):
        return root.build_func_name.startswith("D_")
    if isinstance(root, Mapping):
        names = {str(key).lower() for key in root}
        return not any(name.startswith("g") for name in names) and bool(names & {"d", "d_ema", "discriminator"})
    return False


def _keys(root: Any, depth: int) -> Iterator[str]:
    """The dotted keys of nested dicts, down to a depth."""
    if not isinstance(root, Mapping) or not depth:
        return
    for key, value in root.items():
        yield str(key)
        for below in _keys(value, depth - 1):
            yield f"{key}.{below}"
