"""Projection as a study: its answers, the latent file that shows the very picture again, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app import latent_extras
from app.diagnostics import drawing
from app.errors import InputError
from app.latent_extras import Extras
from app.projection import keep, preview, study
from app.renderer import Renderer
from app.request import Latent, Model, RenderRequest, Transform
from app.studies import Update
from app.studies.projection import (
    KeepPoint,
    Photo,
    PhotoPreview,
    Projecting,
    ProjectionAnswer,
    ProjectionSettings,
    as_json,
)
from networks.plan import LayerNoise, Noise
from tests.networks.small import REFERENCE

SKIP, ALIAS_FREE, CLASSES = "stylegan2.pkl", "stylegan3-r.pkl", "stylegan2-conditional.pkl"


def asked(name: str) -> RenderRequest:
    return RenderRequest(Model(str(REFERENCE / name), "cpu"))


@pytest.fixture
def photo(tmp_path: Path) -> Photo:
    pixels = np.random.RandomState(0).randint(0, 255, (40, 60, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    return Photo(str(tmp_path / "photo.png"))


@pytest.fixture(autouse=True)
def few_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mean of w over 600 pictures: 10,000 would only take longer."""
    look_around = study.Projection.look_around
    monkeypatch.setattr(study.Projection, "look_around", lambda self, draw: look_around(self, draw, 600))


def project(name: str, photo: Photo, renderer: Renderer, **settings: object) -> tuple[Projecting, list[Update]]:
    question = Projecting(asked(name), photo, ProjectionSettings(**{"steps": 4, **settings}))
    return question, list(study.run(question, renderer))


def kept(answer: ProjectionAnswer, path: Path, renderer: Renderer) -> Latent:
    update = list(keep.run(KeepPoint(answer.best, str(path)), renderer))[-1]
    assert update.answer == str(path)
    return Latent.of_file(update.answer)


def test_every_step_is_an_update_with_the_closest_picture_so_far(photo: Photo) -> None:
    question, updates = project(SKIP, photo, Renderer())
    answers = [update.answer for update in updates if update.answer is not None]
    assert [len(answer.distances) for answer in answers] == [1, 2, 3, 4]
    last = answers[-1]
    assert last.best.distance == pytest.approx(last.distances.min())
    assert last.best.step == int(last.distances.argmin())
    assert last.now.shape == last.photo.shape == last.best.picture.shape == (32, 32, 4)
    assert last.distance_name == "light features (EfficientNet-lite0) and colours"
    assert updates[-1].share == 1.0
    values = as_json(last, question)
    assert values["steps_taken"] == 4
    assert values["best_distance"] == last.best.distance
    assert values["noise_maps_optimized"] == sorted(last.best.noise) != []


@pytest.mark.parametrize("name", [SKIP, ALIAS_FREE, "stylegan1.pkl"])
@pytest.mark.parametrize("space", ["w", "w+"])
def test_the_kept_file_shows_the_very_picture_that_was_found(
    name: str, space: str, photo: Photo, tmp_path: Path
) -> None:
    """Also by a renderer that opened the file in inference mode, and in the measures' own passes."""
    renderer = Renderer()
    base = asked(name)
    renderer.render(base)
    _, updates = project(name, photo, renderer, space=space)
    answer = updates[-1].answer
    request = replace(base, latent=kept(answer, tmp_path / "kept.npz", renderer))
    shown = renderer.render(request).picture
    assert np.abs(shown.astype(int) - answer.best.picture).max() <= 1
    measured = drawing.draw(renderer, request)[0].numpy()
    np.testing.assert_allclose(measured, renderer.image(request)[0], atol=1e-5)
    without = renderer.render(replace(request, noise=Noise("none"))).picture
    moved = renderer.render(replace(request, transform=Transform(0.2))).picture
    other = moved if name == ALIAS_FREE else without
    assert np.abs(other.astype(int) - answer.best.picture).max() > 4


