"""The kernels for CUDA compute the textbook's values, on a CPU in Triton's interpreter; run by test_ops_fused.py."""

from __future__ import annotations

import pytest
import torch

from networks import ops, stylegan2
from networks.filter_design import lowpass, radial_lowpass
from networks.ops import fused, plain, proven, reference
from networks.ops.resampling import Resampling
from networks.plan import Noise
from tests.networks.small import small
from tests.networks.test_ops import TOLERANCE, draw, error, layer

CPU = torch.device("cpu")


def test_the_kernels_run_here() -> None:
    assert fused.why_not(CPU) == ""


@pytest.mark.parametrize("seed", range(12))
def test_a_styled_layer_equals_the_textbook(seed: int) -> None:
    arguments = layer(seed)
    with torch.no_grad():
        ours = fused.styled_conv2d(*arguments)
    assert error(ours, reference.styled_conv2d(*arguments)) < TOLERANCE


@pytest.mark.parametrize("memory", [torch.contiguous_format, torch.channels_last])
def test_the_epilogue_takes_maps_as_they_lie_in_memory(memory: torch.memory_format) -> None:
    rng = torch.Generator().manual_seed(1)
    y = draw(rng, 2, 5, 7, 3).contiguous(memory_format=memory)
    scale, bias, noise = draw(rng, 2, 5), draw(rng, 5), draw(rng, 2, 1, 7, 3)
    expected = y * scale[:, :, None, None] + bias[:, None, None] + noise
    expected = (torch.where(expected < 0, expected * 0.2, expected) * 1.5).clamp(-2, 2)
    kernels, _ = fused._module()
    assert kernels is not None
    out = fused._epilogue(kernels, y, y, scale, bias, noise, 1.5, 2.0)
    assert out.is_contiguous(memory_format=memory)
    torch.testing.assert_close(out, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
@pytest.mark.parametrize("memory", [torch.contiguous_format, torch.channels_last])
def test_the_low_pass_takes_maps_as_they_lie_in_memory(memory: torch.memory_format, dtype: torch.dtype) -> None:
    """Against the sum over the taps, written out."""
    rng = torch.Generator().manual_seed(1)
    y = draw(rng, 2, 5, 8, 4).to(dtype).contiguous(memory_format=memory)
    scale, bias, noise = draw(rng, 2, 5), draw(rng, 5), draw(rng, 2, 1, 7, 3)
    down, across = torch.tensor([[0.1, 0.2, 0.3, 0.7], [0.5, -0.1, 0.4, 0.9]])
    padded = torch.nn.functional.pad(y.double(), (1, 1, 1, 1))
    summed = sum(down[v] * across[u] * padded[:, :, v : v + 7, u : u + 3] for v in range(4) for u in range(4))
    expected = summed * scale[:, :, None, None] + bias[:, None, None] + noise
    expected = (torch.where(expected < 0, expected * 0.2, expected) * 1.5).clamp(-2, 2)
    kernels, _ = fused._module()
    assert kernels is not None
    out = fused._low_pass_epilogue(kernels, y, torch.stack([down, across]), scale, bias, noise, 1.5, 2.0)
    assert out.is_contiguous(memory_format=memory)
    assert out.dtype == dtype
    close = 1e-5 if dtype == torch.float32 else 2e-3
    torch.testing.assert_close(out.double(), expected, rtol=close, atol=close)


@pytest.mark.parametrize("radial", [False, True])
@pytest.mark.parametrize("up", [2, 4])
@pytest.mark.parametrize("size", [(20, 37), (34, 9)])
def test_a_filtered_lrelu_equals_the_textbook(radial: bool, up: int, size: tuple[int, int]) -> None:
    rng = torch.Generator().manual_seed(up + radial)
    up_filter = lowpass(6 * up, 3.0, 2.5, 16.0 * up)
    design = radial_lowpass if radial else lowpass
    down_filter = design(12, 6.0, 3.0, 32.0)
    how = Resampling(up, 2, (5, 4, -3, 7), 2**0.5, 0.2, 1.2)
    x = draw(rng, 2, 3, *size)
    ours = fused.filtered_lrelu(x, up_filter, down_filter, how)
    theirs = reference.filtered_lrelu(x, up_filter, down_filter, how)
    assert ours.shape == theirs.shape
    assert error(ours, theirs) < TOLERANCE
    assert error(plain.filtered_lrelu(x, up_filter, down_filter, how), theirs) < TOLERANCE


def test_radial_filters_are_few_products() -> None:
    filter_ = radial_lowpass(12, 6.0, 3.0, 32.0)
    terms = fused.products(filter_)
    assert len(terms) <= 5
    rebuilt = sum(torch.outer(column, row) for column, row in terms)
    assert (rebuilt - filter_).abs().max() < 2e-6 * filter_.abs().max()


@pytest.mark.parametrize("name", ["stylegan2-skip", "stylegan2-resnet"])
def test_whole_pictures_equal_the_textbooks(name: str) -> None:
    generator, ws = small(name).generator, small(name).ws
    with torch.no_grad():
        with ops.using("fused"):
            ours = generator.synthesize(ws, noise=Noise("random", 3))
        with ops.using("reference"):
            theirs = generator.synthesize(ws, noise=Noise("random", 3))
    assert error(ours, theirs) < TOLERANCE


@pytest.mark.parametrize("name", ["stylegan2-skip", "stylegan2-resnet"])
def test_half_precision_at_the_top_stays_close(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The layers that a GPU runs in fp16, run in fp16 here, channels innermost from one to the next."""
    generator, ws = small(name).generator, small(name).ws
    with torch.no_grad():
        expected = generator.synthesize(ws)
        dtypes = {info.name: torch.float16 if info.half else torch.float32 for info in generator.layers}
        monkeypatch.setattr(stylegan2, "layer_dtype", lambda info, device, precision: dtypes[info.name])
        with ops.using("fused"):
            assert error(generator.synthesize(ws), expected) < 3e-3
    assert torch.float16 in dtypes.values()


def test_a_layer_of_stylegan3_equals_the_textbook() -> None:
    rng = torch.Generator().manual_seed(2)
    filters = lowpass(12, 3.0, 2.5, 32.0), lowpass(12, 6.0, 3.0, 32.0)
    how = Resampling(2, 2, (9, 10, 9, 10), 2**0.5, 0.2, 256.0)
    arguments = (draw(rng, 2, 6, 20, 20), draw(rng, 3, 6, 3, 3), draw(rng, 2, 6) + 1, draw(rng, 3), 0.7, *filters, how)
    pictures = []
    for backend in ("fused", "reference"):
        with torch.no_grad(), ops.using(backend):
            pictures.append(ops.filtered_conv2d(*arguments))
    assert error(*pictures) < TOLERANCE


def test_the_dispatch_falls_back_where_kernels_do_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    x = torch.zeros(1, 1, 2, 2)
    with ops.using("fused"):
        assert ops.chosen(x) == "fused"
        assert ops.chosen(x.clone().requires_grad_()) == "plain"
        monkeypatch.setattr(fused, "why_not", lambda device: "no compiler")
        assert ops.chosen(x) == "plain"


def test_every_kernel_proves_itself_here_and_a_spoilt_one_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    proven.forget()
    rng = torch.Generator().manual_seed(3)
    up_filter = lowpass(12, 3.0, 2.5, 32.0)
    downs = lowpass(12, 6.0, 3.0, 32.0), radial_lowpass(12, 6.0, 3.0, 32.0)
    x, how = draw(rng, 1, 2, 40, 36), Resampling(2, 2, (9, 10, 9, 10), 2**0.5, 0.2, 256.0)
    for dtype in (torch.float32, torch.float16):
        for down in downs:
            fused.filtered_lrelu(x.to(dtype), up_filter, down, how)
        for seed in range(2):
            first, *rest = layer(seed)
            with torch.no_grad():
                fused.styled_conv2d(first.to(dtype), *rest)
    families = {what.family for _, what in proven._proofs}
    assert len(families) == 4
    assert len(proven._proofs) == 8
    assert proven.setbacks(CPU) == ""
    monkeypatch.setattr(fused, "SLOPE", 0.3)
    proven.forget()
    with torch.no_grad():
        ours, theirs = fused.styled_conv2d(*layer(2)), plain.styled_conv2d(*layer(2))
    assert torch.equal(ours, theirs)
    assert proven.setbacks(CPU).startswith("torch for the epilogue (differs by 0.")
    proven.forget()
