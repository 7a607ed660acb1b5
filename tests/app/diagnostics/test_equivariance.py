"""EQ-T, EQ-T_frac and EQ-R: exact generators, and the reference StyleGAN3 against the formulas in numpy and scipy.

The second implementation below is written from appendix E of Karras et al. 2021 and shares no code with the app's:
sums over pixels for the Lanczos filter; for rotations the sincs are convolved by scipy on a grid that does not wrap
around, and pictures are resampled by convolution with inserted zeros and scipy's linear interpolation.
"""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import map_coordinates
from scipy.signal import convolve, fftconvolve
from scipy.stats import t as student

from app.diagnostics import equivariance
from app.errors import InputError
from app.renderer import Renderer
from app.request import Latent, Model, RenderRequest, Transform
from app.studies.equivariance import Equivariance
from networks.plan import Noise
from tests.synthetic import Synthetic, spec

REFERENCE = Path(__file__).parents[2] / "data" / "reference"


def answers(question):
    """The answer after each sample."""
    count = len(question.metrics)
    return [update.answer for update in equivariance.run(question, Renderer())][count - 1 :: count]


def lanczos_kernel(d, a=3):
    return np.where(np.abs(d) < a, np.sinc(d) * np.sinc(d / a), 0.0)


def shifted(x, tx, ty, a=3):
    """x [C, H, W] shifted by (tx, ty) px: every output pixel as a sum over all input pixels; and the valid ones."""
    parts = []
    for size, t in ((x.shape[1], ty), (x.shape[2], tx)):
        at, of = np.arange(size)[:, None] - t, np.arange(-40, size + 40)
        weights = lanczos_kernel(at - of, a)
        weights /= weights.sum(axis=1, keepdims=True)
        valid = (at[:, 0] - a >= -1) & (at[:, 0] + a <= size)
        parts.append((weights[:, 40:-40], valid))
    (rows, valid_y), (columns, valid_x) = parts
    return np.einsum("yi,cij,xj->cyx", rows, x, columns), valid_y[:, None] & valid_x


def rotation_filter(angle, per_px, a=3, extent=24):
    """The two oriented sincs convolved, times the two oriented windows convolved, on +-2a px."""
    at = np.arange(-extent * per_px, extent * per_px + 1) / per_px
    x, y = np.meshgrid(at, at)
    u, v = math.cos(angle) * x + math.sin(angle) * y, -math.sin(angle) * x + math.cos(angle) * y

    def window(d):
        return np.where(np.abs(d) < a, np.sinc(d / a), 0.0)

    ideal = fftconvolve(np.sinc(x) * np.sinc(y), np.sinc(u) * np.sinc(v), mode="same")
    shape = fftconvolve(window(x) * window(y), window(u) * window(v), mode="same")
    middle, reach = extent * per_px, 2 * a * per_px - 1
    f = (ideal * shape)[middle - reach : middle + reach + 1, middle - reach : middle + reach + 1]
    for py in range(per_px):
        for px in range(per_px):
            f[py::per_px, px::per_px] /= f[py::per_px, px::per_px].sum()
    return f


def rotated(x, angle, per_px=4):
    """x [C, H, W] turned counter-clockwise, and the valid pixels."""
    C, H, W = x.shape
    zeros = np.zeros((C, (H - 1) * per_px + 1, (W - 1) * per_px + 1))
    zeros[:, ::per_px, ::per_px] = x
    f = rotation_filter(angle, per_px)
    fine = np.stack([convolve(part, f, mode="full") for part in zeros])
    before = f.shape[0] // 2
    j, i = np.meshgrid(np.arange(W) - (W - 1) / 2, np.arange(H) - (H - 1) / 2)
    u, v = math.cos(angle) * j - math.sin(angle) * i, math.sin(angle) * j + math.cos(angle) * i
    places = [per_px * (v + (H - 1) / 2) + before, per_px * (u + (W - 1) / 2) + before]
    turned = np.stack([map_coordinates(part, places, order=1) for part in fine])
    return turned, (np.abs(u) <= W / 2 - 6) & (np.abs(v) <= H / 2 - 6)


def low_passed(x, angle):
    f = rotation_filter(-angle, 1)
    m = f.shape[0] // 2
    valid = np.zeros(x.shape[1:], bool)
    valid[m:-m, m:-m] = True
    return np.stack([convolve(part, f, mode="same", method="direct") for part in x]), valid


def by_hand(metric, still, found, moved_by):
    """Squared errors and their number, of pictures [C, H, W] in -1..1."""
    if metric == "eqr":
        angle = math.radians(moved_by[0])
        expected, valid = rotated(still, angle)
        found, also = low_passed(found, angle)
        valid = valid & also
    elif metric == "eqt_frac":
        expected, valid = shifted(still, *moved_by)
    else:
        x, y = (int(t) for t in moved_by)
        expected, valid = np.full_like(still, np.nan), np.zeros(still.shape[1:], bool)
        H, W = valid.shape
        for i in range(H):
            for j in range(W):
                if 0 <= i - y < H and 0 <= j - x < W:
                    expected[:, i, j], valid[i, j] = still[:, i - y, j - x], True
    return np.square(expected - found)[:, valid]


