"""Files that are something else, cut off, changed meanwhile, or a network whose tensors are wrong."""

from __future__ import annotations

import dataclasses
import gzip
import io
import json
import os
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from networks.checkpoint.load import read_checkpoint
from networks.checkpoint.safetensors_format import save_checkpoint, save_safetensors
from tests.networks.checkpoint.hostile.bombs import entry, safetensors
from tests.networks.checkpoint.hostile.cases import OPENS, REFERENCE, add, case, container, small
from tests.official_layout import Layout
from tests.pickle_writer import Made, Name, dumps, parameter, persistent, tensor

CUT_OFF = r"is cut off: .*; download it again"

# -- something else --------------------------------------------------------------------------------------------------

OTHERS: dict[str, tuple[bytes, str]] = {
    "empty.pkl": (b"", r"is empty \(0 bytes\)"),
    "one-byte.pkl": (b"\x80", "none of pickle, torch, or safetensors"),
    "picture.pkl": (b"\x89PNG\r\n\x1a\n" + b"\0" * 100, "is a PNG picture"),
    "photo.pkl": (b"\xff\xd8\xff\xe0" + b"\0" * 100, "is a JPEG picture"),
    "picture.safetensors": (b"RIFF\0\0\0\0WEBPVP8 ", "is a WebP picture"),
    "web-page.pkl": (b"<!DOCTYPE html>\n<html><body>Google Drive: Virus scan warning</body></html>", "is a web page"),
    "web-page-2.pkl": (b"\r\n  <html lang='en'>", "is a web page"),
    "lfs-pointer.pkl": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0123\nsize 381624121\n",
        "is a Git LFS pointer, not the model of 382 MB itself",
    ),
    "notes.pkl": (b"A text that somebody renamed.\n", "is a text document"),
    "settings.pkl": (b'{"resolution": 1024}', "is a JSON or text document"),
    "video.pkl": (b"\0\0\0 ftypisom" + b"\0" * 100, "is a video"),
    "sound.pkl": (b"RIFF\0\0\0\0WAVEfmt ", "is a sound or video file"),
    "document.pkl": (b"%PDF-1.7\n", "is a PDF document"),
    "packed.pkl": (gzip.compress(b"x" * 100), "is a gzip archive; unpack it"),
    "keras.pkl": (b"\x89HDF\r\n\x1a\n" + b"\0" * 100, "is an HDF5 file"),
    "language.pkl": (b"GGUF\3\0\0\0", "is a GGUF language model"),
    "program.pkl": (b"\x7fELF\2\1\1", "is a program"),
    "zeros.pkl": (b"\0" * 4096, "none of pickle, torch, or safetensors"),
    "array.npy": (b"\x93NUMPY\1\0v\0{'descr': '<f4'}", "is a NumPy array; open it as a latent"),
    "newer-protocol.pkl": (b"\x80\x06N.", "none of pickle, torch, or safetensors"),
    "noise.pkl": (np.random.default_rng(0).bytes(4096), "none of pickle, torch, or safetensors"),
    "unknown-opcode.pkl": (b"\x80\x04\xff.", "its pickle makes no sense at byte 3"),
    "only-stop.pkl": (b"\x80\x04.", "its pickle makes no sense"),
}
for _name, (_data, _said) in OTHERS.items():
    case(_name, "no checkpoint", _said)(lambda data=_data: data)  # type: ignore[misc]


@case("latents.npz", "no checkpoint", "is a NumPy archive with w.npy; open it as a latent")
def _npz() -> bytes:
    out = io.BytesIO()
    np.savez(out, w=np.zeros((1, 512)))
    return out.getvalue()


@case("folder.zip", "no checkpoint", "is a zip archive with 2 files and no torch checkpoint")
def _zip() -> bytes:
    import zipfile

    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("readme.txt", "hello")
        archive.writestr("network.pkl", b"")
    return out.getvalue()


@case("list.pkl", "no checkpoint", "no generator of a known family in this file .*holds a list")
def _list() -> Any:
    return [1, 2, 3]


def _folder(folder: Path) -> Path:
    (folder / "a-folder.pkl").mkdir()
    return folder / "a-folder.pkl"


