"""The models that come with the app are listed by their cards, and by the weights' header where a card is missing."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from app.bundled import MODELS, bundled_models, first_model, opening
from app.commands import main
from app.training.run import write_generator
from networks import registry
from networks.checkpoint.load import load
from networks.training.config import PRESETS, generator_spec
from tests.app.conftest import SPEC, build


def place(folder: Path, name: str, card: object = None) -> Path:
    path = folder / name / f"{name}.safetensors"
    write_generator(path, build(SPEC), name)
    if card is not None:
        (path.parent / "card.json").write_text(json.dumps(card), encoding="utf-8")
    return path


def test_a_card_gives_the_words(tmp_path):
    card = {"data": {"source": "Dots, as packed in a box", "count": 3}, "parameters": 1_234_567, "licence": "MIT",
            "training": {"pictures_seen": 34000, "hours": 0.95}}  # fmt: skip
    path = place(tmp_path, "dots", card)
    (model,) = bundled_models(tmp_path)
    assert (model.path, model.title, model.about) == (str(path), "StyleGAN2", "128 × 128 px, Dots")
    assert model.details == "dots; 1.2 million parameters; trained on 34,000 pictures in 0.95 hours; MIT."


@pytest.mark.parametrize("card", [None, [], {"data": "?", "training": 3, "parameters": "many"}])
def test_a_missing_or_strange_card_leaves_what_the_weights_say(tmp_path, card):
    place(tmp_path, "bare", card)
    (model,) = bundled_models(tmp_path)
    assert (model.title, model.about, model.details) == ("StyleGAN2", "128 × 128 px", "bare.")


def test_damaged_weights_and_a_missing_folder_are_left_out(tmp_path):
    place(tmp_path, "good")
    place(tmp_path, "bad").write_bytes(b"no weights")
    assert [Path(model.path).stem for model in bundled_models(tmp_path)] == ["good"]
    assert bundled_models(tmp_path / "nowhere") == ()
    assert first_model(tmp_path / "nowhere") == ""


def test_the_stylegan2_comes_first_and_any_other_where_there_is_none(tmp_path):
    config = replace(PRESETS["stylegan1"], resolution=16, z_dim=8, w_dim=8, channel_base=128, channel_max=8)
    older = tmp_path / "a" / "a.safetensors"
    write_generator(older, registry.get("stylegan1").build(generator_spec(config)), "a")
    assert first_model(tmp_path) == str(older)
    newer = place(tmp_path, "b")
    assert first_model(tmp_path) == str(newer)
    assert [model.title for model in bundled_models(tmp_path)] == ["StyleGAN", "StyleGAN2"]


def test_every_model_in_the_repository_is_listed_as_it_opens():
    listed = bundled_models()
    assert len(listed) == len(list(MODELS.glob("*/*.safetensors"))) >= 1
    for model in listed:
        generator, _ = load(model.path)
        assert registry.get(generator.family).title == model.title
        height, width = generator.resolution
        assert model.about.startswith(f"{width} × {height} px, ")


def test_without_arguments_the_bundled_stylegan2_opens(tmp_path):
    opened = []

    def open_window(paths, device, script=None, **options):
        opened.append(list(paths))

    assert main([], open_window) == 0
    assert main([str(MODELS)], open_window) == 2
    (tmp_path / "run.json").write_text("{}", encoding="utf-8")
    assert main([str(tmp_path)], open_window) == 0
    (bundled,), (run,) = opened
    assert Path(bundled).parts[-3:] == ("models", "emoji-stylegan2", "emoji-stylegan2.safetensors")
    assert run == str(tmp_path)


def test_the_app_opens_on_a_truncated_picture_of_the_first_model() -> None:
    request = opening(first_model())
    assert request.model.path == first_model()
    assert len(request.latent.seeds) == 1
    assert 0 < request.truncation.psi < 1
