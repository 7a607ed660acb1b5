"""The filtered lrelu in strips is the textbook one, and never holds the up-sampled map."""

import dataclasses
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import pytest
import torch
import torch.nn.functional as F
from torch.utils._python_dispatch import TorchDispatchMode

from networks.filter_design import lowpass, radial_lowpass
from networks.ops import Resampling, filtered_lrelu
from networks.ops.strips import TILE_FLOATS

T = TypeVar("T")
TYPICAL = Resampling(up=2, down=2, padding=(9, 8, 9, 8), gain=2**0.5, slope=0.2, clamp=256.0)
GROWING = dataclasses.replace(TYPICAL, up=4, padding=(-6, -9, -6, -9))
CASES = {
    "typical": (TYPICAL, (2, 5, 38, 38)),
    "growing": (GROWING, (1, 3, 38, 38)),
    "cropping": (dataclasses.replace(TYPICAL, padding=(-11, -12, -11, -12)), (1, 4, 86, 86)),
    "wide": (TYPICAL, (1, 2, 20, 70)),
    "uneven padding": (dataclasses.replace(TYPICAL, padding=(9, -3, 0, 14)), (1, 2, 31, 40)),
    "down only": (dataclasses.replace(TYPICAL, up=1, padding=(3, 3, 3, 3)), (1, 3, 33, 35)),
    "up only": (dataclasses.replace(TYPICAL, down=1), (1, 2, 33, 35)),
    "down by 4": (dataclasses.replace(GROWING, down=4), (1, 2, 30, 30)),
    "clamping": (dataclasses.replace(TYPICAL, clamp=0.5), (1, 3, 38, 38)),
    "unbounded": (dataclasses.replace(TYPICAL, clamp=None), (1, 3, 38, 38)),
    "more planes than fit": (TYPICAL, (1, 150, 22, 22)),
}


def filters(how: Resampling, radial: bool) -> tuple[torch.Tensor, torch.Tensor]:
    up = lowpass(6 * how.up, 4.0, 9.0, 16.0 * how.up)
    down = (radial_lowpass if radial else lowpass)(6 * how.down, 4.5, 8.0, 16.0 * how.down)
    return up, down


def textbook(x: torch.Tensor, up: torch.Tensor, down: torch.Tensor, how: Resampling) -> torch.Tensor:
    """Zeros between the samples, a full 2-D convolution, the activation, another one, every down-th sample; float64."""
    x, up, down = x.double(), up.double(), down.double()
    N, C, H, W = x.shape
    spread = x.new_zeros(N, C, H * how.up, W * how.up)
    spread[:, :, :: how.up, :: how.up] = x
    spread = F.pad(spread, how.padding).flatten(0, 1)[:, None]
    y = F.conv2d(spread, torch.outer(up, up).flip(0, 1)[None, None] * how.up**2)
    y = torch.where(y > 0, y, y * how.slope) * how.gain
    y = y if how.clamp is None else y.clamp(-how.clamp, how.clamp)
    kernel = down if down.ndim == 2 else torch.outer(down, down)
    y = F.conv2d(y, kernel.flip(0, 1)[None, None])[:, :, :: how.down, :: how.down]
    return y.unflatten(0, (N, C))[:, :, 0]


def draw(shape: tuple[int, ...]) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0)) + 0.3


def error(ours: torch.Tensor, expected: torch.Tensor) -> float:
    """Largest difference as a share of the range."""
    assert ours.shape == expected.shape
    return float((ours - expected).abs().max() / (expected.max() - expected.min()))


