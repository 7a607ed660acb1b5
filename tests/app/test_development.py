"""One request drawn with several checkpoints: each tile is that checkpoint's own picture, averaged over areas."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from app.diagnostics.development import fitted, plain, run
from app.renderer import Renderer
from app.request import Diagnostic, View
from app.studies.development import TILE, Development


def means(pixels: np.ndarray, side: int) -> np.ndarray:
    """Averages over side x side areas, uint8 [H, W, 4] -> float [H / side, W / side, 4]."""
    height, width, channels = pixels.shape
    return pixels.reshape(height // side, side, width // side, side, channels).mean(axis=(1, 3))


def test_each_tile_is_its_checkpoints_own_picture(files, tmp_path):
    request = replace(files.add("a.pkl"), view=View("b32.conv1", channel=2))
    other = files.add("b.pkl", img_channels=1)
    window = Renderer()
    window.open(request)
    gone = str(tmp_path / "gone.pkl")
    paths = (request.model.path, gone, other.model.path)
    updates = list(run(Development(request, paths), window))
    assert [update.share for update in updates] == [1 / 3, 2 / 3, 1]
    assert [len(update.answer) for update in updates] == [1, 2, 3]
    tiles = updates[-1].answer
    assert "gone.pkl" in tiles[gone].problem
    for path in (request.model.path, other.model.path):
        frame = Renderer().render(replace(request, model=replace(request.model, path=path)))
        exact = means(frame.picture, 2)  # 128 px in tiles of 64
        assert np.abs(tiles[path].picture - exact).max() <= 1.01  # Pillow rounds twice
        assert np.array_equal(tiles[path].maps[::2, ::2], frame.layer_view.pixels)  # 32 px
    assert len(window.store) == 1  # the window's own cache is left alone


def test_a_wide_picture_is_centred_and_a_sheet_has_comparable_maps():
    wide = np.full((16, 32, 4), 200, np.uint8)
    tile = fitted(wide)
    assert tile.shape == (TILE, TILE, 4)
    assert (tile[:16] == 0).all()
    assert (tile[16:48] == 200).all()
    assert (tile[48:] == 0).all()
    assert fitted(np.full((200, 2, 4), 9, np.uint8)).shape == (TILE, TILE, 4)


def test_what_cannot_be_compared_is_left_out(request_):
    view = View("b32.conv1", sort="mean", mode="pca", held=(3, 1), count=64, overlay=0.5)
    asked = replace(request_, view=view, diagnostic=Diagnostic("noise_difference"), max_height=0)
    assert plain(asked) == replace(request_, view=View("b32.conv1", count=16))
