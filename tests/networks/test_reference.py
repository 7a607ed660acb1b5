"""Our networks agree with what the official code computed, on every reference file."""

import numpy as np
import pytest
import torch

from tests.networks.reference import FILES, TABLE, TOLERANCE, compare, relative_error


@pytest.mark.parametrize("name", FILES)
def test_agrees_with_the_official_code(name: str) -> None:
    generator, differences = compare(name)
    wrong = [f"{d.group} {d.name}: {d.error:.2e}" for d in differences if not d.error <= TOLERANCE]
    assert not wrong, f"{generator.family}, largest allowed error {TOLERANCE} of the range: {'; '.join(wrong)}"
    assert {d.group for d in differences} >= {"ws", "img"}


def test_the_error_is_a_share_of_the_range() -> None:
    official = np.array([[-2.0, 2.0]], np.float32)
    assert relative_error(torch.tensor([[-2.0, 1.0]]), official) == pytest.approx(0.25)


def test_the_table_names_every_file() -> None:
    rows = TABLE.read_text(encoding="utf-8").splitlines()
    assert [line.split(".pkl")[0].removeprefix("| ") for line in rows if ".pkl" in line] == list(FILES)
