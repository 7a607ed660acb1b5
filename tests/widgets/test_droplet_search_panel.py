"""The droplet search under a real mouse: what is asked, what is listed, where a click goes, what is written."""

from __future__ import annotations

from dataclasses import replace

import dearpygui.dearpygui as dpg
import pytest

from app.request import Latent, Model, RenderRequest, Truncation, View
from app.studies.droplet_export import DropletExport
from app.studies.droplets import DropletMeasure, DropletSearch, DropletSearchAnswer, SeedDroplet
from tests.gui_support import Hand, centre_of, point_in
from tests.widgets.droplet_support import Studies, found
from tests.widgets.support import Bench
from widgets import droplet_search_panel
from widgets.droplet_search_panel import DropletSearchPanel
from widgets.latent_panel import LatentPanel

pytestmark = pytest.mark.gui
HERE = RenderRequest(Model("/models/small.pkl"), truncation=Truncation(0.7))
STRENGTHS = {3: 5.0, 4: 0.0, 5: 40.0, 6: 9.0, 7: 0.5}


@pytest.fixture
def studies(bench: Bench) -> Studies:
    """Every study that the panel starts."""
    bench.notes.study = Studies()  # type: ignore[attr-defined]
    return bench.notes.study  # type: ignore[attr-defined]


@pytest.fixture
def panels(bench: Bench, studies: Studies, monkeypatch) -> tuple[DropletSearchPanel, LatentPanel]:
    monkeypatch.setattr(droplet_search_panel, "REFRESH_S", 0.0)
    panel, latent = bench.add(DropletSearchPanel, LatentPanel, width=440, height=620)
    bench.show(request=replace(HERE, view=View("b8.conv0"), measures=(DropletMeasure(),)))
    bench.turn(2)
    return panel, latent


def rows() -> tuple[SeedDroplet, ...]:
    """What a search of STRENGTHS finds; a seed without a droplet lacks it."""
    return tuple(found(seed, strength, missing=strength < 4) for seed, strength in STRENGTHS.items())


def searched(bench: Bench, studies: Studies, panel: DropletSearchPanel) -> None:
    """A search that has come to its end."""
    panel.search()
    studies.asked[-1].answer(DropletSearchAnswer(rows()))
    bench.turn(4)


def listed(panel: DropletSearchPanel) -> list[int]:
    """The seeds of the table, from top to bottom."""
    return [int(dpg.get_item_label(row.seed)) for row in panel.gallery.rows if dpg.is_item_shown(row.tag)]


def test_a_press_searches_the_named_seeds_with_the_pictures_settings_and_another_stops_it(
    bench: Bench, bench_hand: Hand, studies: Studies, panels
) -> None:
    panel, _ = panels
    bench_hand.click(*centre_of(panel.seeds.tag))
    bench_hand.key("ctrl+a")
    bench_hand.type("5-7,5,100")
    bench_hand.click(*centre_of(panel.start.tag))
    (asked,) = studies.asked
    assert isinstance(asked.question, DropletSearch)
    assert asked.question.seeds == (5, 6, 7, 100)
    assert asked.question.request == HERE  # without what other panels look at
    asked.answer(DropletSearchAnswer(rows()[:2]), share=0.5, text="seed 6, 2 of 4")
    bench.turn(3)
    assert dpg.get_item_configuration(panel.progress)["overlay"].startswith("seed 6, 2 of 4")
    assert listed(panel) == [3, 4]
    bench_hand.click(*centre_of(panel.start.tag))
    assert len(studies.asked) == 1  # one search at a time
    bench_hand.click(*centre_of(panel.cancel.tag))
    assert asked.cancelled
    assert listed(panel) == [3, 4]


def test_the_strongest_stand_first_and_those_that_lack_it_in_their_own_list(
    bench: Bench, bench_hand: Hand, studies: Studies, panels
) -> None:
    panel, _ = panels
    searched(bench, studies, panel)
    assert listed(panel) == [5, 6, 3, 7, 4]
    assert dpg.get_value(panel.words) == (
        "small, psi 0.7: 3 of 5 seeds have a droplet (60%), 2 lack it. Median strength 5."
    )
    assert [dpg.get_value(item) for item in panel.gallery.rows[0].words] == ["40.0×", "50%", "b128.conv0"]
    bench_hand.click(*centre_of(panel.list.buttons["missing"]))
    assert listed(panel) == [4, 7]