def errors_by_hand(question):
    """Squared errors of each sample by the formulas above, keyed by metric; and the app's last answer."""
    renderer, errors, found = Renderer(), {metric: [] for metric in question.metrics}, None
    for found in answers(question):
        one = replace(question.request, latent=Latent(((question.seed + found.samples - 1, 1.0),)))
        still = renderer.image(one)[0].astype(float)
        for part in found.metrics:
            x, y = part.moved_by
            width = still.shape[2]
            move = Transform(angle_deg=x) if part.metric == "eqr" else Transform(x / width, y / width)
            moved = renderer.image(replace(one, transform=move))[0].astype(float)
            errors[part.metric].append(by_hand(part.metric, still, moved, part.moved_by).ravel())
    return errors, found


def db_of(parts):
    return 10 * math.log10(4 / np.concatenate(parts).mean())


@pytest.mark.parametrize("name", ["stylegan3-t", "stylegan3-r"])
def test_the_reference_networks_agree_with_the_formulas(name):
    request = RenderRequest(model=Model(str(REFERENCE / f"{name}.pkl"), device="cpu"))
    errors, found = errors_by_hand(Equivariance(request, samples=3, seed=11))
    for metric, parts in errors.items():
        assert len(parts) == 3
        assert found.of(metric).db.value == pytest.approx(db_of(parts), abs=0.1), metric


def test_an_exactly_equivariant_generator_is_above_100_db(synthetics):
    request = synthetics.add(Synthetic(spec(detail=(4.0, 7.0))))
    answer = answers(Equivariance(request, samples=4))[-1]
    assert answer.of("eqt").db.value > 100
    assert answer.of("eqt_frac").db.value > 40  # the Lanczos filter, not the generator, is what is not exact
    assert answer.of("eqr").db.value > 40


def test_glued_detail_costs_what_its_energy_says(synthetics):
    """A shift of glued detail of RMS r alone leaves E = 2 r^2 (it is as unlike itself as any other detail)."""
    request = synthetics.add(Synthetic(spec(glued=1.0)))
    answer = answers(Equivariance(request, ("eqt",), samples=24, translate_max=0.125))[-1]
    assert answer.of("eqt").db.value == pytest.approx(10 * math.log10(4 / (2 * 0.1**2)), abs=1.0)
    assert np.isnan(answer.of("eqt").error).any()


def test_the_interval_is_the_jackknife_over_samples(synthetics):
    request = synthetics.add(Synthetic(spec(glued=0.5)))
    errors, found = errors_by_hand(Equivariance(request, ("eqt",), samples=6))
    parts = errors["eqt"]
    without = np.array([db_of(parts[:i] + parts[i + 1 :]) for i in range(6)])
    half = student.ppf(0.975, 5) * math.sqrt(5 / 6 * np.square(without - without.mean()).sum())
    assert found.of("eqt").db.value == pytest.approx(db_of(parts), abs=1e-4)
    assert found.of("eqt").db.half_width == pytest.approx(half, rel=1e-3)
    (first, *_) = answers(Equivariance(request, ("eqt",), samples=1))
    assert math.isinf(first.of("eqt").db.half_width)


def test_a_network_with_a_constant_is_refused(files):
    with pytest.raises(InputError, match="a StyleGAN2 starts from a constant"):
        next(equivariance.run(Equivariance(files.add("a.pkl")), Renderer()))


def test_noise_that_follows_does_not_stay_behind():
    """StyleGAN-T with strong noise: the noise is what is not equivariant."""
    request = RenderRequest(model=Model(str(REFERENCE / "stylegan-t.pkl"), device="cpu"))
    question = Equivariance(request, ("eqt",), samples=3)
    off = answers(replace(question, request=replace(request, noise=Noise("none"))))[-1].of("eqt").db.value
    stays = answers(question)[-1].of("eqt").db.value
    follows = answers(replace(question, noise_follows=True))[-1].of("eqt").db.value
    assert stays < follows - 0.5
    assert follows == pytest.approx(off, abs=6)
    with pytest.raises(InputError, match="not a rotation"):
        next(equivariance.run(replace(question, metrics=("eqr",), noise_follows=True), Renderer()))


def test_frozen_input_is_the_same_for_every_seed():
    request = RenderRequest(model=Model(str(REFERENCE / "stylegan3-t.pkl"), device="cpu"))
    renderer = Renderer()
    frozen = replace(request, transform=Transform(freeze_input=True))
    rows = [renderer.ws(replace(frozen, latent=Latent(((seed, 1.0),))))[0] for seed in (0, 1)]
    g = renderer.open(request).generator
    assert (rows[0][0] == rows[1][0]).all()
    assert (rows[0][0] == g.centre()[0].numpy()).all()
    assert (rows[0][1:] != rows[1][1:]).any()
    free = renderer.ws(replace(request, latent=Latent(((1, 1.0),))))[0]
    assert (free[1:] == rows[1][1:]).all()
    assert (renderer.render(frozen).picture != renderer.render(request).picture).any()
