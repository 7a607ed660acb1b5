"""The Equivariance panel under a real mouse: what it asks, shows, refuses in words, and saves."""

from __future__ import annotations

import dearpygui.dearpygui as dpg
import numpy as np
import pytest

from app.request import Transform
from app.studies.equivariance import Equivariance, EquivarianceAnswer, Metric, MetricAnswer
from app.studies.estimate import Estimate
from app.studies.layer_probe import LayerProbe, ProbeAnswer, ProbedLayer
from tests.gui_support import Hand, centre_of
from tests.widgets.droplet_support import Studies
from tests.widgets.support import Bench, model, ramp
from widgets.equivariance_metrics import published
from widgets.equivariance_panel import EquivariancePanel, plain_request

pytestmark = pytest.mark.gui
SG3 = model(path="/models/three.pkl", title="StyleGAN3", has_transform=True)


@pytest.fixture
def studies(bench: Bench) -> Studies:
    bench.notes.study = Studies()  # type: ignore[attr-defined]
    return bench.notes.study  # type: ignore[attr-defined]


@pytest.fixture
def panel(bench: Bench, studies: Studies) -> EquivariancePanel:
    (panel,) = bench.add(EquivariancePanel, width=420, height=635)
    return panel


def press(bench: Bench, hand: Hand, panel: EquivariancePanel, tag: int | str) -> None:
    """Scroll to an item, click it, and turn until its work is shown."""
    place = dpg.get_item_rect_min(tag)[1] - dpg.get_item_pos(panel.window_id)[1]
    dpg.set_y_scroll(panel.window_id, max(0.0, dpg.get_y_scroll(panel.window_id) + place - 200))
    bench.turn(3)
    hand.click(*centre_of(tag))
    bench.turn(3)


def part(metric: Metric, db: float, samples: int = 2) -> MetricAnswer:
    """A metric whose error is 0.1 of the range of -1..1 in the left half and not compared in the right one."""
    error = np.full((32, 32), 0.1, np.float32)
    error[:, 16:] = np.nan
    return MetricAnswer(metric, samples, Estimate(db, db - 1, db + 1), (3.0, -2.0), ramp(32, 32), ramp(32, 32), error)


def probed(name: str, db: float) -> ProbedLayer:
    """A layer with an error map that is `db` everywhere."""
    error = np.full((32, 32), db / 100, np.float32)
    return ProbedLayer(
        name, (8, 8), 2.0, Estimate(db, db - 1, db + 1), Estimate(0.25, 0.2, 0.3), error
    )  # fmt: skip


def test_without_a_transform_it_says_so_and_the_layer_probe_still_works(
    bench: Bench, bench_hand: Hand, studies: Studies, panel: EquivariancePanel
) -> None:
    bench.show()
    assert "The input of a StyleGAN2 is a constant" in dpg.get_value(panel.words)
    assert not dpg.is_item_shown(panel.metrics.group)
    press(bench, bench_hand, panel, panel.study.button.tag)
    assert studies.asked == []
    press(bench, bench_hand, panel, panel.mode.buttons["layers"])
    assert not dpg.is_item_shown(panel.words)
    press(bench, bench_hand, panel, panel.study.button.tag)
    (handle,) = studies.asked
    assert handle.question == LayerProbe(plain_request(bench.frame.request), shift=0.5, seeds=(0, 1, 2, 3))


def test_the_three_metrics_are_asked_with_psi_1_and_without_the_users_transform(
    bench: Bench, bench_hand: Hand, studies: Studies, panel: EquivariancePanel
) -> None:
    bench.show(model=SG3)
    request = bench.frame.request
    bench.show(request=type(request)(transform=Transform(x=0.25, freeze_input=True)))
    assert studies.asked == []
    press(bench, bench_hand, panel, panel.study.button.tag)
    question = studies.asked[0].question
    assert isinstance(question, Equivariance)
    assert (question.metrics, question.samples, question.seed) == (("eqt", "eqt_frac", "eqr"), 64, 0)
    assert question.request.truncation.psi == 1.0
    assert question.request.transform == Transform(freeze_input=True)


def test_noise_that_follows_leaves_the_rotation_out(bench: Bench, panel: EquivariancePanel) -> None:
    bench.show(model=SG3)
    panel.metrics.follows.set(True)
    question = panel.metrics.question(bench.frame.request)
    assert (question.metrics, question.noise_follows) == (("eqt", "eqt_frac"), True)


