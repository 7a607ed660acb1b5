"""Files that are small, or valid, and want more memory or time than the machine has."""

from __future__ import annotations

import json
import pickle
import struct
import zipfile
from typing import Any

import numpy as np

from tests.networks.checkpoint.hostile.cases import call, case, container, torch_zip
from tests.pickle_writer import Made, Name, StorageRef, dumps, legacy, storage

MANY = 10_000_000
OPERATIONS = "has more than 500,000 pickle operations"
CUT_OFF = "is cut off"
TOO_MANY_BYTES = "promises arrays of"


def proto(body: bytes) -> bytes:
    return b"\x80\x04" + body + b"."


@case("bytes-of-8-exabytes.pkl", "bombs", CUT_OFF)
def _huge_bytes() -> bytes:
    return proto(b"\x8e" + struct.pack("<Q", 1 << 63))


@case("bytearray-of-8-exabytes.pkl", "bombs", CUT_OFF)
def _huge_bytearray() -> bytes:
    return b"\x80\x05\x96" + struct.pack("<Q", (1 << 63) - 1) + b"."


@case("text-of-4-gigabytes.pkl", "bombs", CUT_OFF)
def _huge_text() -> bytes:
    return proto(b"X\xff\xff\xff\xff")


@case("frame-of-1-terabyte.pkl", "bombs", CUT_OFF)
def _huge_frame() -> bytes:
    return proto(b"\x95" + struct.pack("<Q", 1 << 40))


@case("integer-of-2-gigabytes.pkl", "bombs", "an integer of 2,147,483,647 bytes")
def _huge_long() -> bytes:
    return proto(b"\x8b\xff\xff\xff\x7f")


@case("integer-of-a-million-digits.pkl", "bombs", "a line of text has no end")
def _long_line() -> bytes:
    return b"\x80\x00L" + b"9" * 1_000_000 + b"L\n."


@case("integer-of-5000-digits.pkl", "bombs", "an integer of 5,000 digits")
def _long_digits() -> bytes:
    return b"(I" + b"9" * 5000 + b"\nt."


@case("a-line-without-end.pkl", "bombs", "a line of text has no end")
def _endless_line() -> bytes:
    return b"(cos" + b"x" * 4_000_000


@case("ten-million-lists.pkl", "bombs", OPERATIONS)
def _lists() -> bytes:
    return proto(b"(" + b"]" * MANY + b"l")


@case("ten-million-sets-in-the-memo.pkl", "bombs", OPERATIONS)
def _memo() -> bytes:
    return proto(b"\x8f\x94" * MANY)


@case("memo-at-4-billion.pkl", "bombs", "no generator of a known family")
def _memo_index() -> bytes:
    return proto(b"]" + b"".join(b"r" + struct.pack("<I", 0xFFFFFFFF - i) for i in range(1000)))


@case("ten-million-marks.pkl", "bombs", OPERATIONS)
def _marks() -> bytes:
    return proto(b"(" * MANY)


@case("ten-million-copies.pkl", "bombs", OPERATIONS)
def _dup() -> bytes:
    return proto(b"]" + b"2" * MANY)


@case("a-million-lines.pkl", "bombs", OPERATIONS)
def _lines() -> bytes:
    return b"(" + b"I1\n" * 1_100_000 + b"t."


@case("text-of-64-megabytes.pkl", "bombs", "has more than 32 MiB of text in it")
def _texts() -> bytes:
    return proto(b"(" + (b"X\x00\x00\x04\x00" + "𝔤".encode() * (1 << 16)) * 256 + b"l")


@case("tuples-in-tuples-doubling.pkl", "bombs", "values by referring to itself|nested more than")
def _doubling() -> bytes:
    return proto(b"]" + b"2\x86" * 90)


@case("lists-doubling.pkl", "bombs", "values by referring to itself")
def _doubling_lists() -> bytes:
    value: list[Any] = []
    for _ in range(60):
        value = [value, value]
    return pickle.dumps(value)


@case("doubling-as-a-dict-key.pkl", "bombs", "tuple is no key of a dict")
def _doubling_key() -> bytes:
    return proto(b"})" + b"2\x86" * 90 + b"Ns")


