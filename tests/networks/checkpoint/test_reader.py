"""What the reader makes of files that are in order: records, arrays, tensors, plain values."""

import argparse
import collections
import datetime
import io
import pathlib
import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from networks.checkpoint.errors import CheckpointError
from networks.checkpoint.nodes import Opaque, Reference
from networks.checkpoint.reader import ReadCancelled, read_source
from networks.checkpoint.records import ModuleRecord, Source, TFNetwork
from tests.official_layout import Layout, write_stylegan2
from tests.pickle_writer import Made, Name, StorageRef, dumps, legacy, persistent, tensor

REFERENCE = Path(__file__).parents[2] / "data" / "reference"
PROTOCOLS = range(6)
# file: (class of G_ema, number of its tensors, one tensor's key and shape)
MODULES = {
    "stylegan2": ("Generator", 87, "synthesis.b8.conv0.weight", (16, 16, 3, 3)),
    "stylegan2-ada": ("Generator", 87, "synthesis.b32.torgb.affine.bias", (16,)),
    "stylegan2-conditional": ("Generator", 89, "mapping.embed.weight", (32, 5)),
    "stylegan2-resnet": ("Generator", 81, "synthesis.b32.skip.weight", (16, 16, 1, 1)),
    "stylegan3-r": ("Generator", 72, "synthesis.input.freqs", (16, 2)),
    "stylegan3-t": ("Generator", 72, "mapping.w_avg", (32,)),
    "stylegan-xl-stem": ("Generator", 68, "mapping.w_avg", (1000, 32)),
    "stylegan-xl-superres": ("SuperresGenerator", 82, "mapping.embed.weight", (1000, 320)),
    "stylegan-t": ("Generator", 134, "mapping.x_avg", (32,)),
    "stylegan-t-conditional": ("Generator", 134, "synthesis.b8.input.freqs", (16, 2)),
}
NETWORKS = {
    "stylegan1": (3, "G_style", "G_synthesis", "4x4/Const/const"),
    "stylegan1-128-conditional": (3, "G_style", "G_synthesis", "128x128/Conv0_up/weight"),
    "stylegan2-tf": (4, "G_main", "G_synthesis_stylegan2", "4x4/Const/const"),
}


def read(data: bytes | Any, folder: Path, protocol: int = 4) -> Any:
    """The root of a pickle of a value, or of given bytes."""
    path = folder / "file.pkl"
    path.write_bytes(data if isinstance(data, bytes) else dumps(data, protocol))
    return read_source(path).root


def saved(value: Any, folder: Path, **how: Any) -> Source:
    torch.save(value, folder / "file.pt", **how)
    return read_source(folder / "file.pt")


# -- reference files -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MODULES)
def test_reference_modules(name: str) -> None:
    class_name, count, key, shape = MODULES[name]
    source = read_source(REFERENCE / f"{name}.pkl")
    assert source.kind == "pickle"
    assert set(source.root) >= {"G", "D", "G_ema", "training_set_kwargs"}
    record = source.root["G_ema"]
    assert isinstance(record, ModuleRecord)
    assert record.class_name == class_name
    state = dict(record.state())
    assert len(state) == count
    assert tuple(state[key].shape) == shape
    assert all(torch.isfinite(value).all() for value in state.values() if isinstance(value, torch.Tensor))


@pytest.mark.parametrize("name", NETWORKS)
def test_reference_tensorflow_networks(name: str) -> None:
    version, function, synthesis_function, key = NETWORKS[name]
    roots = read_source(REFERENCE / f"{name}.pkl").root
    assert isinstance(roots, tuple)
    network = roots[2]
    assert isinstance(network, TFNetwork)
    assert (network.version, network.build_func_name) == (version, function)
    assert set(network.components) == {"mapping", "synthesis"}
    assert network.components["synthesis"].build_func_name == synthesis_function
    assert network.components["synthesis"].variables[key].dtype == np.float32


def test_every_reference_file_is_in_a_table() -> None:
    assert {path.stem for path in REFERENCE.glob("*.pkl")} == {*MODULES, *NETWORKS}


def test_attributes_and_arguments_are_kept() -> None:
    record = read_source(REFERENCE / "stylegan2-ada.pkl").root["G_ema"]
    assert record.init_kwargs["synthesis_kwargs"] == {"channel_base": 512, "channel_max": 16}
    assert record.attributes["num_ws"] == 8
    layer = record.module("synthesis.b8.conv0")
    assert layer.class_name == "SynthesisLayer"
    assert layer.init_args == (16, 16)
    assert layer.attributes["up"] == 2
    assert not any(name.startswith("_") for name in layer.attributes)


def test_a_class_that_dill_wrote_by_value_becomes_a_record() -> None:
    clip = read_source(REFERENCE / "stylegan-t-conditional.pkl").root["G_ema"].module("mapping.clip")
    assert clip.class_name == "CLIP"
    assert clip.attributes["txt_dim"] == 48


