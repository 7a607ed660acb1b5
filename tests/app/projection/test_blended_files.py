"""Blends of latent files: their noise and transforms by hand, with numpy, and in the picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app import latent_extras
from app.errors import InputError
from app.latent_extras import Extras, Party, blended_noise, blended_transform, parties_of
from app.renderer import Renderer
from app.request import Latent, Model, RenderRequest, Transform
from app.timeline.points import Points
from networks.plan import LayerNoise, Noise
from networks.taps import Taps
from tests.networks.small import REFERENCE

SKIP, ALIAS_FREE = "stylegan2.pkl", "stylegan3-r.pkl"


def normal(seed: int, side: int) -> np.ndarray:
    return np.random.RandomState(seed).randn(side, side).astype(np.float32)


def turned(degrees: float, x: float = 0.0, y: float = 0.0) -> np.ndarray:
    return np.array(Transform(x, y, degrees).as_matrix())


def asked(name: str) -> RenderRequest:
    return RenderRequest(Model(str(REFERENCE / name), "cpu"))


def maps_of(renderer: Renderer, request: RenderRequest, seed: int) -> dict[str, np.ndarray]:
    """A map for every layer with noise, of variance about 1."""
    layers = [info for info in renderer.open(request).generator.layers if info.has_noise]
    return {info.name: normal(seed + info.index, info.size[0]) for info in layers}


def written(path: Path, renderer: Renderer, seed: int, request: RenderRequest, extras: Extras) -> str:
    ws = renderer.ws(replace(request, latent=Latent(((seed, 1.0),))))
    return str(latent_extras.write(path, ws, extras))


def added(renderer: Renderer, request: RenderRequest) -> Mapping[str, np.ndarray]:
    """What each layer adds in place of its own noise."""
    taps = Taps()
    latent_extras.prepare(renderer.open(request).generator, request, taps)
    return {name: noise[0, 0].numpy() for name, noise in taps.added_noise.items()}


def stored(renderer: Renderer, request: RenderRequest) -> dict[str, tuple[np.ndarray, float]]:
    """Layer -> the checkpoint's map and the strength that was learnt."""
    found = {}
    for name, module in renderer.open(request).generator.named_buffers():
        if name.endswith("noise_const"):
            layer = renderer.open(request).generator.get_submodule(name.removesuffix(".noise_const"))
            found[layer.info.name] = (module.numpy(), float(layer.noise_strength.detach()))
    return found


# -- by hand -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("weights", [(0.5, 0.5), (0.2, 0.8), (0.3, 0.3, 0.4), (1.08, -0.08)])
def test_a_blend_of_independent_maps_is_normal_again(weights: tuple[float, ...]) -> None:
    """sum a_i n_i / sqrt(sum a_i^2); also beyond the ends, where a spline overshoots."""
    maps = [normal(seed, 512) for seed in range(len(weights))]
    found = blended_noise(list(zip(weights, maps, strict=True)))
    by_hand = sum(a * n for a, n in zip(weights, maps, strict=True)) / np.sqrt(np.sum(np.square(weights)))
    np.testing.assert_allclose(found, by_hand, atol=0.02)
    assert np.var(found) == pytest.approx(1.0, abs=0.01)
    assert np.mean(found**4) == pytest.approx(3.0, abs=0.1), "the fourth moment of N(0, 1)"
    assert found.dtype == np.float32


def test_the_power_of_a_blend_is_exactly_that_of_its_maps() -> None:
    """Of 4 x 4 values, too, where two draws are far from uncorrelated."""
    a, b = normal(1, 4), 2 * normal(2, 4)
    found = blended_noise([(0.3, a), (0.7, b)])
    wanted = (0.09 * np.mean(a**2) + 0.49 * np.mean(b**2)) / (0.09 + 0.49)
    assert np.mean(found**2) == pytest.approx(wanted, rel=1e-5)
    np.testing.assert_allclose(found / np.linalg.norm(found), (s := 0.3 * a + 0.7 * b) / np.linalg.norm(s), atol=1e-6)


