"""Failures in words."""

import errno

import pytest
import torch

from app import devices, problems
from app.errors import DeviceError, InputError, LatentFileError, WriteError
from networks.checkpoint.errors import CheckpointError


@pytest.mark.parametrize(
    ("error", "title", "expected"),
    [
        (CheckpointError("a.pkl: half a file"), "This file does not open", True),
        (InputError("seed -1"), "This cannot be drawn", True),
        (DeviceError("no CUDA"), "No such device", True),
        (FileNotFoundError(errno.ENOENT, "x", "/a.pkl"), "The file is not there", True),
        (PermissionError(errno.EACCES, "x", "/a.pkl"), "The file may not be read", True),
        (WriteError("/a.png: full"), "Writing failed", True),
        (MemoryError(), "Out of memory", True),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), "Out of memory", True),
        (
            RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: tried 8 bytes"),
            "Out of memory",
            True,
        ),
        (RuntimeError("CUDA error: unspecified launch failure\nCUDA kernel errors might"), "The GPU was lost", True),
        (OSError(errno.EIO, "Input/output error"), "The file cannot be read", True),
        (ZeroDivisionError("division by zero"), "Drawing failed", False),
    ],
)
def test_each_failure_has_its_words(error, title, expected):
    problem = problems.describe(error)
    assert problem.title == title
    assert problem.detail
    assert problems.is_expected(error) == expected


def test_a_real_failure_to_allocate_is_recognized():
    with pytest.raises(RuntimeError) as caught:
        torch.empty(1 << 60, dtype=torch.uint8)
    assert problems.describe(caught.value).title == "Out of memory"


def test_a_latent_file_that_does_not_fit_can_be_left_again():
    problem = problems.describe(LatentFileError("w.npy: the latent is [3, 7]"))
    assert (problem.title, problem.detail) == ("This cannot be drawn", "w.npy: the latent is [3, 7]")
    assert "Ctrl+Z" in problem.hint
    assert problems.describe(InputError("seed -1")).hint == ""


def test_long_messages_are_cut_at_a_word():
    assert problems.shortened("word " * 100).endswith("word ...")
    assert len(problems.shortened("word " * 100)) <= 244


def test_the_window_keeps_a_core_where_there_are_more_than_two():
    assert [devices.share_of(cores) for cores in (1, 2, 4, 16)] == [1, 2, 3, 15]


def test_auto_finds_a_device_and_cuda_is_refused_where_there_is_none():
    assert devices.pick("auto").type in ("cpu", "cuda", "mps")
    if not torch.cuda.is_available():
        with pytest.raises(DeviceError, match="no CUDA device is at hand"):
            devices.pick("cuda")
