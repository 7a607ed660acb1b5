"""Fixtures of the panels' tests."""

from __future__ import annotations

from collections.abc import Iterator

import dearpygui.dearpygui as dpg
import pytest

from tests.gui_support import Hand
from tests.widgets.support import Bench


@pytest.fixture
def bench(window) -> Bench:
    """Panels that are folded and shown with every frame."""
    return Bench(window)


@pytest.fixture
def bench_hand(screen, bench: Bench) -> Iterator[Hand]:
    """Mouse and keyboard over the bench: each event is followed by turns of its loop."""
    hand = Hand(screen, bench.turn, lambda: tuple(int(value) for value in dpg.get_viewport_pos()))
    yield hand
    hand.release()  # a test that failed half way must not leave the button down for the next one
