"""The timeline in the whole window, with real mouse and keys: keyframes, drag, scrub, play, constant speed, film."""

from __future__ import annotations

from fractions import Fraction

import dearpygui.dearpygui as dpg
import numpy as np
import pytest

from app.display import native
from app.recording import sidecar
from app.recording.offline import replay
from app.renderer import Renderer
from app.request import Latent, RenderRequest, plane
from app.timeline import files
from app.window.history import lasting
from app.window.layout import default_layout
from tests.app.whole_app import WholeApp
from tests.gui_support import centre_of
from widgets.registry import all_panels
from widgets.timeline_panel import TimelinePanel

pytestmark = pytest.mark.gui


@pytest.fixture
def app(window, screen, tmp_path):
    app = WholeApp(window, screen, tmp_path)
    app.open("stylegan2.pkl")
    app.running.workspaces.show("Walk studio")
    app.turn(12)
    assert native.load_layout(default_layout(all_panels(), *window.size, 0.4))  # narrow sides: room for the strip
    app.turn(4)
    app.raise_tab("Timeline")
    yield app
    app.hand.release()
    app.close()


def panel(app: WholeApp) -> TimelinePanel:
    return app.panel("Timeline")


def asked(app: WholeApp) -> RenderRequest:
    return lasting(app.running.loop.request())


def moment(app: WholeApp, seconds: float) -> tuple[float, float]:
    """A place on the ruler, in pixels of the window."""
    left, top = dpg.get_item_rect_min(panel(app).track.drawlist)
    return left + panel(app).track.scale.x(seconds), top + 8


def diamond(app: WholeApp, number: int) -> tuple[float, float]:
    left, top = dpg.get_item_rect_min(panel(app).track.drawlist)
    x, y = panel(app).track.key_place(number)
    return left + x, top + y


def press(app: WholeApp, tag: int | str) -> None:
    """Click one of the tools; in this small window those below the track must be scrolled to."""
    window = panel(app).window_id
    dpg.set_y_scroll(window, dpg.get_y_scroll_max(window))
    app.turn(3)
    app.hand.click(*centre_of(tag))
    dpg.set_y_scroll(window, 0.0)
    app.turn(3)


def set_keyframes(app: WholeApp, *places: tuple[float, float]) -> None:
    """(second, x of the seed plane): as a person does it, scrubbing, setting the latent, pressing K."""
    for seconds, x in places:
        app.hand.click(*moment(app, seconds))
        app.panel("Latent").x.set(x)
        app.turn(2)
        app.hand.key("k")
        app.settle()


def test_keyframes_are_set_dragged_and_scrubbed_and_a_scrub_is_one_step_of_undo(app: WholeApp) -> None:
    timeline = panel(app)
    set_keyframes(app, (1.0, 3.0), (4.0, 9.0))
    assert [each.request.latent for each in timeline.draft.keyframes] == [plane(3.0, 0.0), plane(9.0, 0.0)]
    assert [each.seconds for each in timeline.draft.keyframes] == pytest.approx([1.0, 4.0], abs=0.06)
    app.hand.drag(diamond(app, 1), (moment(app, 6.0)[0], diamond(app, 1)[1]))
    assert timeline.draft.keyframes[1].seconds == pytest.approx(6.0, abs=0.1)
    assert timeline.chosen == 1
    app.hand.move(*moment(app, 2.0))
    app.hand.press()
    app.hand.move(*moment(app, 3.0))
    app.hand.move(*moment(app, 3.5))
    assert timeline.dragging()
    assert app.running.loop.request().max_height == 0  # an early picture will do
    app.hand.release()
    app.turn(2)
    assert timeline.playhead == pytest.approx(3.5, abs=0.05)
    weights = dict(asked(app).latent.seeds)
    assert weights == pytest.approx({3: 0.5, 9: 0.5}, abs=0.02)
    assert asked(app) == timeline.timeline.request_at(timeline.playhead)
    app.settle()
    assert app.frame.complete
    app.turn(30)
    before = asked(app)  # what the scrub above came to
    app.hand.drag(moment(app, 2.0), moment(app, 3.0))
    app.turn(30)
    assert asked(app) != before
    app.key("ctrl+z")
    app.settle()
    assert asked(app) == before


def test_it_plays_by_the_clock_and_loops(app: WholeApp) -> None:
    timeline = panel(app)
    set_keyframes(app, (0.0, 3.0), (4.0, 9.0))
    app.hand.click(*moment(app, 0.0))
    clock = [100.0]
    app.running.loop.clock = lambda: clock[0]
    app.turn()
    app.hand.key("t")
    assert timeline.playing
    at = timeline.playhead
    clock[0] += 1.25
    app.turn()
    assert timeline.playhead == pytest.approx(at + 1.25)
    assert asked(app) == timeline.timeline.request_at(timeline.playhead)
    clock[0] += 7.0
    app.turn()
    assert timeline.playhead == pytest.approx(at + 8.25 - timeline.draft.seconds)
    app.hand.key("t")
    clock[0] += 1.0
    app.turn()
    assert not timeline.playing
    assert timeline.playhead == pytest.approx(at + 8.25 - timeline.draft.seconds)


