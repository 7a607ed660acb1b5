"""The CLIP text encoder of a StyleGAN-T file, against open_clip's own forward and against the formulas."""

import math
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from networks.checkpoint import load
from networks.checkpoint.errors import CheckpointError
from networks.checkpoint.records import ModuleRecord
from networks.text_encoder import TextEncoder, TextEncoderUnavailable, causal_mask, import_open_clip
from tests.networks.text_file import DIM, HEADS, LAYERS, REFERENCE, WIDTH, random_clip, write

ROOT = Path(__file__).parents[2]
PROMPTS = ["a photo of a cat", "An oil painting: two ships, at dusk!", ""]


@pytest.fixture(scope="module")
def clip():
    return random_clip()


@pytest.fixture(scope="module")
def checkpoint(clip, tmp_path_factory):
    return load.read_checkpoint(write(tmp_path_factory.mktemp("text") / "text.pkl", clip))


def test_features_equal_open_clips(clip, checkpoint):
    encoder = TextEncoder.from_checkpoint(checkpoint)
    ours = encoder.encode(PROMPTS)
    with torch.no_grad():
        theirs = F.normalize(clip.encode_text(import_open_clip().tokenize(PROMPTS)), dim=-1)
    assert ours.shape == (3, encoder.dim) == (3, DIM)
    assert torch.allclose(ours, theirs, atol=1e-6)
    assert torch.allclose(ours.norm(dim=1), torch.ones(3), atol=1e-6)
    assert float((ours[0] - ours[1]).abs().max()) > 0.01


def test_features_equal_the_formulas(clip, checkpoint):
    """CLIP's text transformer by hand: pre-norm blocks, causal attention, QuickGELU x sigmoid(1.702 x)."""
    state = {key: value.double() for key, value in clip.state_dict().items()}
    tokens = import_open_clip().tokenize(PROMPTS[:1])[0]

    def norm(x, name):
        return F.layer_norm(x, (WIDTH,), state[f"{name}.weight"], state[f"{name}.bias"])

    def linear(x, name):
        return x @ state[f"{name}.weight"].t() + state[f"{name}.bias"]

    x = state["token_embedding.weight"][tokens] + state["positional_embedding"]
    for i in range(LAYERS):
        block = f"transformer.resblocks.{i}"
        qkv = norm(x, f"{block}.ln_1") @ state[f"{block}.attn.in_proj_weight"].t() + state[f"{block}.attn.in_proj_bias"]
        q, k, v = (part.view(77, HEADS, WIDTH // HEADS).transpose(0, 1) for part in qkv.chunk(3, dim=1))
        scores = q @ k.transpose(1, 2) / math.sqrt(WIDTH // HEADS) + causal_mask(77).double()
        attended = (scores.softmax(dim=2) @ v).transpose(0, 1).reshape(77, WIDTH)
        x = x + linear(attended, f"{block}.attn.out_proj")
        hidden = linear(norm(x, f"{block}.ln_2"), f"{block}.mlp.c_fc")
        x = x + linear(hidden * torch.sigmoid(1.702 * hidden), f"{block}.mlp.c_proj")
    end = int(tokens.argmax())  # the end-of-text token has the largest number
    feature = norm(x, "ln_final")[end] @ state["text_projection"]
    ours = TextEncoder.from_checkpoint(checkpoint).encode(PROMPTS[:1])[0]
    assert torch.allclose(ours, F.normalize(feature, dim=0).float(), atol=1e-6)


def test_the_exact_gelu_is_kept_where_the_file_has_it(tmp_path):
    clip = random_clip(quick_gelu=False)
    checkpoint = load.read_checkpoint(write(tmp_path / "gelu.pkl", clip))
    ours = TextEncoder.from_checkpoint(checkpoint).encode(PROMPTS)
    with torch.no_grad():
        theirs = F.normalize(clip.encode_text(import_open_clip().tokenize(PROMPTS)), dim=-1)
    assert torch.allclose(ours, theirs, atol=1e-6)


def test_half_precision_encoders_compute_in_float32(tmp_path):
    clip = random_clip().half()
    ours = TextEncoder.from_checkpoint(load.read_checkpoint(write(tmp_path / "half.pkl", clip))).encode(PROMPTS)
    with torch.no_grad():
        theirs = F.normalize(clip.float().encode_text(import_open_clip().tokenize(PROMPTS)), dim=-1)
    assert ours.dtype == torch.float32
    assert torch.allclose(ours, theirs, atol=1e-6)


def test_a_prompt_makes_a_picture(checkpoint):
    generator = load.build(checkpoint)
    c = TextEncoder.from_checkpoint(checkpoint).encode(PROMPTS[:2])
    ws = generator.map(torch.zeros(2, generator.z_dim), c, psi=0.0)
    assert torch.equal(ws[:, 5, -DIM:], c)
    assert generator.synthesize(ws).shape == (2, 3, 32, 32)
    assert not any(key.startswith("mapping.clip") for key in checkpoint.state)
    assert not any("text encoder" in note for note in checkpoint.notes)


def test_no_prompts_and_no_encoder(checkpoint):
    assert TextEncoder.from_checkpoint(checkpoint).encode([]).shape == (0, DIM)
    without = load.read_checkpoint(REFERENCE)
    assert TextEncoder.from_checkpoint(without) is None
    assert "48 numbers" in without.notes[0]


def test_a_long_prompt_is_cut(checkpoint):
    encoder = TextEncoder.from_checkpoint(checkpoint)
    long, longer = encoder.encode(["word " * 100, "word " * 200])
    assert torch.equal(long, longer)


def test_foreign_encoders_are_refused(checkpoint):
    record = checkpoint.text_encoder

    def refused(encoder, sentence):
        changed = type(checkpoint)(**{**vars(checkpoint), "text_encoder": encoder})
        with pytest.raises(CheckpointError, match=sentence):
            TextEncoder.from_checkpoint(changed)

    refused(ModuleRecord("Other", parameters={"weight": torch.zeros(3)}), "it has no token_embedding.weight")
    model = record.module("model")
    short = ModuleRecord("CLIP", parameters={"text_projection": torch.zeros(5, DIM)}, modules=model.modules)
    refused(short, "positional_embedding")
    parameters = {**model.parameters, "text_projection": torch.zeros(5, DIM)}
    refused(ModuleRecord("CLIP", parameters=parameters, modules=model.modules), r"text_projection .* is \[5, 48\]")


def test_importing_networks_does_not_import_open_clip():
    code = "import sys, networks.text_encoder; print({'open_clip', 'torchvision'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_without_open_clip_there_is_a_sentence(checkpoint, monkeypatch):
    monkeypatch.setitem(sys.modules, "open_clip", None)
    with pytest.raises(TextEncoderUnavailable, match=r"pip install -r requirements-text.txt"):
        TextEncoder.from_checkpoint(checkpoint)
