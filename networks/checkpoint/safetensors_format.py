"""safetensors: 8 bytes with the length of a JSON header, the header, then the tensors. Ours and everybody's.

Reading maps the file (private, copy on write), so that opening costs no copy. Writing goes to a temporary file beside
the target and then takes its name, so that a half-written file is never seen and a mapped one never changes.

A StyleScope checkpoint keeps one JSON text under the metadata key `stylescope`; see `describe_checkpoint`.
"""

from __future__ import annotations

import dataclasses
import json
import math
import mmap
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, TypeGuard

import numpy as np
import torch
from torch import Tensor

from networks.checkpoint.errors import CheckpointError
from networks.checkpoint.records import Array, Checkpoint
from networks.checkpoint.window import Window

METADATA_KEY = "stylescope"
FORMAT_NAME, FORMAT_VERSION = "stylescope-generator", 1
LICENCE_NOTE = "The weights keep the licence of the file that they come from."
MAX_HEADER = 16 << 20  # bytes of JSON; a StyleGAN has about 20 KB
MAX_DIMS = 16
ALIGNMENT = 64  # bytes; tensors start at multiples of it
DTYPES: dict[str, torch.dtype] = {
    "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16,
    "I64": torch.int64, "I32": torch.int32, "I16": torch.int16, "I8": torch.int8, "U8": torch.uint8,
    "BOOL": torch.bool, "F8_E4M3": torch.float8_e4m3fn, "F8_E5M2": torch.float8_e5m2,
}  # fmt: skip
CODES = {dtype: code for code, dtype in DTYPES.items()}


# -- reading ---------------------------------------------------------------------------------------------------------


def read_safetensors(window: Window) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return the tensors (mapped) and the metadata; raises CheckpointError where header and file disagree."""
    length = int.from_bytes(window.read(0, 8), "little")
    if length > MAX_HEADER:
        raise window.job.error(f"says that its header is {length:,} bytes, a checkpoint has at most {MAX_HEADER:,}")
    header = _parse(window, window.read(8, length))
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict):
        raise window.job.error("is damaged: its metadata is no list of texts; download it again")
    memory = window.map()
    start = 8 + length
    tensors = {name: _tensor(window, memory, start, name, entry) for name, entry in header.items()}
    window.job.advance(window.length - start, "mapping weights")
    return tensors, {str(key): str(value) for key, value in metadata.items()}


def _parse(window: Window, text: bytes) -> dict[str, Any]:
    try:
        header = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise window.job.error("is damaged: its safetensors header is no JSON; download it again") from error
    if not isinstance(header, dict):
        raise window.job.error("is damaged: its safetensors header is no table of tensors; download it again")
    return header


def _tensor(window: Window, memory: mmap.mmap, start: int, name: str, entry: Any) -> Tensor:
    dtype, shape, begin, end = _entry(window, name, entry)
    window.job.spend_array(end - begin)
    window.sub(start + begin, end - begin)  # bounds
    count = math.prod(shape)
    if not count:
        return torch.empty(shape, dtype=dtype)
    if (start + begin) % dtype.itemsize:  # nobody writes these, but the format does not forbid them
        raw = np.frombuffer(memory, np.uint8, end - begin, start + begin).copy()
        return torch.from_numpy(raw).view(dtype).reshape(shape)
    return torch.frombuffer(memory, dtype=dtype, count=count, offset=start + begin).reshape(shape)


def _entry(window: Window, name: str, entry: Any) -> tuple[torch.dtype, tuple[int, ...], int, int]:
    """(dtype, shape, begin, end) of a header entry; raises CheckpointError where they disagree."""
    fields = entry if isinstance(entry, dict) else {}
    code, shape, place = fields.get("dtype"), fields.get("shape"), fields.get("data_offsets")
    dtype = DTYPES.get(code) if isinstance(code, str) else None
    if dtype is None:
        raise window.job.error(f"{name[:80]} has the type {str(code)[:20]!r}, expected one of {', '.join(DTYPES)}")
    if not _are_sizes(shape, MAX_DIMS) or not _are_sizes(place, 2) or len(place) != 2:
        raise window.job.error(f"{name[:80]} has no proper shape and place in the file; download it again")
    begin, end = place
    if math.prod(shape) * dtype.itemsize != end - begin:
        raise window.job.error(
            f"{name[:80]} is {shape} of {code} and has {end - begin:,} bytes,"
            f" expected {math.prod(shape) * dtype.itemsize:,}; it is damaged"
        )
    return dtype, tuple(shape), begin, end


def _are_sizes(values: Any, most: int) -> TypeGuard[list[int]]:
    return isinstance(values, list) and len(values) <= most and all(type(n) is int and 0 <= n < 1 << 48 for n in values)


# -- writing ---------------------------------------------------------------------------------------------------------


def save_checkpoint(checkpoint: Checkpoint, out: Path) -> None:
    """Write a checkpoint in our own format. The target is replaced in one step, or not touched at all.

    Raises CheckpointError when the disk refuses.
    """
    state = {name: _as_tensor(array) for name, array in sorted(checkpoint.state.items())}
    metadata = {METADATA_KEY: json.dumps(describe_checkpoint(checkpoint))}
    save_safetensors(state, metadata, out)


def describe_checkpoint(checkpoint: Checkpoint) -> dict[str, Any]:
    """The JSON beside the weights: format and version, family, spec, where they come from, licence."""
    return {
        "format": FORMAT_NAME,
        "version": FORMAT_VERSION,
        "family": checkpoint.family,
        "spec": dataclasses.asdict(checkpoint.spec),
        "source": {"name": checkpoint.path.name, "format": checkpoint.format, "sha256": checkpoint.sha256},
        "notes": list(checkpoint.notes),
        "w_avg_known": checkpoint.w_avg_known,
        "licence": LICENCE_NOTE,
    }


def save_safetensors(state: Mapping[str, Tensor], metadata: Mapping[str, str], out: Path) -> None:
    """Write tensors and text metadata as safetensors, atomically."""
    out = Path(out)
    for name, tensor in state.items():
        if tensor.dtype not in CODES:
            kind = str(tensor.dtype).removeprefix("torch.")
            raise CheckpointError(f"{out.name}: {name} is {kind}, which safetensors cannot hold; convert it first")
    try:
        descriptor, temporary = tempfile.mkstemp(dir=out.parent, prefix=f".{out.name}.")
        try:
            with os.fdopen(descriptor, "wb") as file:
                _write(file, state, metadata)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(temporary, 0o644)
            os.replace(temporary, out)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise CheckpointError(
            f"{out.name} cannot be written in {out.parent} ({reason}); choose another folder"
        ) from error


def _write(file: BinaryIO, state: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    header: dict[str, Any] = {"__metadata__": dict(metadata)}
    at = 0
    for name, tensor in state.items():
        size = tensor.numel() * tensor.element_size()
        header[name] = {"dtype": CODES[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    text += b" " * (-(8 + len(text)) % ALIGNMENT)
    file.write(len(text).to_bytes(8, "little") + text)
    for tensor in state.values():
        file.write(tensor.reshape(-1).view(torch.uint8).numpy().data)


def _as_tensor(array: Array) -> Tensor:
    tensor = torch.from_numpy(np.require(array, requirements=("C", "W"))) if isinstance(array, np.ndarray) else array
    return tensor.detach().cpu().contiguous()
