"""Distances against numpy: unit features, LPIPS's weighted sum, where files are looked for; nothing is downloaded."""

from __future__ import annotations

from importlib.machinery import ModuleSpec
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.signal import correlate2d

from app.errors import InputError
from app.projection import features
from app.projection.features import LightDistance, LpipsDistance, load_distance, load_light, shrink
from networks.training.lite0 import load_lite0


def pictures(seed: int, side: int = 32) -> torch.Tensor:
    return torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def unit(x: np.ndarray) -> np.ndarray:
    return x / np.sqrt((x**2).sum(axis=0, keepdims=True) + 1e-10)


def test_the_bundled_stages_are_those_of_the_published_network() -> None:
    """Half precision costs little: the maps agree with the package's network to a few thousandths of their size."""
    whole, light = load_lite0(), load_light()
    x = pictures(0, 64)
    for ours, theirs in zip(light.stages(x)[1:], whole.features(x)[:3], strict=True):
        assert float((ours - theirs).abs().max()) < 1e-2 * float(theirs.abs().max())


def test_the_light_distance_is_the_mean_over_stages_and_colours() -> None:
    distance, a, b = load_light(), pictures(1), pictures(2)
    with torch.no_grad():
        maps = [[stage[0].double().numpy() for stage in distance.stages(x)] for x in (a, b)]
        found = float(distance(a, b))
    parts = [((unit(p) - unit(q)) ** 2).sum(axis=0).mean() for p, q in zip(*maps, strict=True)]
    blocks = [x[0].double().numpy().reshape(3, 8, 4, 8, 4).mean(axis=(2, 4)) for x in (a, b)]
    parts.append(((blocks[0] - blocks[1]) ** 2).sum(axis=0).mean())
    assert len(parts) == 5
    assert found == pytest.approx(np.mean(parts), rel=1e-4)


def test_a_picture_has_no_distance_from_itself_and_large_ones_are_averaged() -> None:
    distance, x = load_light(), pictures(3, 64)
    assert float(distance(x, x)) == 0.0
    large = x.repeat_interleave(8, 2).repeat_interleave(8, 3)  # 512: averaged by 2, not further
    assert shrink(large).shape == (1, 3, 256, 256)
    assert shrink(pictures(0, 256)).shape == (1, 3, 256, 256)


WIDTHS = (4, 4, 5, 5, 6, 6, 6, 7, 7, 7, 8, 8, 8)


def lpips_parts() -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    """Files of LPIPS's layout with a thin trunk."""
    stream = torch.Generator().manual_seed(7)
    trunk, before = {}, 3
    numbers = [number for block in LpipsDistance.CONVS for number in block]
    for number, width in zip(numbers, WIDTHS, strict=True):
        trunk[f"features.{number}.weight"] = torch.randn(width, before, 3, 3, generator=stream) / 3
        trunk[f"features.{number}.bias"] = torch.randn(width, generator=stream) / 9
        before = width
    ends = (WIDTHS[1], WIDTHS[3], WIDTHS[6], WIDTHS[9], WIDTHS[12])
    heads = {f"lin{i}.model.1.weight": torch.rand(1, width, 1, 1, generator=stream) for i, width in enumerate(ends)}
    return trunk, heads


def lpips_by_hand(
    trunk: dict[str, torch.Tensor], heads: dict[str, torch.Tensor], a: np.ndarray, b: np.ndarray
) -> float:
    """Zhang et al. 2018, Eq. 1, with the published scaling of the input."""
    shift, scale = np.array([-0.030, -0.088, -0.188]), np.array([0.458, 0.448, 0.450])
    total = 0.0
    maps = [(x - shift[:, None, None]) / scale[:, None, None] for x in (a, b)]
    for stage, block in enumerate(LpipsDistance.CONVS):
        if stage:
            maps = [x.reshape(len(x), x.shape[1] // 2, 2, x.shape[2] // 2, 2).max(axis=(2, 4)) for x in maps]
        for number in block:
            weight, bias = (trunk[f"features.{number}.{part}"].double().numpy() for part in ("weight", "bias"))
            maps = [
                np.maximum(
                    [
                        sum(correlate2d(x[i], w[i], "same") for i in range(len(x))) + c
                        for w, c in zip(weight, bias, strict=True)
                    ],
                    0,
                )
                for x in maps
            ]
        w = heads[f"lin{stage}.model.1.weight"].double().numpy()[0]
        total += (w * (unit(maps[0]) - unit(maps[1])) ** 2).sum(axis=0).mean()
    return total


def test_lpips_is_the_weighted_sum_of_the_paper() -> None:
    trunk, heads = lpips_parts()
    a, b = pictures(4), pictures(5)
    found = float(LpipsDistance(trunk, heads)(a, b))
    assert found == pytest.approx(lpips_by_hand(trunk, heads, a[0].double().numpy(), b[0].double().numpy()), rel=1e-4)


@pytest.fixture
def lpips_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine on which the package `lpips` lies, and torch hub has a folder."""
    (tmp_path / "lpips" / "weights" / "v0.1").mkdir(parents=True)
    (tmp_path / "hub" / "checkpoints").mkdir(parents=True)
    spec = ModuleSpec("lpips", None)
    spec.submodule_search_locations = [str(tmp_path / "lpips")]
    monkeypatch.setattr(features.importlib.util, "find_spec", lambda name: spec if name == "lpips" else None)
    monkeypatch.setattr(features.torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    return tmp_path


def test_lpips_is_taken_where_both_of_its_files_are(lpips_home: Path) -> None:
    trunk, heads = lpips_parts()
    torch.save(heads, lpips_home / "lpips" / "weights" / "v0.1" / "vgg.pth")
    assert load_distance().name == LightDistance.name
    torch.save(trunk, lpips_home / "hub" / "checkpoints" / "vgg16-397923af.pth")
    found = load_distance()
    assert found.name == "LPIPS (VGG16)"
    assert float(found(pictures(4), pictures(5))) == pytest.approx(
        float(LpipsDistance(trunk, heads)(pictures(4), pictures(5)))
    )


def test_a_broken_trunk_is_named(lpips_home: Path) -> None:
    torch.save(lpips_parts()[1], lpips_home / "lpips" / "weights" / "v0.1" / "vgg.pth")
    file = lpips_home / "hub" / "checkpoints" / "vgg16-397923af.pth"
    file.write_bytes(b"half a download")
    with pytest.raises(InputError, match=r"vgg16-397923af\.pth cannot be read.*delete it"):
        load_distance()
    torch.save({}, file)
    with pytest.raises(InputError, match=r"are not LPIPS with VGG16: 'features\.0\.weight' is missing"):
        load_distance()
