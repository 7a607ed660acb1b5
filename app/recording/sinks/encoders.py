"""Which encoder compresses a film: hardware where it is there and really encodes a frame, else x264 on the CPU."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np

from app.errors import InputError
from app.recording.sinks.base import Encoding

CRF = {"libx264": 18, "libvpx-vp9": 24}
HARDWARE = {
    "nvenc": ("h264_nvenc", "NVIDIA NVENC"),
    "videotoolbox": ("h264_videotoolbox", "Apple VideoToolbox"),
    "qsv": ("h264_qsv", "Intel Quick Sync"),
    "amf": ("h264_amf", "AMD AMF"),
    "vaapi": ("h264_vaapi", "VA-API"),
}
NAMES = ("auto", "x264", *HARDWARE)
EFFORT = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow")


@dataclass(frozen=True)
class Choice:
    """codec: FFmpeg's name. words: a sentence for the user: what compresses, and why nothing else does."""

    codec: str
    words: str


def choose(kind: str, size: tuple[int, int], encoding: Encoding) -> Choice:
    """The encoder of an 'mp4' or 'webm' of size (W, H), even. Raises InputError where a named one does not work."""
    if kind == "webm":
        return Choice("libvpx-vp9", "VP9 on the CPU (libvpx)")
    name = encoding.encoder
    if name not in NAMES:
        raise InputError(f"no encoder {name!r}; choose among {', '.join(NAMES)}")
    if name == "x264":
        return Choice("libx264", "h264 on the CPU (x264), as chosen")
    if encoding.crf == 0:
        if name != "auto":
            raise InputError(f"crf 0 is lossless, which only x264 writes here; leave out the encoder {name}")
        return Choice("libx264", "h264 on the CPU (x264), for it alone writes without loss")
    if name != "auto":
        codec, title = HARDWARE[name]
        if problem := probe(codec, size):
            raise InputError(f"{title} ({codec}) does not work here: {problem}; choose x264 or auto")
        return Choice(codec, f"h264 on the GPU ({title})")
    return automatic(size)


@cache
def automatic(size: tuple[int, int]) -> Choice:
    """The first hardware encoder that encodes a frame of this size, else x264 with every reason."""
    reasons = []
    for codec, title in HARDWARE.values():
        problem = probe(codec, size)
        if not problem:
            return Choice(codec, f"h264 on the GPU ({title})")
        reasons.append(f"{title}: {problem}")
    return Choice("libx264", f"h264 on the CPU (x264); no hardware encoder works here ({'; '.join(reasons)})")


@cache
def probe(codec: str, size: tuple[int, int]) -> str:
    """Encode one frame of (W, H) with a hardware encoder: '' when it comes out, else why not. Asked once."""
    import av

    try:
        av.Codec(codec, "w")
    except ValueError:
        return "not in this build of FFmpeg"
    words: list[str] = []
    try:
        with _complaints(words):
            size_out = _encode_one(codec, size)
    except (av.FFmpegError, OSError, ValueError) as error:
        said = next((line for line in words if line), "") or str(getattr(error, "strerror", "") or error)
        return f"it cannot encode {size[0]}x{size[1]} ({said})"
    return "" if size_out else "it encoded nothing"


def _encode_one(codec: str, size: tuple[int, int]) -> int:
    """Bytes that one grey frame comes to, encoded with the very settings of a film."""
    import av

    file: Any = av.open(io.BytesIO(), "w", format="mp4", options={"movflags": "frag_keyframe+empty_moov"})
    stream = begin(file, codec, size, Fraction(30), Fraction(1, 30), Encoding())
    frame: Any = av.VideoFrame.from_ndarray(np.full((size[1], size[0], 3), 90, np.uint8), format="rgb24")
    frame = frame.reformat(format=stream.pix_fmt)
    frame.pts, frame.time_base = 0, Fraction(1, 30)
    return sum(packet.size for packet in (*stream.encode(frame), *stream.encode()))


@contextmanager
def _complaints(words: list[str]) -> Iterator[None]:
    """Collect what FFmpeg logs as errors: it says more than the code that it returns."""
    import av.logging

    level = av.logging.get_level()
    av.logging.set_level(av.logging.ERROR)
    try:
        with av.logging.Capture() as lines:
            yield
    finally:
        av.logging.set_level(level)
        words += [str(line[2]).strip() for line in lines]


def begin(file: Any, codec: str, size: tuple[int, int], rate: Fraction, time_base: Fraction, encoding: Encoding) -> Any:
    """Add the video stream to a container that is written: yuv 4:2:0, BT.709, a key frame each second, no B-frames.

    No B-frames: a fragmented file cannot shift its first time stamp back to 0. size: (W, H), even.
    """
    stream: Any = file.add_stream(codec, rate=rate, options=options(codec, encoding, round(rate) or 1))
    stream.width, stream.height = size
    stream.pix_fmt = "nv12" if codec in ("h264_qsv", "h264_amf", "h264_vaapi") else "yuv420p"
    context = stream.codec_context
    context.time_base = time_base
    context.colorspace = context.color_primaries = context.color_trc = 1  # BT.709, codes of ITU-T H.273
    context.color_range = 1  # limited
    return stream


def options(codec: str, encoding: Encoding, key_frames: int) -> dict[str, str]:
    """FFmpeg's options of an encoder for a quality and an effort; a key frame every `key_frames` frames."""
    crf = CRF.get(codec, CRF["libx264"]) if encoding.crf is None else encoding.crf
    effort = EFFORT.index(encoding.preset)
    shared = {"g": str(key_frames), "bf": "0"}
    if codec == "libx264":
        return shared | {"crf": str(crf), "preset": encoding.preset}
    if codec == "libvpx-vp9":
        live = {"deadline": "realtime", "cpu-used": "8"}
        speed = live if effort == 0 else {"deadline": "good", "cpu-used": str(max(0, 6 - effort))}
        exact = {"lossless": "1"} if crf == 0 else {"crf": str(crf), "b": "0"}
        # no frames ahead: each one comes out when it went in, and a crash takes nothing along
        return {"g": str(key_frames), "row-mt": "1", "lag-in-frames": "0", "auto-alt-ref": "0", **speed, **exact}
    if codec == "h264_nvenc":
        return shared | {"rc": "constqp", "qp": str(crf), "preset": f"p{1 + effort * 6 // 8}", "delay": "0"}
    if codec == "h264_qsv":
        return shared | {"global_quality": str(crf), "look_ahead": "0", "async_depth": "1"}
    if codec == "h264_amf":
        return shared | {"rc": "cqp", "qp_i": str(crf), "qp_p": str(crf)}
    if codec == "h264_videotoolbox":  # a quality of 1 to 100, in units of FF_QP2LAMBDA
        return shared | {"global_quality": str(118 * max(1, 100 - 2 * crf)), "flags": "+qscale", "allow_sw": "0"}
    return shared | {"qp": str(crf)}
