"""Each family learns a step; a resumed run is the run that was never stopped; snapshots are whole."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

from networks.training import snapshot
from networks.training.config import PRESETS
from networks.training.ema import ema_beta, update_ema
from networks.training.trainer import Trainer

SMALL = {
    "resolution": 16, "z_dim": 8, "w_dim": 8, "mapping_layers": 2, "channel_base": 128, "channel_max": 8,
    "d_channel_base": 128, "d_channel_max": 8, "batch": 4, "r1_interval": 2, "path_interval": 2,
}  # fmt: skip


def small(family, **changes):
    return replace(PRESETS[family], **{**SMALL, **changes})


@pytest.fixture(autouse=True)
def _one_thread():
    """The number of threads decides the order of sums; restored after."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def moved(trainer, steps):
    """Which parameters of the generator and the critic changed over some steps."""
    before = [p.detach().clone() for p in (*trainer.generator.parameters(), *trainer.critic_parameters)]
    for _ in range(steps):
        stats = trainer.step()
    after = (*trainer.generator.parameters(), *trainer.critic_parameters)
    return sum(not torch.equal(a, b) for a, b in zip(before, after, strict=True)), stats


@pytest.mark.parametrize("family", ["stylegan1", "stylegan2", "stylegan3"])
def test_each_family_learns(family, tiny_set):
    trainer = Trainer(small(family, phase=0), tiny_set)
    count = sum(1 for _ in (*trainer.generator.parameters(), *trainer.critic_parameters))
    changed, stats = moved(trainer, 2)
    assert changed >= 0.8 * count
    assert all(value == value and abs(value) < 1e4 for value in stats.values())
    assert trainer.seen == 8
    made = trainer.average.synthesize(trainer.average.map(torch.randn(2, 8)))
    assert made.shape == (2, 3, 16, 16)


def test_growing_run_grows(tiny_set):
    trainer = Trainer(small("stylegan1", growing_start=8, phase=4), tiny_set)
    sizes = []
    for _ in range(4):
        sizes.append((trainer.stage.size, trainer.stage.alpha))
        trainer.step()
    assert sizes == [(8, 1.0), (16, 0.0), (16, 1.0), (16, 1.0)]


def test_stylegan3_follows_the_magnitude_of_its_signals(tiny_set):
    trainer = Trainer(small("stylegan3"), tiny_set)
    trainer.step()
    values = [m.magnitude_ema.item() for m in trainer.generator.modules() if hasattr(m, "magnitude_ema")]
    assert len(values) == 15
    assert all(value != 1.0 for value in values)


def test_w_avg_moves_towards_the_mean_w(tiny_set):
    trainer = Trainer(small("stylegan2", w_avg_decay=0.0, style_mixing=0.0, path_weight=0.0), tiny_set)
    z = torch.randn(4, 8, generator=torch.Generator().manual_seed(trainer.config.seed))
    with torch.no_grad():
        expected = trainer.generator.mapping(z).mean(dim=0)
    trainer.draw_ws(4)
    assert_close(trainer.generator.mapping.w_avg, expected)


def test_style_mixing_swaps_the_later_rows(tiny_set):
    trainer = Trainer(small("stylegan2", style_mixing=1.0), tiny_set)
    ws = trainer.draw_ws(64)
    assert bool((ws[:, 0] != ws[:, -1]).any(dim=1).all())
    changes = (ws[:, 1:] != ws[:, :-1]).any(dim=2).sum(dim=1)
    assert changes.tolist() == [1] * 64


@pytest.mark.parametrize("family", ["stylegan1", "stylegan2", "stylegan3"])
def test_resumed_run_is_bit_exact(family, tiny_set, tmp_path):
    config = small(family, phase=4 if family == "stylegan1" else 0, policy=("color", "translation", "cutout"))
    whole = Trainer(config, tiny_set)
    for _ in range(2):
        whole.step()
    snapshot.save_state(tmp_path / "state.pt", whole.state())
    stats = [whole.step() for _ in range(3)]
    resumed = Trainer(config, tiny_set)
    resumed.restore(snapshot.load_state(tmp_path / "state.pt"))
    assert [resumed.step() for _ in range(3)] == stats
    for part in ("generator", "average", "critic"):
        first, second = getattr(whole, part).state_dict(), getattr(resumed, part).state_dict()
        assert all(torch.equal(first[key], second[key]) for key in first), part
    assert torch.equal(whole.rng.get_state(), resumed.rng.get_state())


def test_snapshot_that_fails_leaves_the_old_one(tmp_path):
    path = tmp_path / "state.pt"
    snapshot.save_state(path, {"seen": 1})

    def break_off(part):
        part.write_bytes(b"half a file")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        snapshot.write_whole(path, break_off)
    assert snapshot.load_state(path) == {"seen": 1}
    assert [file.name for file in tmp_path.iterdir()] == ["state.pt"]


def test_pictures_of_another_size_are_refused(tiny_set):
    with pytest.raises(ValueError, match="16 px with 3 channels, the run wants 32 px"):
        Trainer(small("stylegan2", resolution=32), tiny_set)


def test_ema_by_hand():
    average, model = torch.nn.Linear(1, 1), torch.nn.Linear(1, 1)
    average.weight.data.fill_(0.0)
    model.weight.data.fill_(8.0)
    update_ema(average, model, beta=0.75)
    assert average.weight.item() == 2.0


def test_ema_copies_what_is_not_learnt():
    average, model = torch.nn.BatchNorm1d(1), torch.nn.BatchNorm1d(1)
    model.running_mean.fill_(5.0)
    update_ema(average, model, beta=0.75)
    assert average.running_mean.item() == 5.0


def test_each_step_moves_the_average_by_the_share_that_the_half_life_leaves(tiny_set):
    """Half-life 8 pictures, batch 4: the average keeps 0.5^(4 / 8) of itself. Buffers, w_avg among them, are copied."""
    trainer = Trainer(small("stylegan2", batch=4, ema_half_life=8, ema_ramp_up=None), tiny_set)
    trainer.step()
    before = {name: value.clone() for name, value in trainer.average.named_parameters()}
    trainer.step()
    latest = dict(trainer.generator.named_parameters())
    for name, value in trainer.average.named_parameters():
        torch.testing.assert_close(value, before[name] * 0.5**0.5 + latest[name] * (1 - 0.5**0.5))
    w_avg = trainer.average.mapping.w_avg
    assert w_avg.abs().max() > 0
    assert torch.equal(w_avg, trainer.generator.mapping.w_avg)


def test_ema_forgets_half_in_one_half_life_and_ramps_up():
    assert ema_beta(batch=100, seen=10**9, half_life=100, ramp_up=0.05) == 0.5
    assert ema_beta(batch=5, seen=100, half_life=10**6, ramp_up=0.05) == 0.5
    assert ema_beta(batch=4, seen=0, half_life=100, ramp_up=0.05) == 0.0
