"""A missing mean w is estimated once, from the same z everywhere, and kept by the file's hash."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from networks.checkpoint import w_avg
from networks.checkpoint.load import load
from networks.checkpoint.window import ReadCancelled
from tests.networks.checkpoint.port_layouts import rosinality_file
from tests.networks.small import build, small


def file_without_mean(folder: Path) -> Path:
    torch.save({"g_ema": rosinality_file(build("stylegan2-skip"))}, folder / "net.pt")
    return folder / "net.pt"


@pytest.mark.parametrize("name", ["stylegan2-skip", "stylegan2-conditional", "lucidrains"])
def test_the_estimate_is_the_mean_of_8192_seeded_w(name: str) -> None:
    generator = small(name).generator
    rnd, ws = np.random.RandomState(0), []
    for _ in range(8):
        z = torch.from_numpy(rnd.randn(1024, generator.z_dim)).float()
        c = torch.eye(3)[rnd.randint(3, size=1024)] if generator.c_dim else None
        ws.append(generator.mapping(z, c))
    w = torch.cat(ws)
    assert_close(w_avg.estimate_w_avg(generator), w.mean(dim=0), rtol=1e-4, atol=1e-6)
    error = w.std(dim=0) / 8192**0.5
    half = w_avg.estimate_w_avg(generator, samples=4096)
    assert ((half - w.mean(dim=0)).abs() < 6 * error).all(), "half the seeds are within 6 standard errors"


def test_it_is_estimated_once_and_then_kept(tmp_path: Path) -> None:
    path, cache = file_without_mean(tmp_path), tmp_path / "cache"
    said: list[tuple[float, str]] = []
    first, checkpoint = load(path, cache=cache, progress=lambda part, what: said.append((part, what)))
    steps = [part for part, what in said if what == "Estimating the mean w from 8192 seeds"]
    assert steps == [i / 8 for i in range(1, 9)]
    assert [kept.name for kept in cache.iterdir()] == [f"{checkpoint.sha256}-8192-0.npy"]
    said.clear()
    again, _ = load(path, cache=cache, progress=lambda part, what: said.append((part, what)))
    assert not any("mean w" in what for _, what in said)
    assert torch.equal(first.mapping.w_avg, again.mapping.w_avg)
    assert torch.equal(first.mapping.w_avg, w_avg.estimate_w_avg(first))


@pytest.mark.parametrize("content", [b"", b"no array", b"\x93NUMPY\x01\x00", "wrong shape", "not finite"])
def test_a_damaged_estimate_is_made_anew(content: bytes | str, tmp_path: Path) -> None:
    path, cache = file_without_mean(tmp_path), tmp_path / "cache"
    first, _ = load(path, cache=cache)
    (kept,) = cache.iterdir()
    if content == "wrong shape":
        np.save(kept, np.zeros(3, np.float32))
    elif content == "not finite":
        np.save(kept, np.full(14, np.nan, np.float32))
    else:
        kept.write_bytes(content)
    again, _ = load(path, cache=cache)
    assert torch.equal(first.mapping.w_avg, again.mapping.w_avg)
    assert np.array_equal(np.load(kept), again.mapping.w_avg.numpy())


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way of a folder")
    generator, _ = load(file_without_mean(tmp_path), cache=blocked / "cache")
    assert float(generator.mapping.w_avg.abs().max()) > 0


def test_nothing_is_kept_without_a_hash(tmp_path: Path) -> None:
    w_avg.mean_w(build("stylegan2-skip"), "", cache=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_estimating_can_be_cancelled() -> None:
    with pytest.raises(ReadCancelled, match="mean w was cancelled"):
        w_avg.estimate_w_avg(build("stylegan2-skip"), cancelled=lambda: True)


def test_the_default_cache_is_the_users() -> None:
    assert w_avg.default_cache().parts[-2:] == ("stylescope", "w_avg")
