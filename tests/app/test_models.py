"""Opening generators: cached, bounded, retried."""

import gc
import os
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from app import models
from app.errors import DeviceError
from app.models import ModelStore
from app.renderer import Renderer
from app.request import Model
from networks.checkpoint.errors import CheckpointError
from networks.taps import Cancelled


def test_a_generator_is_loaded_once(files):
    store, model = ModelStore(), files.add("a.pkl").model
    assert store.open(model) is store.open(model)
    assert files.loads == ["a.pkl"]


def test_a_file_that_changed_is_loaded_again_on_retry(files):
    store, model = ModelStore(), files.add("a.pkl").model
    first = store.open(model)
    os.utime(model.path, (1, 1))
    assert store.open(model) is first
    assert store.open(replace(model, attempt=1)) is not first
    assert store.open(replace(model, attempt=2)) is store.open(replace(model, attempt=1))


def test_the_cache_is_bounded_by_count_and_by_bytes(files):
    requests = [files.add(f"{i}.pkl").model for i in range(5)]
    store = ModelStore(count=3)
    for model in requests:
        store.open(model)
    assert len(store) == 3
    store.open(requests[4])
    store.open(requests[0])
    assert files.loads == ["0.pkl", "1.pkl", "2.pkl", "3.pkl", "4.pkl", "0.pkl"]
    small = ModelStore(count=3, size=store.open(requests[0]).bytes * 2)
    for model in requests:
        small.open(model)
    assert len(small) == 2


def test_a_renderer_draws_with_the_very_store_that_it_is_given(files):
    """An empty one, too: renderers that are to keep one model must not keep six."""
    store = ModelStore(count=1)
    renderer = Renderer(store)
    for name in ("a.pkl", "b.pkl"):
        renderer.open(files.add(name))
    assert renderer.store is store
    assert len(store) == 1


def test_what_left_the_cache_is_freed(files):
    requests = [files.add(f"{i}.pkl").model for i in range(3)]
    store = ModelStore(count=2)
    seen = [weakref.ref(store.open(model).generator) for model in requests]
    assert [ref() is None for ref in seen] == [True, False, False]
    store.forget()
    assert [ref() is None for ref in seen] == [True, True, True]


def test_a_small_generator_leaves_at_once_without_a_collection(files, monkeypatch):
    """Scrubbing through a run's snapshots opens one after the other; collecting and trimming is for large ones."""
    released = []
    monkeypatch.setattr(models, "_release", lambda: released.append(True))
    store = ModelStore(count=1)
    gc.disable()
    try:
        first = weakref.ref(store.open(files.add("a.pkl").model).generator)
        store.open(files.add("b.pkl").model)
        assert (first(), released) == (None, [])
        monkeypatch.setattr(models, "WORTH_RELEASING", 1)
        store.open(files.add("c.pkl").model)
        assert released == [True]
    finally:
        gc.enable()


def test_a_failure_is_remembered_for_its_attempt_only(files, monkeypatch):
    model, tries = files.add("a.pkl").model, []

    def broken(*_, **__):
        tries.append(1)
        raise CheckpointError("a.pkl: half a file")

    store = ModelStore()
    with monkeypatch.context() as patch:
        patch.setattr(models.load, "load", broken)
        for _ in range(3):
            with pytest.raises(CheckpointError, match="half a file"):
                store.open(model)
        assert len(tries) == 1
    assert store.open(replace(model, attempt=1)).info.name == "a.pkl"


def test_a_cancelled_load_is_not_remembered(files, monkeypatch):
    model, store = files.add("a.pkl").model, ModelStore()

    def cancelled(*_, **__):
        raise Cancelled("reading")

    with monkeypatch.context() as patch:
        patch.setattr(models.load, "load", cancelled)
        with pytest.raises(Cancelled):
            store.open(model, cancelled=lambda: True)
    assert store.open(model).info.name == "a.pkl"


def test_nobody_waits_for_a_file_that_somebody_else_opens(files, monkeypatch):
    """One thread stands in the middle of a load: others go on with what is open, and need not stay in the queue."""
    open_model, slow, third = (files.add(name).model for name in ("open.pkl", "slow.pkl", "third.pkl"))
    store = ModelStore()
    known = store.open(open_model)
    loading, go_on = threading.Event(), threading.Event()

    def held(path, *arguments, **options):
        loading.set()
        assert go_on.wait(60)
        return files.load(path, *arguments, **options)

    monkeypatch.setattr(models.load, "load", held)
    with ThreadPoolExecutor(1) as pool:
        opening = pool.submit(store.open, slow)
        assert loading.wait(60)
        assert store.open(open_model) is known
        with pytest.raises(Cancelled):
            store.open(third, cancelled=lambda: True)
        assert not opening.done()
        go_on.set()
        assert opening.result(60).info.name == "slow.pkl"
    assert store.open(third).info.name == "third.pkl"


def test_a_missing_file_and_a_missing_device_are_said(tmp_path, files):
    with pytest.raises(FileNotFoundError):
        ModelStore().open(Model(str(tmp_path / "gone.pkl"), "cpu"))
    with pytest.raises(DeviceError, match="device 'abacus' is unknown; use cpu, cuda, mps or auto"):
        ModelStore().open(replace(files.add("a.pkl").model, device="abacus"))


def test_info_tells_the_panels_what_they_need(files):
    info = ModelStore().open(files.add("a.pkl").model).info
    assert (info.family, info.title, info.format, info.resolution) == ("stylegan2", "StyleGAN2", "made", (128, 128))
    assert (info.condition, info.preview_sizes, info.device) == ("none", (4, 8, 16, 32, 64, 128), "cpu")
    assert (info.default_psi, info.default_cutoff) == (1.0, None)
    assert info.parameters == sum(p.numel() for p in ModelStore().open(Model(info.path, "cpu")).generator.parameters())
