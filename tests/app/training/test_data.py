"""Training sets: the same seed gives the same bytes, a stopped build goes on, hashes and settings are checked."""

from __future__ import annotations

import csv
import io
import json
import tarfile

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from app.commands.data import data
from app.errors import InputError
from app.training import build, fluent
from app.training.compose import Draw, Variation, compose, draw


def animation(color, frames=3):
    """A WebP of discs that move to the right, 64 px, transparent around."""
    images = []
    for k in range(frames):
        y, x = np.mgrid[:64, :64]
        inside = (x - 28 - 4 * k) ** 2 + (y - 32) ** 2 < 400
        pixels = np.zeros((64, 64, 4), dtype=np.uint8)
        pixels[inside] = (*color, 255)
        images.append(Image.fromarray(pixels))
    file = io.BytesIO()
    images[0].save(file, "WEBP", save_all=True, append_images=images[1:], lossless=True)
    return file.getvalue()


FILES = {
    "1f468-1f3fb": animation((250, 200, 180)),
    "1f600": animation((250, 210, 40), 2),
    "1f9d1": animation((9, 9, 9)),
}
QUIET = lambda done, total: None  # noqa: E731


def parts(seed=0):
    return build.fluent_parts(FILES, 16, seed, Variation(), {"heads": 2, "smileys": 1}, ["1f600"])


def test_same_seed_same_bytes(tmp_path):
    for name in ("a", "b"):
        assert build.write_set(tmp_path / name, 16, {"seed": 0}, parts(), QUIET) == 2 * 3 + 2 + 2 * 3
    build.write_set(tmp_path / "c", 16, {"seed": 1}, parts(seed=1), QUIET)
    a, b, c = ((tmp_path / name / "pictures.npy").read_bytes() for name in "abc")
    assert a == b
    assert a != c


