"""Path lengths: a linear generator whose Jacobian is known, finite differences, and the trainer's own formula."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from app.diagnostics import drawing, path_length
from app.errors import InputError
from app.renderer import Renderer
from app.request import Latent, Model, RenderRequest, Truncation
from app.studies.path_length import Lengths, PathLengths, as_json, everything_but_latent, quantile, summary
from networks import ops
from networks.plan import Intervention
from networks.training import losses
from tests.networks.small import REFERENCE

ROWS, WIDE, SHAPE = 3, 5, (2, 4, 6)  # num_ws, w_dim, (C, H, W)


class Linear(torch.nn.Module):
    """g(ws) = sum over rows of jacobian_l w_l + a constant, of range 0..1: every path length is known."""

    has_transform = False
    resolution = SHAPE[1:]
    spec = SimpleNamespace(img_channels=SHAPE[0], w_dim=WIDE, pixel_range=(0.0, 1.0))

    def __init__(self) -> None:
        super().__init__()
        stream = torch.Generator().manual_seed(5)
        self.jacobian = torch.nn.Parameter(torch.randn(ROWS, math.prod(SHAPE), WIDE, generator=stream))

    def synthesize(self, ws: torch.Tensor, *_: Any) -> torch.Tensor:
        return torch.einsum("lpk,nlk->np", self.jacobian, ws).reshape(-1, *SHAPE) + 0.25


@dataclass(frozen=True)
class FakeOpened:
    generator: Linear
    library: None = None  # of directions, which no request here asks for


class FakeRenderer:
    """Opens the linear generator; a seed's w are numbers of its own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.opened = FakeOpened(Linear())
        monkeypatch.setattr(path_length, "_ws", lambda opened, request: torch.ones(1, ROWS, WIDE))

    def open(self, request: RenderRequest) -> Any:
        return self.opened


def last(question: PathLengths, renderer: Any) -> Lengths:
    """The answer of a whole study."""
    return list(path_length.run(question, renderer))[-1].answer


def request(name: str = "stylegan2.pkl", seed: int = 3) -> RenderRequest:
    return RenderRequest(model=Model(str(REFERENCE / name), device="cpu"), latent=Latent(((seed, 1.0),)))


def test_a_linear_generator_has_the_lengths_that_its_matrix_says(monkeypatch):
    renderer = FakeRenderer(monkeypatch)
    found = last(PathLengths(RenderRequest(), 7, 2, 3), renderer)
    J = renderer.opened.generator.jacobian.detach().double().numpy() * 2  # the picture counts in -1..1, not 0..1
    for point in range(2):
        for draw in range(3):
            stream = torch.Generator().manual_seed((7 + point) * 1_000_003 + draw * 7919)
            y = torch.randn(math.prod(SHAPE), generator=stream).double().numpy() / math.sqrt(SHAPE[1] * SHAPE[2])
            pulled = np.stack([J[row].T @ y for row in range(ROWS)])
            by_rows = math.sqrt((pulled**2).sum(axis=1).mean())
            assert found.rows[point, draw] == pytest.approx(by_rows, rel=1e-5)
            assert found.joint[point, draw] == pytest.approx(np.linalg.norm(pulled.sum(axis=0)), rel=1e-5)


def test_random_steps_of_a_linear_generator_change_it_as_much_as_said(monkeypatch):
    renderer = FakeRenderer(monkeypatch)
    found = last(PathLengths(RenderRequest(), 0, 1, 4000), renderer)
    J = renderer.opened.generator.jacobian.detach().double().numpy().sum(axis=0)  # all rows move together, 0..1
    exact = 100 * math.sqrt((J**2).sum() / (WIDE * math.prod(SHAPE)))
    assert found.random_step == pytest.approx(exact, rel=0.02)  # 4000 draws of y
    np.testing.assert_allclose(np.square(found.by_row).mean(), np.square(found.rows).mean(), rtol=1e-6)


