"""The negative control and the export, with real models: the numbers of the live measure and of the command."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from app.commands import main
from app.diagnostics import droplet_control, droplet_export
from app.errors import InputError
from app.renderer import Renderer
from app.request import Latent, Mix, Model, RenderRequest, Truncation, View
from app.studies.droplet_control import DropletControl
from app.studies.droplet_export import DropletExport
from app.studies.droplets import DropletMeasure, DropletSearch
from networks.plan import Intervention
from tests.app.whole_app import REFERENCE

SG1, SG2 = str(REFERENCE / "stylegan1.pkl"), str(REFERENCE / "stylegan2.pkl")
HERE = RenderRequest(Model(SG1, "cpu"), Latent(((7, 1.0),)), truncation=Truncation(0.7))


def last(steps):
    """The last update of a study."""
    *_, update = steps
    return update


def test_the_control_is_what_the_other_model_shows_when_it_is_opened_at_that_seed():
    renderer, other = Renderer(), Model(SG2, "cpu")
    asked = replace(HERE, view=View("b8.conv0"), mix=Mix(3, (1, 2)), edits=(Intervention("b4.conv0", "scale", 0.0),))
    answer = last(droplet_control.run(DropletControl(asked, other), renderer)).answer
    frame = renderer.render(replace(HERE, model=other, measures=(DropletMeasure(),)))
    direct = frame.answer(DropletMeasure)
    assert answer.model.family == "stylegan2"
    assert answer.report.verdict.text == direct.verdict.text
    ratios = [row.ratio for row in answer.report.layers]
    assert ratios == pytest.approx([row.ratio for row in direct.layers], rel=1e-5)
    assert len(set(ratios)) == len(ratios) == 7
    assert np.array_equal(answer.picture, frame.picture)
    assert {row.stage for row in answer.report.layers} == {"output"}


def test_opening_is_a_step_of_its_own_that_names_the_file():
    steps = droplet_control.run(DropletControl(HERE, Model(SG2, "cpu")), Renderer())
    assert [update.text for update in steps] == ["opening stylegan2.pkl", "drawing stylegan2.pkl", "done"]


def test_a_latent_file_means_nothing_to_another_model():
    asked = replace(HERE, latent=Latent.of_file("/latents/w.npy"))
    with pytest.raises(InputError, match=r"w\.npy is a point in the W of one model.*choose a seed"):
        last(droplet_control.run(DropletControl(asked, Model(SG2, "cpu")), Renderer()))


def test_the_export_is_byte_for_byte_what_the_command_writes(tmp_path):
    from app.diagnostics import droplets

    renderer = Renderer()
    ours, theirs = tmp_path / "panel.csv", tmp_path / "command.csv"
    rows = last(droplets.run(DropletSearch(HERE, (0, 1, 5)), renderer)).answer.rows
    update = last(droplet_export.run(DropletExport(HERE, rows, str(ours)), renderer))
    assert update.text == f"3 seeds written to {ours}."
    options = ["--seeds", "0,1,5", "--psi", "0.7", "--csv", str(theirs), "--device", "cpu"]
    assert main(["droplets", SG1, *options], pytest.fail) == 0
    assert ours.read_bytes() == theirs.read_bytes()
    again = last(droplet_export.run(DropletExport(HERE, rows, str(ours)), renderer))
    assert again.text == f"0 seeds written to {ours}; 3 were there already."
    assert ours.read_bytes() == theirs.read_bytes()


def test_the_export_does_not_touch_a_file_of_other_settings(tmp_path):
    renderer, path = Renderer(), tmp_path / "a.csv"
    last(droplet_export.run(DropletExport(HERE, (), str(path)), renderer))
    before = path.read_bytes()
    path.write_text("my,notes\n1,2\n")
    with pytest.raises(InputError, match="is no file of droplet measures"):
        last(droplet_export.run(DropletExport(HERE, (), str(path)), renderer))
    assert path.read_text() == "my,notes\n1,2\n"
    assert before.startswith(b"seed,flag,strength,")
