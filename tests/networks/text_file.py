"""A StyleGAN-T file that carries a text encoder: the reference generator with a small random CLIP inside."""

import pickle
from pathlib import Path

import torch
from torch import nn

from networks.checkpoint.reader import read_source
from networks.text_encoder import import_open_clip

REFERENCE = Path(__file__).parents[1] / "data" / "reference" / "stylegan-t-conditional.pkl"
WIDTH, HEADS, LAYERS, DIM = 32, 2, 2, 48  # DIM is the c_dim of the reference generator


def random_clip(quick_gelu=True):
    """A CLIP of open_clip's own class with random weights, its image half removed as StyleGAN-T does."""
    clip = import_open_clip().model.CLIP(
        embed_dim=DIM,
        vision_cfg={"image_size": 32, "patch_size": 16, "width": 64, "layers": 1, "head_width": 32},
        text_cfg={"context_length": 77, "vocab_size": 49408, "width": WIDTH, "heads": HEADS, "layers": LAYERS},
        quick_gelu=quick_gelu,
    )
    generator = torch.Generator().manual_seed(0)
    for parameter in clip.parameters():
        parameter.data.normal_(std=0.3, generator=generator)
    del clip.visual
    return clip.eval().requires_grad_(False)


def as_module(record):
    """A record as a module that pickles by plain reference."""
    module = nn.Module()
    for name, tensor in record.parameters.items():
        module.register_parameter(name, nn.Parameter(tensor, requires_grad=False))
    for name, tensor in record.buffers.items():
        module.register_buffer(name, tensor)
    for name, child in record.modules.items():
        module.add_module(name, as_module(child))
    for name, value in record.attributes.items():
        if isinstance(value, int | float | str):
            setattr(module, name, value)
    return module


def write(path, clip):
    """The reference generator's file with an encoder in its mapping network, as StyleGAN-T writes it."""
    generator = as_module(read_source(REFERENCE).root["G_ema"])
    generator.mapping.clip.model = clip
    path.write_bytes(pickle.dumps({"G_ema": generator}))
    return path