def _loop(folder: Path) -> Path:
    """A link to itself: unreadable for everybody, also for the administrator that tests run as in a container."""
    (folder / "unreadable.pkl").symlink_to(folder / "unreadable.pkl")
    return folder / "unreadable.pkl"


def _pipe(folder: Path) -> Path:
    os.mkfifo(folder / "pipe.pkl")
    return folder / "pipe.pkl"


add("a-folder.pkl", "no checkpoint", "is a folder; open the checkpoint file inside it", _folder)
add("unreadable.pkl", "no checkpoint", "cannot be read", _loop)
add("pipe.pkl", "no checkpoint", "is a pipe or a device", _pipe)
add("absent.pkl", "no checkpoint", "does not exist", lambda folder: folder / "absent.pkl")

# -- another network -------------------------------------------------------------------------------------------------


@case("discriminator.pkl", "another network", "holds a discriminator only; get the file with G_ema")
def _discriminator() -> Any:
    return {"D": Layout(8, channel_base=64, channel_max=8, w_dim=8).discriminator()}


@case("discriminator-alone.pkl", "another network", "holds a discriminator only")
def _discriminator_alone() -> Any:
    return Layout(8, channel_base=64, channel_max=8, w_dim=8).discriminator()


@case("tf-discriminator.pkl", "another network", "discriminator|D_stylegan2")
def _tf_discriminator() -> Any:
    state = {
        "version": 4, "name": "D", "static_kwargs": {}, "components": {}, "variables": [],
        "build_module_src": "", "build_func_name": "D_stylegan2",
    }  # fmt: skip
    return Made(Name("dnnlib.tflib.network", "Network"), (), state, new=True)


def state_dict(case_name: str, said: str, *keys: str) -> None:
    def make() -> bytes:
        out = io.BytesIO()
        torch.save({"state_dict": OrderedDict((key, torch.zeros(2)) for key in keys)}, out)
        return out.getvalue()

    case(case_name, "another network", said)(make)


state_dict("diffusion.ckpt", "a diffusion model", "model.diffusion_model.input_blocks.0.0.weight")
state_dict("autoencoder.ckpt", "an autoencoder", "encoder.conv_in.weight", "post_quant_conv.weight")
state_dict("classifier.pth", "a classifier", "conv1.weight", "layer1.0.conv1.weight", "fc.weight")
state_dict("lora.pt", "a LoRA add-on", "lora_unet_mid.lora_down.weight")
state_dict("unknown.pt", "no generator of a known family in this file", "a.weight", "b.weight")


def _diffusion_safetensors(folder: Path) -> Path:
    save_safetensors({"down_blocks.0.resnets.0.conv1.weight": torch.zeros(4)}, {}, folder / "diffusion.safetensors")
    return folder / "diffusion.safetensors"


add("diffusion.safetensors", "another network", "a diffusion model", _diffusion_safetensors)


@case("optimizer.pt", "another network", "the state of an optimizer")
def _optimizer() -> bytes:
    out = io.BytesIO()
    groups = [{"lr": 0.002, "betas": (0, 0.99), "params": [0]}]
    torch.save({"state": {0: {"step": 1, "exp_avg": torch.zeros(3)}}, "param_groups": groups}, out)
    return out.getvalue()


@case("latent.pt", "another network", r"one array of shape \[1, 14, 512\]; open it as a latent")
def _latent() -> bytes:
    out = io.BytesIO()
    torch.save(torch.zeros(1, 14, 512), out)
    return out.getvalue()


# -- wrong tensors ---------------------------------------------------------------------------------------------------


def edited(name: str, said: str) -> Callable[[Callable[[dict[str, Any]], None]], None]:
    """A small official generator after an edit of the state of its block b8."""

    def register(edit: Callable[[dict[str, Any]], None]) -> None:
        def make() -> Any:
            generator = small()
            synthesis = generator.args[0]["state"]["_modules"]["synthesis"]
            edit(synthesis.args[0]["state"]["_modules"]["b8"].args[0]["state"]["_modules"])
            return container(generator)

        case(name, "wrong tensors", said)(make)

    return register


def parameters_of(made: Any) -> dict[str, Any]:
    return made.args[0]["state"]["_parameters"]


@edited("a-missing-tensor.pkl", r"synthesis\.b8\.conv0\.bias")
def _missing(block: dict[str, Any]) -> None:
    del parameters_of(block["conv0"])["bias"]


