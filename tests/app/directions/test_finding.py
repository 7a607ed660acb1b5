"""PCA and SeFa against computations that share nothing with ours; what is kept on disk; sums of many batches."""

from __future__ import annotations

import os

import numpy as np
import pytest
import torch

from app.directions import algebra, cache, pca, sets, stylespace
from app.directions.files import read_own
from app.directions.library import Library
from app.errors import InputError
from tests.app.conftest import build
from tests.networks.small import small


def all_w(g, count):
    """w of the seeded stream, mapped at once: no batches, none of our sums."""
    z = np.random.RandomState(0).randn(count, g.z_dim)
    with torch.inference_mode():
        return g.mapping(torch.from_numpy(z).float()).double().numpy()


def test_components_are_those_of_a_singular_value_decomposition_of_all_samples():
    g = build()
    w = all_w(g, 3000)
    _, singular, axes = np.linalg.svd(w - w.mean(axis=0), full_matrices=False)
    found = Library(g).find("pca:3000")
    np.testing.assert_allclose(found.sigma, singular / np.sqrt(2999), rtol=1e-5)
    np.testing.assert_allclose(found.mean, w.mean(axis=0), atol=1e-5)
    alike = np.abs((found.directions * axes).sum(axis=1))
    np.testing.assert_allclose(alike, 1.0, atol=1e-4)


def test_components_of_a_gaussian_are_the_axes_it_was_drawn_with():
    rng = np.random.default_rng(5)
    axes = np.linalg.qr(rng.normal(size=(6, 6)))[0]
    spread = np.array([9.0, 5.0, 3.0, 2.0, 1.0, 0.5])
    drawn = rng.normal(size=(200_000, 6)) * spread @ axes.T + 1000.0  # a mean far from 0 must not eat the digits
    moments = pca.Moments(6)
    for batch in np.array_split(drawn, 37):
        moments.add(batch)
    found = pca.decompose(moments, "gaussian")
    np.testing.assert_allclose(found.sigma, spread, rtol=0.01)
    np.testing.assert_allclose(np.abs((found.directions @ axes)[range(6), range(6)]), 1.0, atol=0.001)
    np.testing.assert_allclose(moments.covariance, np.cov(drawn.T), rtol=1e-6, atol=1e-9)


def test_with_classes_the_spread_is_the_one_within_them():
    rng = np.random.default_rng(6)
    group = np.arange(900) % 3
    inner = rng.normal(size=(900, 4)) * [3.0, 2.0, 1.0, 0.5]
    drawn = inner + np.array([[100.0, 0, 0, 0], [0, 200.0, 0, 0], [0, 0, -300.0, 0]])[group]
    moments = pca.Moments(4, 3)
    for part in np.array_split(np.arange(900), 7):
        moments.add(drawn[part], group[part])
    pooled = sum(np.cov(drawn[group == k].T) * 299 for k in range(3)) / 897
    np.testing.assert_allclose(moments.covariance, pooled, rtol=1e-8, atol=1e-8)
    conditional = small("stylegan2-conditional").generator
    labels = np.concatenate([group for _, group in pca.samples(conditional, 601)])
    assert np.bincount(labels).tolist() == [201, 200, 200]


def test_the_largest_entry_of_a_direction_is_positive():
    turned = algebra.signed(np.array([[0.1, -0.9, 0.3], [0.5, 0.4, -0.2]]))
    assert turned.tolist() == [[-0.1, 0.9, -0.3], [0.5, 0.4, -0.2]]
    found = Library(build()).find("pca").directions
    assert (found[np.arange(len(found)), np.abs(found).argmax(axis=1)] > 0).all()


def test_fewer_samples_than_dimensions_give_fewer_components():
    moments = pca.Moments(10)
    moments.add(np.random.default_rng(0).normal(size=(4, 10)))
    assert len(pca.decompose(moments, "few")) == 3


def stacked(g, names):
    """The affine weights of some layers by their names in the checkpoint, each row of length 1."""
    state = g.state_dict()
    rows = np.concatenate([state[f"synthesis.{name}.affine.weight"].double().numpy() for name in names])
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("sefa:0-1", ["b4.conv1", "b8.conv0"]),  # the to-RGB of 4x4 shares row 1: left out
        ("sefa:5-5", ["b16.torgb"]),  # the last row feeds a to-RGB alone
        ("sefa", ["b4.conv1", "b8.conv0", "b8.conv1", "b16.conv0", "b16.conv1", "b16.torgb"]),
    ],
)
def test_closed_form_directions_are_right_singular_vectors_of_the_stacked_weights(source, names):
    g = small("stylegan2-skip").generator
    A = stacked(g, names)
    axes = np.linalg.svd(A, full_matrices=False)[2]
    found = Library(g).find(source)
    assert len(found) == min(14, len(A))
    np.testing.assert_allclose(np.abs((found.directions * axes[: len(found)]).sum(axis=1)), 1.0, atol=1e-4)
    w = all_w(g, 10_000)
    np.testing.assert_allclose(found.sigma, (w @ found.directions.T).std(axis=0, ddof=1), rtol=1e-4)


