"""Shifts by phases, and what the moved pictures' masks hold."""

import numpy as np
import pytest
import torch

from app.diagnostics import moving


@pytest.mark.parametrize(("H", "W"), [(8, 12), (9, 7)])
@pytest.mark.parametrize("mirror", [False, True])
def test_a_phase_shift_is_the_discrete_fourier_sum(H, W, mirror):
    """Written out: a dense two-dimensional DFT of the map, or of the map beside its mirror images."""
    x = np.random.default_rng(0).normal(size=(2, H, W))
    whole = np.block([[x, x[:, :, ::-1]], [x[:, ::-1], x[:, ::-1, ::-1]]]) if mirror else x
    dx, dy = 0.3, -1.7
    weights = []
    for n, d in ((whole.shape[1], dy), (whole.shape[2], dx)):
        k = np.fft.fftfreq(n)
        phases = np.where((n % 2 == 0) & (np.arange(n) == n // 2), np.cos(np.pi * d), np.exp(-2j * np.pi * k * d))
        dft = np.exp(-2j * np.pi * np.outer(np.arange(n), np.arange(n)) / n)
        weights.append((dft.conj() @ np.diag(phases) @ dft / n).real)
    expected = np.einsum("yi,cij,xj->cyx", weights[0], whole, weights[1])[:, :H, :W]
    found = moving.phase_shift(torch.from_numpy(x).float(), dx, dy, mirror)
    assert found.numpy() == pytest.approx(expected, abs=1e-5)


def test_many_maps_are_shifted_as_few_are(monkeypatch):
    x = torch.randn(7, 8, 8, generator=torch.Generator().manual_seed(0))
    whole = moving.phase_shift(x, 0.5, 0.25, mirror=True)
    monkeypatch.setattr(moving, "MAPS_PX", 130)
    few = moving.phase_shift(x, 0.5, 0.25, mirror=True)
    torch.testing.assert_close(few, whole, rtol=0, atol=1e-5)  # a transform rounds by how many it has at a time


MOVES = {
    "by_pixels": lambda x: moving.by_pixels(x, 3, -2),
    "by_fraction": lambda x: moving.by_fraction(x, -1.3, 2.6),
    "rotated": lambda x: moving.rotated(x, 33.0),
    "pseudo_rotated": lambda x: moving.pseudo_rotated(x, 33.0),
}


@pytest.mark.parametrize("name", MOVES)
def test_valid_pixels_do_not_know_what_is_beyond_the_border(name):
    """A picture cut out of a larger one, and of one that is different outside of the cut: the same where valid."""
    x = torch.randn(1, 32, 32, generator=torch.Generator().manual_seed(0))
    move = MOVES[name]
    moved, mask = move(x)
    other = torch.nn.functional.pad(x, (8, 8, 8, 8), value=100.0)
    again = move(other)[0][:, 8:-8, 8:-8]
    assert mask.any()
    assert torch.allclose(moved[:, mask], again[:, mask], atol=1e-3)
    assert not torch.allclose(moved, again, atol=1.0)


def test_filters_of_rotations_pass_what_both_grids_hold():
    f = moving.bandlimit(45.0, 4)
    for py in range(4):
        for px in range(4):
            assert f[py::4, px::4].sum() == pytest.approx(1.0)
    spectrum = np.abs(np.fft.fft2(f, (256, 256))) / 16  # 64 bins are one cycle per px
    assert spectrum[0, 16] == pytest.approx(1.0, abs=0.05)  # along x, 0.25 cycles per px
    assert spectrum[30, 30] < 0.1  # 0.47 both ways: the turned grid holds no more than 0.5 in that direction
    assert spectrum[0, 45] < 0.1  # beyond the upright grid
    assert moving.bandlimit(45.0, 1).sum() == pytest.approx(1.0)
