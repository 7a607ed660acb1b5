"""What each panel puts into the request, and what it shows; no engine, frames are set by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import dearpygui.dearpygui as dpg
import numpy as np
import pytest

from app.frame import LoopState, Problem, RecordingState, Status, Timing
from app.request import Latent, Mix, RenderRequest, Truncation
from networks.plan import LayerNoise
from tests.widgets.support import Bench, layers, model, ramp, sheet
from widgets.capture_panel import CapturePanel, parse_seeds
from widgets.class_names import class_names, matching
from widgets.class_panel import ClassPanel
from widgets.interventions_panel import InterventionsPanel
from widgets.latent_panel import LatentPanel
from widgets.mixing_panel import MixingPanel, groups
from widgets.model_panel import ModelPanel
from widgets.noise_panel import NoisePanel
from widgets.performance_panel import PerformancePanel
from widgets.picture_panel import PicturePanel
from widgets.prompt_panel import PromptPanel
from widgets.registry import all_panels
from widgets.transform_panel import TransformPanel
from widgets.truncation_panel import TruncationPanel

pytestmark = pytest.mark.gui


def test_all_panels_are_found_and_live_together(bench: Bench) -> None:
    kinds = all_panels()
    assert len(kinds) == len(list(Path("widgets").glob("*_panel.py"))) >= 13
    assert kinds[0] is PicturePanel
    panels = bench.add(*kinds)
    assert replace(bench.request, measures=()) == RenderRequest()  # what is measured changes no pixel
    bench.show(layer_view=sheet(), difference=ramp(32, 32))
    assert replace(bench.request, measures=()) == RenderRequest()
    shortcuts = [shortcut.keys for panel in panels for shortcut in panel.shortcuts()]
    assert len(set(shortcuts)) == len(shortcuts)


def test_resetting_brings_the_first_request_back(bench: Bench) -> None:
    kinds = (LatentPanel, TruncationPanel, NoisePanel, MixingPanel, InterventionsPanel)
    latent, psi, noise, mix, edits = bench.add(*kinds)
    first = bench.show()
    latent.jump()
    psi.psi.set(0.3)
    noise.table.rows[2].on.set(False)
    mix.tick_rows(range(3))
    edits.add()
    assert bench.turn() != first
    for panel in bench.notes.panels:
        panel.reset()
    assert bench.turn() == first


def test_red_and_blue_can_be_swapped_where_there_are_colours(bench: Bench) -> None:
    (panel,) = bench.add(ModelPanel)
    bench.show()
    panel.bgr.set(True)
    assert bench.turn().bgr
    bench.show(model=replace(model(), img_channels=1))
    assert not panel.bgr.enabled


# -- latent ------------------------------------------------------------------------------------------------------------


def test_half_way_between_four_seeds_each_weighs_a_quarter(bench: Bench) -> None:
    (latent,) = bench.add(LatentPanel)
    latent.x.set(2.5)
    latent.y.set(1.5)
    assert dict(bench.turn().latent.seeds) == {102: 0.25, 103: 0.25, 202: 0.25, 203: 0.25}


def test_dragging_the_picture_moves_the_plane_by_the_gain(bench: Bench) -> None:
    (latent,) = bench.add(LatentPanel)
    latent.gain.set(4.0)
    bench.notes.drag_latent(0.25, -0.5)
    assert (latent.x.value, latent.y.value) == (1.0, -2.0)


def test_a_walk_goes_by_the_clock_and_not_by_frames(bench: Bench) -> None:
    (latent,) = bench.add(LatentPanel)
    latent.animate.set(True)
    latent.speed_x.set(0.5)
    bench.turn(4, seconds=0.25)
    slow = latent.x.value
    bench.turn(1, seconds=1.0)
    assert (slow, latent.x.value) == (0.5, 1.0)


def test_snap_and_random_land_on_whole_seeds(bench: Bench) -> None:
    (latent,) = bench.add(LatentPanel)
    latent.x.set(3.6)
    latent.snap()
    assert bench.turn().latent == Latent(((4, 1.0),))
    latent.jump()
    ((seed, weight),) = bench.turn().latent.seeds
    assert weight == 1.0
    assert 0 <= seed < 10000


def test_a_dropped_latent_file_is_used_until_the_picture_is_dragged(bench: Bench) -> None:
    (latent,) = bench.add(LatentPanel)
    assert not latent.take_file("/models/other.pkl")
    assert latent.take_file("/latents/w.npy")
    assert bench.turn().latent.file == "/latents/w.npy"
    bench.notes.drag_latent(0.1, 0.0)
    assert bench.turn().latent.file == ""


# -- truncation --------------------------------------------------------------------------------------------------------


def test_a_model_brings_its_own_truncation_unless_the_user_chose_one(bench: Bench) -> None:
    (panel,) = bench.add(TruncationPanel)
    assert bench.turn().truncation == Truncation(1.0, None)
    bench.show(model=model(default_psi=0.5, default_cutoff=4))
    assert bench.turn().truncation == Truncation(0.5, 4)
    panel.psi.set(0.8)
    bench.show(model=model(path="/models/other.pkl", num_ws=14))
    assert bench.turn().truncation == Truncation(0.8, 4)
    panel.reset()
    assert bench.turn().truncation == Truncation(1.0, None)


# -- noise -------------------------------------------------------------------------------------------------------------


def test_only_layers_with_noise_have_a_row(bench: Bench) -> None:
    (noise,) = bench.add(NoisePanel)
    bench.show()
    assert [row.name for row in noise.table.rows] == [layer.name for layer in layers() if layer.has_noise]
    bench.show(model=model(title="StyleGAN3", layers=layers()[:1]))
    assert noise.table.rows == []


def test_a_layer_is_switched_off_alone_or_heard_alone(bench: Bench) -> None:
    (noise,) = bench.add(NoisePanel)
    bench.show()
    noise.table.rows[1].on.set(False)
    noise.table.rows[2].strength.set(2.5)
    assert bench.turn().noise.layers == (LayerNoise("b8.conv0", False, 1.0), LayerNoise("b8.conv1", True, 2.5))
    noise.table.rows[3].solo.press()
    heard = {row.name for row in noise.table.rows if bench.turn().noise.of(row.name).on}
    assert heard == {"b16.conv0"}
    noise.table.rows[3].solo.press()
    assert not bench.turn().noise.of("b8.conv0").on
    noise.table.reset()
    assert bench.turn().noise.layers == ()


def test_the_noise_seed_counts_for_random_noise_only(bench: Bench) -> None:
    (noise,) = bench.add(NoisePanel)
    noise.seed.set(7)
    assert (bench.turn().noise.mode, bench.turn().noise.seed) == ("const", 0)
    noise.mode.set("random")
    assert (bench.turn().noise.mode, bench.turn().noise.seed) == ("random", 7)


def test_the_difference_picture_is_asked_for_and_shown(bench: Bench) -> None:
    (noise,) = bench.add(NoisePanel)
    noise.difference.set(True)
    noise.gain.set(8.0)
    assert (bench.turn().diagnostic.kind, bench.turn().diagnostic.gain) == ("noise_difference", 8.0)
    picture = ramp(16, 16)
    bench.show(difference=picture)
    assert noise.view.pixels is picture


# -- mixing ------------------------------------------------------------------------------------------------------------


def test_presets_follow_the_resolution_that_a_row_styles() -> None:
    assert groups(layers(), 8) == {"coarse": range(3), "middle": range(3, 8)}
    large = tuple(replace(layer, size=(layer.size[0] * 2, layer.size[1] * 2)) for layer in layers())
    assert groups(large, 8) == {"coarse": range(1), "middle": range(1, 5), "fine": range(5, 8)}
    assert groups(layers()[:1], 9) == {"coarse": range(3), "middle": range(3, 6), "fine": range(6, 9)}


def test_ticked_rows_come_from_the_second_seed(bench: Bench) -> None:
    (mixing,) = bench.add(MixingPanel)
    bench.show()
    mixing.seed.set(42)
    assert bench.turn().mix == Mix()
    mixing.tick_rows(range(2, 4))
    assert bench.turn().mix == Mix(42, (2, 3))


# -- class, prompt -----------------------------------------------------------------------------------------------------


def test_classes_are_found_by_name_and_by_number() -> None:
    names = class_names(1000)
    assert [names[number] for number in matching(names, "tabby")] == ["tabby"]
    assert names[matching(names, "207")[0]] == "golden retriever"
    assert matching(names, "golden retr") == [207]
    assert len(matching(names, "")) == 1000
    assert class_names(10)[3] == "class 3"


def test_two_classes_are_blended_to_and_fro(bench: Bench) -> None:
    (panel,) = bench.add(ClassPanel)
    assert bench.show().condition == RenderRequest().condition
    bench.show(model=model(condition="class", c_dim=1000))
    assert bench.turn().condition.class_index is None
    panel.pick(281)
    panel.slot.set("b")
    panel.pick(207)
    panel.blend.set(0.25)
    condition = bench.turn().condition
    assert (condition.class_index, condition.class_b, condition.blend) == (281, 207, 0.25)
    panel.animate.set(True)
    panel.speed.set(0.5)
    assert bench.turn(1, seconds=1.0).condition.blend == 1.0
    assert bench.turn(1, seconds=1.0).condition.blend == 0.0


def test_prompts_need_an_encoder_and_vectors_do_not(bench: Bench, tmp_path) -> None:
    (panel,) = bench.add(PromptPanel)
    bench.show(model=model(condition="vector", c_dim=768, title="StyleGAN-T"))
    assert "No text encoder" in dpg.get_value(panel.words)
    assert not panel.a.enabled
    np.save(tmp_path / "vector.npy", np.zeros(768, np.float32))
    np.save(tmp_path / "w.npy", np.zeros(512, np.float32))
    assert not panel.take_file(str(tmp_path / "w.npy"))
    assert panel.take_file(str(tmp_path / "vector.npy"))
    assert bench.turn().condition.vector_file == str(tmp_path / "vector.npy")


# -- transform, layers, edits ------------------------------------------------------------------------------------------


def test_a_transform_is_sent_only_where_the_family_takes_it(bench: Bench) -> None:
    (panel,) = bench.add(TransformPanel)
    panel.x.set(0.25)
    bench.show()
    assert bench.turn().transform == RenderRequest().transform
    assert "StyleGAN2 has no input" in dpg.get_value(panel.words)
    bench.show(model=model(has_transform=True))
    assert bench.turn().transform.x == 0.25
    panel.animate.set(True)
    panel.speed_angle.set(0.5)
    bench.turn(1, seconds=1.5)
    assert panel.angle.value == -90.0  # three quarters of a turn


# -- picture, model, performance, capture ------------------------------------------------------------------------------


def test_after_a_problem_the_last_good_picture_stays(bench: Bench) -> None:
    (panel,) = bench.add(PicturePanel)
    bench.show()
    good = panel.view.pixels
    bench.show(picture=None, problem=Problem("Out of memory", "4.1 GiB were needed.", "Choose a smaller model."))
    assert panel.view.pixels is good
    assert panel.view.problem.shown == ("Out of memory", "4.1 GiB were needed.", "Choose a smaller model.")
    bench.show(picture=ramp(32, 32), problem=None)
    assert panel.view.problem.shown is None


def test_an_incomplete_picture_is_marked(bench: Bench) -> None:
    (panel,) = bench.add(PicturePanel)
    bench.show(picture=ramp(8, 8), complete=False)
    assert panel.view.spinner.shown
    assert panel.view.shown_size == (32, 32)
    bench.show(picture=ramp(32, 32), complete=True)
    assert not panel.view.spinner.shown


def test_the_model_panel_says_what_is_open_and_what_went_wrong(bench: Bench) -> None:
    (panel,) = bench.add(ModelPanel)
    bench.show(model=model(resolution=(64, 32), notes=("w_avg was estimated.",), ignored=("D",)))
    assert dict(panel.details._shown)["picture"] == "32 × 64 px, RGB"
    assert dpg.get_value(panel.notes) == "w_avg was estimated.\nNot used: D."
    assert not panel.again.enabled
    bench.show(problem=Problem("bad.pkl is no checkpoint", "It begins with 'PNG'.", "Open a .pkl file."))
    assert dpg.get_value(panel.problem[0]) == "bad.pkl is no checkpoint"
    panel.again.press()
    assert bench.notes.log == [("retry", ())]


def test_loading_shows_how_far_it_is(bench: Bench) -> None:
    (panel,) = bench.add(ModelPanel)
    bench.state = LoopState(8.0, 60.0, 0.0, "gl", Status(True, "Reading weights", 0.25), RecordingState())
    bench.turn(2)
    assert dpg.is_item_shown(panel.progress)
    assert dpg.get_item_configuration(panel.progress)["overlay"] == "Reading weights  25%"


def test_performance_starts_from_the_command_line(bench: Bench) -> None:
    (panel,) = bench.add(PerformancePanel)
    assert bench.request.model.device == "auto"
    panel.precision.set("fp32")
    assert bench.turn().model.precision == "fp32"
    panel.scale.set(1.5)
    bench.turn()
    assert ("set_ui_scale", (1.5,)) in bench.notes.log


def test_the_precision_that_was_asked_for_is_the_one_that_is_shown(bench: Bench) -> None:
    (panel,) = bench.add(PerformancePanel)
    bench.show(model=replace(model(), device="cuda", precision="fp16 at the top"))
    assert dict(panel.table._shown)["runs on"] == "cuda, fp16 at the top"
    panel.precision.set("fp32")
    bench.show(request=bench.turn())
    assert dict(panel.table._shown)["runs on"] == "cuda, fp32"


def test_times_are_plotted_from_the_right(bench: Bench) -> None:
    (panel,) = bench.add(PerformancePanel)
    bench.show(timing=Timing(total_ms=50.0))
    bench.show(timing=Timing(total_ms=30.0))
    assert list(panel.render.values)[-3:] == [0.0, 50.0, 30.0]
    assert dpg.get_value(panel.render.line)[1] == list(panel.render.values)
    assert dpg.get_value(panel.render.words) == "30.0 ms"
    assert dpg.get_axis_limits(panel.render.axis) == pytest.approx([0.0, 55.0])


@pytest.mark.parametrize(
    ("words", "seeds"),
    [("0, 1,5-8", [0, 1, 5, 6, 7, 8]), ("", []), ("3", [3]), ("a", None), ("5-2", None), ("-1", None), ("1.5", None)],
)
def test_seed_lists(words: str, seeds: list[int] | None) -> None:
    assert parse_seeds(words) == seeds


def test_a_walk_needs_two_seeds_and_says_what_is_wrong(bench: Bench) -> None:
    latent, panel = bench.add(LatentPanel, CapturePanel)
    bench.show()
    latent.x.set(12.2)
    bench.turn()
    panel._add()
    bench.turn(2)
    assert panel.seeds.value == "12"
    assert not panel.render.enabled
    panel.seeds.set("12, x")
    bench.turn(2)
    assert dpg.get_value(panel.message).startswith("'12, x' is not a list of seeds")
    panel.seeds.set("12, 40")
    bench.turn(2)
    panel.render.press()
    assert bench.notes.log == [("start_walk", ([12, 40], 6.0, 30, True, "mp4"))]


def test_the_record_button_stops_what_it_began(bench: Bench) -> None:
    (panel,) = bench.add(CapturePanel)
    bench.show()
    panel.record.press()
    recording = RecordingState(path="/out/live.mp4", frames=30, seconds=1.0)
    bench.state = LoopState(8.0, 60.0, 20.0, "gl", Status(), recording)
    bench.turn(2)
    assert "1.0 s, 30 frames" in dpg.get_item_label(panel.record.tag)
    panel.record.press()
    assert bench.notes.log == [("start_capture", ("mp4",)), ("stop_capture", ())]