@edited("a-missing-layer.pkl", r"synthesis\.b8\.conv0")
def _missing_layer(block: dict[str, Any]) -> None:
    del block["conv0"]


@edited("a-wrong-shape.pkl", r"synthesis\.b8\.conv0\.weight is \[8, 4, 3, 3\], expected \[8, 8, 3, 3\]")
def _wrong_shape(block: dict[str, Any]) -> None:
    parameters_of(block["conv0"])["weight"] = parameter(tensor(np.zeros((8, 4, 3, 3), np.float32)))


@edited("not-a-number.pkl", r"synthesis\.b8\.conv0\.bias holds NaN or infinite values")
def _nan(block: dict[str, Any]) -> None:
    parameters_of(block["conv0"])["bias"] = parameter(tensor(np.full(8, np.nan, np.float32)))


@edited("infinite.pkl", r"synthesis\.b8\.conv0\.weight holds NaN or infinite values")
def _infinite(block: dict[str, Any]) -> None:
    parameters_of(block["conv0"])["weight"] = parameter(tensor(np.full((8, 8, 3, 3), np.inf, np.float32)))


@edited("text-for-a-tensor.pkl", "weight is of type str, expected a tensor")
def _text(block: dict[str, Any]) -> None:
    parameters_of(block["conv0"])["weight"] = "hello"


@edited("number-for-a-module.pkl", "conv0 is of type int, expected a module")
def _number(block: dict[str, Any]) -> None:
    block["conv0"] = 3


@edited("a-surplus-tensor.pkl", OPENS)
def _surplus(block: dict[str, Any]) -> None:
    parameters_of(block["conv0"])["extra"] = parameter(tensor(np.zeros(3, np.float32)))


@edited("text-for-a-number.pkl", r"cannot be understood as stylegan2 \(ValueError: could not convert string to float")
def _text_number(block: dict[str, Any]) -> None:
    block["conv1"].args[0]["state"]["conv_clamp"] = "tight"


@case("no-mapping.pkl", "wrong tensors", "mapping")
def _no_mapping() -> Any:
    generator = small()
    del generator.args[0]["state"]["_modules"]["mapping"]
    return container(generator)


@case("empty-generator.pkl", "wrong tensors", "no generator of a known family")
def _empty_generator() -> Any:
    return container(persistent("Generator", {}))


@case("wrong-python-type.pkl", "wrong tensors", "expected a dict, found int")
def _wrong_type() -> Any:
    return container(persistent("Generator", {"_modules": 3}))


@case("safetensors-wrong-type.safetensors", "wrong tensors", "w has the type 'F99', expected one of F64, F32")
def _safetensors_type() -> bytes:
    return safetensors(entry("w", [1], 0, 4, "F99"), b"\0" * 4)


@case("safetensors-wrong-size.safetensors", "wrong tensors", r"w is \[3\] of F32 and has 4 bytes, expected 12")
def _safetensors_shape() -> bytes:
    return safetensors(entry("w", [3], 0, 4), b"\0" * 4)


@case("safetensors-unknown-family.safetensors", "wrong tensors", "its configuration does not fit family 'stylegan9'")
def _unknown_family() -> bytes:
    return _own_header({"format": "stylescope-generator", "version": 1, "family": "stylegan9", "spec": {}})


@case("safetensors-later-version.safetensors", "wrong tensors", "its StyleScope format is version 2")
def _later_version() -> bytes:
    return _own_header({"format": "stylescope-generator", "version": 2})


@case("safetensors-half-a-spec.safetensors", "wrong tensors", "its configuration does not fit family 'stylegan2'")
def _half_spec() -> bytes:
    spec = {"z_dim": 512}
    return _own_header({"format": "stylescope-generator", "version": 1, "family": "stylegan2", "spec": spec})


def spec_case(name: str, said: str, **odd: Any) -> None:
    """A file in our own format whose configuration has odd values, and no weights."""

    def make() -> bytes:
        spec = {**dataclasses.asdict(read_checkpoint(REFERENCE / "stylegan2.pkl").spec), **odd}
        return _own_header({"format": "stylescope-generator", "version": 1, "family": "stylegan2", "spec": spec})

    case(f"spec-{name}.safetensors", "wrong tensors", said)(make)


