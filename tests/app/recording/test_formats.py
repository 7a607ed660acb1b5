"""WebM, EXR folders, contact sheets, GIF palettes and encoders: what reaches the disk, read back and compared."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import OpenEXR
import pytest
from PIL import Image

from app.errors import InputError
from app.recording.offline import record_walk, replay, shown_values
from app.recording.sinks import Encoding, encoders
from app.recording.sinks.contact import ContactSheet, columns_of
from app.recording.sinks.gif import in_palette
from app.recording.walk import Walk
from app.recording.writer import Shot, Writer
from app.renderer import Renderer
from app.request import Truncation

ROOT = Path(__file__).parents[3]


def picture(value: int, size: tuple[int, int] = (64, 48)) -> np.ndarray:
    """A flat colour that differs from frame to frame, opaque."""
    rgba = np.zeros((size[1], size[0], 4), np.uint8)
    rgba[...] = (value % 256, 255 - value % 256, 128, 255)
    return rgba


def write(path: Path, seconds: list[float], fps: Fraction | None = None, encoding: Encoding | None = None) -> None:
    writer = Writer(path, (64, 48), fps, encoding=encoding)
    for i, at in enumerate(seconds):
        writer.put(Shot(picture(20 * i), at))
    writer.close()


def decoded(path: Path) -> list[tuple[float, np.ndarray]]:
    with av.open(str(path)) as file:
        return [(float(frame.time), frame.to_ndarray(format="rgb24")) for frame in file.decode(video=0)]


@pytest.mark.parametrize("preset", ["ultrafast", "veryfast"])
def test_a_webm_shows_its_frames_at_their_times(tmp_path: Path, preset: str):
    times = [0.0, 0.013, 0.2, 0.21, 1.5]
    write(tmp_path / "a.webm", times, encoding=Encoding(preset=preset))
    frames = decoded(tmp_path / "a.webm")
    assert [seconds for seconds, _ in frames] == pytest.approx(times, abs=0.0005)  # Matroska counts milliseconds
    for i, (_, rgb) in enumerate(frames):
        assert np.abs(rgb.astype(int) - picture(20 * i)[..., :3]).max() <= 4
    with av.open(str(tmp_path / "a.webm")) as file:
        context = file.streams.video[0].codec_context
        assert (context.name, context.pix_fmt, context.colorspace, context.color_range) == ("vp9", "yuv420p", 1, 1)


def test_a_webm_of_a_walk_has_every_frame_at_its_rounded_millisecond(tmp_path: Path):
    fps = Fraction(30000, 1001)
    write(tmp_path / "a.webm", [0.0] * 70, fps)
    times = [seconds for seconds, _ in decoded(tmp_path / "a.webm")]
    assert times == pytest.approx([math.floor(1000 * i / fps + Fraction(1, 2)) / 1000 for i in range(70)])


def test_lossless_vp9_keeps_every_bit_of_its_own_planes(tmp_path: Path):
    rng = np.random.default_rng(0)
    noise = np.dstack([rng.integers(0, 256, (48, 64, 3), np.uint8), np.full((48, 64), 255, np.uint8)])
    writer = Writer(tmp_path / "a.webm", (64, 48), Fraction(1), encoding=Encoding(crf=0))
    writer.put(Shot(noise, 0))
    writer.close()
    given = av.VideoFrame.from_ndarray(noise, format="rgba")
    given = given.reformat(format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG")
    with av.open(str(tmp_path / "a.webm")) as file:
        [frame] = file.decode(video=0)
        assert np.array_equal(frame.to_ndarray(), given.to_ndarray())


CRASH = """
import os, signal, sys
from fractions import Fraction
from pathlib import Path
import numpy as np
from app.recording.writer import Shot, Writer
writer = Writer(Path(sys.argv[1]), (64, 48), Fraction(10), waiting=1, note=sys.argv[2])
for i in range(60):
    writer.put(Shot(np.full((48, 64, 4), 3 * i, np.uint8), i / 10))
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("name", ["a.webm", "a.mp4"])
def test_a_crash_leaves_a_film_that_plays_and_says_what_it_is(tmp_path: Path, name: str):
    path, note = tmp_path / name, '{"word": "' + "ü" * 5000 + '"}'
    ended = subprocess.run([sys.executable, "-c", CRASH, str(path), note], cwd=ROOT,
                           env={**os.environ, "PYTHONPATH": "."})  # fmt: skip
    assert ended.returncode == -signal.SIGKILL
    frames = decoded(path)
    assert 40 <= len(frames) < 60  # all but those of the last second, at 10 a second, that the muxer still held
    assert [seconds for seconds, _ in frames] == pytest.approx([i / 10 for i in range(len(frames))])
    with av.open(str(path)) as file:
        assert {key.lower(): value for key, value in file.metadata.items()}["comment"] == note