def test_a_random_direction_is_a_unit_vector_with_the_spread_of_w_along_it():
    g = build()
    library = Library(g)
    found = library.random(7)
    drawn = np.random.RandomState(7).randn(16)
    np.testing.assert_allclose(found.directions[0], drawn / np.linalg.norm(drawn), atol=1e-6)
    np.testing.assert_allclose(found.sigma[0], (all_w(g, 10_000) @ found.directions[0]).std(ddof=1), rtol=1e-4)
    assert not np.array_equal(library.random(8).directions, found.directions)


def test_styles_have_the_spread_of_mapped_seeds():
    g = build()
    mean, spread = Library(g).style("b8.conv1")
    with torch.inference_mode():
        styles = g.synthesis.b8.conv1.affine(torch.from_numpy(all_w(g, stylespace.SAMPLES)).float()).double().numpy()
    np.testing.assert_allclose(mean, styles.mean(axis=0), atol=1e-5)
    np.testing.assert_allclose(spread, styles.std(axis=0, ddof=1), rtol=1e-4)
    library = Library(g)
    library.style("b4.conv1")
    assert np.array_equal(library.style("b8.conv1")[1], spread)  # from the sample that is kept


def test_orthogonal_directions_are_those_of_a_qr_decomposition():
    library = Library(build())
    source = 'orthogonal:[["pca",0],["random",3],["sefa",1]]'
    found = library.find(source).directions.astype(np.float64)
    given = np.stack([library.one(*part).directions[0] for part in (("pca", 0), ("random", 3), ("sefa", 1))])
    q, r = np.linalg.qr(given.T.astype(np.float64))
    np.testing.assert_allclose(found, (q * np.sign(np.diag(r))).T, atol=1e-5)
    np.testing.assert_allclose(found @ found.T, np.eye(3), atol=1e-6)
    with pytest.raises(InputError, match="direction 3 of 3 lies in the span of those before it"):
        library.find('orthogonal:[["pca",0],["pca",1],["pca",0]]')


def test_w_plus_directions_count_as_those_of_w_where_all_rows_are_alike(tmp_path):
    g = build()
    direction = np.random.default_rng(3).normal(size=16)
    np.save(tmp_path / "one.npy", np.stack([direction, direction])[:, None].repeat(g.num_ws, axis=1))
    np.save(tmp_path / "w.npy", direction[None])
    library = Library(g)
    in_w, in_w_plus = library.step(str(tmp_path / "w.npy"), 0), library.step(str(tmp_path / "one.npy"), 1)
    np.testing.assert_allclose(in_w_plus, np.broadcast_to(in_w, (g.num_ws, 16)), rtol=1e-5)


# -- on disk -----------------------------------------------------------------------------------------------------------

SHA = "ab" * 32


def test_components_are_kept_by_the_hash_of_the_file_and_read_back_bit_for_bit(cache_folder, monkeypatch):
    first = Library(build(), SHA).find("pca:500")
    assert [path.name for path in cache_folder.iterdir()] == [f"{SHA}-pca-500.npz"]
    monkeypatch.setattr(pca, "samples", lambda *_: pytest.fail("mapped again"))
    again = Library(build(), SHA).find("pca:500")
    for name in ("directions", "sigma", "mean"):
        assert np.array_equal(getattr(again, name), getattr(first, name))
        assert getattr(again, name).dtype == getattr(first, name).dtype
    assert (again.name, again.kind, again.samples, again.sha256) == ("pca:500", "pca", 500, SHA)


@pytest.mark.parametrize("damage", [lambda data: data[:200], lambda data: b"", lambda data: b"PK" + data[2:][::-1]])
def test_a_damaged_file_of_the_cache_is_made_anew(cache_folder, damage):
    first = Library(build(), SHA).find("pca:500")
    (path,) = cache_folder.iterdir()
    path.write_bytes(damage(path.read_bytes()))
    assert np.array_equal(Library(build(), SHA).find("pca:500").directions, first.directions)
    assert np.array_equal(read_own(path).directions, first.directions)


def test_the_cache_lets_the_oldest_go(cache_folder, monkeypatch):
    monkeypatch.setattr(cache, "MOST_FILES", 2)
    found = Library(build()).find("pca:100")
    for number, name in enumerate(("a.npz", "b.npz", "c.npz")):
        cache.keep(name, found)
        if (cache_folder / name).exists():
            os.utime(cache_folder / name, (number + 1, number + 1))
    assert sorted(path.name for path in cache_folder.iterdir()) == ["b.npz", "c.npz"]


def test_a_cache_that_cannot_be_written_costs_nothing_but_time(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("STYLESCOPE_CACHE", str(tmp_path / "file"))
    assert len(Library(build(), SHA).find("pca:500")) == 16


def test_a_set_that_does_not_fit_together_is_refused():
    good = {"name": "s", "kind": "pca", "directions": np.eye(3, dtype=np.float32), "sigma": np.ones(3)}
    sets.DirectionSet(**good)
    for changes, words in (
        ({"sigma": np.ones(2)}, "3 directions have \\[2\\] standard deviations"),
        ({"sigma": -np.ones(3)}, "negative"),
        ({"directions": np.full((3, 3), np.nan, np.float32)}, "not finite"),
        ({"directions": np.zeros(3, np.float32)}, "expected \\[K, w_dim\\]"),
        ({"mean": np.zeros(5, np.float32)}, "the mean is \\[5\\]"),
        ({"labels": ("a",)}, "3 directions have 1 names"),
    ):
        with pytest.raises(InputError, match=words):
            sets.DirectionSet(**{**good, **changes})