@case("doubling-in-a-set.pkl", "bombs", "values by referring to itself|nested more than")
def _doubling_set() -> bytes:
    return proto(b"\x8f()" + b"2\x86" * 90 + b"\x90")


@case("integers-that-collide.pkl", "bombs", "int is no key of a dict")
def _collisions() -> bytes:
    keys = (pickle.dumps(i * ((1 << 61) - 1), 2)[2:-1] + b"N" for i in range(8, 20_000))
    return proto(b"}(" + b"".join(keys) + b"u")


@case("nested-a-million-deep.pkl", "bombs", OPERATIONS)
def _deep() -> bytes:
    return proto(b"]" + b"\x85" * MANY)


@case("nested-100000-deep.pkl", "bombs", "is nested more than 100 levels deep")
def _deep_lists() -> bytes:
    return proto(b"]" * 100_000 + b"a" * 99_999)


@case("modules-nested-500-deep.pkl", "bombs", "is nested more than 100 levels deep")
def _deep_modules() -> bytes:
    start = dumps(Name("networks.generator", "Block"))[2 + 9 : -1]  # without PROTO and FRAME
    open_module = start + b")\x81}\x8c\x08_modules}\x8c\x01x"
    return proto(open_module * 500 + b"N" + b"ssb" * 500)


@case("a-list-in-itself.pkl", "bombs", "contains itself")
def _cycle() -> bytes:
    return proto(b"]\x94h\x00a")


@case("a-module-in-itself.pkl", "bombs", "contains itself")
def _module_cycle() -> bytes:
    block = dumps(Name("networks.generator", "Block"))[2 + 9 : -1]
    return proto(block + b")\x81q\x09}\x8c\x08_modules}\x8c\x01xh\x09ssb")


@case("numpy-shape-of-a-terabyte.pkl", "bombs", "needs 1,099,511,627,776 bytes and has 4")
def _numpy_shape() -> Any:
    return array((1 << 38,), b"\0\0\0\0")


@case("numpy-shape-of-strings-of-no-length.pkl", "bombs", "is not for numbers")
def _numpy_empty_items() -> Any:
    return array((1 << 40,), b"", "S0")


@case("numpy-shape-that-overflows.pkl", "bombs", "needs [0-9,]+ bytes and has 0")
def _numpy_overflow() -> Any:
    return array((1 << 33, 1 << 33), b"")


@case("numpy-negative-shape.pkl", "bombs", "an array has the shape")
def _numpy_negative() -> Any:
    return array((-1,), b"\0\0\0\0")


@case("numpy-10000-dimensions.pkl", "bombs", "an array has no proper shape")
def _numpy_dimensions() -> Any:
    return array((1,) * 10_000, b"\0\0\0\0")


@case("numpy-dtype-nested.pkl", "bombs", "a NumPy dtype is no plain one")
def _numpy_dtype() -> Any:
    return array((1,), b"\0" * 8, "(1000000000,)f4,(1000000000,)f4")


@case("frombuffer-of-a-terabyte.pkl", "bombs", "needs 1,099,511,627,776 bytes and has 4")
def _frombuffer() -> Any:
    return call("numpy._core.numeric", "_frombuffer", b"\0\0\0\0", dtype("f4"), (1 << 38,), "C")


@case("bytes-by-call.pkl", "bombs", "expected bytes, found int")
def _bytes_call() -> Any:
    return call("builtins", "bytearray", 1 << 40)


@case("list-of-a-range.pkl", "bombs", "expected a list, found Opaque")
def _range() -> Any:
    return call("builtins", "list", call("builtins", "range", 1 << 40))


@case("tensor-larger-than-its-storage.pkl", "bombs", "needs 1,099,511,627,776 elements and has 3")
def _tensor_size() -> Any:
    return container(tensor_of((1 << 40,), (1,)))


@case("tensor-with-stride-0.pkl", "bombs", "repeats 3 stored elements")
def _stride() -> Any:
    return container(tensor_of((1 << 40,), (0,)))


@case("tensor-with-negative-offset.pkl", "bombs", "has size")
def _offset() -> Any:
    return container(tensor_of((1,), (1,), -5))


@case("storage-of-a-terabyte.pt", "bombs", "at its place; it is damaged")
def _storage() -> bytes:
    return legacy({"g": StorageRef("FloatStorage", "0", 1 << 38)}, {StorageRef("FloatStorage", "0", 3): np.zeros(3)})


