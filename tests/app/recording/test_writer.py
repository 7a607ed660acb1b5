"""The writer's thread: bounded, never silent."""

import hashlib
import threading

import numpy as np
import pytest

from app.errors import WriteError
from app.recording.sinks import Sink
from app.recording.writer import Shot, Writer

WAIT_S = 60
RGBA = np.zeros((2, 2, 4), np.uint8)


class Gate(Sink):
    """A sink that waits for permission; fails at frame `broken`."""

    def __init__(self, broken=None, whole=True):
        self.entered, self.permits = threading.Semaphore(0), threading.Semaphore(0)
        self.frames, self.broken, self.whole = 0, broken, whole

    def write(self, shot):
        self.entered.release()
        assert self.permits.acquire(timeout=WAIT_S)
        if self.frames == self.broken:
            raise WriteError("out.mp4: writing failed, no space left on device; the first 2 frames are kept")
        self.frames += 1

    def close(self):
        if not self.whole:
            raise WriteError("out.mp4: 3 of 4 frames reached the disk; is it full?")


def test_a_full_queue_drops_live_frames_and_counts_them(tmp_path):
    gate = Gate()
    writer = Writer(tmp_path / "x", (2, 2), None, waiting=2, sink=gate)
    writer.put(Shot(RGBA, 0))
    assert gate.entered.acquire(timeout=WAIT_S)  # the thread holds the first one now
    taken = [writer.put(Shot(RGBA, i), wait=False) for i in range(1, 5)]
    assert taken == [True, True, False, False]
    gate.permits.release(10)
    written = writer.close()
    assert (written.frames, written.dropped) == (3, 2)
    assert [seconds for seconds, _ in written.shots] == [0, 1, 2]


def test_the_hash_is_over_all_frames_that_were_written(tmp_path):
    gate = Gate()
    gate.permits.release(10)
    writer = Writer(tmp_path / "x", (2, 2), None, sink=gate)
    for i in range(3):
        writer.put(Shot(RGBA + np.uint8(i), i))
    assert writer.close().sha256 == hashlib.sha256(bytes([0] * 16 + [1] * 16 + [2] * 16)).hexdigest()


def test_the_first_failure_is_raised_by_put_and_by_close(tmp_path):
    gate = Gate(broken=2)
    writer = Writer(tmp_path / "x", (2, 2), None, sink=gate)
    gate.permits.release(10)
    for i in range(3):
        writer.put(Shot(RGBA, i))
    writer._thread.join(0)
    with pytest.raises(WriteError, match="the first 2 frames are kept"):
        writer.close()
    with pytest.raises(WriteError, match="no space left"):
        writer.put(Shot(RGBA, 3))
    assert writer.frames == 2


def test_a_file_that_is_not_whole_is_found_out_at_the_end(tmp_path):
    gate = Gate(whole=False)
    with pytest.raises(WriteError, match="3 of 4 frames"):
        Writer(tmp_path / "x", (2, 2), None, sink=gate).close()
