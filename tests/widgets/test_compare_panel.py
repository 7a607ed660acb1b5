"""The compare panel by real mouse and keys: links, drags, zoom, wipe, models; frames are set by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import dearpygui.dearpygui as dpg
import numpy as np
import pytest

from app.compare import Pane, PaneState
from app.frame import BundledModel, Frame, Problem, RecordingState, Status, Timing
from app.request import Mix, Model, RenderRequest, Transform, plane
from tests.gui_support import Hand, Screen, centre_of, point_in
from tests.widgets.support import Bench, model, ramp
from widgets.compare_panel import ComparePanel
from widgets.latent_panel import LatentPanel
from widgets.truncation_panel import TruncationPanel

pytestmark = pytest.mark.gui
BUNDLED = BundledModel("/m/emoji.safetensors", "StyleGAN2", "64 × 64 px, emoji", "")


def plain(value: int, side: int = 32) -> np.ndarray:
    picture = np.full((side, side, 4), value, np.uint8)
    picture[..., 3] = 255
    return picture


def state(path: str, picture: np.ndarray | None, serial: int = 1, **changes: Any) -> PaneState:
    side = 32 if picture is None else picture.shape[0]
    info = model(path=path, name=path, resolution=(side, side))
    request = RenderRequest(model=Model(path))
    return PaneState(Frame(serial, request, picture, model=info, timing=Timing(total_ms=31.4), **changes))


class Stand:
    """The panel beside the Latent and Truncation panels, with pictures in its first two panes."""

    def __init__(self, bench: Bench, hand: Hand, screen: Screen) -> None:
        self.bench, self.hand, self.screen = bench, hand, screen
        self.latent, self.psi = bench.add(LatentPanel, TruncationPanel, width=10, height=10)
        [self.panel] = bench.add(ComparePanel, width=900, height=620)
        self.panel.panes[1].own.open("b.pkl")
        self.pictures(ramp(32, 32), ramp(32, 32)[::-1].copy())

    def pictures(self, *pictures: np.ndarray | None) -> None:
        paths = ["open.pkl", "b.pkl", "c.pkl", "d.pkl"]
        self.bench.notes.compared.frames = tuple(map(state, paths, pictures))
        self.bench.turn(4)

    @property
    def told(self) -> tuple[Pane, ...]:
        self.bench.turn()
        return self.bench.notes.compared.told

    def drag(self, item: int | str, start: tuple[float, float], by: tuple[float, float], button: int = 1) -> None:
        """Drag from a place in an item, in shares of it, by so many pixels."""
        x, y = point_in(item, *start)
        self.hand.move(x, y)
        self.hand.press(button)
        self.hand.move(x + by[0] / 2, y + by[1] / 2)
        self.hand.move(x + by[0], y + by[1])
        self.hand.release(button)

    def colour(self, item: int | str, across: float) -> float:
        """Red of the screen at a place in an item, a third down."""
        x, y = point_in(item, across, 0.33)
        left, top = self.hand._origin()
        return float(self.screen.pixels()[round(top + y), round(left + x), 0])

    def toggle(self, pane: int, name: str) -> None:
        self.hand.click(*centre_of(self.panel.panes[pane].toggles[name].tag))

    def shares(self, pane: int) -> tuple[float, float, float]:
        """Zoom and the point in the middle of the view, in shares of the picture."""
        placement = self.panel.panes[pane].view.placement
        (width, height), (x, y) = placement.picture, placement.centre
        return placement.zoom * width, x / width, y / height


@pytest.fixture
def stand(bench: Bench, bench_hand: Hand, screen: Screen) -> Stand:
    return Stand(bench, bench_hand, screen)


def test_panes_are_told_while_they_are_seen(stand: Stand) -> None:
    assert stand.told == (Pane(), Pane("b.pkl"))
    stand.panel.count.set("4")
    assert stand.told == (Pane(), Pane("b.pkl"), Pane(""), Pane(""))
    dpg.configure_item(stand.panel.window_id, show=False)
    stand.bench.turn(3)
    assert stand.told == ()  # nobody looks: nobody draws


def test_a_drag_in_any_linked_pane_moves_the_shared_point(stand: Stand) -> None:
    for pane in (0, 1):
        view = stand.panel.panes[pane].view
        width = view.zoom * 32
        before = stand.latent.x.value
        stand.drag(view.drawlist, (0.5, 0.5), (0.25 * width, 0))
        assert stand.latent.x.value - before == pytest.approx(0.25, abs=2 / width)
    assert stand.told == (Pane(), Pane("b.pkl"))


def test_an_unlinked_point_moves_alone_and_comes_back(stand: Stand) -> None:
    stand.latent.x.set(7.0)
    stand.bench.turn(2)
    stand.toggle(1, "latent")
    assert stand.told[1] == Pane("b.pkl", latent=plane(7.0, 0.0))
    view = stand.panel.panes[1].view
    width = view.zoom * 32
    stand.drag(view.drawlist, (0.5, 0.5), (0.25 * width, 0))
    assert stand.latent.x.value == 7.0
    moved = stand.told[1].latent
    assert moved is not None
    assert dict(moved.seeds)[8] == pytest.approx(0.25, abs=2 / width)
    stand.toggle(1, "latent")
    assert stand.told[1] == Pane("b.pkl")


def test_an_unlinked_psi_begins_at_the_shared_one_and_is_its_own(stand: Stand) -> None:
    stand.psi.psi.set(0.7)
    stand.bench.turn(2)
    stand.toggle(0, "psi")
    stand.psi.psi.set(0.2)
    assert [pane.psi for pane in stand.told] == [0.7, None]
    stand.toggle(0, "transform")
    assert stand.told[0].transform == Transform()


def test_zoom_and_pan_go_to_linked_panes_in_shares_of_the_picture(stand: Stand) -> None:
    stand.pictures(ramp(32, 32), ramp(128, 128))
    first = stand.panel.panes[0].view
    stand.hand.move(*point_in(first.drawlist, 0.4, 0.6))
    stand.hand.wheel(3)
    stand.drag(first.drawlist, (0.5, 0.5), (-40, 25), button=2)
    stand.bench.turn(2)
    assert stand.shares(0)[0] > 1.5 * first.placement.fitting_zoom * 32
    assert stand.shares(1) == pytest.approx(stand.shares(0))
    stand.toggle(1, "zoom")
    stand.hand.move(*point_in(first.drawlist, 0.4, 0.6))
    stand.hand.wheel(2)
    stand.bench.turn(2)
    assert stand.shares(1)[0] < 0.8 * stand.shares(0)[0]
    stand.toggle(1, "zoom")
    stand.bench.turn(2)
    assert stand.shares(1) == pytest.approx(stand.shares(0))


def test_going_over_to_a_wipe_and_back_keeps_the_part_that_is_shown(stand: Stand) -> None:
    first, pair = stand.panel.panes[0].view, stand.panel.pair
    stand.hand.move(*point_in(first.drawlist, 0.4, 0.6))
    stand.hand.wheel(3)
    stand.bench.turn(2)
    before = stand.shares(0)
    stand.panel.mode.set("wipe")
    stand.bench.turn(4)
    (width, height), (x, y) = pair.placement.picture, pair.placement.centre
    assert (pair.zoom * width, x / width, y / height) == pytest.approx(before)
    stand.hand.move(*point_in(pair.drawlist, 0.6, 0.6))
    stand.hand.wheel(2)
    stand.panel.mode.set("side")
    stand.bench.turn(4)
    assert stand.shares(0)[0] == pytest.approx(pair.zoom * width) == pytest.approx(before[0] * 1.25**2)
    assert stand.shares(1) == pytest.approx(stand.shares(0))


def test_the_wipe_follows_the_hand_and_shows_both_pictures(stand: Stand) -> None:
    stand.pictures(plain(40), plain(210))
    stand.panel.mode.set("wipe")
    stand.bench.turn(4)
    assert stand.bench.notes.compared.paired
    pair = stand.panel.pair
    for share in (0.5, 0.4, 0.6):
        now, width = stand.panel.share.value, pair.placement.view[0]
        stand.drag(pair.drawlist, (now, 0.3), ((share - now) * width, 0))
        assert stand.panel.share.value == pytest.approx(share, abs=0.01)
        stand.bench.turn(2)
        left, right = (stand.colour(pair.drawlist, share + side) for side in (-0.06, 0.06))
        assert (left, right) == (pytest.approx(40, abs=2), pytest.approx(210, abs=2))
    assert stand.latent.x.value == 0.0  # the divider was held, not the picture
    stand.drag(pair.drawlist, (0.4, 0.6), (60, 0))
    assert stand.latent.x.value > 0.05


def test_the_onion_mixes_and_the_difference_is_scaled(stand: Stand) -> None:
    stand.pictures(plain(40), plain(60))
    stand.panel.mode.set("onion")
    stand.panel.opacity.set(0.25)
    stand.bench.turn(4)
    pair = stand.panel.pair
    assert stand.colour(pair.drawlist, 0.5) == pytest.approx(45, abs=2)
    stand.panel.mode.set("difference")
    stand.panel.gain.set(8.0)
    stand.bench.turn(4)
    assert stand.colour(pair.drawlist, 0.5) == pytest.approx(160, abs=2)
    assert pair.read_out().endswith("mean difference 20.00, largest 20 levels of 255")
    stand.pictures(plain(40), plain(40))
    assert stand.colour(pair.drawlist, 0.5) == 0


def test_pictures_of_different_sizes_stay_side_by_side_and_it_says_why(stand: Stand) -> None:
    stand.pictures(ramp(32, 32), ramp(64, 64))
    stand.panel.mode.set("wipe")
    stand.bench.turn(3)
    assert not stand.bench.notes.compared.paired
    assert dpg.get_value(stand.panel.words).endswith("here are 32 × 32 px and 64 × 64 px.")
    assert dpg.is_item_shown(stand.panel.words)
    assert dpg.is_item_shown(stand.panel.panes[1].ground)


def test_a_model_is_chosen_from_the_list(stand: Stand) -> None:
    stand.bench.state = replace(stand.bench.state, recent=("/m/a.pkl", "/n/a.pkl"), bundled=(BUNDLED,))
    stand.bench.turn(2)
    chosen = stand.panel.panes[1].chosen
    assert list(chosen.choices) == ["", "open", "/m/emoji.safetensors", "b.pkl", "/m/a.pkl", "/n/a.pkl"]
    stand.hand.click(*centre_of(chosen.tag))
    stand.bench.turn(3)
    x, _ = centre_of(chosen.tag)
    _, bottom = dpg.get_item_rect_max(chosen.tag)
    height = dpg.get_text_size("X")[1] + 10  # a line of the list; the second from above is the open model
    stand.hand.click(x, bottom + 1.6 * height)
    assert stand.told[1] == Pane()
    stand.panel.panes[1].own.open("/n/a.pkl")
    assert stand.told[1] == Pane("/n/a.pkl")
    stand.panel.panes[1].own.open("/n/a.pkl")  # again: tried again
    assert stand.told[1] == Pane("/n/a.pkl", attempt=1)


def test_a_dropped_file_goes_to_the_pane_under_the_mouse(stand: Stand) -> None:
    stand.hand.move(*centre_of(stand.panel.panes[1].view.drawlist))
    assert stand.panel.take_file("/m/dropped.pkl")
    assert stand.told[1] == Pane("/m/dropped.pkl")
    assert not stand.panel.take_file("/m/w.npy")  # a latent
    stand.hand.click(*centre_of(stand.panel.panes[0].view.drawlist))
    assert not stand.panel.take_file("/m/other.pkl")  # the open model's pane: the app opens it
    stand.panel.panes[0].own.open("/m/own.pkl")
    stand.hand.move(930, 630)  # nowhere: the pane that was clicked last
    assert stand.panel.take_file("/m/other.pkl")
    assert [pane.path for pane in stand.told] == ["/m/other.pkl", "/m/dropped.pkl"]


def test_own_noise_and_rows_of_a_pane(stand: Stand) -> None:
    pane = stand.panel.panes[1]
    stand.hand.click(*centre_of(pane.more.tag))
    stand.bench.turn(4)
    stand.hand.click(*centre_of(pane.own.noise.buttons["none"]))
    stand.hand.click(*centre_of(pane.own.own_mix.tag))
    stand.bench.turn(2)
    stand.hand.click(*centre_of(pane.own.parts[0].tag))  # coarse: rows up to 8 x 8 pixels
    assert stand.told[1] == Pane("b.pkl", noise="none", mix=Mix(1, (0, 1, 2)))
    stand.bench.turn(2)
    assert dpg.get_value(pane.said) == "StyleGAN2  32 × 32 px,  noise off,  rows 0-2 of seed 1"
    pane.own.rows.value = "0-x"
    stand.bench.turn(2)
    assert dpg.get_value(pane.own.complaint) == "'0-x' is not a list of rows; write for instance 0-3, 8."
    stand.panel.reset()
    assert stand.told == (Pane(), Pane("b.pkl"))


def test_a_problem_has_its_sentence_in_its_pane_and_the_last_picture_stays(stand: Stand) -> None:
    problem = Problem("The file is not there", "/m/b.pkl: no such file", "Was it moved?")
    good = stand.bench.notes.compared.frames[0]
    stand.bench.notes.compared.frames = (good, state("b.pkl", None, 2, problem=problem))
    stand.bench.turn(3)
    first, second = stand.panel.panes[:2]
    assert dpg.get_value(second.view.problem.detail) == "/m/b.pkl: no such file"
    assert dpg.get_value(second.said) == "The file is not there: /m/b.pkl: no such file"
    assert second.view.pixels is not None
    assert not dpg.is_item_shown(first.view.problem.card)


def test_a_pane_says_its_model_its_time_and_what_was_left_out(stand: Stand) -> None:
    shown = replace(state("b.pkl", ramp(32, 32), 2), per_second=23.4, left_out=("class 7: it has 0 to 4",))
    stand.bench.notes.compared.frames = (stand.bench.notes.compared.frames[0], shown)
    stand.hand.move(930, 630)
    stand.bench.turn(3)
    first, second = stand.panel.panes[:2]
    assert dpg.get_value(first.said) == "StyleGAN2  32 × 32 px"
    assert dpg.get_value(second.said) == "Left out, class 7: it has 0 to 4"
    assert dpg.get_value(second.view.status).startswith("31 ms   23.4 pictures / s   ")
    loading = PaneState(status=Status(True, "Reading b.pkl", 0.4))
    stand.panel.panes[1].own.open("")
    stand.bench.turn(2)
    stand.panel.panes[1].own.open("new.pkl")
    stand.bench.notes.compared.frames = (stand.bench.notes.compared.frames[0], loading)
    stand.bench.turn(3)
    assert dpg.get_value(second.view.words) == "Reading b.pkl  40%"


def test_films_are_begun_and_stopped(stand: Stand) -> None:
    stand.hand.click(*centre_of(stand.panel.film_button.tag))
    stand.bench.turn(4)
    film = stand.panel.film
    assert not film.render.enabled
    film.seeds.value = "0, 4-6"
    stand.bench.turn(2)
    stand.hand.click(*centre_of(film.render.tag))
    assert stand.bench.notes.log[-1] == ("start_walk", ([0, 4, 5, 6], 6.0, 30, True))
    stand.hand.click(*centre_of(film.record.tag))
    assert stand.bench.notes.log[-1] == ("start_capture", ())
    stand.bench.notes.compared.recording = RecordingState("/out/c.mp4", 12, None, 1.5)
    stand.bench.turn(2)
    assert dpg.get_item_label(stand.panel.film_button.tag).endswith("Stop   1.5 s, 12 frames")
    stand.hand.click(*centre_of(film.record.tag))
    assert stand.bench.notes.log[-1] == ("stop_capture", ())
    stand.bench.notes.compared.recording = RecordingState("/out/c.mp4", 12, 180, 1.5)
    stand.bench.turn(3)
    stand.hand.click(*centre_of(film.cancel.tag))
    assert stand.bench.notes.log[-1] == ("cancel_walk", ())
