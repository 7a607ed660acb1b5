"""Seeds, classes, blends and mixing: ws as NVIDIA's tools make them."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from app import latents
from app.errors import InputError
from app.request import Condition, Latent, Mix, Model, Push, RenderRequest, Truncation, from_json, plane, to_json
from tests.app.conftest import SPEC, build

REQUEST = RenderRequest(model=Model("x"))


@pytest.fixture(scope="module")
def g():
    return build()


@pytest.fixture(scope="module")
def conditional():
    return build(replace(SPEC, c_dim=5, embed_features=16))


def ws(g, **parts):
    return latents.make_ws(g, replace(REQUEST, **parts))


def w_of(g, seed, c=None):
    z = torch.from_numpy(np.random.RandomState(seed).randn(1, 16)).float()
    return g.mapping(z, None if c is None else torch.nn.functional.one_hot(torch.tensor([c]), 5).float())


def test_a_seed_is_drawn_as_nvidias_tools_draw_it(g):
    assert torch.equal(ws(g, latent=Latent(((7, 1.0),))), w_of(g, 7)[:, None].repeat(1, g.num_ws, 1))


def test_the_class_is_drawn_right_after_z_from_the_same_stream(conditional):
    for seed in range(40, 70):
        stream = np.random.RandomState(seed)
        stream.randn(1, 16)
        drawn = int(stream.randint(5))
        latent = Latent(((seed, 1.0),))
        assert torch.equal(ws(conditional, latent=latent)[:, 0], w_of(conditional, seed, drawn))
        other = (drawn + 1) % 5
        chosen = ws(conditional, latent=latent, condition=Condition(class_index=other))
        assert torch.equal(chosen[:, 0], w_of(conditional, seed, other))


def test_the_plane_blends_four_seeds_bilinearly(g):
    expected = 0.75 * 0.5 * (w_of(g, 201) + w_of(g, 301)) + 0.25 * 0.5 * (w_of(g, 202) + w_of(g, 302))
    torch.testing.assert_close(ws(g, latent=plane(1.25, 2.5))[:, 0], expected, rtol=0, atol=1e-6)


def test_truncation_pulls_rows_below_the_cutoff_to_the_mean(g):
    full, centre = ws(g), g.centre()
    half = ws(g, truncation=Truncation(0.5, 4))
    torch.testing.assert_close(half[:, :4], centre[:, None] + 0.5 * (full[:, :4] - centre[:, None]))
    assert torch.equal(half[:, 4:], full[:, 4:])


def test_mixing_takes_rows_of_the_second_seed(g):
    mixed = ws(g, mix=Mix(3, (0, 2, 99)))
    assert torch.equal(mixed[:, [0, 2]], w_of(g, 3)[:, None].repeat(1, 2, 1))
    assert torch.equal(mixed[:, [1, 3]], w_of(g, 0)[:, None].repeat(1, 2, 1))


def test_classes_blend_in_w(conditional):
    blended = ws(conditional, condition=Condition(class_index=1, class_b=3, blend=0.25))
    expected = 0.75 * w_of(conditional, 0, 1) + 0.25 * w_of(conditional, 0, 3)
    torch.testing.assert_close(blended[:, 0], expected)


def test_a_saved_latent_gives_the_same_ws(g, tmp_path):
    from app import latent_files

    original = ws(g, mix=Mix(3, (0, 2)))
    path = latent_files.write(tmp_path / "w.npz", original.numpy())
    assert torch.equal(ws(g, latent=Latent.of_file(str(path))), original)


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        ({"latent": Latent(((-1, 1.0),))}, "seed -1 is outside 0 to 4294967295"),
        ({"latent": Latent(())}, "no seed is given"),
        ({"condition": Condition(class_index=5)}, "class 5 is outside 0 to 4"),
        ({"condition": Condition(class_index=0, class_b=-2, blend=0.5)}, "class -2 is outside 0 to 4"),
    ],
)
def test_wrong_input_is_one_sentence(conditional, parts, sentence):
    with pytest.raises(InputError, match=sentence):
        ws(conditional, **parts)


class VectorNet:
    """Stands in for a text-conditioned generator: w is c itself."""

    z_dim, c_dim, w_dim, num_ws, condition = 4, 3, 3, 2, "vector"

    def parameters(self):
        return iter([torch.zeros(1)])

    def map(self, z, c):
        return c[:, None].repeat(1, 2, 1)

    def truncate(self, ws, c, psi, cutoff):
        return ws


def test_prompts_are_encoded_once_and_blend():
    asked = []

    def encode(prompt):
        asked.append(prompt)
        return np.eye(3, dtype=np.float32)[len(prompt) % 3]

    workspace = latents.Workspace(encode)
    request = replace(REQUEST, condition=Condition(prompt="abc", prompt_b="a", blend=0.25))
    for _ in range(2):
        out = latents.make_ws(VectorNet(), request, workspace)
    assert out[0, 0].tolist() == [0.75, 0.25, 0.0]
    assert asked == ["abc", "a"]


def test_without_a_prompt_the_seed_draws_a_unit_vector():
    out = latents.make_ws(VectorNet(), REQUEST)
    stream = np.random.RandomState(0)
    stream.randn(1, 4)
    drawn = stream.randn(1, 3)
    np.testing.assert_allclose(out[0, 0], (drawn / np.linalg.norm(drawn))[0], rtol=1e-6)
    assert float(out[0, 0].norm()) == pytest.approx(1)


def test_a_prompt_without_an_encoder_says_what_to_give():
    with pytest.raises(InputError, match=r"no text encoder is at hand for the prompt 'cat'; give a .* vector \[3\]"):
        latents.make_ws(VectorNet(), replace(REQUEST, condition=Condition(prompt="cat")))


def test_a_vector_file_of_the_wrong_length_says_the_right_one(tmp_path):
    np.save(tmp_path / "c.npy", np.zeros(4))
    request = replace(REQUEST, condition=Condition(vector_file=str(tmp_path / "c.npy")))
    with pytest.raises(InputError, match=r"c.npy: the vector is \[4\]; this model takes \[3\]"):
        latents.make_ws(VectorNet(), request)


def test_a_blend_in_z_is_the_mapping_of_the_sum(g):
    z = sum(weight * np.random.RandomState(seed).randn(1, 16) for seed, weight in ((3, 0.6), (9, 0.8)))
    expected = g.mapping(torch.from_numpy(z).float(), None)
    blend = Latent(((3, 0.6), (9, 0.8)), space="z")
    torch.testing.assert_close(ws(g, latent=blend)[:, 0], expected, rtol=0, atol=1e-6)
    assert torch.equal(ws(g, latent=Latent(((7, 1.0),), space="z")), ws(g, latent=Latent(((7, 1.0),))))


def test_a_blend_in_z_needs_one_class(conditional):
    blend = Latent(((3, 0.6), (9, 0.8)), space="z")
    with pytest.raises(InputError, match="choose it first"):
        ws(conditional, latent=blend)
    z = sum(weight * np.random.RandomState(seed).randn(1, 16) for seed, weight in blend.seeds)
    c = torch.nn.functional.one_hot(torch.tensor([2]), 5).float()
    expected = conditional.mapping(torch.from_numpy(z).float(), c)
    got = ws(conditional, latent=blend, condition=Condition(class_index=2))
    torch.testing.assert_close(got[:, 0], expected, rtol=0, atol=1e-6)


def test_latent_files_and_seeds_are_blended_by_their_weights(g, tmp_path):
    stored = np.random.default_rng(0).normal(size=(1, g.num_ws, g.w_dim)).astype(np.float32)
    np.save(tmp_path / "w.npy", stored)
    blend = Latent(((4, 0.25),), ((str(tmp_path / "w.npy"), 0.75),))
    expected = 0.25 * w_of(g, 4)[:, None] + 0.75 * torch.from_numpy(stored)
    torch.testing.assert_close(ws(g, latent=blend), expected, rtol=0, atol=1e-6)
    with pytest.raises(InputError, match="not in Z"):
        ws(g, latent=replace(blend, space="z"))


def test_requests_of_older_files_name_one_latent_file():
    assert from_json({"latent": {"seeds": [[0, 1.0]], "file": "w.npz"}}).latent == Latent.of_file("w.npz")
    assert from_json({"latent": {"seeds": [[5, 1.0]], "file": ""}}).latent == Latent(((5, 1.0),))
    every = RenderRequest(latent=Latent(((5, 0.5),), (("w.npy", 0.5),)), pushes=(Push("pca", 3, 1.5, (0, 4)),))
    assert from_json(to_json(every)) == every