def test_maps_that_agree_stay_as_they_are_and_one_is_handed_through() -> None:
    drawn = normal(3, 8)
    np.testing.assert_allclose(blended_noise([(0.5, drawn), (0.5, drawn)]), drawn, atol=1e-6)
    assert blended_noise([(0.7, drawn)]) is drawn
    assert not blended_noise([(0.5, drawn), (0.5, -drawn)]).any(), "opposites cancel: nothing is blown up"


def test_rotations_are_averaged_as_rotations() -> None:
    """Half way between 20 and 80 degrees lies 50, and the picture keeps its size; shifts are averaged."""
    parties = [Party("a", 0.5, Extras({}, turned(20, 0.1, 0))), Party("b", 0.5, Extras({}, turned(80, 0.3, -0.2)))]
    np.testing.assert_allclose(blended_transform(parties), turned(50, 0.2, -0.1), atol=1e-12)
    round_the_back = [Party("a", 0.5, Extras({}, turned(170))), Party("b", 0.5, Extras({}, turned(-170)))]
    np.testing.assert_allclose(blended_transform(round_the_back), turned(180), atol=1e-12)
    with_seeds = [Party("", 0.5, Extras()), Party("b", 0.5, Extras({}, turned(40, 0.2)))]
    np.testing.assert_allclose(blended_transform(with_seeds), turned(20, 0.1), atol=1e-12)


def test_what_is_no_rotation_is_averaged_as_numbers() -> None:
    wide, high = np.diag([2.0, 1.0, 1.0]), np.diag([1.0, 3.0, 1.0])
    found = blended_transform([Party("a", 0.25, Extras({}, wide)), Party("b", 0.75, Extras({}, high))])
    np.testing.assert_allclose(found, np.diag([1.25, 2.5, 1.0]), atol=1e-12)


@pytest.mark.parametrize("other", [turned(180), np.diag([-1.0, 1.0, 1.0])])
def test_without_a_mean_the_heaviest_counts(other: np.ndarray) -> None:
    found = blended_transform([Party("a", 0.5, Extras()), Party("b", 0.5, Extras({}, other))])
    np.testing.assert_array_equal(found, np.eye(3))


def test_parties_are_files_once_and_all_seeds_together(tmp_path: Path) -> None:
    latent = Latent(((1, 0.1), (2, 0.2)), (("a.npy", 0.3), ("b.npy", 0.2), ("a.npy", 0.2)))
    assert [(party.path, round(party.weight, 6)) for party in parties_of(latent)] == [
        ("", 0.3), ("a.npy", 0.5), ("b.npy", 0.2),
    ]  # fmt: skip


# -- in the picture ----------------------------------------------------------------------------------------------------


def test_layers_add_the_blend_of_the_files_maps(tmp_path: Path) -> None:
    """Two files and a seed; the seed brings the stored map, as does the file that lacks one of them."""
    renderer, base = Renderer(), asked(SKIP)
    a, b = maps_of(renderer, base, 100), maps_of(renderer, base, 200)
    lacking = next(iter(b))
    paths = [
        written(tmp_path / "a.npz", renderer, 3, base, Extras(a)),
        written(tmp_path / "b.npz", renderer, 4, base, Extras({name: b[name] for name in b if name != lacking})),
    ]
    latent = Latent(((5, 0.2),), ((paths[0], 0.5), (paths[1], 0.3)))
    request = replace(base, latent=latent, noise=Noise(layers=(LayerNoise("b16.conv1", strength=2.0),)))
    found = added(renderer, request)
    assert set(found) == set(a)
    for name, (const, strength) in stored(renderer, base).items():
        own = {"a": (0.5, a[name]), "b": (0.3, b[name]), "seed": (0.2, const)}
        if name == lacking:
            own = {"a": (0.5, a[name]), "rest": (0.5, const)}
        total = sum(weight * drawn.astype(np.float64) for weight, drawn in own.values())
        wanted = sum(w**2 * np.mean(n.astype(np.float64) ** 2) for w, n in own.values())
        wanted /= sum(w**2 for w, _ in own.values())
        by_hand = total * np.sqrt(wanted / np.mean(total**2)) * strength * (2.0 if name == "b16.conv1" else 1.0)
        np.testing.assert_allclose(found[name], by_hand, rtol=1e-4, atol=1e-6)


