"""Threads of one operation are settled for each worker apart."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from app import devices


@pytest.fixture(autouse=True)
def same_number_afterwards():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def test_a_worker_keeps_its_number_of_threads_whatever_others_set_later() -> None:
    """torch hands the number that was set last to each thread that asks for the first time."""
    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as other:
        one.submit(devices.prepare_thread, 1).result()
        other.submit(devices.prepare_thread, 3).result()
        assert one.submit(torch.get_num_threads).result() == 1
        assert other.submit(torch.get_num_threads).result() == 3
