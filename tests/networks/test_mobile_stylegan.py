"""MobileStyleGAN on its real weights, which the test requirements install (package `random-face`, never imported)."""

import random
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from networks.checkpoint import load, openvino
from networks.checkpoint.errors import CheckpointError
from networks.checkpoint.faces import FACES_HINT, find_faces
from networks.checkpoint.folders import MAPPING, SYNTHESIS
from networks.checkpoint.importers.openvino import openvino as import_openvino
from networks.checkpoint.openvino import IRGraph, read_graph, read_openvino
from networks.checkpoint.records import Source
from networks.mobile_stylegan import MobileStyleGANSpec, inverse_haar, low_band
from networks.plan import Intervention, LayerNoise, Noise
from networks.registry import get
from networks.taps import Taps

REFERENCE = Path(__file__).parents[1] / "data" / "reference" / "mobilestylegan-ffhq1024.npz"
TINY = MobileStyleGANSpec(
    z_dim=16, c_dim=0, w_dim=16, resolution=(32, 32), img_channels=3, channels=(32, 16, 16), mapping_features=(16, 16)
)


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    folder = find_faces()
    assert folder is not None, FACES_HINT
    generator, checkpoint = load.load(folder, cache=tmp_path_factory.mktemp("cache"))
    return generator, checkpoint


@pytest.fixture(scope="module")
def reference():
    with np.load(REFERENCE) as data:
        return {key: data[key] for key in data.files}


def tiny(seed=0):
    generator = get("mobile_stylegan").build(TINY)
    generator.init_weights(seed)
    for module in generator.synthesis.modules():
        if hasattr(module, "noise_strength"):
            module.noise_strength.data.fill_(0.5)
    return generator


def test_faces_agree_with_openvino(faces, reference):
    generator, _ = faces
    ws = torch.from_numpy(reference["w"])[:, None].repeat(1, generator.num_ws, 1)
    image = generator.synthesize(ws)[0].numpy()
    assert image.shape == (3, 1024, 1024)
    assert np.abs(image[:, 384:640, 384:640] - reference["crop"]).max() < 2e-5
    assert abs(image.mean() - reference["mean"]) < 1e-6
    assert abs(image.std() - reference["std"]) < 1e-6