def test_ripple_replace_delete_taking_edits_back_and_zoom(app: WholeApp) -> None:
    timeline = panel(app)
    set_keyframes(app, (0.0, 1.0), (2.0, 2.0), (4.0, 3.0))
    app.hand.click(*centre_of(timeline.upper.ripple.tag))
    app.hand.drag(diamond(app, 1), (moment(app, 3.0)[0], diamond(app, 1)[1]))
    moved = [each.seconds for each in timeline.draft.keyframes]
    assert moved == pytest.approx([0.0, 3.0, 5.0], abs=0.1)
    assert timeline.draft.seconds == pytest.approx(9.0, abs=0.1)
    app.panel("Latent").x.set(7.0)
    app.turn(2)
    app.hand.click(*centre_of(timeline.upper.replace.tag))
    assert timeline.draft.keyframes[1].request.latent == plane(7.0, 0.0)
    app.point()
    app.hand.key("Delete")
    assert len(timeline.draft.keyframes) == 2
    for count in (3, 3, 3):
        app.hand.key("ctrl+shift+z")
        assert len(timeline.draft.keyframes) == count
    assert [each.seconds for each in timeline.draft.keyframes] == pytest.approx([0.0, 2.0, 4.0], abs=0.06)
    app.hand.move(*moment(app, 4.0))
    app.hand.wheel(3)
    assert timeline.track.scale.span == pytest.approx(8.0 / 1.25**3)
    app.hand.click(*centre_of(timeline.upper.fit.tag))
    assert timeline.track.scale.span == 8.0


def test_constant_speed_and_pictures_come_from_the_background(app: WholeApp) -> None:
    timeline = panel(app)
    set_keyframes(app, (0.0, 3.0), (2.0, 9.0), (7.0, 50.0))
    before = timeline.draft
    press(app, timeline.lower.speed.tag)
    app.until(lambda: timeline.draft.retime is not None, "the measurement")
    assert timeline.draft.keyframes[1].seconds != before.keyframes[1].seconds
    assert "Spread of the picture's change per frame" in dpg.get_value(timeline.line)
    assert len(timeline._film_speed()) == 240
    press(app, timeline.lower.speed.tag)
    assert timeline.draft.retime is None
    timeline.undo()
    timeline.undo()
    assert timeline.draft == before
    taken = list(timeline.pictures._taken.values())[-1]
    assert np.array_equal(taken, app.picture)  # 32 px: smaller than a thumbnail
    timeline.random(5, 3)
    app.until(lambda: all(timeline.track.atlas.place(number) for number in range(3)), "pictures")
    drawn = np.random.RandomState(5).choice(10_000, 3, replace=False).tolist()
    assert [each.request.latent for each in timeline.draft.keyframes] == [Latent(((seed, 1.0),)) for seed in drawn]


def test_a_film_of_it_is_rendered_and_made_again_bit_for_bit(app: WholeApp) -> None:
    timeline = panel(app)
    set_keyframes(app, (0.0, 3.0), (4.0, 9.0))
    timeline.draft = timeline.draft.lasting(5.0).timed(Fraction(3))
    app.turn(2)
    press(app, timeline.lower.render.tag)
    app.until(lambda: "Wrote" in app.desk.messages.text, "the film")
    film = next(path for path in app.saved if path.suffix == ".mp4")
    made = sidecar.read(sidecar.beside(film))
    assert (made.frames, made.complete) == (15, True)
    assert made.walk.keyframes[1].request.latent == plane(9.0, 0.0)
    again = replay(made, film.with_name("again"), Renderer(threads=made.environment["threads"]))
    assert again.frames_sha256 == made.frames_sha256


def test_files_sessions_and_what_cannot_be_shown_halfway(app: WholeApp, tmp_path) -> None:
    timeline = panel(app)
    set_keyframes(app, (0.0, 3.0), (4.0, 9.0))
    timeline.save(str(tmp_path / "kept.json"))
    kept = timeline.timeline
    assert files.read(tmp_path / "kept.json") == kept
    timeline.remove()
    app.desk.drop([str(tmp_path / "kept.json")])
    app.turn(2)
    assert timeline.timeline == kept
    (tmp_path / "bad.json").write_text('{"format": "stylescope-timeline", "version": 1}')
    app.desk.drop([str(tmp_path / "bad.json")])
    app.turn(2)
    assert "bad.json: the timeline is damaged" in dpg.get_value(timeline.line)
    assert timeline.timeline == kept
    kept, draft = timeline.keep(), timeline.draft
    timeline.recall({})
    assert timeline.draft.keyframes == ()
    timeline.recall(kept)
    assert timeline.draft == draft
    app.hand.click(*moment(app, 4.0))
    app.panel("Noise").mode.set("none")
    app.turn(2)
    app.hand.key("k")
    app.hand.click(*moment(app, 2.0))
    app.turn(2)
    assert "steps: noise from const to none" in dpg.get_value(timeline.line)


def test_a_keyframe_of_another_model_opens_it(app: WholeApp) -> None:
    set_keyframes(app, (0.0, 3.0))
    app.hand.click(*moment(app, 4.0))
    app.open("stylegan3-t.pkl")
    app.hand.key("k")
    assert [each.request.model.path.rsplit("/")[-1] for each in panel(app).draft.keyframes] == [
        "stylegan2.pkl",
        "stylegan3-t.pkl",
    ]
    app.hand.click(*diamond(app, 0))
    app.until(lambda: app.frame.model.path.endswith("stylegan2.pkl"), "the model")
    app.settle()
    assert asked(app).latent == Latent(((3, 1.0),))