@pytest.mark.parametrize("name", ["stylegan1.pkl", "stylegan2.pkl", "stylegan3-t.pkl", "stylegan-t.pkl"])
def test_gradients_are_the_finite_differences_of_the_picture(name):
    renderer, asked = Renderer(), request(name)
    renderer.render(asked)  # loads the network in inference mode, as the window may
    opened = path_length.differentiable(renderer.open(asked))
    ws, y = path_length._ws(opened, asked), path_length.draw_y(opened, 3, 0)
    gradient = path_length.row_gradients(opened, asked, ws, y)
    direction = gradient / gradient.norm()
    pictures = [drawing.synthesize(opened, asked, ws + step * direction).double() for step in (2e-3, -2e-3)]
    slope = ((pictures[0] - pictures[1]) * y).sum() / 4e-3 / math.sqrt(y.shape[2] * y.shape[3])
    assert float(slope) == pytest.approx(float(gradient.norm()), rel=0.02)


def test_lengths_are_those_that_training_regularizes():
    renderer, asked = Renderer(), request()
    generator = renderer.open(asked).generator
    opened = path_length.differentiable(renderer.open(asked))
    ws = path_length._ws(opened, asked).clone().requires_grad_(True)
    y = path_length.draw_y(opened, 3, 0)
    with ops.using("plain"):
        trained = losses.path_lengths(generator.synthesize(ws), ws, y)
    found = last(PathLengths(asked, 3, 1, 1), renderer)
    assert found.rows[0, 0] == pytest.approx(trained.item(), rel=1e-4)


def test_a_study_goes_on_where_another_stopped_and_counts_whole_points():
    renderer, asked = Renderer(), request()
    updates = list(path_length.run(PathLengths(asked, 10, 3, 2), renderer))
    assert [update.share for update in updates] == [pytest.approx(n / 6) for n in range(1, 7)]
    assert [0 if update.answer is None else len(update.answer) for update in updates] == [0, 1, 1, 2, 2, 3]
    apart = last(PathLengths(asked, 10, 1, 2), renderer) + last(PathLengths(asked, 11, 2, 2), renderer)
    whole = updates[-1].answer
    np.testing.assert_array_equal(whole.rows, apart.rows)
    np.testing.assert_array_equal(whole.by_row, apart.by_row)
    assert updates[-1].text == "3 of 3 seeds"


def test_truncation_and_edits_count_and_looking_does_not():
    renderer, asked = Renderer(), request()
    plain = last(PathLengths(asked, None, 1, 2), renderer).rows
    near = last(PathLengths(replace(asked, truncation=Truncation(0.2)), None, 1, 2), renderer).rows
    assert (plain != near).all()
    everything_off = tuple(Intervention(f"b{side}.torgb", "scale", 0.0) for side in (4, 8, 16, 32))
    assert last(PathLengths(replace(asked, edits=everything_off), None, 1, 1), renderer).rows == pytest.approx(0.0)
    assert everything_but_latent(replace(asked, max_height=8)) == everything_but_latent(request(seed=4))


def test_impossible_counts_are_refused():
    for count, draws in ((0, 1), (1, 0)):
        with pytest.raises(InputError, match=f"{count} points with {draws} draws"):
            next(path_length.run(PathLengths(request(), 0, count, draws), Renderer()))


def test_the_summary_parts_the_spread_into_points_and_draws():
    stream = np.random.default_rng(2)
    truth = stream.normal(5.0, 2.0, (4000, 1))
    found = summary(truth + stream.normal(0.0, 1.0, (4000, 4)))
    assert found.mean == pytest.approx(5.0, abs=0.1)
    assert found.within == pytest.approx(1.0, rel=0.05)
    assert found.between == pytest.approx(4.0, rel=0.1)
    assert found.penalty == pytest.approx(5.0, rel=0.1)  # both together
    assert found.error == pytest.approx(math.sqrt((4 + 1 / 4) / 4000), rel=0.05)
    assert math.isnan(summary(np.ones((1, 3))).between)
    assert summary(np.array([[1.0, 3.0]])).error == pytest.approx(1.0)  # std sqrt 2 over sqrt 2 draws


def test_quantiles_count_ties_half():
    assert quantile(2.0, np.array([1.0, 2.0, 3.0, 4.0])) == 0.375
    assert quantile(9.0, np.array([1.0, 2.0])) == 1.0


def test_json_has_no_infinity(tmp_path: Path):
    lengths = Lengths(np.ones((1, 1)), np.ones((1, 1)), np.ones((1, 2)), 3, 4)
    values = as_json(lengths, PathLengths(request(), None, 1, 1))
    assert values["rows"]["standard_error"] is None
    assert values["random_unit_step_rms_percent_of_range"] == pytest.approx(50 / math.sqrt(12))
