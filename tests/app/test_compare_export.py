"""The comparison as one picture: where panes and labels lie, and that a recording holds the very pictures."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image, ImageFont

from app.compare import Pane
from app.compare_export import (
    BACKGROUND,
    FONTS,
    GAP,
    CompareCapture,
    Layout,
    Sheet,
    in_cell,
    lay_out,
    opaque,
    record_comparison,
    shortened,
)
from app.errors import InputError
from app.frame import Frame
from app.recording.sidecar import beside
from app.recording.walk import Walk
from app.renderer import Renderer
from app.request import Condition, Latent, Mix, RenderRequest
from networks.plan import Noise
from tests.app.conftest import FakeFiles
from tests.app.test_compare import info


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    picture = np.random.default_rng(seed).integers(0, 256, (height, width, 4), dtype=np.uint8)
    picture[..., 3] = 255
    return picture


def test_cells_hold_the_largest_picture_and_small_ones_are_enlarged_by_whole_factors() -> None:
    assert lay_out([(1024, 1024), (256, 256)]) == Layout(2, (1024, 1024))
    assert lay_out([(64, 64), (32, 32), (64, 48)]) == Layout(3, (256, 256))
    assert lay_out([(100, 50)]) == Layout(1, (300, 150))
    with pytest.raises(InputError, match="no pane with a model"):
        lay_out([])


def test_the_sheet_is_even_and_the_panes_stand_side_by_side() -> None:
    layout = Layout(3, (257, 301))
    width, height = layout.size
    assert width % 2 == height % 2 == 0
    assert [layout.left(number) for number in range(3)] == [8, 8 + 265, 8 + 2 * 265]
    assert layout.left(2) + 257 + GAP <= width


def test_a_small_picture_is_repeated_pixel_by_pixel() -> None:
    small = noise(2, 2)
    assert np.array_equal(in_cell(small, (6, 6)), np.kron(small, np.ones((3, 3, 1), np.uint8)))
    same = noise(6, 6)
    assert in_cell(same, (6, 6)) is same
    other = in_cell(noise(4, 4), (6, 6))  # no whole factor: scaled
    assert other.shape == (6, 6, 4)
    wide = in_cell(noise(2, 4), (8, 8))  # twice as large, black above and below
    assert (wide[[0, 1, 6, 7], :, :3] == 0).all()


def test_each_picture_lies_in_its_cell_and_its_label_under_it() -> None:
    sheet = Sheet(Layout(2, (256, 256)))
    left, right = noise(256, 256), noise(128, 128, 1)
    made = sheet.compose([left, right], [("a.pkl", "StyleGAN2"), ("b.pkl", "")])
    assert made.shape == (sheet.layout.size[1], sheet.layout.size[0], 4)
    assert np.array_equal(made[8:264, 8:264], left)
    assert np.array_equal(made[8:264, 272:528:2], right.repeat(2, 0))
    below = made[264:, :264] != np.array(BACKGROUND, np.uint8)
    assert below.any()
    assert (made[264:, 264:272] == BACKGROUND).all()  # words stay under their pane
    again = sheet.compose([None, right], [("a.pkl", "StyleGAN2"), ("b.pkl", "")])
    assert (again[8:264, 8:264] == BACKGROUND).all()
    assert np.array_equal(again[264:], made[264:])
    assert not np.array_equal(sheet.compose([left, right], [("c.pkl", ""), ("b.pkl", "")])[264:], made[264:])


def test_words_that_are_too_long_are_cut_to_the_pane() -> None:
    font = ImageFont.truetype(FONTS / "ui-regular.ttf", 15)
    assert shortened("short", font, 200) == "short"
    cut = shortened("stylegan3-r-ffhq-1024x1024-kimg-025000.pkl", font, 120)
    assert cut.endswith("…")
    assert font.getlength(cut) <= 120 < font.getlength(cut[:-1] + "xx…")


def test_transparency_becomes_black() -> None:
    picture = np.array([[[200, 100, 50, 255], [200, 100, 50, 128], [200, 100, 50, 0]]], np.uint8)
    assert opaque(picture).tolist() == [[[200, 100, 50, 255], [100, 50, 25, 255], [0, 0, 0, 255]]]


@pytest.fixture
def shared(files: FakeFiles) -> RenderRequest:
    return files.add("shared.pkl")


def png(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGBA"))


def test_a_recorded_walk_holds_each_panes_own_pictures(shared: RenderRequest, files: FakeFiles, tmp_path: Path) -> None:
    """Two frames in three panes against renderings of requests that are written out by hand."""
    other = files.add("other.pkl", resolution=(64, 64), channels=(16, 16, 16, 8, 8))
    panes = [Pane(), Pane(other.model.path, noise="none", psi=0.5), Pane(""), Pane(mix=Mix(9, (0, 1)), psi=0.5)]
    request = replace(shared, condition=Condition(class_index=3))  # no pane's model has classes
    walk = Walk(request, (3, 4), 2 / 25, Fraction(25))
    renderer, drawn = Renderer(), []
    made = record_comparison(walk, panes, tmp_path / "frames", renderer, progress=drawn.append)
    assert (made.frames, made.complete, drawn) == (2, True, [1, 2])
    for number, seed in enumerate((3, 4)):
        point = Latent(((seed, 1.0),))
        asked = [
            replace(shared, latent=point),
            replace(other, latent=point, noise=Noise("none"), truncation=replace(other.truncation, psi=0.5)),
            replace(shared, latent=point, mix=Mix(9, (0, 1)), truncation=replace(shared.truncation, psi=0.5)),
        ]
        sheet = png(tmp_path / "frames" / f"frame-{number:06d}.png")
        for place, single in enumerate(asked):
            picture = Renderer(renderer.store).render(single).picture
            assert picture is not None
            left = GAP + place * (256 + GAP)
            factor = 256 // picture.shape[0]
            assert np.array_equal(sheet[GAP : GAP + 256 : factor, left : left + 256 : factor], picture)
    said = json.loads(beside(tmp_path / "frames").read_text(encoding="utf-8"))
    assert (said["format"], said["frames"], said["walk"]["seeds"]) == ("stylescope-comparison", 2, [3, 4])
    assert [pane["path"] for pane in said["panes"]] == [None, other.model.path, None]
    assert [model["name"] for model in said["models"]] == ["shared.pkl", "other.pkl", "shared.pkl"]


def test_a_cancelled_walk_is_kept_and_says_so(shared: RenderRequest, tmp_path: Path) -> None:
    walk = Walk(shared, (0, 1), 1.0, Fraction(10))
    drawn: list[int] = []
    made = record_comparison(
        walk, [Pane()], tmp_path / "c.mp4", Renderer(), progress=drawn.append, cancelled=lambda: len(drawn) == 3
    )
    assert (made.frames, made.complete) == (3, False)
    with av.open(str(tmp_path / "c.mp4")) as film:
        pictures = list(film.decode(video=0))
    assert [(frame.width, frame.height) for frame in pictures] == [made.size] * 3


def frame(serial: int, path: str, picture: np.ndarray | None, **changes: object) -> Frame:
    request = replace(RenderRequest(), latent=Latent(((serial, 1.0),)))
    request = replace(request, model=replace(request.model, path=path))
    return Frame(serial, request, picture, model=info(path=path, name=path, **changes))


def test_a_live_recording_shows_what_each_pane_showed(tmp_path: Path) -> None:
    path = tmp_path / "live"
    first, second, third = (noise(256, 256, seed) for seed in range(3))
    panes = [Pane("a.pkl"), Pane("broken.pkl"), Pane("b.pkl")]
    size = {"resolution": (256, 256)}
    before: list[Frame | None] = [frame(1, "a.pkl", first, **size), None, frame(1, "b.pkl", second, **size)]
    capture = CompareCapture(path, panes, before)
    capture.push_panes(before, 10.0)
    capture.push_panes(before, 10.1)  # nothing new
    after = [frame(2, "a.pkl", third, **size), None, frame(2, "b.pkl", None, **size)]  # b has a problem now
    capture.push_panes(after, 10.5)
    written = capture.stop(10.5)
    assert (written.frames, written.dropped) == (2, 0)
    sheets = [png(path / f"frame-{number:06d}.png") for number in range(2)]
    assert sheets[0].shape[1] == 2 * (256 + GAP) + GAP  # the pane without a model is left out
    assert np.array_equal(sheets[0][8:264, 8:264], first)
    assert np.array_equal(sheets[1][8:264, 8:264], third)
    assert np.array_equal(sheets[1][8:264, 272:528], second)  # the last good one stays
    said = json.loads(beside(path).read_text(encoding="utf-8"))
    assert [[shot["seconds"] for shot in shots] for shots in said["shots"]] == [[0.0, 0.5], [0.0]]
    assert said["shots"][0][1]["change"] == {"latent": {"seeds": [[2, 1.0]], "files": [], "space": "w"}}


def test_without_an_open_model_nothing_can_be_recorded(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no pane with a model"):
        CompareCapture(tmp_path / "c.mp4", [Pane("")], [None])