@case("storage-of-a-terabyte-twice.pt", "bombs", f"{CUT_OFF}|{TOO_MANY_BYTES}")
def _storage_twice() -> bytes:
    ref = StorageRef("FloatStorage", "0", 1 << 38)
    return legacy({"g": ref}, {ref: np.zeros(3, np.float32)})


@case("the-same-bytes-a-thousand-times.pkl", "bombs", TOO_MANY_BYTES)
def _repeated() -> bytes:
    call_it = dumps(storage(np.zeros(1 << 18, np.float32)))
    body = call_it[2:-1]  # GLOBAL, args, REDUCE; memo 2: the name, memo 3: the bytes' tuple
    return b"\x80\x04" + b"(" + body + b"h\x02h\x03R" * 1000 + b"l."


@case("zip-directory-of-4-gigabytes.pt", "bombs", "its zip directory alone is")
def _zip_directory() -> bytes:
    data = torch_zip({})
    return data[:-10] + struct.pack("<I", 0xFFFFFFF0) + data[-6:]


@case("zip-bomb.pt", "bombs", "is a compressed zip")
def _zip_bomb() -> bytes:
    return torch_zip({}, {"archive/data/0": b"\0" * (64 << 20)}, zipfile.ZIP_DEFLATED)


@case("zip-with-200000-members.pt", "bombs", "its zip has more than 20,000 members")
def _zip_members() -> bytes:
    entry = b"PK\x01\x02" + b"\0" * 24 + struct.pack("<HHH", 6, 0, 0) + b"\0" * 12
    table = b"".join(entry + f"{i:06d}".encode() for i in range(200_000))
    end = b"PK\x05\x06" + b"\0" * 8 + struct.pack("<IIH", len(table), 4, 0)
    return b"PK\x03\x04" + table + end


@case("zip-storage-beyond-the-file.pt", "bombs", "bytes for storage 0 and holds")
def _zip_storage() -> bytes:
    return torch_zip({"g": StorageRef("FloatStorage", "0", 1 << 38)}, {"archive/data/0": b"\0\0\0\0"})


@case("safetensors-header-of-a-gigabyte.safetensors", "bombs", "says that its header is 1,073,741,824 bytes")
def _header() -> bytes:
    return struct.pack("<Q", 1 << 30) + b'{"a": 1}'


@case("safetensors-header-nested.safetensors", "bombs", "its safetensors header is no JSON")
def _nested_json() -> bytes:
    return safetensors(b'{"a":' * 200_000 + b"1" + b"}" * 200_000)


@case("safetensors-of-a-terabyte.safetensors", "bombs", f"{CUT_OFF}|{TOO_MANY_BYTES}")
def _safetensors_size() -> bytes:
    return safetensors(entry("w", [1 << 38], 0, 1 << 40), b"\0" * 64)


@case("safetensors-all-the-same-place.safetensors", "bombs", TOO_MANY_BYTES)
def _safetensors_overlap() -> bytes:
    one = {"dtype": "F32", "shape": [1 << 16], "data_offsets": [0, 1 << 18]}
    return safetensors(json.dumps({f"w{i}": one for i in range(1000)}).encode(), b"\0" * (1 << 18))


def safetensors(header: bytes, data: bytes = b"") -> bytes:
    return struct.pack("<Q", len(header)) + header + data


def entry(name: str, shape: list[int], begin: int, end: int, code: str = "F32") -> bytes:
    return json.dumps({name: {"dtype": code, "shape": shape, "data_offsets": [begin, end]}}).encode()


def dtype(code: str) -> Made:
    return Made(Name("numpy", "dtype"), (code, False, True), (3, "<", None, None, None, -1, -1, 0))


def array(shape: tuple[int, ...], data: bytes, code: str = "f4") -> Made:
    start = (Name("numpy", "ndarray"), (0,), b"b")
    return Made(Name("numpy._core.multiarray", "_reconstruct"), start, (1, shape, dtype(code), False, data))


def tensor_of(size: tuple[int, ...], stride: tuple[int, ...], offset: int = 0) -> Made:
    return call("torch._utils", "_rebuild_tensor_v2", storage(np.zeros(3, np.float32)), offset, size, stride, False, {})