# -- EXR -------------------------------------------------------------------------------------------------------------


def to_display(linear: np.ndarray) -> np.ndarray:
    """The inverse of sRGB's curve, written out again: IEC 61966-2-1, mirrored below 0."""
    a = np.abs(linear.astype(np.float64))
    return np.sign(linear) * np.where(a <= 0.04045 / 12.92, 12.92 * a, 1.055 * a ** (1 / 2.4) - 0.055)


def exr(path: Path) -> tuple[np.ndarray, dict]:
    with OpenEXR.File(str(path)) as file:
        return file.channels()["RGB"].pixels.copy(), dict(file.header())


@pytest.fixture
def bright(request_) -> Walk:
    """A walk whose pictures go beyond black and white: psi 3."""
    return Walk(replace(request_, truncation=Truncation(3.0)), (1, 2), 0.2, Fraction(10))


def test_exr_files_hold_the_generators_own_numbers(bright: Walk, tmp_path: Path):
    made = record_walk(bright, tmp_path / "f", Renderer(), encoding=Encoding(folder="float"))
    renderer = Renderer()
    outside = 0
    for i in range(2):
        pixels, header = exr(tmp_path / "f" / f"frame-{i:06d}.exr")
        assert pixels.dtype == np.float32
        wanted = (renderer.image(bright.at(i))[0].transpose(1, 2, 0).astype(np.float64) + 1) / 2
        assert np.abs(to_display(pixels) - wanted).max() < 2e-6 * np.abs(wanted).max()
        assert header["source"] == "the generator's own numbers, not clipped"
        outside += int((pixels < 0).any()) + int((pixels > 1).any())
        shown = renderer.render(bright.at(i)).picture[..., :3]  # rounded as NVIDIA's tools do
        again = np.floor(np.clip(to_display(pixels) * 255 + 0.5, 0, 255))
        assert (again == shown).mean() > 0.999  # a value on the edge between two bytes may fall to either side
        assert np.abs(again - shown).max() <= 1
    assert outside == 4
    assert replay(made, tmp_path / "again", Renderer()).frames_sha256 == made.frames_sha256


def test_half_exr_files_are_within_half_a_unit_in_the_last_place(bright: Walk, tmp_path: Path):
    for folder in ("half", "float"):
        record_walk(bright, tmp_path / folder, Renderer(), encoding=Encoding(folder=folder))
    half, _ = exr(tmp_path / "half" / "frame-000000.exr")
    full, _ = exr(tmp_path / "float" / "frame-000000.exr")
    assert half.dtype == np.float16
    assert np.array_equal(half, full.astype(np.float16))


def test_exr_files_of_the_screen_hold_its_bytes_and_say_so(tmp_path: Path):
    write(tmp_path / "f", [0.0, 1.0], encoding=Encoding(folder="float"))
    pixels, header = exr(tmp_path / "f" / "frame-000001.exr")
    assert np.array_equal(np.round(to_display(pixels) * 255), picture(20)[..., :3])
    assert (header["source"], header["seconds"]) == ("pictures of 8 bits a value", "1.0")


def test_values_of_a_bgr_model_are_in_the_order_of_the_screen(request_):
    renderer = Renderer()
    plain = shown_values(renderer, request_)
    assert np.array_equal(shown_values(renderer, replace(request_, bgr=True)), plain[::-1])


# -- contact sheets and GIFs -----------------------------------------------------------------------------------------