@pytest.mark.parametrize("radial", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_strips_are_exact(case: str, radial: bool) -> None:
    how, shape = CASES[case]
    up, down = filters(how, radial)
    x = draw(shape)
    before = x.clone()
    ours = filtered_lrelu(x, up, down, how)
    assert ours.dtype == torch.float32
    assert error(ours, textbook(x, up, down, how)) < 4e-6
    assert torch.equal(x, before), "the input is not changed"


@pytest.mark.parametrize("radial", [False, True])
def test_asymmetric_filters_are_convolved_not_correlated(radial: bool) -> None:
    stream = torch.Generator().manual_seed(1)
    up, down = torch.rand(12, generator=stream), torch.rand((12, 12) if radial else (12,), generator=stream)
    x = draw((1, 3, 38, 38))
    assert error(filtered_lrelu(x, up, down, TYPICAL), textbook(x, up, down, TYPICAL)) < 4e-6


@pytest.mark.parametrize("radial", [False, True])
def test_the_differentiable_path_computes_the_same(radial: bool) -> None:
    up, down = filters(TYPICAL, radial)
    x = draw((1, 3, 38, 38)).requires_grad_()
    y = filtered_lrelu(x, up, down, TYPICAL)
    assert error(y.detach(), filtered_lrelu(x.detach(), up, down, TYPICAL)) < 4e-6
    reference = x.detach().double().requires_grad_()
    (expected,) = torch.autograd.grad(textbook(reference, up, down, TYPICAL).square().sum(), reference)
    (gradient,) = torch.autograd.grad(y.square().sum(), x)
    assert error(gradient, expected) < 4e-6


@contextmanager
def one_thread() -> Iterator[None]:
    """Everything in the calling thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def in_a_new_thread(work: Callable[[], T]) -> T:
    """What the function returns in a thread that has run nothing before."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result()


def test_threads_change_no_bit() -> None:
    up, down = filters(GROWING, False)
    x = draw((1, 40, 38, 38))
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        alone = filtered_lrelu(x, up, down, GROWING)
        torch.set_num_threads(3)
        shared = filtered_lrelu(x, up, down, GROWING)
        assert torch.get_num_threads() == in_a_new_thread(torch.get_num_threads) == 3, "the setting stays as it was"
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(alone, shared)


def test_neighbours_in_the_batch_change_no_bit() -> None:
    up, down = filters(TYPICAL, False)
    x = draw((3, 10, 38, 38))
    alone = torch.cat([filtered_lrelu(x[n : n + 1], up, down, TYPICAL) for n in range(3)])
    assert torch.equal(filtered_lrelu(x, up, down, TYPICAL), alone)


def test_inference_mode_leaves_nothing_behind() -> None:
    """Neither the buffers of a thread nor the prepared matrices may be tensors of an inference mode that ended."""
    up, down = filters(TYPICAL, False)
    x = draw((1, 3, 41, 43))  # a size that no other test prepares

    def inside_then_outside() -> tuple[torch.Tensor, torch.Tensor]:
        with torch.inference_mode():
            inside = filtered_lrelu(x, up, down, TYPICAL)
        return inside, filtered_lrelu(x, up, down, TYPICAL)

    with one_thread():
        assert torch.equal(*in_a_new_thread(inside_then_outside))


class Storages(TorchDispatchMode):
    """Remembers the size in floats of every piece of memory that an operation returns a tensor of, by address."""

    def __init__(self) -> None:
        super().__init__()
        self.floats: dict[int, int] = {}

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        out = func(*args, **(kwargs or {}))
        if isinstance(out, torch.Tensor):
            storage = out.untyped_storage()
            self.floats[storage.data_ptr()] = max(self.floats.get(storage.data_ptr(), 0), storage.size() // 4)
        return out


def test_the_up_sampled_map_is_never_stored() -> None:
    """64 maps of 104^2 up-sampled by 4 are 11 million floats; beside input and output nothing exceeds a tile."""
    up, down = filters(GROWING, False)
    x = draw((1, 64, 104, 104))
    with one_thread(), Storages() as seen:
        y = filtered_lrelu(x, up, down, GROWING)
    assert y.numel() == 64 * 184**2
    ends = {x.untyped_storage().data_ptr(), y.untyped_storage().data_ptr()}
    assert 0 < max(floats for address, floats in seen.floats.items() if address not in ends) <= TILE_FLOATS
