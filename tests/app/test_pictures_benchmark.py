"""What the benchmark of pictures measures is what the app computes with."""

from app.benchmarks import pictures
from networks.ops import compiled


def test_it_measures_the_kernels_that_the_app_draws_with(monkeypatch):
    settle, settled = compiled.settle, []
    monkeypatch.setattr(compiled, "settle", lambda: settled.append(1) or settle())
    found = pictures.measure("stylegan2-64-small", "cpu", 0.0)
    assert settled
    assert found.computed_by == "oneDNN, then compiled kernels"