def test_running_means_stand_with_intervals_beside_the_published_values(
    bench: Bench, bench_hand: Hand, studies: Studies, panel: EquivariancePanel
) -> None:
    bench.show(model=SG3)
    press(bench, bench_hand, panel, panel.study.button.tag)
    for samples, db in ((1, 50.0), (2, 52.0)):
        parts = (part("eqt", db, samples), part("eqr", db - 30, samples))
        studies.asked[0].answer(EquivarianceAnswer(samples, 4, ramp(32, 32), parts), samples / 4)
        bench.turn(3)
    plot = panel.metrics.plot
    assert dpg.get_value(plot.lines[0])[:2] == [[1.0, 2.0], [50.0, 52.0]]
    assert dpg.get_value(plot.bands[0])[1] == [49.0, 51.0]
    assert not dpg.is_item_shown(plot.lines[1])  # no fractional sample yet
    assert dpg.get_value(plot.levels)[0] == pytest.approx([15.9, 61.7, 64.8])
    press(bench, bench_hand, panel, panel.metrics.metric.buttons["eqr"])
    assert dpg.get_value(plot.levels)[0] == pytest.approx([10.8, 14.0, 47.6])
    press(bench, bench_hand, panel, panel.metrics.metric.buttons["eqt_frac"])
    assert published("eqt_frac") == []
    assert "No values were published" in dpg.get_value(panel.metrics.words)


def test_the_last_sample_is_shown_with_its_error_map(
    bench: Bench, bench_hand: Hand, studies: Studies, panel: EquivariancePanel
) -> None:
    bench.show(model=SG3)
    press(bench, bench_hand, panel, panel.study.button.tag)
    studies.asked[0].answer(EquivarianceAnswer(2, 2, ramp(32, 32), (part("eqt", 50.0),)))
    bench.turn(3)
    (row,) = panel.metrics.grid.rows
    assert row.words == "shifted by +3.00, -2.00 px"
    error = row.pictures[2]
    assert tuple(error[4, 30]) == (40, 43, 50, 255)
    assert tuple(error[4, 4]) != tuple(error[4, 30])
    assert panel.metrics.scale.shown[2] == pytest.approx(5.0)  # 0.1 of -1..1 are 5 % of the range


def test_a_click_on_a_bar_shows_the_layers_error_map(
    bench: Bench, bench_hand: Hand, studies: Studies, panel: EquivariancePanel
) -> None:
    bench.show()
    press(bench, bench_hand, panel, panel.mode.buttons["layers"])
    press(bench, bench_hand, panel, panel.study.button.tag)
    layers = tuple(probed(name, db) for name, db in (("b4.conv1", 20.0), ("b8.conv0", 10.0), ("b8.conv1", 40.0)))
    studies.asked[0].answer(ProbeAnswer(1, 1, ramp(32, 32), layers))
    bench.turn(3)
    probe = panel.probe
    assert [bar.words for bar in probe.bars.bars] == ["20.0 ± 1.0 dB", "10.0 ± 1.0 dB", "40.0 ± 1.0 dB"]
    assert probe.layer.name == "b8.conv0"  # the worst, until one is chosen
    left, top = dpg.get_item_rect_min(probe.bars.drawlist)
    bench_hand.click(left + 30, top + 2.5 * probe.bars.row)
    bench.turn(3)
    assert probe.layer.name == "b8.conv1"
    assert probe.painted is layers[2]
    assert probe.scale.shown[2] == pytest.approx(20.0)


def test_all_numbers_go_to_json(bench: Bench, bench_hand: Hand, studies: Studies, panel: EquivariancePanel) -> None:
    bench.show(model=SG3)
    assert not panel.study.save.enabled
    press(bench, bench_hand, panel, panel.study.button.tag)
    exact = MetricAnswer("eqt", 2, Estimate(float("inf")), (0.0, 0.0), ramp(32, 32), ramp(32, 32), np.zeros((32, 32)))
    studies.asked[0].answer(EquivarianceAnswer(2, 2, ramp(32, 32), (exact,)))
    bench.turn(3)
    press(bench, bench_hand, panel, panel.study.save.tag)
    ((_, (name, values)),) = [entry for entry in bench.notes.log if entry[0] == "save_numbers"]
    assert name == "equivariance"
    assert values["moved_input"]["db"] == {"eqt": {"value": None, "low": None, "high": None}}
    assert values["moved_input"]["published_ffhq_u_256_db"]["R"] == {"eqt": 64.8, "eqr": 47.6}
    assert values["layer_probe"] is None


def test_it_adds_nothing_to_the_request(bench: Bench, panel: EquivariancePanel) -> None:
    assert bench.show(model=SG3).measures == ()


def test_another_model_stops_and_forgets(
    bench: Bench, bench_hand: Hand, studies: Studies, panel: EquivariancePanel
) -> None:
    bench.show(model=SG3)
    press(bench, bench_hand, panel, panel.study.button.tag)
    studies.asked[0].answer(EquivarianceAnswer(2, 4, ramp(32, 32), (part("eqt", 50.0),)), 0.5)
    bench.turn(2)
    bench.show(model=model())
    assert studies.asked[0].cancelled
    assert panel.metrics.answer is None
    assert not dpg.is_item_shown(panel.metrics.group)