spec_case("of-a-billion-pixels", r"resolution = 1,073,741,824, more than 65,536", resolution=[1 << 30, 1 << 30])
spec_case("of-100000-layers", "has 100,000 entries of mapping_features", mapping_features=[8] * 100_000)
spec_case("of-wide-layers", "asks for more than 67,108,864 numbers", mapping_features=[60_000] * 8)
spec_case("that-is-not-a-number", "conv_clamp = inf; the file is damaged", conv_clamp=float("inf"))
spec_case("of-text", "cannot be understood as StyleGAN2", z_dim="many")
spec_case("of-an-unknown-architecture", "StyleGAN2|architecture|missing", architecture="tower")
spec_case("of-nothing", "cannot be understood as StyleGAN2|missing", channels=[], mapping_features=[])
spec_case("with-a-new-setting", "has no setting colour", colour="blue")


def _own_header(header: dict[str, Any]) -> bytes:
    return safetensors(json.dumps({"__metadata__": {"stylescope": json.dumps(header)}}).encode())


# -- changed while it is read ----------------------------------------------------------------------------------------


def _append(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more")


def _replace(path: Path) -> None:
    (path.parent / "new").write_bytes(b"another file")
    (path.parent / "new").replace(path)


def _copy(name: str, suffix: str) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        path = folder / name
        path.write_bytes(WHOLE[suffix][1](folder))
        return path

    return write


CHANGES: dict[str, tuple[Callable[[Path], None], str]] = {
    "grows": (_append, "changed while it was read; wait until the other program has finished"),
    "is-cut": (lambda path: os.truncate(path, 1000), "changed while it was read"),
    "is-emptied": (lambda path: os.truncate(path, 0), "changed while it was read"),
    "is-touched": (lambda path: os.utime(path, ns=(1, 1)), "changed while it was read"),
    "is-replaced": (_replace, OPENS),  # the open file is the old one, whole
    "is-deleted": (Path.unlink, OPENS),
}
for _what, (_during, _said) in CHANGES.items():
    add(f"file-that-{_what}.pkl", "changes", _said, _copy(f"file-that-{_what}.pkl", "nvidia"), _during)
    if _said != OPENS:
        _file = f"file-that-{_what}.safetensors"
        add(_file, "changes", _said, _copy(_file, "own"), _during)

# -- cut off at every tenth ------------------------------------------------------------------------------------------


def _state_dict_bytes(legacy: bool) -> bytes:
    out = io.BytesIO()
    generator = torch.nn.Sequential(torch.nn.Linear(64, 64), torch.nn.Linear(64, 64))
    torch.save({"g_ema": generator.state_dict()}, out, _use_new_zipfile_serialization=not legacy)
    return out.getvalue()


def _own_format(folder: Path) -> bytes:
    save_checkpoint(read_checkpoint(REFERENCE / "stylegan2.pkl"), folder / "whole.safetensors")
    data = (folder / "whole.safetensors").read_bytes()
    (folder / "whole.safetensors").unlink()
    return data


WHOLE: dict[str, tuple[str, Callable[[Path], bytes]]] = {
    "nvidia": ("pkl", lambda _: (REFERENCE / "stylegan2-ada.pkl").read_bytes()),
    "tf": ("pkl", lambda _: (REFERENCE / "stylegan1.pkl").read_bytes()),
    "dill": ("pkl", lambda _: (REFERENCE / "stylegan-t-conditional.pkl").read_bytes()),
    "latin1": ("pkl", lambda _: dumps({"G_ema": small()}, 2)),
    "zip": ("pt", lambda _: _state_dict_bytes(legacy=False)),
    "legacy": ("pt", lambda _: _state_dict_bytes(legacy=True)),
    "own": ("safetensors", _own_format),
}


def _cut(name: str, whole: Callable[[Path], bytes], tenths: int) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        data = whole(folder)
        path = folder / name
        path.write_bytes(data[: len(data) * tenths // 10])
        return path

    return write


for _kind, (_suffix, _whole) in WHOLE.items():
    for _tenths in range(1, 10):
        _file = f"{_kind}-{_tenths}0-percent.{_suffix}"
        add(_file, "cut off", CUT_OFF, _cut(_file, _whole, _tenths))
