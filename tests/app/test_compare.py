"""The compare view in plain values: what a pane asks for, what its model can take of it, and how it is said."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.compare import Pane, derive, label, position, reduced, scaled_noise, spans, threads_each
from app.frame import ModelInfo
from app.request import (
    Condition,
    Diagnostic,
    Latent,
    Mix,
    Model,
    RenderRequest,
    Transform,
    Truncation,
    View,
    plane,
)
from networks.plan import Intervention, LayerInfo, LayerNoise, Noise

SHARED = RenderRequest(
    model=Model("open.pkl", "cpu", attempt=3),
    latent=plane(2.25, 1.5),
    truncation=Truncation(0.7, 4),
    mix=Mix(9, (0, 1)),
    noise=Noise("random", 5),
    transform=Transform(0.1),
    view=View("b32.conv1"),
    diagnostic=Diagnostic("noise_difference"),
    max_height=0,
    bgr=True,
)
LAYERS = (
    LayerInfo(0, "b4.conv1", "conv", (4, 4), 16, 16, 0, True),
    LayerInfo(1, "b4.torgb", "torgb", (4, 4), 3, 16, 1),
    LayerInfo(2, "b8.conv0", "up", (8, 8), 16, 16, 1, True),
)


def info(**changes: object) -> ModelInfo:
    made = ModelInfo(
        path="/m/net.pkl", name="net.pkl", family="stylegan2", title="StyleGAN2", format="made", resolution=(8, 8),
        img_channels=3, z_dim=16, c_dim=0, w_dim=16, num_ws=3, layers=LAYERS, preview_sizes=(4, 8), condition="none",
        has_transform=False, has_text_encoder=False, parameters=1, device="cpu", precision="fp32", threads=1,
    )  # fmt: skip
    return replace(made, **changes)


def test_a_pane_without_values_of_its_own_asks_for_the_shared_picture() -> None:
    assert Pane().follows
    assert derive(SHARED, Pane()) == replace(SHARED, view=View(), diagnostic=Diagnostic())


def test_a_pane_replaces_what_is_its_own_and_shares_the_rest() -> None:
    own = Pane("b.pkl", 2, False, "none", 1.0, Mix(4, (2,)), Latent(((7, 1.0),)), 0.5, Transform(angle_deg=30.0))
    assert not own.follows
    assert derive(SHARED, own) == RenderRequest(
        model=Model("b.pkl", "cpu", attempt=2),
        latent=Latent(((7, 1.0),)),
        truncation=Truncation(0.5, 4),
        mix=Mix(4, (2,)),
        noise=Noise("none", 5),
        transform=Transform(angle_deg=30.0),
        max_height=0,
    )
    assert derive(SHARED, Pane(psi=0.0)).truncation == Truncation(0.0, 4)
    assert derive(SHARED, Pane("b.pkl")).latent == SHARED.latent  # the same seeds for every model


@pytest.mark.parametrize(
    ("asked", "model", "kept", "said"),
    [
        (Condition(class_index=3), info(), Condition(), "class or prompt: it takes none"),
        (Condition(prompt="a cat"), info(), Condition(), "class or prompt: it takes none"),
        (Condition(), info(), Condition(), ""),
        (
            Condition(class_index=700, class_b=2, blend=0.5),
            info(condition="class", c_dim=5),
            Condition(class_b=2, blend=0.5),
            "class 700: it has 0 to 4",
        ),
        (
            Condition(class_index=1, class_b=9, blend=0.5),
            info(condition="class", c_dim=5),
            Condition(class_index=1),
            "class 9: it has 0 to 4",
        ),
        (
            Condition(prompt="a cat"),
            info(condition="class", c_dim=5),
            Condition(),
            "prompt or vector: it takes classes",
        ),
        (
            Condition(class_index=3),
            info(condition="vector", c_dim=48),
            Condition(),
            "class: it takes prompts or vectors",
        ),
        (
            Condition(prompt="a cat", vector_file="v.npy"),
            info(condition="vector", c_dim=48),
            Condition(vector_file="v.npy"),
            "prompt: the file holds no text encoder",
        ),
        (
            Condition(prompt="a cat"),
            info(condition="vector", c_dim=48, has_text_encoder=True),
            Condition(prompt="a cat"),
            "",
        ),
    ],
)
def test_of_a_condition_a_model_gets_what_it_understands(
    asked: Condition, model: ModelInfo, kept: Condition, said: str
) -> None:
    request, left_out = reduced(RenderRequest(condition=asked), model)
    assert request.condition == kept
    assert "; ".join(left_out) == said


def test_rows_edits_and_transforms_that_a_model_lacks_are_left_out_and_said() -> None:
    here = Intervention("b8.conv0", "scale", 0.0, channels=(15,))
    beyond = Intervention("b8.conv0", "scale", 0.0, channels=(16,))
    elsewhere = Intervention("L5_148_1024", "scale", 0.0)
    before_norm = Intervention("b4.conv1", "no_norm", stage="pre_norm")
    asked = replace(SHARED, mix=Mix(9, (1, 2, 3, 4)), edits=(here, beyond, elsewhere, before_norm))
    request, left_out = reduced(asked, info())
    assert (request.mix, request.edits, request.transform) == (Mix(9, (1, 2)), (here,), Transform())
    assert left_out == (
        "mixed rows 3, 4: it has 0 to 2",
        "edits of b8.conv0: no such map here",
        "edits of L5_148_1024: no such map here",
        "edits of b4.conv1: no such map here",
        "shift and turn: its input takes none",
    )
    assert reduced(replace(SHARED, mix=Mix(9, (7,))), info())[0].mix == Mix()
    assert reduced(SHARED, info(has_transform=True)) == (SHARED, ())


def test_a_strength_multiplies_every_noise_input_and_keeps_what_is_off() -> None:
    noise = Noise("const", 0, (LayerNoise("b8.conv0", False, 0.5),))
    assert scaled_noise(noise, 1.0, LAYERS) is noise
    assert scaled_noise(noise, 3.0, LAYERS).layers == (
        LayerNoise("b4.conv1", True, 3.0),
        LayerNoise("b8.conv0", False, 1.5),
    )


@pytest.mark.parametrize("place", [(0.0, 0.0), (2.25, 1.5), (99.5, 3.25), (7.0, 0.75), (0.5, 12.0)])
def test_the_place_on_the_plane_of_seeds_is_found_again(place: tuple[float, float]) -> None:
    assert position(plane(*place)) == pytest.approx(place)


def test_left_of_the_first_seed_the_place_has_another_name_for_the_same_point() -> None:
    found = position(plane(-4.25, 0.0))
    assert found is not None
    assert dict(plane(*found).seeds) == pytest.approx(dict(plane(-4.25, 0.0).seeds))


@pytest.mark.parametrize("latent", [Latent.of_file("w.npy"), Latent(((0, 0.5), (7, 0.5))), Latent(())])
def test_other_points_have_no_place_on_the_plane(latent: Latent) -> None:
    assert position(latent) is None


def test_labels_say_what_a_pane_has_of_its_own() -> None:
    pane = Pane("b.pkl", noise="none", psi=0.5, mix=Mix(4, (0, 1, 2, 5)), noise_strength=2.0)
    assert label(pane, info()) == (
        "net.pkl",
        "StyleGAN2, 8 × 8 px, psi 0.50, noise off, noise × 2.00, rows 0-2, 5 of seed 4",
    )
    assert label(Pane(mix=Mix()), info())[1] == "StyleGAN2, 8 × 8 px, no mixing"
    assert label(Pane("/far/b.pkl"), None) == ("b.pkl", "")
    assert label(Pane(""), None) == ("no model", "")


def test_spans() -> None:
    assert [spans(rows) for rows in ((), (3,), (4, 3), (0, 1, 2, 5, 7, 8))] == ["", "3", "3-4", "0-2, 5, 7-8"]


def test_workers_share_the_threads_and_each_has_one() -> None:
    assert [threads_each(2, workers) for workers in (1, 2, 3, 5)] == [2, 1, 1, 1]
    assert [threads_each(15, workers) for workers in (2, 3, 5)] == [7, 5, 3]