def colours_of(sheet: Path, count: int) -> list[int]:
    """The red of each cell's middle, row by row; cells of 64 x 48 are enlarged three times."""
    rgb = np.asarray(Image.open(sheet).convert("RGB"))
    columns = columns_of(count, 64 / 48)
    row = 144 + round(17 * 1.6) + 12
    return [int(rgb[12 + i // columns * row + 72, 12 + i % columns * 204 + 96, 0]) for i in range(count)]


def test_a_contact_sheet_shows_frames_evenly_spaced_in_time(tmp_path: Path):
    sheet = ContactSheet(tmp_path / "a.png", 5)
    for i, at in enumerate(np.concatenate([np.linspace(0, 1, 10), np.linspace(1.1, 5, 14)])):  # the rate changes
        sheet.write(Shot(picture(10 * i), float(at)))
    sheet.close()
    # 0, 1.25, 2.5, 3.75 and 5 s: the nearest are frames 0 (0.0), 10 (1.1; 11 is 1.4), 15 (2.6), 19 (3.8) and 23
    assert colours_of(tmp_path / "a.png", 5) == [0, 100, 150, 190, 230]


def test_a_long_recording_is_thinned_and_keeps_its_ends(tmp_path: Path):
    sheet = ContactSheet(tmp_path / "a.png", 3)
    for i in range(251):
        sheet.write(Shot(picture(i), i / 10))
        assert len(sheet._cells) <= 24
    sheet.close()
    first, middle, last = colours_of(tmp_path / "a.png", 3)
    assert (first, last) == (0, 250)
    assert abs(middle - 125) <= 125 / 8


def test_a_sheet_beside_a_film_costs_the_film_nothing(tmp_path: Path):
    write(tmp_path / "a.mp4", [i / 10 for i in range(8)], Fraction(10), Encoding(sheet=4))
    assert len(decoded(tmp_path / "a.mp4")) == 8
    assert colours_of(tmp_path / "a-sheet.png", 4) == [0, 40, 100, 140]


def test_a_gif_frame_is_close_to_its_picture_with_256_colours():
    """A gradient with 4096 colours: error diffusion keeps the local mean, which a plain palette does not."""
    x, y = np.meshgrid(np.arange(64), np.arange(64))
    rgb = np.dstack([x * 4, y * 4, (x + y) * 2]).astype(np.uint8)
    rgba = np.dstack([rgb, np.full((64, 64), 255, np.uint8)])
    image = in_palette(rgba)
    assert len(image.getcolors()) <= 256
    error = np.asarray(image.convert("RGB"), float) - rgb
    means = error[:60, :60].reshape(6, 10, 6, 10, 3).mean((1, 3))
    plain = np.asarray(Image.fromarray(rgb).quantize(256).convert("RGB"), float) - rgb
    plain_means = plain[:60, :60].reshape(6, 10, 6, 10, 3).mean((1, 3))
    assert np.sqrt((means**2).mean()) < 0.5 * np.sqrt((plain_means**2).mean())
    assert np.sqrt((error**2).mean()) < 8


# -- encoders --------------------------------------------------------------------------------------------------------


def test_auto_takes_the_first_encoder_that_encodes_a_frame(monkeypatch: pytest.MonkeyPatch):
    asked = []

    def probe(codec: str, size: tuple[int, int]) -> str:
        asked.append(codec)
        return "" if codec == "h264_qsv" else "no such card"

    monkeypatch.setattr(encoders, "probe", probe)
    chosen = encoders.automatic.__wrapped__((64, 48))
    assert (chosen.codec, chosen.words) == ("h264_qsv", "h264 on the GPU (Intel Quick Sync)")
    assert asked == ["h264_nvenc", "h264_videotoolbox", "h264_qsv"]
    monkeypatch.setattr(encoders, "probe", lambda codec, size: "no such card")
    chosen = encoders.automatic.__wrapped__((64, 48))
    assert chosen.codec == "libx264"
    assert chosen.words.startswith("h264 on the CPU (x264); no hardware encoder works here (NVIDIA NVENC: no such card")
    with pytest.raises(InputError, match=r"NVIDIA NVENC \(h264_nvenc\) does not work here: no such card; choose x264"):
        encoders.choose("mp4", (64, 48), Encoding(encoder="nvenc"))


def test_a_probe_really_encodes():
    assert encoders.probe("libx264", (64, 48)) == ""
    assert "cannot encode 64x48" in encoders.probe("libx264rgb", (64, 48))  # it takes no yuv420p
    assert encoders.probe("h264_of_tomorrow", (64, 48)) == "not in this build of FFmpeg"


def test_lossless_and_chosen_films_say_why_the_cpu_writes_them():
    assert encoders.choose("mp4", (64, 48), Encoding(crf=0)).codec == "libx264"
    with pytest.raises(InputError, match="crf 0 is lossless, which only x264 writes here"):
        encoders.choose("mp4", (64, 48), Encoding(crf=0, encoder="qsv"))
    with pytest.raises(InputError, match="no encoder 'x265'; choose among auto, x264, nvenc"):
        encoders.choose("mp4", (64, 48), Encoding(encoder="x265"))
    assert encoders.choose("mp4", (64, 48), Encoding(encoder="x264")).words == "h264 on the CPU (x264), as chosen"


def test_the_command_knows_every_encoder():
    from app.commands.walk import ENCODERS, PRESETS

    assert (ENCODERS, PRESETS) == (encoders.NAMES, encoders.EFFORT)
