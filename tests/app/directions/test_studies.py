"""What the panel asks in the background: sources found, files opened, sets saved, style channels ranked."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from app.diagnostics.directions import ranking, run, style_gradients
from app.diagnostics.path_length import differentiable, draw_y
from app.errors import InputError
from app.renderer import Renderer
from app.request import Latent, Push
from app.studies.directions import (
    FindDirections,
    OpenFile,
    RankChannels,
    SaveSliders,
    Slider,
    as_json,
    from_plain,
    name_of,
    orthogonal,
    parse,
)


def answer(question, renderer=None):
    """The last answer of a study, and its shares on the way."""
    updates = list(run(question, renderer or Renderer()))
    return updates[-1].answer, [update.share for update in updates]


def test_components_come_step_by_step_with_their_shares(files):
    found, shares = answer(FindDirections(files.add("a.pkl"), "pca:2000"))
    assert shares == [0.25, 0.5, 0.75, 1.0, 1.0]
    assert (found.source, found.count) == ("pca:2000", 16)
    assert sum(found.share) == pytest.approx(1.0)
    np.testing.assert_allclose(np.array(found.share) * np.square(found.sigma).sum(), np.square(found.sigma))


def test_a_source_has_one_spelling(files):
    assert parse("pca:10000").text == "pca"
    assert parse("sefa:00-3").text == "sefa:0-3"
    assert answer(FindDirections(files.add("a.pkl"), "pca:10000"))[0].source == "pca"


def test_names_count_from_one():
    names = [
        Push("pca", 0),
        Push("sefa:0-3", 4),
        Push("random", 7),
        Push("style:b8.conv1", 12),
        Push("/a/smile.v2.npz", 1),
    ]
    assert [name_of(push) for push in names] == ["PCA 1", "SeFa 5", "Random 7", "b8.conv1 · 12", "smile.v2 2"]


SLIDERS = (
    Slider(Push("pca", 1, 2.0, (0, 4)), "older"),
    Slider(Push("style:b8.conv1", 3, -7.0)),
    Slider(Push("random", 9, 0.5)),
)


def test_a_saved_set_opens_again_as_it_was(files, tmp_path):
    request, path = files.add("a.pkl"), tmp_path / "set.json"
    sentence, _ = answer(SaveSliders(request, SLIDERS, str(path)))
    assert sentence == f"saved 3 directions to {path}"
    opened, _ = answer(OpenFile(request, str(path)))
    assert opened.sliders == SLIDERS
    assert opened.words == ""


def test_a_set_of_another_model_is_opened_by_its_vectors(files, tmp_path):
    request, path = files.add("a.pkl"), tmp_path / "set.json"
    answer(SaveSliders(request, SLIDERS, str(path)))
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "model_sha256": "ff" * 32, "model": "other.pkl"}))
    opened, _ = answer(OpenFile(request, str(path)))
    assert [slider.push for slider in opened.sliders] == [
        Push(str(path), 0, 2.0, (0, 4)),
        Push("style:b8.conv1", 3, -7.0),  # a channel has no vector
        Push(str(path), 1, 0.5),
    ]
    assert "made for another model (other.pkl)" in opened.words
    renderer = Renderer()
    mine = renderer.ws(replace(request, pushes=tuple(slider.push for slider in SLIDERS)))
    np.testing.assert_allclose(
        renderer.ws(replace(request, pushes=tuple(s.push for s in opened.sliders))), mine, atol=1e-5
    )


def test_a_set_for_other_tools_holds_the_vectors(files, tmp_path):
    request, path = files.add("a.pkl"), tmp_path / "set.npz"
    sentence, _ = answer(SaveSliders(request, SLIDERS, str(path)))
    assert sentence == f"saved 2 directions to {path}; 1 style channel left out"
    renderer = Renderer()
    library = renderer.open(request).library
    with np.load(path) as saved:
        for at, (source, index) in enumerate((("pca", 1), ("random", 9))):
            step = saved["directions"][at] * saved["sigma"][at]
            np.testing.assert_allclose(step, library.step(source, index), rtol=1e-5)
    found, _ = answer(OpenFile(request, str(path)), renderer)
    assert found.labels == ("older", "Random 9")


def test_what_cannot_be_saved_or_opened_is_said(files, tmp_path):
    request = files.add("a.pkl")
    for question, words in (
        (SaveSliders(request, (), str(tmp_path / "a.json")), "no direction to save"),
        (SaveSliders(request, SLIDERS, str(tmp_path / "a.txt")), "saved as .json or .npz"),
        (SaveSliders(request, SLIDERS[1:2], str(tmp_path / "a.npz")), "save them as .json"),
        (OpenFile(request, str(tmp_path / "gone.npz")), "no such file|cannot be read"),
        (OpenFile(request, str(tmp_path / "gone.json")), "cannot be read"),
    ):
        with pytest.raises(InputError, match=words):
            answer(question)
    bad = tmp_path / "bad.json"
    bad.write_text(json.dumps({"sliders": [as_json(SLIDERS[0]), {"source": "pca", "index": "x"}]}))
    with pytest.raises(InputError, match=r"bad\.json: slider 2 cannot be read"):
        answer(OpenFile(request, str(bad)))


def test_a_dropped_latent_is_told_and_a_chosen_one_is_a_direction(files, tmp_path):
    request, path = files.add("a.pkl"), tmp_path / "w.pt"
    torch.save(torch.linspace(-1, 1, 16)[None], path)
    assert answer(OpenFile(request, str(path), points=True))[0].latent
    found, _ = answer(OpenFile(request, str(path)))
    assert (found.count, found.latent) == (1, False)


@pytest.mark.parametrize(
    "values",
    [None, 3, {}, {"source": "pca"}, {"source": "pca", "index": 0, "strength": float("inf")},
     {"source": "pca:3", "index": 0}, {"source": "pca", "index": 0, "rows": [1]}, {"source": "", "index": 0}],
)  # fmt: skip
def test_what_is_no_slider_is_none(values):
    assert from_plain(values) is None


def test_sliders_survive_their_plain_values():
    for slider in SLIDERS:
        assert from_plain(json.loads(json.dumps(as_json(slider)))) == slider


SMALL = {"resolution": (16, 16), "channels": (16, 16, 16)}
PUSHED = (("b4.conv1", 2), ("b8.conv0", 7), ("b16.torgb", 0))


def test_gradients_of_styles_are_finite_differences(files):
    """y^T J of a channel against the picture of it pushed a little, times the same y."""
    request = replace(files.add("a.pkl", **SMALL), latent=Latent(((3, 1.0),)))
    renderer = Renderer()
    opened = renderer.open(request)
    for layer in ("b4.conv1", "b8.conv0", "b16.torgb"):
        opened.library.style(layer)
    y = draw_y(opened, 0, 4).double().numpy()
    found = style_gradients(differentiable(opened), request, [layer for layer, _ in PUSHED], 4)
    for layer, index in PUSHED:
        ends = [renderer.image(replace(request, pushes=(Push(f"style:{layer}", index, s),))) for s in (-0.02, 0.02)]
        moved = (y * (ends[1].astype(np.float64) - ends[0])).sum() / 0.04
        assert found[layer][index] * opened.library.style(layer)[1][index] == pytest.approx(moved, rel=0.03)


def test_an_effect_is_the_root_mean_square_of_what_one_deviation_changes(files):
    opened = Renderer().open(files.add("a.pkl", **SMALL))
    sigma = opened.library.style("b4.conv1")[1]
    found = ranking(opened, {"b4.conv1": np.arange(16.0)}, draws=4, count=3)
    expected = 100 * np.sqrt(np.arange(16) / 4 / (3 * 16 * 16)) * sigma / 2  # of the range from -1 to 1
    order = np.argsort(-expected)[:3]
    assert [channel.index for channel in found.channels] == order.tolist()
    assert [channel.effect for channel in found.channels] == pytest.approx(expected[order].tolist())
    everything, shares = answer(RankChannels(files.add("a.pkl", **SMALL), draws=2, count=1000))
    assert len({(channel.layer, channel.index) for channel in everything.channels}) == 8 * 16
    assert (everything.draws, shares[-1]) == (2, 1.0)


def test_the_pushes_of_a_picture_count_in_its_ranking(files):
    request = files.add("a.pkl", **SMALL)
    first, _ = answer(RankChannels(request, draws=1))
    moved, _ = answer(RankChannels(replace(request, pushes=(Push("pca", 0, 3.0),)), draws=1))
    assert [c.effect for c in first.channels] != [c.effect for c in moved.channels]


def test_an_orthogonal_source_names_its_parts():
    source = orthogonal((("pca", 0), ("/a/b.npz", 2)))
    assert parse(source).parts == (("pca", 0), ("/a/b.npz", 2))
