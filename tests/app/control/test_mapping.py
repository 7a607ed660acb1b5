"""Bindings: arithmetic, what fits what, files there and back, and one sentence for whatever is wrong in one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.control import mapping
from app.control.events import ControlError
from app.control.mapping import Binding, check, from_json, source_range, suggested, ticks, to_json
from app.control.parameters import Parameter

PSI = Parameter("Truncation/psi", lambda: 1.0, lambda value: None, lambda: (-1.0, 2.0), step=0.03)
X = Parameter("Latent/x", lambda: 7.3, lambda value: None, lambda: (-1e9, 1e9), step=0.01)
ON = Parameter("Latent/on", lambda: 0.0, lambda value: None, kind="switch")
GO = Parameter("Latent/Random seed", lambda: 0.0, lambda value: None, kind="trigger")


def test_ranges_are_mapped_linearly_and_stop_at_their_ends():
    binding = Binding("midi/1/cc/1", "p", in_low=0, in_high=127, out_low=-1, out_high=2)
    assert [binding.mapped(value) for value in (0, 127, 63.5, 200, -5)] == [-1.0, 2.0, 0.5, 2.0, -1.0]
    turned = Binding("a", "p", in_low=0, in_high=1, out_low=10, out_high=-10)
    assert [turned.mapped(value) for value in (0.0, 0.25, 1.0)] == [10.0, 5.0, -10.0]
    assert turned.mapped(2.0, bounded=False) == -30.0
    assert [turned.pressed(value) for value in (0.4, 0.6)] == [False, True]


def test_encoders_count_both_ways_and_only_those_of_midi():
    assert [ticks("midi/1/cc/20", value) for value in (1, 3, 127, 125)] == [1, 3, -1, -3]
    assert ticks("osc/dial", 127.0) == 127.0
    assert ticks("midi/1/note/60", 127.0) == 127.0


@pytest.mark.parametrize(
    ("address", "ends"),
    [("osc/1/fader1", (0, 1)), ("midi/3/cc/7", (0, 127)), ("midi/1/pitch", (-8192, 8191)), ("pad/0/axis/2", (-1, 1)),
     ("pad/0/button/2", (0, 1)), ("key/A", (0, 1))],
)  # fmt: skip
def test_addresses_have_the_ranges_of_their_kind(address, ends):
    assert source_range(address) == ends


@pytest.mark.parametrize(
    ("address", "parameter", "mode", "ends"),
    [
        ("osc/fader", PSI, "absolute", (-1.0, 2.0)),
        ("osc/fader", X, "absolute", (-3.0, 17.0)),  # 1000 steps around 7
        ("pad/0/axis/0", X, "rate", (-1.0, 1.0)),
        ("pad/0/axis/0", PSI, "absolute", (-1.0, 2.0)),
        ("key/Right", X, "rate", (0.0, 1.0)),
        ("key/P", PSI, "momentary", (-1.0, 2.0)),
        ("midi/1/note/60", ON, "toggle", (0.0, 1.0)),
        ("pad/0/button/1", GO, "momentary", (0.0, 1.0)),
    ],
)
def test_a_suggestion_fits_the_knob_and_the_control(address, parameter, mode, ends):
    binding = suggested(address, parameter)
    assert (binding.mode, binding.out_low, binding.out_high) == (mode, *ends)
    assert (binding.in_low, binding.in_high) == source_range(address)
    check(binding)


def test_a_relative_suggestion_moves_by_a_hundredth():
    binding = suggested("midi/1/cc/20", PSI, "relative")
    assert binding.mapped(1.0, bounded=False) == pytest.approx(0.03)
    assert binding.mapped(-2.0, bounded=False) == pytest.approx(-0.06)


BINDINGS = (Binding("osc/a", "Truncation/psi", "absolute", 0.0, 1.0, -1.0, 2.0), Binding("key/A", "Latent/x", "rate"))


def test_files_come_back_as_they_were(tmp_path: Path):
    path = tmp_path / "new" / "bindings.json"
    mapping.write(path, to_json(BINDINGS))
    assert mapping.read(path) == BINDINGS
    assert [item.name for item in path.parent.iterdir()] == ["bindings.json"]


def wrong(**changes: Any) -> dict[str, Any]:
    values = to_json(BINDINGS)
    values["bindings"][1] |= changes
    return values


WRONG = {
    "no object": ([], "no file of bindings"),
    "another format": ({"format": "x"}, "its format is not 'stylescope-control'"),
    "another version": (to_json(()) | {"version": 9}, "version 9 of the format is not known; this program reads 1"),
    "no list": (to_json(()) | {"bindings": {}}, "must be a list of at most 1000"),
    "too many": (to_json(()) | {"bindings": [{}] * 1001}, "must be a list of at most 1000"),
    "a row of text": (to_json(()) | {"bindings": ["a"]}, "binding 1 is no object"),
    "unknown setting": (wrong(code="import os"), "binding 2 has no setting code"),
    "text for a number": (wrong(in_low="__import__('os')"), 'binding 2: in_low is "__import__.*expected a float'),
    "a truth value for a number": (wrong(in_low=True), "binding 2: in_low is True"),
    "a number for text": (wrong(source=7), "binding 2: source is 7, expected a str"),
    "unknown mode": (wrong(mode="eval"), "no mode 'eval'; choose one of absolute, relative, rate, toggle, momentary"),
    "no way": (wrong(in_low=1.0, in_high=1), "binding 2: .*goes from 1 to itself; give two different ends"),
    "infinite": (wrong(out_high=float("inf")), "binding 2: .*finite"),
    "huge": (wrong(out_high=10**400), "binding 2: int too large"),
    "no source": (wrong(source=""), "needs a source and a parameter"),
    "lacks a source": (to_json(()) | {"bindings": [{"parameter": "p"}]}, "binding 1 lacks its source"),
    "long": (wrong(source="osc/" + "a" * 300), "may have 200 characters"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_in_a_file_is_one_sentence(tmp_path, name):
    values, words = WRONG[name]
    path = tmp_path / "bad.json"
    path.write_text(json.dumps(values))
    with pytest.raises(ControlError, match=words) as caught:
        mapping.read(path)
    assert "bad.json" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_no_json_or_not_there_is_told(tmp_path):
    for content in (b"\xff\xfe\x00", b"{", b"[" * 100_000):
        (tmp_path / "x.json").write_bytes(content)
        with pytest.raises(ControlError, match="is no JSON"):
            mapping.read(tmp_path / "x.json")
    with pytest.raises(ControlError, match="reading failed, No such file"):
        mapping.read(tmp_path / "none.json")
    with pytest.raises(ControlError, match="writing failed"):
        mapping.write(tmp_path / "x.json" / "below", {})
    assert from_json(to_json(())) == ()
