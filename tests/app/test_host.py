"""Pixels reach the host whole, in memory that no other picture is written to."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest
import torch
from torch import Tensor

from app import view
from app.host import through_locked_memory, to_host


class Mark:
    """An event that notes what is done with it, and fills the array only when it is waited for."""

    def __init__(self) -> None:
        self.log: list[str] = []

    def record(self) -> None:
        self.log.append("record")

    def synchronize(self) -> None:
        self.log.append("synchronize")


class Twin:
    """Allocates, and keeps no more than a weak look at what it gave away."""

    def __init__(self, log: list[str]) -> None:
        self.log = log
        self.given: list[weakref.ref[Tensor]] = []

    def __call__(self, x: Tensor) -> Tensor:
        self.log.append("allocate")
        twin = torch.empty(x.shape, dtype=x.dtype)
        self.given.append(weakref.ref(twin))
        return twin


def test_the_copy_is_waited_for_and_the_array_keeps_its_memory() -> None:
    mark = Mark()
    twins = Twin(mark.log)
    arrays = []
    for number in range(3):
        x = torch.arange(12, dtype=torch.int32).view(3, 4).t() + 100 * number  # not contiguous
        arrays.append(through_locked_memory(x, twins, mark).view(np.uint8).reshape(4, 3, 4))
    assert mark.log == ["allocate", "record", "synchronize"] * 3
    gc.collect()
    addresses = {array.__array_interface__["data"][0] for array in arrays}
    assert len(addresses) == 3
    for number, array in enumerate(arrays):
        assert array.view(np.int32)[1, 2, 0] == 9 + 100 * number
        assert array.flags.c_contiguous
    assert all(given() is None or given().data_ptr() in addresses for given in twins.given)


def test_memory_that_may_not_be_locked_is_not_needed() -> None:
    def refused(x: Tensor) -> Tensor:
        raise RuntimeError("CUDA error: out of memory")

    def lost(x: Tensor) -> Tensor:
        raise RuntimeError("CUDA error: unspecified launch failure")

    x = torch.arange(6)
    mark = Mark()
    assert through_locked_memory(x, refused, mark).tolist() == [0, 1, 2, 3, 4, 5]
    assert mark.log == []
    with pytest.raises(RuntimeError, match="unspecified"):
        through_locked_memory(x, lost, mark)


def test_pixels_of_a_cpu_are_its_own_memory_and_a_gpu_takes_the_other_way(monkeypatch: pytest.MonkeyPatch) -> None:
    x = torch.arange(6)
    assert to_host(x).__array_interface__["data"][0] == x.data_ptr()
    taken = []
    monkeypatch.setattr(view, "to_host", lambda packed: taken.append(packed.dtype) or packed.numpy())
    pixels = view.picture(torch.zeros(1, 3, 2, 5))
    assert taken == [torch.int32]
    assert pixels.tolist() == [[[128, 128, 128, 255]] * 5] * 2