def test_a_click_on_a_row_goes_to_its_seed(bench: Bench, bench_hand: Hand, studies: Studies, panels) -> None:
    panel, _ = panels
    searched(bench, studies, panel)
    bench_hand.click(*point_in(panel.gallery.rows[1].seed, 0.5, 0.5))
    assert bench.turn().latent == Latent(((6, 1.0),))
    assert [name for name, _ in bench.notes.log] == []  # the model is open already
    bench.show(request=replace(HERE, latent=Latent(((6, 1.0),))))
    assert [bool(dpg.get_value(row.seed)) for row in panel.gallery.rows] == [False, True, False, False, False]
    bench.show(request=replace(HERE, latent=Latent(((6, 1.0),)), truncation=Truncation(0.5)))
    assert not dpg.get_value(panel.gallery.rows[1].seed)  # the same seed, yet not the picture that was measured


def test_a_click_on_a_thumbnail_goes_there_too_and_opens_the_model_it_was_found_in(
    bench: Bench, bench_hand: Hand, studies: Studies, panels
) -> None:
    panel, _ = panels
    searched(bench, studies, panel)
    bench.show(request=replace(HERE, model=Model("/models/other.pkl")))
    bench_hand.click(*centre_of(panel.gallery.rows[0].image))
    assert bench.notes.log == [("open", ("/models/small.pkl",))]
    assert bench.turn().latent == Latent(((5, 1.0),))


def test_where_no_seed_lacks_it_a_sentence_says_why(bench: Bench, studies: Studies, panels) -> None:
    panel, _ = panels
    panel.search()
    panel.list.set("missing")
    studies.asked[-1].answer(DropletSearchAnswer((found(1, 9.0), found(2, 8.0))))
    bench.turn(4)
    assert dpg.get_value(panel.nothing) == droplet_search_panel.NONE_MISSING
    panel.search()
    studies.asked[-1].answer(DropletSearchAnswer((found(1, 0.0), found(2, 0.0), found(3, 9.0))))
    bench.turn(4)
    assert dpg.get_value(panel.nothing) == droplet_search_panel.NOT_COMMON
    assert not dpg.is_item_shown(panel.gallery.tag)


def test_seeds_that_are_none_and_too_many_are_refused_in_a_sentence(bench: Bench, studies: Studies, panels) -> None:
    panel, _ = panels
    for text, words in (("one", "'one' is not a list of seeds"), ("0-6000", "6001 seeds are too many")):
        panel.seeds.set(text)
        bench.turn(2)
        assert dpg.get_value(panel.words).startswith(words)
        assert not panel.start.enabled
    panel.seeds.set("0-4999")
    bench.turn(2)
    assert panel.start.enabled


def test_all_rows_are_written_with_the_settings_of_the_search(bench: Bench, studies: Studies, panels) -> None:
    panel, _ = panels
    searched(bench, studies, panel)
    bench.show(request=replace(HERE, truncation=Truncation(0.1)))
    panel.write("/tmp/out.csv")
    question = studies.asked[-1].question
    assert isinstance(question, DropletExport)
    assert (question.request, question.path) == (HERE, "/tmp/out.csv")
    assert [row.seed for row in question.rows] == list(STRENGTHS)
    studies.asked[-1].answer("x", text="5 seeds written to /tmp/out.csv.")
    bench.turn(3)
    assert dpg.get_value(panel.saved) == "5 seeds written to /tmp/out.csv."
    panel.write("/root/x.csv")
    studies.asked[-1].fail("Writing failed", "/root/x.csv: cannot be written, Permission denied")
    bench.turn(3)
    assert dpg.get_value(panel.saved) == "/root/x.csv: cannot be written, Permission denied"


def test_what_a_search_could_not_do_is_said(bench: Bench, studies: Studies, panels) -> None:
    panel, _ = panels
    panel.search()
    studies.asked[-1].fail("Out of memory", "16 GB were asked for")
    bench.turn(3)
    assert dpg.get_value(panel.words) == "Out of memory: 16 GB were asked for"
    assert panel.start.enabled
