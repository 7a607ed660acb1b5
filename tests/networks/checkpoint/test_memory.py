"""Reading costs about one times the file's size in memory, whatever the format; safetensors cost nothing."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
MEASURE = """
import json, os, sys
from pathlib import Path
from networks.checkpoint.reader import read_source
from tests.networks.checkpoint.measure import status

def report_peak(path):
    Path("/proc/self/clear_refs").write_text("5")
    before = status("RssAnon")  # pages of mapped files do not count, weights read into memory do
    source = read_source(path)
    print(json.dumps((status("VmHWM") - status("RssFile") - before) / path.stat().st_size), flush=True)

read_source(Path(sys.argv[1]))  # warm
for name in sys.argv[2:]:  # each in a process that has no memory to use again
    if not os.fork():
        report_peak(Path(name))
        os._exit(0)
    os.wait()
"""
WRITE = """
import sys, pickle, torch, numpy as np
from pathlib import Path
from networks.checkpoint.safetensors_format import save_safetensors
from tests.official_layout import write_stylegan2
folder = Path(sys.argv[1])
write_stylegan2(folder / "nvidia.pkl", 256, channel_base=8192, channel_max=256)
state = {f"w{i}": torch.ones(1 << 20) for i in range(20)}
torch.save({"g_ema": state}, folder / "new.pt")
torch.save({"g_ema": state}, folder / "old.pt", _use_new_zipfile_serialization=False)
(folder / "numpy.pkl").write_bytes(pickle.dumps({k: v.numpy() for k, v in state.items()}, 4))
save_safetensors(state, {}, folder / "mapped.safetensors")
"""
SMALL = ROOT / "tests" / "data" / "reference" / "stylegan2.pkl"
FILES = ("nvidia.pkl", "new.pt", "old.pt", "numpy.pkl", "mapped.safetensors")


@pytest.fixture(scope="module")
def peaks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, float]:
    """Peak of anonymous memory while each file is read, over the file's size, in a process of its own."""
    folder = tmp_path_factory.mktemp("large")
    subprocess.run([sys.executable, "-c", WRITE, str(folder)], cwd=ROOT, check=True)
    command = [sys.executable, "-c", MEASURE, str(SMALL), *(str(folder / name) for name in FILES)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return dict(zip(FILES, map(json.loads, done.stdout.splitlines()), strict=True))


@pytest.mark.parametrize("name", FILES)
def test_peak_memory_is_about_the_size_of_the_file(name: str, peaks: dict[str, float]) -> None:
    most = 0.15 if name == "mapped.safetensors" else 1.15
    assert peaks[name] < most, f"{peaks[name]:.2f} times the file"


def test_the_measure_sees_what_is_read(peaks: dict[str, float]) -> None:
    """The check itself: all that is not mapped is in memory afterwards."""
    assert all(peaks[name] > 0.9 for name in FILES if name != "mapped.safetensors"), peaks