def test_noise_of_a_file_obeys_the_noise_panel_and_edits_of_its_model(photo: Photo, tmp_path: Path) -> None:
    renderer = Renderer()
    _, updates = project(SKIP, photo, renderer)
    request = replace(asked(SKIP), latent=kept(updates[-1].answer, tmp_path / "kept.npz", renderer))
    plain = tmp_path / "plain.npz"
    latent_extras.write(plain, renderer.ws(request), Extras())
    bare = replace(request, latent=Latent.of_file(str(plain)))
    layers = tuple(
        LayerNoise(info.name, on=False) for info in renderer.open(request).generator.layers if info.has_noise
    )
    for noise in (Noise("random", 3), Noise("none"), Noise(layers=layers)):
        assert np.array_equal(
            renderer.image(replace(request, noise=noise)), renderer.image(replace(bare, noise=noise))
        )  # fmt: skip
    assert not np.array_equal(renderer.image(request), renderer.image(bare))


def test_a_files_transform_comes_before_the_users(tmp_path: Path) -> None:
    renderer, base = Renderer(), asked(ALIAS_FREE)
    ws = renderer.ws(base)
    first, then = Transform(0.1, -0.05, 20.0), Transform(-0.2, 0.1, -35.0)
    path = latent_extras.write(tmp_path / "moved.npz", ws, Extras({}, np.array(first.as_matrix())))
    both = np.array(then.as_matrix()) @ np.array(first.as_matrix())
    found = renderer.image(replace(base, latent=Latent.of_file(str(path)), transform=then))
    matrix = tuple(tuple(row) for row in both.tolist())
    wanted = renderer.image(replace(base, transform=Transform(matrix=matrix)))
    np.testing.assert_allclose(found, wanted, atol=1e-4)


def test_rotation_and_shift_are_found() -> None:
    """The only unknown: w stays at its place, and the picture was moved by known amounts."""
    import torch

    from app.projection.features import load_light
    from app.projection.project import Projection, Target, matrix_of

    generator = Renderer().open(asked(ALIAS_FREE)).generator
    with torch.no_grad():
        ws = generator.map(torch.randn(1, generator.z_dim, generator=torch.Generator().manual_seed(0)))
        true = torch.tensor([0.04, -0.03, 0.08])
        picture = generator.synthesize(ws, transform=matrix_of(true))
    projection = Projection(generator, Target(picture), load_light(), ProjectionSettings(steps=80))
    projection.start(ws[0, 0], 0.0)
    projection.adam.unknowns[0].share = 0.0
    while not projection.done:
        projection.step()
    assert projection.best is not None
    assert projection.best.move == pytest.approx(true.tolist(), abs=0.004)


@pytest.mark.parametrize(
    ("extras", "words"),
    [
        (Extras({"b8.conv1": np.zeros((4, 4))}), r"its noise for b8\.conv1 is \[4, 4\]; this model takes \[8, 8\]"),
        (Extras({"b999.conv1": np.zeros((4, 4))}), "this model has no such layer with noise"),
        (Extras({"b8.conv1": np.full((8, 8), np.nan)}), "not finite"),
        (Extras({}, np.zeros((3, 3))), "no invertible"),
    ],
)
def test_a_file_for_another_model_is_refused(extras: Extras, words: str, tmp_path: Path) -> None:
    renderer, base = Renderer(), asked(SKIP)
    path = latent_extras.write(tmp_path / "other.npz", renderer.ws(base), extras)
    with pytest.raises(InputError, match=words):
        renderer.render(replace(base, latent=Latent.of_file(str(path))))


def test_classes_are_looked_around_in_and_bad_questions_refused(photo: Photo) -> None:
    renderer = Renderer()
    question = Projecting(asked(CLASSES), photo, ProjectionSettings(steps=1))
    chosen = replace(
        question, request=replace(question.request, condition=replace(question.request.condition, class_index=2))
    )
    starts = [list(study.run(each, renderer))[-1].answer.best.ws for each in (question, chosen)]
    assert not np.allclose(*starts, atol=1e-2)
    with pytest.raises(InputError, match="0 steps find nothing"):
        list(study.run(replace(question, settings=ProjectionSettings(steps=0)), renderer))
    with pytest.raises(InputError, match="not 'z'"):
        list(study.run(replace(question, settings=ProjectionSettings(space="z")), renderer))  # type: ignore[arg-type]


def test_a_preview_is_the_photo_that_is_projected(photo: Photo) -> None:
    renderer = Renderer()
    shown = list(preview.run(PhotoPreview(asked(SKIP), photo), renderer))[-1].answer
    _, updates = project(SKIP, photo, renderer, steps=1)
    assert np.array_equal(shown, updates[-1].answer.photo)
