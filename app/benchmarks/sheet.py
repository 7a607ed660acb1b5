"""What the sheet of feature maps costs beyond the picture: capture, the sheet itself, its way to the screen."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from app import devices, view
from app.benchmarks.alone import alone
from app.benchmarks.numbers import Spread, markdown, short
from app.benchmarks.pictures import repeat
from app.benchmarks.screen import some_screen
from app.maps import fit_axes
from app.renderer import PacedTaps
from app.request import View
from app.start import NoScreenError
from networks.presets import build_preset

QUICK = (("stylegan2-64-small", "b64.conv1"),)
FULL = (("stylegan2-256", "b64.conv1"), ("stylegan2-1024", "b1024.conv1"), ("stylegan-1024", "b1024.conv1"))
VIEWS = {
    "by number": View(count=4096),
    "by variance": View(count=4096, sort="variance", colours="viridis"),
    "by droplets": View(count=4096, sort="droplet"),
    "one large": View(channel=1, colours="berlin"),
    "PCA": View(mode="pca"),
}
HEAD = ("maps", "picture", "capture", *VIEWS, "upload", "sheet in all")
UPLOADS, FRAMES_TO_ATTACH = 20, 4


@dataclass(frozen=True)
class SheetTime:
    """CPU milliseconds of all threads: a picture, keeping the maps, each view of them."""

    maps: tuple[int, int, int]  # channels, height, width
    pixels: tuple[int, int]  # of the sheet, (H, W)
    picture_ms: float
    capture_ms: float
    views_ms: dict[str, Spread]


def measure(name: str, layer: str, device_name: str, seconds: float) -> SheetTime:
    """Draw with a preset, keep one layer's maps as the app does, look at them in every way; alone in its process."""
    device = devices.pick(device_name)
    devices.prepare_thread()
    generator = build_preset(name).to(device)
    info = next(row for row in generator.layers if row.name == layer)
    point = (layer, "output")
    with torch.inference_mode():
        z = torch.randn(1, generator.z_dim, generator=torch.Generator().manual_seed(0)).to(device)
        ws = generator.map(z)
        taps = PacedTaps(capture=[point])
        taps.begin()
        picture = repeat(lambda: generator.synthesize(ws, taps), device, seconds)[1]
        maps = taps.captured[point]
        capture = repeat(lambda: taps.on_feature(info, maps), device, seconds / 8)[1]
        axes = fit_axes(maps.float())
        looks = {words: partial(view.layer_view, maps, info, asked, None, axes) for words, asked in VIEWS.items()}
        views = {words: repeat(look, device, seconds)[1] for words, look in looks.items()}
        rows, columns = view.layer_view(maps, info, VIEWS["by number"]).pixels.shape[:2]
    size = (maps.shape[1], maps.shape[2], maps.shape[3])
    return SheetTime(size, (rows, columns), picture.median, capture.median, views)


def upload(size: tuple[int, int]) -> float:
    """CPU milliseconds to bring RGBA of (H, W) pixels to a texture of a real window, median of 20; in its process."""
    import numpy as np

    from app.display.window import Window

    pictures = [np.full((*size, 4), grey, np.uint8) for grey in (40, 200)]
    with tempfile.TemporaryDirectory() as folder:
        window = Window("StyleScope benchmark", 320, 240, Path(folder), fps_limit=None)
        window.show()
        texture = window.textures.create()
        for _ in range(FRAMES_TO_ATTACH):
            texture.upload(pictures[0])
            window.frame()
        if not texture.slot.ready:
            raise RuntimeError(f"the window has no texture after {FRAMES_TO_ATTACH} frames")
        times = []
        for turn in range(UPLOADS):
            start = time.process_time()
            texture.upload(pictures[turn % 2])
            times.append((time.process_time() - start) * 1000)
            window.frame()
        window.close()
    return statistics.median(times)


def table(quick: bool, device: str, say: Callable[[str], None]) -> list[str]:
    """Markdown lines: one row for each layer; a dash for the upload where no window can open."""
    seconds = 0.2 if quick else 3.0
    rows = []
    for name, layer in QUICK if quick else FULL:
        say(f"sheet: {name} {layer}")
        taken = alone(measure, name, layer, device, seconds)
        rows.append(row(f"{name} {layer}", taken, brought(taken.pixels)))
    return [
        "CPU milliseconds of all threads, medians, with the allocator's settings of the app. Picture: a whole pass at"
        " batch 1, to compare. Capture: keeping the layer's maps (as they lie in memory, without a"
        " copy). Then the whole view of them, statistics, colours and pixels, in each of its kinds (PCA with axes that"
        " were fitted before). Upload: the sheet's pixels to a texture of a window. In all: capture, sheet by number,"
        " upload.",
        "",
        *markdown(HEAD, rows),
    ]


def brought(pixels: tuple[int, int]) -> float | None:
    """Milliseconds of the upload; None where there is no screen."""
    try:
        with some_screen():
            return alone(upload, pixels)
    except NoScreenError:
        return None


def row(name: str, taken: SheetTime, upload_ms: float | None) -> list[str]:
    """Cells of one layer."""
    channels, height, width = taken.maps
    rows, columns = taken.pixels
    whole = taken.capture_ms + taken.views_ms["by number"].median + (upload_ms or 0.0)
    return [
        f"{channels} of {width}x{height} ({name}) on {columns}x{rows} px",
        short(taken.picture_ms),
        short(taken.capture_ms),
        *(short(taken.views_ms[words].median) for words in VIEWS),
        "-" if upload_ms is None else short(upload_ms),
        short(whole),
    ]
