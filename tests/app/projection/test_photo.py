"""Photos: turned upright, cut or fitted to the model's shape, in the network's own channels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from app.errors import InputError
from app.projection import photo
from app.projection.project import seen
from app.studies.projection import Photo
from tests.networks.small import small

QUARTERS = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [255, 255, 255]]], np.uint8)


def saved(folder: Path, pixels: np.ndarray, name: str = "photo.png", **options: object) -> str:
    Image.fromarray(pixels).save(folder / name, **options)
    return str(folder / name)


def test_exif_orientation_is_obeyed(tmp_path: Path) -> None:
    """Orientation 6: the camera was turned, the picture has to be turned by 90 degrees clockwise."""
    exif = Image.Exif()
    exif[0x0112] = 6
    path = saved(tmp_path, QUARTERS.repeat(8, 0).repeat(8, 1), exif=exif)
    shown = photo.prepare(Photo(path), (2, 2)).pixels[..., :3]
    upright = np.rot90(QUARTERS, -1)
    assert np.abs(shown.astype(int) - upright).max() <= 60  # Lanczos rings; which quarter is which is plain
    assert (shown.argmax(axis=2)[:, 1] == upright.argmax(axis=2)[:, 1]).all()


@pytest.mark.parametrize(("place", "first"), [(0.0, 0), (0.5, 16), (1.0, 32)])
def test_a_crop_is_the_largest_part_at_its_place(tmp_path: Path, place: float, first: int) -> None:
    wide = np.zeros((32, 64, 3), np.uint8)
    wide[..., 0] = np.arange(64)[None] * 4
    found = photo.prepare(Photo(saved(tmp_path, wide), "crop", place), (32, 32))
    assert found.counts is None
    assert (found.pixels[..., 0] == wide[:, first : first + 32, 0]).all()


def test_a_letterbox_keeps_all_and_its_bars_do_not_count(tmp_path: Path) -> None:
    wide = np.full((16, 32, 3), 90, np.uint8)
    found = photo.prepare(Photo(saved(tmp_path, wide), "letterbox"), (32, 32))
    assert found.pixels.shape == (32, 32, 4)
    assert (found.pixels[..., :3] == 90).all()  # bars take the colour of the rim
    assert found.counts is not None
    assert found.counts[:, 0].tolist() == [0.0] * 8 + [1.0] * 16 + [0.0] * 8
    generator = small("stylegan2-skip").generator
    target = found.target(generator, torch.device("cpu"))
    other = torch.rand_like(target.picture)
    inside = target.put_bars(other)
    assert torch.equal(inside[:, :, :8], target.picture[:, :, :8])
    assert torch.equal(inside[:, :, 8:24], other[:, :, 8:24])


def test_channels_are_those_of_the_network(tmp_path: Path) -> None:
    colour = np.full((16, 16, 4), (255, 128, 0, 255), np.uint8)
    colour[:, 8:, 3] = 0  # transparent
    prepared = photo.prepare(Photo(saved(tmp_path, colour)), (16, 16))
    rgb = prepared.target(small("stylegan2-skip").generator, torch.device("cpu")).picture
    assert rgb[0, :, 0, 0].tolist() == pytest.approx([1.0, 128 / 127.5 - 1, -1.0], abs=1e-6)
    assert rgb[0, :, 0, 15].tolist() == [1.0, 1.0, 1.0]  # on white
    bgr = prepared.target(small("stylegan2-skip").generator, torch.device("cpu"), bgr=True).picture
    assert torch.equal(bgr, rgb.flip(1))
    grey = prepared.target(small("stylegan1-tall-grey").generator, torch.device("cpu")).picture
    assert float(grey[0, 0, 0, 0]) == pytest.approx((0.299 * 255 + 0.587 * 128) / 127.5 - 1, abs=1e-5)
    rgba = prepared.target(small("stylegan2-tall-rgba").generator, torch.device("cpu")).picture
    assert rgba[0, 3, 0].tolist() == [1.0] * 8 + [-1.0] * 8


def test_a_distance_sees_alpha_on_black_and_on_white_and_bgr_as_rgb() -> None:
    x = torch.tensor([0.5, 0.2, -0.4, -1.0]).view(1, 4, 1, 1)
    assert seen(x).flatten(1).tolist() == [[-1.0] * 3, [1.0] * 3]  # nothing of a transparent pixel but the ground
    assert seen(torch.tensor([0.5, 0.2, -0.4]).view(1, 3, 1, 1), bgr=True).flatten().tolist() == pytest.approx(
        [-0.4, 0.2, 0.5]
    )
    assert seen(torch.full((1, 1, 2, 2), 0.25)).shape == (1, 3, 2, 2)


def test_sixteen_bits_of_grey_are_not_cut_off(tmp_path: Path) -> None:
    values = np.array([[0, 32768], [65535, 257]], np.uint16).repeat(4, 0).repeat(4, 1)
    path = saved(tmp_path, values)
    assert photo.open_photo(Path(path)).getpixel((6, 1))[:3] == (128, 128, 128)


def test_what_is_no_picture_is_said_in_one_sentence(tmp_path: Path) -> None:
    text = tmp_path / "notes.png"
    text.write_text("no picture")
    with pytest.raises(InputError, match=r"notes\.png is no picture that can be read.*take a PNG, JPEG or WebP"):
        photo.prepare(Photo(str(text)), (8, 8))
    whole = Path(saved(tmp_path, np.zeros((64, 64, 3), np.uint8), "cut.jpg"))
    whole.write_bytes(whole.read_bytes()[:400])
    with pytest.raises(InputError, match=r"cut\.jpg is no picture"):
        photo.prepare(Photo(str(whole)), (8, 8))
    with pytest.raises(InputError, match="is not there any more"):
        photo.prepare(Photo(str(tmp_path / "gone.png")), (8, 8))


def test_huge_pictures_are_refused_before_they_are_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photo, "LARGEST", 100)
    with pytest.raises(InputError, match=r"photo\.png has 11 x 10 pixels"):
        photo.prepare(Photo(saved(tmp_path, np.zeros((10, 11, 3), np.uint8))), (8, 8))
