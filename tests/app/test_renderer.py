"""Request -> frame: right bits, early pictures, and nothing drawn twice."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from app.pace import Pace
from app.renderer import Cancelled, Renderer
from app.request import Diagnostic, Latent, Model, RenderRequest, Truncation, View
from networks.plan import Intervention, LayerNoise, Noise
from tests.app.conftest import build

REFERENCE = Path(__file__).parent.parent / "data" / "reference"


@pytest.fixture
def renderer():
    return Renderer()


@pytest.fixture
def passes(renderer, monkeypatch):
    """Counts passes through the synthesis."""
    counted = []
    original = renderer._pass
    monkeypatch.setattr(renderer, "_pass", lambda *args: counted.append(1) or original(*args))
    return counted


def expected_picture(img):
    return (img * 127.5 + 128).clamp(0, 255).to(torch.uint8)[0].permute(1, 2, 0).numpy()


def test_the_reference_network_gives_the_official_numbers(renderer):
    io = np.load(REFERENCE / "stylegan2.io.npz")
    request = RenderRequest(model=Model(str(REFERENCE / "stylegan2.pkl"), device="cpu"))
    for row, seed in enumerate((0, 7)):  # the pictures were made of the truncated ws
        short = replace(request, latent=Latent(((seed, 1.0),)), truncation=Truncation(0.7, 4))
        assert np.abs(renderer.ws(short) - io["ws_psi0.7_cut4"][row : row + 1]).max() < 1e-5
        assert np.abs(renderer.image(short) - io["img_const"][row : row + 1]).max() < 1e-5
        assert np.abs(renderer.image(replace(short, noise=Noise("none"))) - io["img_none"][row : row + 1]).max() < 1e-5


def test_the_frame_shows_exactly_what_the_generator_computes(renderer, request_):
    g = build()
    z = torch.from_numpy(np.random.RandomState(0).randn(1, 16)).float()
    frame = renderer.render(request_)
    assert np.array_equal(frame.picture[..., :3], expected_picture(g.synthesize(g.map(z))))
    assert frame.complete
    assert frame.model.num_ws == g.num_ws
    assert frame.model.threads == torch.get_num_threads()


def test_capturing_a_layer_changes_no_bit_of_the_picture(renderer, request_):
    plain = renderer.render(request_).picture
    frame = Renderer().render(replace(request_, view=View("b64.conv1", count=4)))
    assert np.array_equal(frame.picture, plain)
    assert frame.layer_view.pixels.shape == (129, 129, 4)


def test_the_same_request_is_drawn_once(renderer, request_, passes):
    first, second = renderer.render(request_), renderer.render(request_)
    assert first.picture is second.picture
    assert len(passes) == 1


def test_changing_only_the_view_draws_no_picture_again(renderer, request_, passes):
    viewed = replace(request_, view=View("b16.conv1"))
    picture = renderer.render(viewed).picture
    one = renderer.render(replace(viewed, view=View("b16.conv1", channel=2, gain_db=6)))
    assert len(passes) == 1  # the maps are still there
    other = renderer.render(replace(viewed, view=View("b32.conv1")))
    assert len(passes) == 2  # up to that layer only
    assert one.picture is other.picture is picture


def test_a_pass_for_maps_alone_stops_at_the_layer(renderer, request_, monkeypatch):
    renderer.render(request_)
    g = renderer.open(request_).generator
    monkeypatch.setattr(g.synthesis.b64.conv0, "forward", lambda *_: pytest.fail("went on after the layer"))
    assert renderer.render(replace(request_, view=View("b32.conv1"))).layer_view.layer == "b32.conv1"


def test_maps_are_the_same_whether_taken_alone_or_with_the_picture(request_):
    viewed = replace(request_, view=View("b32.conv1"))
    together = Renderer().render(viewed).layer_view
    later = Renderer()
    later.render(request_)
    assert np.array_equal(later.render(viewed).layer_view.pixels, together.pixels)


def test_a_layer_that_the_model_lacks_is_not_shown(renderer, request_):
    assert renderer.render(replace(request_, view=View("L5_148_1024"))).layer_view is None


@pytest.mark.parametrize(
    "change",
    [
        {"noise": Noise("none")},
        {"noise": Noise("random", seed=3)},
        {"noise": Noise(layers=(LayerNoise("b64.conv1", on=False),))},
        {"edits": (Intervention("b8.conv1", "scale", 0.0, (1,)),)},
        {"truncation": Truncation(0.5)},
        {"latent": Latent(((1, 1.0),))},
    ],
)
def test_what_shapes_the_picture_draws_it_again(renderer, request_, passes, change):
    before = renderer.render(request_).picture
    after = renderer.render(replace(request_, **change)).picture
    assert len(passes) == 2
    assert not np.array_equal(before, after)


def test_noise_difference_shows_where_noise_acts(renderer, request_):
    asked = replace(request_, diagnostic=Diagnostic("noise_difference", 2.0))
    frame = renderer.render(asked)
    bare = renderer.image(replace(request_, noise=Noise("none")))
    share = np.abs(renderer.image(request_) - bare)[0].transpose(1, 2, 0) * 2.0 / 2
    assert np.array_equal(frame.difference[..., :3], (share * 255 + 0.5).clip(0, 255).astype(np.uint8))
    assert renderer.render(replace(asked, noise=Noise("none"))).difference[..., :3].max() == 0


def test_an_early_picture_is_what_the_trunk_has_summed_so_far(renderer, request_):
    frame = renderer.render(replace(request_, max_height=40))
    assert frame.picture.shape == (32, 32, 4)
    assert not frame.complete
    assert renderer.render(replace(request_, max_height=128)).complete


def test_an_early_picture_is_chosen_from_measured_time(request_):
    pace = Pace()
    renderer = Renderer(pace=pace)
    key = renderer.open(request_).key
    for height, ms in ((32, 20.0), (64, 40.0), (128, 400.0)):
        pace.note(key, height, ms)
    assert renderer.expected_s(replace(request_, max_height=0)) == 0.04
    frame = renderer.render(replace(request_, max_height=0))
    assert frame.picture.shape[0] == 64


def test_a_full_pass_measures_every_height(renderer, request_):
    renderer.render(request_)
    key = renderer.open(request_).key
    times = [renderer.pace._ms[key, height] for height in (4, 8, 16, 32, 64, 128)]
    assert times == sorted(times)


def test_a_cancelled_pass_leaves_nothing(renderer, request_, passes):
    asked = []
    with pytest.raises(Cancelled):
        renderer.render(request_, cancelled=lambda: asked.append(1) or len(asked) > 3)
    assert len(asked) == 4
    assert renderer.render(request_).picture is not None


def test_a_changed_latent_file_is_read_again(renderer, request_, tmp_path):
    path = tmp_path / "w.npy"
    request = replace(request_, latent=Latent.of_file(str(path)))
    np.save(path, np.zeros((1, 16), np.float32))
    before = renderer.render(request).picture
    np.save(path, np.ones((1, 12, 16), np.float32))
    assert not np.array_equal(renderer.render(request).picture, before)