def test_the_hash_is_that_of_the_file() -> None:
    import hashlib

    path = REFERENCE / "stylegan2.pkl"
    assert read_source(path).sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


# -- torch files -----------------------------------------------------------------------------------------------------

TENSORS = {
    str(dtype).removeprefix("torch."): torch.arange(24).reshape(2, 3, 4).to(dtype)
    for dtype in (
        torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16,
        torch.int8, torch.uint8, torch.bool, torch.complex64,
    )
}  # fmt: skip
BASE = torch.arange(24.0)
TENSORS |= {
    "transposed": BASE.reshape(4, 6).T,
    "a part": BASE[5:9],
    "every second": BASE[::2],
    "scalar": torch.tensor(3.0),
    "empty": torch.empty(0, 5),
    "parameter": torch.nn.Parameter(BASE.clone()),
}


@pytest.mark.parametrize("new", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize("name", TENSORS)
def test_torch_tensors(name: str, new: bool, tmp_path: Path) -> None:
    source = saved({"x": TENSORS[name]}, tmp_path, _use_new_zipfile_serialization=new)
    assert source.kind == "torch"
    assert source.root["x"].dtype == TENSORS[name].dtype
    assert torch.equal(source.root["x"], TENSORS[name].detach())
    assert not source.root["x"].requires_grad


@pytest.mark.parametrize("new", [True, False], ids=["zip", "legacy"])
def test_tensors_that_share_memory_do_so_again(new: bool, tmp_path: Path) -> None:
    root = saved({"all": BASE, "part": BASE[3:5]}, tmp_path, _use_new_zipfile_serialization=new).root
    root["all"][4] = 100.0
    assert root["part"].tolist() == [3.0, 100.0]


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_torch_pickle_protocols(protocol: int, tmp_path: Path) -> None:
    root = saved({"x": BASE, "words": ["a", "b"]}, tmp_path, pickle_protocol=protocol).root
    assert torch.equal(root["x"], BASE)
    assert root["words"] == ["a", "b"]


def test_state_dicts_and_whole_modules(tmp_path: Path) -> None:
    network = torch.nn.Sequential(collections.OrderedDict(first=torch.nn.Linear(3, 4, bias=False)))
    root = saved({"state": network.state_dict(), "net": network}, tmp_path).root
    assert list(root["state"]) == ["first.weight"]
    record = root["net"]
    assert (record.class_name, record.module("first").class_name) == ("Sequential", "Linear")
    assert torch.equal(record.module("first").parameters["weight"], network.first.weight.detach())
    assert record.module("first").attributes == {"training": True, "in_features": 3, "out_features": 4}


def test_optimizers_and_settings_beside_the_weights(tmp_path: Path) -> None:
    optimizer = {"state": {0: {"step": 1, "exp_avg": BASE}}, "param_groups": [{"lr": 0.002, "params": [0]}]}
    args = argparse.Namespace(size=256, latent=512, path=pathlib.PurePosixPath("/data/x"))
    value = {"g_optim": optimizer, "args": args, "when": datetime.date(2020, 1, 1)}
    root = saved({**value, "dtype": torch.float16, "size": torch.Size([1, 2])}, tmp_path).root
    assert root["args"] == {"size": 256, "latent": 512, "path": "/data/x"}
    assert root["g_optim"]["param_groups"][0]["lr"] == 0.002
    assert root["when"] == Opaque("datetime.date")
    assert (root["dtype"], root["size"]) == (torch.float16, (1, 2))


def test_old_half_and_view_storages(tmp_path: Path) -> None:
    """Files of torch 0.x say that a storage is a part of another one."""
    data = np.arange(10, dtype=np.float16)
    whole, part = StorageRef("HalfStorage", "7", 10), StorageRef("HalfStorage", "7", 10, ("8", 2, 3))
    root = read(legacy({"whole": whole, "part": part}, {whole: data}), tmp_path)
    assert root["whole"].data.view(torch.float16).tolist() == data.tolist()
    assert root["part"].data.view(torch.float16).tolist() == [2, 3, 4]


def test_a_device_tensor_and_a_subclass(tmp_path: Path) -> None:
    device = Made(
        Name("torch._utils", "_rebuild_device_tensor_from_numpy"),
        (np.arange(3, dtype=np.float32), Name("torch", "bfloat16"), "xla:0", False),
    )
    inner = tensor(np.arange(4, dtype=np.float32))
    typed = Made(
        Name("torch._tensor", "_rebuild_from_type_v2"),
        (inner.name, Name("torch.nn.parameter", "Parameter"), inner.args, {"note": 1}),
    )
    root = read({"device": device, "typed": typed}, tmp_path)
    assert root["device"].dtype == torch.bfloat16
    assert root["device"].tolist() == [0, 1, 2]
    assert root["typed"].tolist() == [0, 1, 2, 3]


# -- plain pickles ---------------------------------------------------------------------------------------------------

ARRAYS = {
    "float32": np.arange(6, dtype=np.float32).reshape(2, 3),
    "large": np.arange(5000, dtype=np.float32),
    "float64 big-endian": np.arange(6, dtype=">f8"),
    "Fortran order": np.asfortranarray(np.arange(6, dtype=np.int32).reshape(2, 3)),
    "axes turned": np.arange(24, dtype=np.int16).reshape(2, 3, 4).transpose(1, 2, 0),
    "bool": np.array([True, False]),
    "scalar": np.array(2.5),
    "empty": np.zeros((0, 4), np.float32),
    "half": np.arange(4, dtype=np.float16),
    "text": np.array(["ab", "c"]),
    "complex": np.array([1 + 2j], np.complex64),
}


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", ARRAYS)
def test_numpy_arrays(name: str, protocol: int, tmp_path: Path) -> None:
    array = read(pickle.dumps(ARRAYS[name], protocol), tmp_path)
    assert array.dtype == ARRAYS[name].dtype.newbyteorder("=")
    assert array.shape == ARRAYS[name].shape
    assert np.array_equal(array, ARRAYS[name])
    assert array.flags.writeable


PLAIN = {
    "numbers": [0, -1, 255, 256, 65536, -(1 << 31), 1 << 40, 1 << 70, 1.5, float("inf"), True, False, None],
    "texts": ["", "a", "ψ σ ×", "line\nbreak", "\ud800", "x" * 300, b"", b"\x00\xff", b"y" * 300],
    "containers": {"a": (1, (2, ()), [3, {}]), 5: {"b": None}, (1, 2): "tuple key", None: 0},
    "sets": [frozenset({1, 2}), frozenset()],
}


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", PLAIN)
def test_plain_values(name: str, protocol: int, tmp_path: Path) -> None:
    assert read(pickle.dumps(PLAIN[name], protocol), tmp_path) == PLAIN[name]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_containers_of_the_standard_library(protocol: int, tmp_path: Path) -> None:
    value = {
        "ordered": collections.OrderedDict(a=1, b=2),
        "default": collections.defaultdict(list, a=[1]),
        "set": {1, 2},
        "array": bytearray(b"abc"),
        "number": np.float32(1.5),
        "complex": 1 + 2j,
        "partial": np.add.reduce,
    }
    del value["partial"]
    assert read(pickle.dumps(value, protocol), tmp_path) == {
        "ordered": {"a": 1, "b": 2},
        "default": {"a": [1]},
        "set": frozenset({1, 2}),
        "array": b"abc",
        "number": 1.5,
        "complex": 1 + 2j,
    }


def test_python_2_strings_are_latin1(tmp_path: Path) -> None:
    """Arrays of Python 2 hold their bytes in strings, short and long ones."""
    short, long = np.arange(3, dtype="<f4"), np.arange(1000, dtype="<f4")
    for array in (short, long):
        raw = array.tobytes()
        code = b"U" + bytes([len(raw)]) if len(raw) < 256 else b"T" + struct.pack("<I", len(raw))
        count = b"M" + struct.pack("<H", array.size)
        body = (
            b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\x00tU\x01btR(K\x01(" + count
            + b"tcnumpy\ndtype\n(U\x02f4K\x00K\x01tR(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tbI00\n"
            + code + raw + b"tb"
        )  # fmt: skip
        assert np.array_equal(read(b"\x80\x02" + body + b".", tmp_path), array)
    assert read(b"\x80\x02U\x03caf" + b"." + b"", tmp_path) == "caf"
    assert read(b"\x80\x02U\x04caf\xe9.", tmp_path) == "café"


def test_easydict_by_call_by_instance_and_with_items(tmp_path: Path) -> None:
    name = Name("dnnlib.util", "EasyDict")
    assert read(Made(name, ({"a": 1},)), tmp_path) == {"a": 1}
    assert read(Made(name, (), {"a": 1}, new=True), tmp_path) == {"a": 1}
    items = dumps(Made(name, (), new=True))[:-1] + b"(\x8c\x01aK\x01u."
    assert read(items, tmp_path) == {"a": 1}


def test_names_stay_names(tmp_path: Path) -> None:
    root = read({"dtype": Name("torch", "float32"), "act": Name("torch.nn.functional", "relu")}, tmp_path)
    assert root == {"dtype": torch.float32, "act": Reference("torch.nn.functional", "relu")}


def test_what_a_generator_does_not_need_is_opaque(tmp_path: Path) -> None:
    state = np.random.default_rng(0)
    root = read({"long": b"x" * 5000, "source": "x" * 300_000, "words": "y" * 3000}, tmp_path)
    assert root == {"long": Opaque("5,000 bytes"), "source": Opaque("300,000 bytes"), "words": "y" * 3000}
    assert isinstance(read(pickle.dumps(state.bit_generator.state), tmp_path), dict)


def test_objects_of_other_packages_beside_the_network_do_not_stop_it(tmp_path: Path) -> None:
    """Enumerations, history buffers and random states lie in training files; none of them is looked up."""
    mode = Made(Name("timm.layers.format", "Format"), ("NCHW",))
    history = Made(Name("mmengine.logging", "HistoryBuffer"), (3,), {"length": 3})
    root = read({"mode": mode, "history": history}, tmp_path)
    assert root["mode"] == Opaque("timm.layers.format.Format")
    assert root["history"] == ModuleRecord("HistoryBuffer", attributes={"length": 3})
    assert read(pickle.dumps(collections.deque([1, 2], 5)), tmp_path) == [1, 2]
    assert read(pickle.dumps(np.random.RandomState(0)), tmp_path) is not None


def test_embedded_source_text_is_nowhere_in_the_records(tmp_path: Path) -> None:
    marker = "raise SystemExit"
    root = read({"G_ema": Layout(8, channel_base=64, channel_max=8, w_dim=8).generator()}, tmp_path)
    assert marker in (tmp_path / "file.pkl").read_bytes().decode("latin1")
    assert marker not in repr(root)


def test_shared_values_are_shared_and_a_module_may_refer_to_its_owner(tmp_path: Path) -> None:
    shared = [1, 2]
    root = read(pickle.dumps({"a": shared, "b": shared}), tmp_path)
    assert root["a"] is root["b"]
    owner = Made(Name("networks.generator", "Block"), (), {"_modules": {}}, new=True)
    child = Made(Name("networks.generator", "Layer"), (), {"size": 3}, new=True)
    owner.state["_modules"]["layer"] = child
    child.state["parent"] = [owner]
    record = read({"net": owner}, tmp_path)["net"]
    assert record.module("layer").attributes == {"size": 3, "parent": Opaque("refers back to its owner")}


def test_parameters_that_are_none_are_left_out(tmp_path: Path) -> None:
    parameters = {"weight": tensor(np.ones(3, np.float32)), "bias": None}
    record = read(persistent("Layer", {"_parameters": parameters, "_modules": {"norm": None}}), tmp_path)
    assert list(record.parameters) == ["weight"]
    assert not record.modules


def test_errors_say_where(tmp_path: Path) -> None:
    bad = Made(
        Name("torch._utils", "_rebuild_tensor_v2"), (tensor(np.ones(3, np.float32)).args[0], 0, (5,), (1,), False)
    )
    root = {"G_ema": persistent("Generator", {"_modules": {"b8": persistent("B", {"_parameters": {"weight": bad}})}})}
    with pytest.raises(CheckpointError, match=r"G_ema\.b8\.weight is damaged: .*size \[5\] needs 5 elements and has 3"):
        read(root, tmp_path)


# -- progress, cancellation, memory ----------------------------------------------------------------------------------


def test_progress_grows_to_one() -> None:
    seen: list[tuple[float, str]] = []
    read_source(REFERENCE / "stylegan2.pkl", progress=lambda fraction, what: seen.append((fraction, what)))
    fractions = [fraction for fraction, _ in seen]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert {what for _, what in seen} == {"reading weights", "checking", "read"}


@pytest.mark.parametrize("after", [1, 2, 50])
def test_cancellation(after: int) -> None:
    asked = 0

    def cancelled() -> bool:
        nonlocal asked
        asked += 1
        return asked >= after

    with pytest.raises(ReadCancelled, match=r"stylegan2\.pkl: opening was cancelled"):
        read_source(REFERENCE / "stylegan2.pkl", cancelled=cancelled)
    assert asked == after


def test_weights_have_memory_of_their_own(tmp_path: Path) -> None:
    """A pickle's weights outlive the file, aligned to 64 bytes as vector instructions like it."""
    path = write_stylegan2(tmp_path / "net.pkl", 8, channel_base=64, channel_max=8, w_dim=8)
    state = dict(read_source(path).root["G_ema"].state())
    path.write_bytes(b"")
    weight = state["synthesis.b8.conv0.weight"]
    assert weight.shape == (8, 8, 3, 3)
    assert weight.data_ptr() % 64 == 0


def test_a_stream_of_pieces_reads_as_one(tmp_path: Path) -> None:
    """An array of more than one piece of 4 MB."""
    array = np.arange(3 << 20, dtype=np.float32)
    buffer = io.BytesIO()
    pickle.dump({"x": array}, buffer)
    assert np.array_equal(read(buffer.getvalue(), tmp_path)["x"], array)
