"""Prompts from the request to the picture, through the text encoder that the file itself carries."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.renderer import Renderer
from app.request import Condition, Model, RenderRequest
from tests.networks.text_file import random_clip, write


@pytest.fixture(scope="module")
def request_(tmp_path_factory: pytest.TempPathFactory) -> RenderRequest:
    path: Path = write(tmp_path_factory.mktemp("prompts") / "text.pkl", random_clip())
    return RenderRequest(model=Model(path=str(path), device="cpu"))


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return Renderer()


def with_prompts(request: RenderRequest, a: str, b: str = "", blend: float = 0.0) -> RenderRequest:
    return replace(request, condition=Condition(prompt=a, prompt_b=b, blend=blend))


def test_the_panels_are_told_of_the_encoder(renderer: Renderer, request_: RenderRequest) -> None:
    assert renderer.open(request_).info.has_text_encoder


def test_another_prompt_is_another_picture_and_the_same_one_the_same(
    renderer: Renderer, request_: RenderRequest
) -> None:
    cat, ship = (renderer.image(with_prompts(request_, text)) for text in ("a photo of a cat", "two ships at dusk"))
    assert np.abs(cat - ship).max() > 0.01
    assert np.array_equal(cat, renderer.image(with_prompts(request_, "a photo of a cat")))


def test_a_blend_of_two_prompts_lies_between_their_w(renderer: Renderer, request_: RenderRequest) -> None:
    a, b, half = (
        renderer.ws(with_prompts(request_, "a photo of a cat", "two ships at dusk", blend)) for blend in (0.0, 1.0, 0.5)
    )
    assert np.abs(a - b).max() > 0.01
    assert np.allclose(half, (a + b) / 2, atol=1e-6)


def test_w_ends_with_the_encoded_prompt_of_unit_length(renderer: Renderer, request_: RenderRequest) -> None:
    c = renderer.ws(with_prompts(request_, "a photo of a cat"))[0, 0, -48:]
    assert abs(float(np.linalg.norm(c)) - 1.0) < 1e-5