def test_stopped_build_goes_on_to_the_same_bytes(tmp_path):
    build.write_set(tmp_path / "whole", 16, {}, parts(), QUIET)

    def stop_after_two_parts(done, total):
        if done == 8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build.write_set(tmp_path / "cut", 16, {}, parts(), stop_after_two_parts)
    assert not (tmp_path / "cut" / "pictures.npy").exists()
    made = []
    rest = [build.Part(p.key, p.count, lambda p=p: made.append(p.key) or p.make()) for p in parts()]
    build.write_set(tmp_path / "cut", 16, {}, rest, QUIET)
    assert made == ["1f9d1"]
    for name in ("pictures.npy", "attributes.csv"):
        assert (tmp_path / "cut" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert sorted(path.name for path in (tmp_path / "cut").iterdir()) == [
        "attributes.csv", "dataset.json", "pictures.npy",
    ]  # fmt: skip


def test_table_has_a_row_per_picture(tmp_path):
    build.write_set(tmp_path, 16, {}, parts(), QUIET)
    with (tmp_path / "attributes.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["index"]) for row in rows] == list(range(14))
    assert (rows[0]["kind"], rows[0]["tone"], rows[0]["hair"]) == ("man", "light", "plain")
    assert (rows[6]["kind"], rows[6]["tone"]) == ("smiley", "yellow")
    assert json.loads((tmp_path / "dataset.json").read_text(encoding="utf-8"))["count"] == 14


def test_folder_of_another_set_is_refused(tmp_path):
    build.write_set(tmp_path, 16, {"seed": 0}, parts(), QUIET)
    with pytest.raises(InputError, match="seed = 0, asked for now is 1"):
        build.write_set(tmp_path, 16, {"seed": 1}, parts(seed=1), QUIET)


def test_labels_from_code_points():
    assert fluent.labels("1f469-1f3ff-200d-1f9b0", ()) == ("woman", "dark", "red")
    assert fluent.labels("1f471-1f3fd-200d-2642-fe0f", ()) == ("man", "medium", "blond")
    assert fluent.labels("1f600", ("1f600",)) == ("smiley", "yellow", "plain")


def test_lists_hold_what_their_readme_says():
    counts = {name: len(fluent.read_list(name)) for name in ("busts", "smileys", "heads")}
    assert counts == {"busts": 877, "smileys": 100, "heads": 175}
    assert set(fluent.read_list("heads")) <= set(fluent.read_list("busts"))


def test_wrong_hash_is_refused(tmp_path):
    path = tmp_path / "package.tgz"
    path.write_bytes(b"something else")
    with pytest.raises(InputError, match=r"package\.tgz has SHA-512 .*expected AAAA"):
        fluent.check(path, "AAAA")


def test_animations_come_from_the_packages_by_code_point(tmp_path):
    path = tmp_path / "package.tgz"
    with tarfile.open(path, "w:gz") as archive:
        for name, content in (("package/assets/1f600.webp", b"one"), ("package/README.md", b"text")):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    assert fluent.animations([path], {"1f600"}) == {"1f600": b"one"}
    with pytest.raises(InputError, match="lack 1 of 2 animations, 1f601 first"):
        fluent.animations([path], {"1f600", "1f601"})


PLAIN = Draw((10, 20, 30), (10, 20, 30), (0.0, 0.0), 0.0, 1.0, False)


def test_transparent_frame_gives_the_background():
    picture = compose(Image.new("RGBA", (64, 64)), PLAIN, 16)
    assert (picture == (10, 20, 30)).all()


def test_shift_moves_the_middle_of_the_disc():
    y, x = np.mgrid[:64, :64]
    pixels = np.zeros((64, 64, 4), dtype=np.uint8)
    pixels[(x - 31.5) ** 2 + (y - 31.5) ** 2 < 100] = 255
    how = Draw((0, 0, 0), (0, 0, 0), (0.125, -0.25), 30.0, 1.0, True)
    mass = compose(Image.fromarray(pixels), how, 32)[:, :, 0].astype(float)
    rows, columns = np.mgrid[:32, :32] + 0.5
    centre = (mass * columns).sum() / mass.sum() / 32, (mass * rows).sum() / mass.sum() / 32
    assert np.abs(np.subtract(centre, (0.625, 0.25))).max() < 0.005


def test_rotation_turns_counter_to_mirrored_frames_only():
    """A bar to the right of the centre: mirrored, it lies to the left."""
    pixels = np.zeros((64, 64, 4), dtype=np.uint8)
    pixels[28:36, 36:60] = 255
    for mirrored, side in ((False, slice(8, 16)), (True, slice(0, 8))):
        picture = compose(Image.fromarray(pixels), Draw((0, 0, 0), (0, 0, 0), (0, 0), 0, 1, mirrored), 16)
        assert picture[:, side].sum() > 0.99 * picture.sum()


def test_edges_are_anti_aliased():
    """The area of a disc survives down-sampling by 4 and a shift of a third of a pixel within 1%."""
    y, x = np.mgrid[:64, :64]
    pixels = np.zeros((64, 64, 4), dtype=np.uint8)
    inside = (x - 31.5) ** 2 + (y - 31.5) ** 2 < 400
    pixels[inside] = 255
    for shift in (0.0, 1 / 48):
        picture = compose(Image.fromarray(pixels), Draw((0, 0, 0), (0, 0, 0), (shift, 0), 0, 1, False), 16)
        assert abs(picture[:, :, 0].sum() / 255 * 16 - inside.sum()) < 0.01 * inside.sum()


def test_draws_stay_in_their_bounds():
    rng = np.random.default_rng(0)
    variation = Variation(shift=0.1, angle_deg=10, scale=(0.5, 0.6), mirrored=0.0)
    for _ in range(200):
        how = draw(rng, variation)
        assert max(map(abs, how.shift)) <= 0.1
        assert abs(how.angle_deg) <= 10
        assert 0.5 <= how.scale <= 0.6
        assert not how.mirrored


def test_folder_of_pictures(tmp_path):
    source = tmp_path / "source"
    (source / "deep").mkdir(parents=True)
    wide = np.zeros((20, 40, 3), dtype=np.uint8)
    wide[:, 10:30] = (200, 100, 50)
    Image.fromarray(wide).save(source / "a.png")
    Image.new("RGBA", (30, 30)).save(source / "deep" / "b.png")
    out = tmp_path / "out"
    result = CliRunner().invoke(data, ["folder", str(source), "--size", "16", "--out", str(out), "--licence", "CC0"])
    assert result.exit_code == 0, result.output
    pictures = np.load(out / "pictures.npy")
    assert pictures.shape == (2, 16, 16, 3)
    assert (pictures[0, 8, 8] == (200, 100, 50)).all()
    assert (pictures[1] == 255).all()
    assert "deep/b.png" in (out / "attributes.csv").read_text(encoding="utf-8")


def test_empty_folder_is_said(tmp_path):
    with pytest.raises(InputError, match="holds no picture"):
        build.folder_parts(tmp_path, 16)