@torch.inference_mode()
@pytest.mark.parametrize(("height", "least_db"), [(512, 29.0), (256, 25.0), (128, 21.0)])
def test_early_faces_are_the_full_ones_reduced(faces, reference, height, least_db):
    generator, _ = faces
    ws = torch.from_numpy(reference["w"])[:, None].repeat(1, generator.num_ws, 1)
    early = generator.synthesize(ws, Taps(stop_at=height))
    assert early.shape == (1, 3, height, height)
    reduced = torch.nn.functional.avg_pool2d(generator.synthesize(ws), 1024 // height)
    error = (early.clamp(-1, 1) - reduced.clamp(-1, 1)).square().mean()
    assert 10 * torch.log10(4 / error) > least_db


@torch.inference_mode()
def test_the_low_band_is_the_mean_of_squares_of_the_inverse_transform():
    stream = torch.Generator().manual_seed(0)
    x, style = torch.randn(2, 12, 3, 5, generator=stream), torch.randn(2, 12, generator=stream)
    whole = inverse_haar(x, style)
    squares = whole.reshape(2, 3, 3, 2, 5, 2).mean(dim=(3, 5))
    torch.testing.assert_close(low_band(x, style), squares)


@torch.inference_mode()
def test_an_early_picture_shows_styles_noise_and_edits_of_the_layers_it_approximates():
    generator = tiny()
    ws = generator.map(torch.randn(1, 16, generator=torch.Generator().manual_seed(0)))
    last = generator.layers[-2].name
    early = generator.synthesize(ws, Taps(stop_at=16))
    other = ws.clone()
    other[:, generator.layers[-1].w_index] += 1.0
    quiet = Noise(layers=(LayerNoise(last, on=False),))
    edit = Intervention(last, "scale", 0.0, (0, 1))
    for changed in (
        generator.synthesize(other, Taps(stop_at=16)),
        generator.synthesize(ws, Taps(stop_at=16), quiet),
        generator.synthesize(ws, Taps(stop_at=16, edits=(edit,))),
    ):
        assert changed.shape == (1, 3, 16, 16)
        assert (changed - early).abs().max() > 1e-3


def test_faces_truncation_pulls_towards_the_estimated_centre(faces, reference):
    generator, checkpoint = faces
    assert not checkpoint.w_avg_known
    centre = generator.mapping.w_avg
    assert abs(float(centre.norm()) - 4.12) < 0.03
    # w = centre + 0.7 (mapping(z) - centre) was made with another estimate of the same centre
    w = generator.map(torch.from_numpy(reference["z"]), psi=0.7)
    assert w.shape == (1, 23, 512)
    assert np.abs(w[:, 0].numpy() - reference["w"]).max() < 0.02


def test_faces_layer_table(faces):
    generator, checkpoint = faces
    rows = [(info.name, info.kind, info.size[0], info.channels, info.w_index) for info in generator.layers]
    assert len(rows) == 24
    assert rows[:5] == [
        ("input", "const", 4, 512, None),
        ("conv1", "conv", 4, 512, 0),
        ("layers.0.up", "wavelet", 8, 128, 1),
        ("layers.0.conv1", "conv", 8, 512, 1),
        ("layers.0.conv2", "conv", 8, 512, 2),
    ]
    assert rows[-2:] == [("layers.6.conv2", "conv", 512, 64, 20), ("layers.6.to_img", "torgb", 512, 12, 21)]
    assert generator.num_ws == 23
    assert generator.preview_sizes == (128, 256, 512, 1024)
    assert checkpoint.format == "openvino"
    assert "non-commercial" in checkpoint.notes[0]
    assert load.surplus(checkpoint, generator) == ()


def test_baked_noise_is_a_unit_map_times_a_strength(faces):
    generator, _ = faces
    strengths = {}
    for info in generator.layers:
        if info.has_noise:
            layer = generator.synthesis.get_submodule(info.name)
            assert layer.noise_const.shape == info.size
            assert abs(float(layer.noise_const.std(correction=0)) - 1) < 1e-4
            strengths[info.name] = float(layer.noise_strength)
    assert len(strengths) == 15
    assert 0 < min(strengths.values()) < max(strengths.values()) < 2


@pytest.mark.parametrize("name", ["file", "folder", "package"])
def test_any_of_the_paths_names_the_model(name):
    package = find_faces()
    path = {"file": package / "data" / MAPPING, "folder": package / "data", "package": package}[name]
    assert set(read_openvino(path).root) == {"mapping", "synthesis"}
    assert read_openvino(REFERENCE) is None


def test_package_is_found_without_importing_it():
    code = (
        "import sys; from networks.checkpoint.faces import find_faces\n"
        "assert find_faces(); print('random_face' in sys.modules)"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_inverse_haar_of_one_pixel():
    x = torch.tensor([2.0, 20.0, 0.2, 0.4, 0.6, 2.0, 4.0, 6.0])  # low of two channels, then three details of each
    y = inverse_haar(x[None, :, None, None])
    # half of low+v+h+d, low+v-h-d / low-v+h-d, low-v-h+d
    assert torch.allclose(y[0, 0], torch.tensor([[1.6, 0.6], [0.8, 1.0]]))
    assert torch.allclose(y[0, 1], torch.tensor([[16.0, 6.0], [8.0, 10.0]]))


def test_inverse_haar_keeps_energy():
    x = torch.randn(2, 12, 8, 8, generator=torch.Generator().manual_seed(0))
    assert float(inverse_haar(x).square().sum()) == pytest.approx(float(x.square().sum()), rel=1e-5)


def test_a_batch_gives_the_same_pictures_as_one_by_one():
    generator = tiny()
    ws = generator.map(torch.randn(3, 16, generator=torch.Generator().manual_seed(1)))
    batch = generator.synthesize(ws)
    single = torch.cat([generator.synthesize(ws[i : i + 1]) for i in range(3)])
    assert batch.shape == (3, 3, 32, 32)
    assert torch.allclose(batch, single, atol=1e-5 * float(single.abs().max()))


def test_noise_of_one_layer():
    generator = tiny()
    ws = generator.map(torch.ones(1, 16))
    images = {
        "const": generator.synthesize(ws),
        "none": generator.synthesize(ws, noise=Noise("none")),
        "off": generator.synthesize(ws, noise=Noise(layers=(LayerNoise("layers.1.conv2", on=False),))),
        "double": generator.synthesize(ws, noise=Noise(layers=(LayerNoise("layers.1.conv2", strength=2.0),))),
        "random": generator.synthesize(ws, noise=Noise("random", seed=3)),
    }
    keys = list(images)
    for i, a in enumerate(keys):
        for b in keys[i + 1 :]:
            assert float((images[a] - images[b]).abs().max()) > 1e-3, (a, b)
    assert torch.equal(images["random"], generator.synthesize(ws, noise=Noise("random", seed=3)))


def test_taps_see_every_layer_and_change_nothing():
    generator = tiny()
    ws = generator.map(torch.ones(2, 16))
    taps = Taps(capture=[(info.name, "output") for info in generator.layers])
    assert torch.equal(generator.synthesize(ws, taps), generator.synthesize(ws))
    for info in generator.layers:
        assert taps.captured[info.name, "output"].shape == (2, info.channels, *info.size), info.name
        assert (info.name in taps.styles) == (info.w_index is not None)
        if info.w_index is not None:
            assert taps.styles[info.name].shape == (2, info.style_dim)


def test_captured_maps_are_not_overwritten_by_later_layers():
    generator = tiny()
    ws = generator.map(torch.ones(1, 16))
    everything = Taps(capture=[(info.name, "output") for info in generator.layers])
    generator.synthesize(ws, everything)
    for info in generator.layers:
        alone = Taps(capture=[(info.name, "output")], edits=[Intervention("layers.1.to_img", "scale", 0.0)])
        generator.synthesize(ws, alone)
        if info.name != "layers.1.to_img":
            assert torch.equal(alone.captured[info.name, "output"], everything.captured[info.name, "output"])


def test_gradients_reach_ws():
    generator = tiny()
    ws = generator.map(torch.ones(1, 16)).requires_grad_()
    generator.synthesize(ws).square().mean().backward()
    used = ws.grad.abs().amax(dim=(0, 2)) > 0
    assert used.tolist() == [True, True, True, False, True, True, True, False]  # rows of the training heads are unused


@pytest.fixture
def broken(tmp_path):
    """A copy of the mapping network (the small one) beside an empty synthesis, to damage."""
    for name in (MAPPING, "MappingNetwork.bin"):
        shutil.copy(find_faces() / "data" / name, tmp_path / name)
    (tmp_path / SYNTHESIS).write_text("<net name='x' version='10'><layers/><edges/></net>")
    (tmp_path / "SynthesisNetwork.bin").write_bytes(b"")
    return tmp_path


def damage(folder, how):
    text = (folder / MAPPING).read_text()
    if how == "doctype":
        bomb = '<!DOCTYPE net [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;&a;">]>'
        (folder / MAPPING).write_text(text.replace("<net", bomb + "<net", 1))
    elif how == "cut":
        (folder / MAPPING).write_text(text[: len(text) // 2])
    elif how == "html":
        (folder / MAPPING).write_text("<html><body/></html>")
    elif how == "size":
        (folder / MAPPING).write_text(text.replace('size="1048576"', 'size="1048580"', 1))
    elif how == "edge":
        (folder / MAPPING).write_text(text.replace('from-layer="0"', 'from-layer="7000"', 1))
    elif how == "slope":
        data = bytearray((folder / "MappingNetwork.bin").read_bytes())
        data[1050664:1050668] = np.float32(0.3).tobytes()
        (folder / "MappingNetwork.bin").write_bytes(data)
    elif how == "weights":
        (folder / "MappingNetwork.bin").write_bytes((folder / "MappingNetwork.bin").read_bytes()[:-1000])
    elif how == "no weights":
        (folder / "MappingNetwork.bin").unlink()
    elif how == "one":
        (folder / SYNTHESIS).unlink()


@pytest.mark.parametrize(
    ("how", "sentence"),
    [
        ("doctype", "declares a document type"),
        ("cut", "broken XML"),
        ("html", "not an OpenVINO network"),
        ("size", "has 1048580 bytes for shape"),
        ("edge", "<edge> is not as OpenVINO writes it"),
        ("slope", "holds 0.3, expected 0.2"),
        ("weights", "is the file complete"),
        ("no weights", "MappingNetwork.bin, are missing"),
        ("one", "SynthesisNetwork.xml is missing"),
        ("nothing", "no node 'm.input.input'"),
    ],
)
def test_broken_files_say_what_is_wrong(broken, how, sentence):
    damage(broken, how)
    with pytest.raises(CheckpointError, match=sentence):
        load.read_checkpoint(broken)


@pytest.mark.parametrize(
    ("limit", "value", "sentence"),
    [("MAX_XML_BYTES", 1000, "no generator's graph has more than 1000"), ("MAX_ELEMENTS", 50, "more than 50 XML")],
)
def test_graphs_are_bounded(broken, monkeypatch, limit, value, sentence):
    monkeypatch.setattr(openvino, limit, value)
    with pytest.raises(CheckpointError, match=sentence):
        read_graph(broken / MAPPING)


def test_constants_are_not_read_before_they_are_checked(broken):
    graph = read_graph(broken / MAPPING)
    node = next(layer for layer in graph.layers.values() if layer.type == "Const")
    node.data = {"element_type": "f32", "shape": "1000000, 1000000", "offset": "0", "size": "4000000000000"}
    with pytest.raises(CheckpointError, match="ends at 4000000000000"):
        graph.constant(node)


def test_damaged_graphs_are_refused_or_read_but_never_crash():
    """40 graphs with a few nodes retyped, rewired or pointed at other bytes, from a fixed seed."""
    source, draw, refused = read_openvino(find_faces()), random.Random(1), 0
    for _ in range(40):
        graphs = {}
        for name, graph in source.root.items():
            layers = {key: replace(layer, inputs=dict(layer.inputs)) for key, layer in graph.layers.items()}
            for _ in range(draw.choice([1, 2, 5])):
                layer, other = draw.choice(list(layers.values())), draw.choice(list(layers.values()))
                layer.type = draw.choice([layer.type, "Const", "Reshape", "Add", "Multiply"])
                layer.inputs = {port: draw.choice([key, key, other.id, layer.id]) for port, key in layer.inputs.items()}
                layer.data = draw.choice([layer.data, other.data, {**layer.data, "shape": "1, 512"}])
            graphs[name] = IRGraph(graph.path, layers, graph.weights, graph.digest)
        try:
            import_openvino(Source(source.path, "openvino", graphs))
        except CheckpointError:
            refused += 1
    assert refused > 20
