"""Text to vector: the CLIP text transformer that a StyleGAN-T file carries, rebuilt in open_clip (optional).

Radford et al. 2021, "Learning Transferable Visual Models From Natural Language Supervision". StyleGAN-T takes the
text feature of ViT-L/14 divided by its norm as c (Sauer et al. 2023, section 3.3). Only the file's numbers are used.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from networks.checkpoint.errors import CheckpointError
from networks.checkpoint.records import Array, Checkpoint, ModuleRecord

TEXT_HINT = (
    "Text prompts need the optional package open_clip: `pip install -r requirements-text.txt`;"
    " without it, give the text as a vector (.npy)."
)
EMBEDDING = "token_embedding.weight"
HEAD_WIDTH = 64  # channels per attention head in every CLIP of the paper


class TextEncoderUnavailable(Exception):
    """open_clip is not installed or cannot be imported; says what to do."""


class TextEncoder:
    """Prompts -> unit vectors. Made by `from_checkpoint`; `dim` is the length of the vectors."""

    def __init__(self, model: nn.Module, tokenizer: Any, dim: int) -> None:
        self.model, self.tokenizer, self.dim = model, tokenizer, dim

    @classmethod
    def from_checkpoint(cls, checkpoint: Checkpoint, device: torch.device | str = "cpu") -> TextEncoder | None:
        """Rebuild a file's text encoder; None when the file has none.

        Raises TextEncoderUnavailable without open_clip, CheckpointError when the file's encoder is of another kind.
        """
        if checkpoint.text_encoder is None:
            return None
        open_clip, name = import_open_clip(), checkpoint.path.name
        try:
            record, state = find_text_model(checkpoint.text_encoder)
            settings = text_settings(open_clip, record, state)
        except KeyError as error:
            raise CheckpointError(f"{name}: its text encoder is no CLIP text transformer: {error.args[0]}") from None
        with torch.device("meta"):  # the file's tensors take the place of the parameters
            model = open_clip.transformer.TextTransformer(**settings)
        _check(model.state_dict(), state, name)
        model.load_state_dict({key: state[key] for key in model.state_dict()}, assign=True)
        model.attn_mask = causal_mask(settings["context_length"])
        model = model.eval().requires_grad_(False).to(device)
        tokenizer = open_clip.SimpleTokenizer(context_length=settings["context_length"])
        return cls(model, tokenizer, settings["output_dim"])

    def encode(self, prompts: Sequence[str]) -> Tensor:
        """N prompts -> [N, dim], float32, each of norm 1. Longer prompts are cut at the model's context length."""
        if not prompts:
            return torch.empty(0, self.dim)
        tokens = self.tokenizer(list(prompts)).to(self.model.get_parameter("positional_embedding").device)
        with torch.no_grad():
            return F.normalize(self.model(tokens).float(), dim=-1)


def causal_mask(length: int) -> Tensor:
    """[length, length]: 0 where a token may look (itself and those before it), -inf elsewhere."""
    return torch.full((length, length), -math.inf).triu_(1)


def find_text_model(record: ModuleRecord) -> tuple[ModuleRecord, dict[str, Tensor]]:
    """Return the module that holds the token embedding, and its state below the text part, in float32.

    Raises KeyError with a few words when there is none.
    """
    state = dict(record.state())
    prefix = next((key.removesuffix(EMBEDDING) for key in state if key.endswith(EMBEDDING)), None)
    if prefix is None:
        raise KeyError(f"it has no {EMBEDDING}")
    below = {key.removeprefix(prefix): _tensor(array) for key, array in state.items() if key.startswith(prefix)}
    return (record.module(prefix.removesuffix(".")) if prefix else record), below


def text_settings(open_clip: Any, record: ModuleRecord, state: Mapping[str, Tensor]) -> dict[str, Any]:
    """Sizes and activation of a text transformer, as open_clip names them. Raises KeyError naming what is missing."""
    context, width = state["positional_embedding"].shape
    attention = record.module("transformer.resblocks.0.attn")
    activation = record.module("transformer.resblocks.0.mlp").modules.get("gelu")
    quick = activation is None or activation.class_name == "QuickGELU"  # OpenAI's own; later ones use the exact GELU
    return {
        "context_length": context,
        "vocab_size": state[EMBEDDING].shape[0],
        "width": width,
        "heads": int(attention.attributes.get("num_heads", max(width // HEAD_WIDTH, 1))),
        "layers": len(record.module("transformer.resblocks").modules),
        "mlp_ratio": state["transformer.resblocks.0.mlp.c_fc.weight"].shape[0] / width,
        "output_dim": state["text_projection"].shape[1],
        "act_layer": open_clip.transformer.QuickGELU if quick else nn.GELU,
    }


def import_open_clip() -> Any:
    """Import open_clip; raises TextEncoderUnavailable with the remedy."""
    try:
        try:
            import open_clip
        except RuntimeError as error:
            if "operator torchvision::" not in str(error):
                raise
            _declare_detection_operators()
            import open_clip
    except ImportError as error:
        raise TextEncoderUnavailable(TEXT_HINT) from error
    except RuntimeError as error:
        raise TextEncoderUnavailable(f"{TEXT_HINT} It is there, but its import failed: {error}") from error
    return open_clip


def _declare_detection_operators() -> None:
    """Let torchvision import where its compiled part is for another torch (a CUDA wheel beside a CPU torch).

    It then registers shapes for operators of object detection that nobody defined. CLIP uses none of them.
    """
    for operator in ("nms", "qnms"):
        torch.library.define(f"torchvision::{operator}", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")


def _check(expected: Mapping[str, Tensor], state: Mapping[str, Tensor], name: str) -> None:
    for key, tensor in expected.items():
        if key not in state or state[key].shape != tensor.shape:
            found = list(state[key].shape) if key in state else "missing"
            raise CheckpointError(f"{name}: {key} of the text encoder is {found}, expected {list(tensor.shape)}")


def _tensor(array: Array) -> Tensor:
    return torch.as_tensor(array).detach().float()
