"""What reaches the disk, read back by other programs' eyes: PyAV and Pillow."""

import os
import signal
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from app.errors import InputError, WriteError
from app.recording.sinks import open_sink
from app.recording.writer import Shot, Writer, fitted

ROOT = Path(__file__).parents[3]


def picture(value, size=(64, 48)):
    """A flat colour that differs from frame to frame, opaque."""
    rgba = np.zeros((size[1], size[0], 4), np.uint8)
    rgba[...] = (value % 256, 255 - value % 256, 128, 255)
    return rgba


def decoded(path):
    with av.open(str(path)) as file:
        return [(float(frame.time), frame.to_ndarray(format="rgb24")) for frame in file.decode(video=0)]


def write(path, seconds, fps=None, size=(64, 48)):
    writer = Writer(path, size, fps)
    for i, at in enumerate(seconds):
        writer.put(Shot(picture(20 * i, size), at))
    return writer.close()


def test_an_mp4_shows_its_frames_at_an_exact_rate(tmp_path):
    fps = Fraction(30000, 1001)
    write(tmp_path / "a.mp4", [0] * 10, fps)
    frames = decoded(tmp_path / "a.mp4")
    assert [seconds for seconds, _ in frames] == pytest.approx([i * 1001 / 30000 for i in range(10)], abs=1e-6)
    for i, (_, rgb) in enumerate(frames):
        assert np.abs(rgb.astype(int) - picture(20 * i)[..., :3]).max() <= 4


def test_a_capture_keeps_its_true_time_stamps(tmp_path):
    times = [0.0, 0.013, 0.2, 0.21, 1.5]
    write(tmp_path / "a.mp4", times)
    assert [seconds for seconds, _ in decoded(tmp_path / "a.mp4")] == pytest.approx(times, abs=1 / 90000)


def test_an_mp4_says_h264_yuv420p_and_its_colours(tmp_path):
    write(tmp_path / "a.mp4", [0, 1], Fraction(1))
    with av.open(str(tmp_path / "a.mp4")) as file:
        context = file.streams.video[0].codec_context
        assert (context.name, context.pix_fmt, context.colorspace, context.color_range) == ("h264", "yuv420p", 1, 1)


def test_odd_sizes_repeat_the_last_row_and_column(tmp_path):
    write(tmp_path / "a.mp4", [0], Fraction(1), size=(33, 17))
    [(_, rgb)] = decoded(tmp_path / "a.mp4")
    assert rgb.shape == (18, 34, 3)
    assert np.abs(rgb[-1].astype(int) - rgb[-2]).max() <= 2


def test_a_gif_keeps_time_in_hundredths_without_adding_errors_up(tmp_path):
    write(tmp_path / "a.gif", [i / 30 for i in range(7)], Fraction(30))
    with Image.open(tmp_path / "a.gif") as gif:
        assert (gif.n_frames, gif.size, gif.info["loop"]) == (7, (64, 48), 0)
        durations = []
        for i in range(7):
            gif.seek(i)
            durations.append(gif.info["duration"])
            assert np.abs(np.asarray(gif.convert("RGB"), int) - picture(20 * i)[..., :3]).max() <= 4
    assert durations == [30, 40, 30, 30, 40, 30, 30]


def test_a_png_folder_keeps_every_bit(tmp_path):
    write(tmp_path / "frames", [0, 1], Fraction(1))
    files = sorted((tmp_path / "frames").iterdir())
    assert [file.name for file in files] == ["frame-000000.png", "frame-000001.png"]
    assert np.array_equal(np.asarray(Image.open(files[1])), picture(20)[..., :3])


def test_alpha_is_kept_where_there_is_any(tmp_path):
    from app.recording.sinks import save_png

    rgba = picture(7)
    rgba[0, 0, 3] = 9
    save_png(tmp_path / "a.png", rgba)
    assert np.array_equal(np.asarray(Image.open(tmp_path / "a.png")), rgba)


def test_other_names_are_refused(tmp_path):
    with pytest.raises(
        InputError, match=r"a\.avi: a recording is \.mp4, \.webm, \.gif, \.png \(a contact sheet\), or a folder"
    ):
        open_sink(tmp_path / "a.avi", (8, 8), None)


@pytest.mark.parametrize("name", ["a.mp4", "a.gif"])
def test_a_full_disk_is_said_in_words(tmp_path, name):
    (tmp_path / name).symlink_to("/dev/full")
    with pytest.raises(WriteError, match=r"writing failed, no space left on device"):
        write(tmp_path / name, range(200), Fraction(30), size=(256, 256))


def test_a_folder_that_cannot_be_made_is_said_in_words(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(WriteError, match="the folder cannot be made"):
        write(tmp_path / "file" / "a.mp4", [0])


CRASH = """
import os, signal, sys
from fractions import Fraction
from pathlib import Path
import numpy as np
from app.recording.writer import Shot, Writer
writer = Writer(Path(sys.argv[1]), (64, 48), Fraction(10), waiting=1)
for i in range(200):  # with one place in the queue, all but the last two are written when `put` returns
    writer.put(Shot(np.full((48, 64, 4), i, np.uint8), i / 10))
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_crash_leaves_a_file_that_plays(tmp_path):
    path = tmp_path / "a.mp4"
    ended = subprocess.run([sys.executable, "-c", CRASH, str(path)], cwd=ROOT, env={**os.environ, "PYTHONPATH": "."})
    assert ended.returncode == -signal.SIGKILL
    frames = decoded(path)
    assert 100 <= len(frames) < 200  # all but those that the encoder still held and the last fragment
    assert [seconds for seconds, _ in frames] == pytest.approx([i / 10 for i in range(len(frames))])


def test_frames_of_another_size_are_fitted_with_their_shape_kept():
    out = fitted(picture(100, (32, 32)), (64, 48))
    assert out.shape == (48, 64, 4)
    assert out[24, [0, 7, 8, 55, 56], 0].tolist() == [0, 0, 100, 100, 0]
    assert (out[..., 3] == 255).all()
