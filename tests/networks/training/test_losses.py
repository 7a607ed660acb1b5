"""Losses against numbers worked out by hand, R1 and path lengths against finite differences."""

from __future__ import annotations

import math

import torch
from torch.testing import assert_close

from networks.training import losses


def test_logistic_losses_at_zero_logits_are_log_two():
    zero = torch.zeros(5, 1)
    assert_close(losses.logistic_d_loss(zero, zero), torch.tensor(2 * math.log(2)))
    assert_close(losses.logistic_g_loss(zero), torch.tensor(math.log(2)))


def test_range_penalty_by_hand():
    pictures = torch.tensor([-3.0, -1.0, 0.5, 2.0]).view(1, 1, 2, 2)
    assert_close(losses.range_penalty(pictures), torch.tensor((4.0 + 1.0) / 4))


def test_r1_of_a_linear_critic_is_the_squared_norm_of_its_weights():
    weights = torch.tensor([3.0, 4.0]).view(1, 2, 1, 1)
    pictures = torch.randn(7, 2, 1, 1, requires_grad=True)
    assert_close(losses.r1_penalty((pictures * weights).sum(dim=(1, 2, 3)), pictures), torch.tensor(25.0))


def test_r1_agrees_with_finite_differences():
    torch.manual_seed(0)
    layers = torch.nn.Conv2d(1, 3, 3), torch.nn.Softplus(), torch.nn.Flatten(), torch.nn.Linear(12, 1)
    critic = torch.nn.Sequential(*layers).double()
    pictures = torch.randn(2, 1, 4, 4, dtype=torch.float64, requires_grad=True)
    step, total = 1e-5, 0.0
    for n in range(2):
        for y in range(4):
            for x in range(4):
                shift = torch.zeros_like(pictures)
                shift[n, 0, y, x] = step
                with torch.no_grad():
                    slope = (critic(pictures + shift)[n] - critic(pictures - shift)[n]) / (2 * step)
                total += float(slope) ** 2
    assert_close(losses.r1_penalty(critic(pictures), pictures), torch.tensor(total / 2, dtype=torch.float64))


def test_r1_can_be_learnt_from():
    weight = torch.tensor(3.0, requires_grad=True)
    pictures = torch.ones(1, 1, 1, 1, requires_grad=True)
    losses.r1_penalty(weight * pictures.sum(dim=(1, 2, 3)), pictures).backward()
    assert_close(weight.grad, torch.tensor(6.0))  # d w^2 / dw


def test_path_length_of_a_scaling_generator_is_its_scale():
    """g(w) = 5 w on one pixel and one row: J = 5 I, so ||J^T y|| = 5 ||y||."""
    ws = torch.randn(3, 1, 2, requires_grad=True)
    y = torch.tensor([[3.0, 4.0]]).expand(3, 2).reshape(3, 2, 1, 1)
    assert_close(losses.path_lengths(5 * ws.view(3, 2, 1, 1), ws, y), torch.full((3,), 25.0))


def test_path_lengths_agree_with_finite_differences():
    torch.manual_seed(1)
    network = torch.nn.Sequential(torch.nn.Linear(6, 8), torch.nn.Softplus(), torch.nn.Linear(8, 12)).double()
    ws = torch.randn(2, 2, 3, dtype=torch.float64, requires_grad=True)
    y = torch.randn(2, 3, 2, 2, dtype=torch.float64)

    def scores(rows):
        return (network(rows.flatten(1)).view(2, 3, 2, 2) * y).sum(dim=(1, 2, 3)) / math.sqrt(2 * 2)

    step, squares = 1e-5, torch.zeros(2, 2, dtype=torch.float64)
    for row in range(2):
        for i in range(3):
            shift = torch.zeros_like(ws)
            shift[:, row, i] = step
            with torch.no_grad():
                squares[:, row] += ((scores(ws + shift) - scores(ws - shift)) / (2 * step)).square()
    found = losses.path_lengths(network(ws.flatten(1)).view(2, 3, 2, 2), ws, y)
    assert_close(found, squares.mean(dim=1).sqrt(), rtol=1e-7, atol=1e-7)


def test_path_length_penalty_measures_from_the_moved_mean():
    lengths = torch.tensor([2.0, 4.0])
    penalty, mean = losses.path_length_penalty(lengths, torch.tensor(0.0), decay=0.5)
    assert mean.item() == 1.5
    assert_close(penalty, torch.tensor((0.5**2 + 2.5**2) / 2))
