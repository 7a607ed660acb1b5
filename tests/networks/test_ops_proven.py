"""A kernel that does not compile, fails or computes something else is replaced by torch alone, and the user is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch
from torch import Tensor

from networks import ops
from networks.failures import in_words, is_fatal
from networks.filter_design import lowpass, radial_lowpass
from networks.filters import separable_filter, upfirdn2d
from networks.ops import fused, plain, proven
from networks.ops.resampling import Resampling

CPU = torch.device("cpu")
FIR = separable_filter((1.0, 3.0, 3.0, 1.0))
UP = lowpass(12, 3.0, 2.5, 32.0)
HOW = Resampling(2, 2, (9, 10, 9, 10), 2**0.5, 0.2, 256.0)
NOT_COMPILED = "out of resource: shared memory, Required: 300000, Hardware limit: 232448."


class OutOfResources(Exception):
    """As Triton says that a program is too large for the chip."""


class Kernels:
    """Stand-ins for the three launches: they compute the right values until told otherwise, and count their calls."""

    def __init__(self) -> None:
        self.spoil: dict[str, Callable[[Tensor], Tensor]] = {}
        self.calls: list[str] = []

    def _called(self, name: str, y: Tensor) -> Tensor:
        """What a spoilt kernel makes of its input; errors come before anything is written, as from a real launch."""
        self.calls.append(name)
        return self.spoil[name](y) if name in self.spoil else y

    def epilogue(self, _, y, out, scale, bias, noise, gain, clamp):
        y = self._called("epilogue", y)
        return plain.activate(y, scale[: len(y), :, None, None].to(y), bias, noise, gain, clamp)

    def low_pass(self, _, y, taps, scale, bias, noise, gain, clamp):
        y = upfirdn2d(self._called("low_pass", y), FIR, pad=(1, 1, 1, 1), gain=4)
        return plain.activate(y, scale[: len(y), :, None, None].to(y), bias, noise, gain, clamp)

    def filtered(self, _, x, up_filter, m, terms, how):
        down = lowpass(12, 6.0, 3.0, 32.0) if len(terms) == 1 else radial_lowpass(12, 6.0, 3.0, 32.0)
        return plain.filtered_lrelu(self._called("filtered", x), up_filter, down, how)


@pytest.fixture
def kernels(monkeypatch: pytest.MonkeyPatch) -> Iterator[Kernels]:
    stand_ins = Kernels()
    monkeypatch.setattr(fused, "_module", lambda: (object(), ""))
    monkeypatch.setattr(fused, "why_not", lambda device: "")
    monkeypatch.setattr(fused, "_epilogue", stand_ins.epilogue)
    monkeypatch.setattr(fused, "_low_pass_epilogue", stand_ins.low_pass)
    monkeypatch.setattr(fused, "_filtered_lrelu", stand_ins.filtered)
    proven.forget()
    with torch.no_grad(), ops.using("fused"):
        yield stand_ins
    proven.forget()


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def styled(fir: Tensor | None = None, size: int = 8) -> tuple[Tensor, Tensor]:
    """A layer by the kernels, and by torch alone."""
    arguments = (
        draw(2, 6, size, size), draw(5, 6, 3, 3, seed=1), draw(2, 6, seed=2), draw(5, seed=3), None, fir, 1.5, 2.0,
    )  # fmt: skip
    return ops.styled_conv2d(*arguments), plain.styled_conv2d(*arguments)


def filtered(radial: bool) -> tuple[Tensor, Tensor]:
    down = (radial_lowpass if radial else lowpass)(12, 6.0, 3.0, 32.0)
    x = draw(2, 3, 52, 36)
    return ops.filtered_lrelu(x, UP, down, HOW), plain.filtered_lrelu(x, UP, down, HOW)


def raising(error: Exception, larger_than: int = 0) -> Callable[[Tensor], Tensor]:
    """What raises for maps above a height."""

    def spoil(y: Tensor) -> Tensor:
        if y.shape[2] > larger_than:
            raise error
        return y

    return spoil


CASES = {
    "epilogue": (lambda: styled(), "the epilogue"),
    "low_pass": (lambda: styled(FIR), "the low-pass epilogue"),
    "filtered": (lambda: filtered(False), "the filtered leaky ReLU of up-sampling 2"),
    "radial": (lambda: filtered(True), "the radial filtered leaky ReLU of up-sampling 2"),
}


@pytest.mark.parametrize("case", CASES)
def test_a_kernel_runs_once_on_a_small_case_and_is_used_from_then_on(kernels: Kernels, case: str) -> None:
    run, _ = CASES[case]
    ours, theirs = run()
    assert torch.allclose(ours, theirs, atol=1e-5)
    assert len(kernels.calls) == 2  # the proof and the real one
    run()
    assert len(kernels.calls) == 3
    assert proven.setbacks(CPU) == ""


@pytest.mark.parametrize("case", CASES)
def test_a_kernel_that_does_not_compile_is_left_to_torch(kernels: Kernels, case: str) -> None:
    run, family = CASES[case]
    kernels.spoil[case.replace("radial", "filtered")] = raising(OutOfResources(NOT_COMPILED))
    for _ in range(2):
        ours, theirs = run()
        assert torch.equal(ours, theirs)
    assert len(kernels.calls) == 1  # tried once
    assert proven.setbacks(CPU) == f"torch for {family} (OutOfResources: {NOT_COMPILED})"


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("wrong", [lambda y: y * 1.001, lambda y: y * torch.nan, lambda y: y.flip(3), lambda y: y[:1]])
def test_a_kernel_that_computes_something_else_is_left_to_torch(kernels: Kernels, case: str, wrong) -> None:
    run, family = CASES[case]
    kernels.spoil[case.replace("radial", "filtered")] = wrong
    ours, theirs = run()
    assert torch.equal(ours, theirs)
    assert proven.setbacks(CPU).startswith(f"torch for {family} (")
    assert len(kernels.calls) == 1


def test_a_kernel_that_fails_at_a_larger_shape_is_left_to_torch_there_only(kernels: Kernels) -> None:
    kernels.spoil["epilogue"] = raising(RuntimeError("Triton Error [CUDA]: invalid argument"), larger_than=60)
    before = proven.state()
    for size, count in ((8, 2), (64, 4), (64, 4), (8, 5)):  # 8 and 64 are two configurations, each proves itself once
        ours, theirs = styled(size=size)
        assert torch.allclose(ours, theirs, atol=1e-5)
        assert len(kernels.calls) == count
    assert "torch for the epilogue (RuntimeError: Triton Error [CUDA]: invalid argument)" in proven.setbacks(CPU)
    assert proven.state() != before


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"),
        RuntimeError("Triton Error [CUDA]: out of memory"),
        RuntimeError("CUDA error: unspecified launch failure"),
        RuntimeError("Triton Error [CUDA]: an illegal memory access was encountered"),
        MemoryError(),
    ],
)
@pytest.mark.parametrize("larger_than", [0, 60])
def test_memory_and_lost_devices_are_told_and_not_remembered(kernels: Kernels, error, larger_than: int) -> None:
    kernels.spoil["epilogue"] = raising(error, larger_than)
    with pytest.raises(type(error)):
        styled(size=64)
    assert proven.setbacks(CPU) == ""
    del kernels.spoil["epilogue"]
    ours, theirs = styled(size=64)
    assert torch.allclose(ours, theirs, atol=1e-5)


def test_the_small_case_stands_for_all_shapes_that_a_compiler_takes_alike(kernels: Kernels) -> None:
    for size, count in ((32, 2), (64, 3), (48, 4), (20, 6), (52, 7)):  # the same remainder by 16
        styled(size=size)
        assert len(kernels.calls) == count
    assert [proven.alike(n) for n in (1, 4, 16, 31, 32, 36, 1024, 1025)] == [1, 4, 16, 31, 16, 20, 16, 17]


def test_half_precision_proves_itself_apart(kernels: Kernels) -> None:
    x = draw(1, 2, 40, 40)
    down = lowpass(12, 6.0, 3.0, 32.0)
    ops.filtered_lrelu(x, UP, down, HOW)
    kernels.spoil["filtered"] = lambda y: y * 2 if y.dtype == torch.float16 else y
    assert torch.equal(ops.filtered_lrelu(x.half(), UP, down, HOW), plain.filtered_lrelu(x.half(), UP, down, HOW))
    assert "differs by" in proven.setbacks(CPU)
    assert len(kernels.calls) == 3
    ops.filtered_lrelu(x, UP, down, HOW)
    assert len(kernels.calls) == 4


def test_the_user_reads_which_kernel_is_missing_and_why(kernels: Kernels) -> None:
    cuda = torch.device("cuda")
    proven._proofs["cuda:0", proven.Configuration("the epilogue", (), torch.float32, ((1,),))] = ""
    with ops.using(None):
        assert ops.describe(cuda) == "cuDNN, then Triton kernels"
        proven._proofs["cuda:0", proven.Configuration("the epilogue", (1,), torch.float16, ((1,),))] = "differs by 2"
        assert ops.describe(cuda) == "cuDNN, then Triton kernels; torch for the epilogue (differs by 2)"
        assert ops.describe(torch.device("cuda:1")) == "cuDNN, then Triton kernels"


def test_which_errors_nobody_may_swallow() -> None:
    assert is_fatal(RuntimeError("CUDA error: an illegal memory access was encountered"))
    assert not is_fatal(RuntimeError("CUDA error: operation not permitted when stream is capturing"))
    assert not is_fatal(ValueError("out of memory"))
    assert not is_fatal(OutOfResources(NOT_COMPILED))
    assert in_words(RuntimeError("one line\nand another")) == "RuntimeError: one line"
    assert in_words(RuntimeError()) == "RuntimeError"
    assert len(in_words(RuntimeError("word " * 100))) < 170