def test_a_walk_through_files_begins_and_ends_with_them(tmp_path: Path) -> None:
    """The ends are the files' own pictures bit by bit, and close to them the picture is close."""
    renderer, base = Renderer(), asked(SKIP)
    files = [
        written(tmp_path / f"{seed}.npz", renderer, seed, base, Extras(maps_of(renderer, base, 100 * seed)))
        for seed in (1, 2)
    ]
    ends = [replace(base, latent=Latent.of_file(path)) for path in files]
    way = Points([request.latent for request in ends], "spline", False, 0)

    def image(share: float) -> np.ndarray:
        return renderer.image(replace(base, latent=way.at(0, share)))

    for share, end in ((0.0, ends[0]), (1.0, ends[1])):
        np.testing.assert_array_equal(image(share), renderer.image(end))
    step = np.abs(image(0.001) - image(0.0)).max()
    assert 0 < step < 0.02 * np.abs(image(1.0) - image(0.0)).max()
    bare = [written(tmp_path / f"bare{seed}.npz", renderer, seed, base, Extras()) for seed in (1, 2)]
    without = Latent((), ((bare[0], 0.5), (bare[1], 0.5)))
    assert not np.array_equal(image(0.5), renderer.image(replace(base, latent=without))), "noise takes part"


def test_a_file_beside_itself_is_the_file(tmp_path: Path) -> None:
    renderer, base = Renderer(), asked(SKIP)
    path = written(tmp_path / "a.npz", renderer, 1, base, Extras(maps_of(renderer, base, 7)))
    halves = Latent((), ((path, 0.5), (path, 0.5)))
    single = added(renderer, replace(base, latent=Latent.of_file(path)))
    for name, noise in added(renderer, replace(base, latent=halves)).items():
        np.testing.assert_array_equal(noise, single[name])


def test_transforms_blend_in_the_picture_before_the_users(tmp_path: Path) -> None:
    renderer, base = Renderer(), asked(ALIAS_FREE)
    files = [
        written(tmp_path / "a.npz", renderer, 1, base, Extras({}, turned(-10, 0.1))),
        written(tmp_path / "b.npz", renderer, 2, base, Extras({}, turned(30, 0.0, 0.2))),
    ]
    then = Transform(0.05, 0.0, 15.0)
    blend = replace(base, latent=Latent((), ((files[0], 0.5), (files[1], 0.5))), transform=then)
    both = np.array(then.as_matrix()) @ turned(10, 0.05, 0.1)
    same = Latent(((1, 0.5), (2, 0.5)))
    wanted = replace(base, latent=same, transform=Transform(matrix=tuple(map(tuple, both.tolist()))))
    np.testing.assert_allclose(renderer.image(blend), renderer.image(wanted), atol=1e-4)


@pytest.mark.parametrize("noise", [Noise("none"), Noise("random", 3)])
def test_the_noise_panel_has_the_last_word(noise: Noise, tmp_path: Path) -> None:
    renderer, base = Renderer(), asked(SKIP)
    path = written(tmp_path / "a.npz", renderer, 1, base, Extras(maps_of(renderer, base, 7)))
    bare = written(tmp_path / "b.npz", renderer, 1, base, Extras())
    images = [
        renderer.image(replace(base, latent=Latent(((2, 0.5),), ((file, 0.5),)), noise=noise)) for file in (path, bare)
    ]
    np.testing.assert_array_equal(*images)


def test_a_blend_with_another_models_file_says_which(tmp_path: Path) -> None:
    renderer, base = Renderer(), asked(SKIP)
    path = written(tmp_path / "strange.npz", renderer, 1, base, Extras({"b8.conv1": normal(0, 4)}))
    latent = Latent(((2, 0.5),), ((path, 0.5),))
    with pytest.raises(InputError, match=r"strange\.npz: its noise for b8\.conv1 is \[4, 4\]; this model takes"):
        renderer.render(replace(base, latent=latent))
