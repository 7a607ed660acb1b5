"""Values by allowed name: containers, NumPy arrays, torch tensors, paths. Records of networks are in `modules.py`."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import torch

from networks.checkpoint import allow_list, modules
from networks.checkpoint.nodes import Blob, Call, Instance, Opaque, Reference
from networks.checkpoint.numpy_values import check_shape, check_size, make_dtype, shaped
from networks.checkpoint.resolve import Handler, Handlers, Resolver
from networks.checkpoint.torch_legacy import MAGIC, open_legacy
from networks.checkpoint.torch_values import Storage, rebuild
from networks.checkpoint.torch_zip import LOCAL, directory, is_torch, open_zip
from networks.checkpoint.window import Window

# -- containers ------------------------------------------------------------------------------------------------------


def _dict(resolver: Resolver, node: Call | Instance) -> dict[Any, Any]:
    """dict, OrderedDict, defaultdict, EasyDict, Namespace: constructor pairs, then items, then (Namespace) state."""
    pairs: list[tuple[Any, Any]] = []
    for argument in node.args:
        if isinstance(argument, dict):
            pairs += argument.items()
        elif isinstance(argument, list | tuple):
            pairs += [(key, value) for key, value in argument]
    pairs += node.pairs or ()
    if isinstance(node.cls if isinstance(node, Instance) else node.function, Reference) and _has_fields(node):
        pairs += node.state.items()
    return {resolver.key(key): resolver.at(key, value) for key, value in pairs}


def _has_fields(node: Call | Instance) -> bool:
    """Whether the state holds the entries themselves (Namespace), not notes of the container (OrderedDict)."""
    name = node.cls.name if isinstance(node, Instance) else node.function.name
    return isinstance(node.state, dict) and name not in ("OrderedDict", "defaultdict", "Counter")


def _list(resolver: Resolver, node: Call) -> list[Any]:
    value = resolver.resolve(node.args[0]) if node.args else []
    if not isinstance(value, list | tuple | frozenset):
        raise ValueError(f"expected a list, found {type(value).__name__}")
    return [*value, *(resolver.resolve(member) for member in node.members or ())]


def _set(resolver: Resolver, node: Call) -> Any:
    members = _list(resolver, node)
    return frozenset(members) if all(isinstance(m, str | int | float | bytes) for m in members) else members


def _complex(_resolver: Resolver, node: Call) -> complex:
    real, imaginary = node.args
    return complex(float(real), float(imaginary))


def _bytes(resolver: Resolver, node: Call) -> bytes:
    return resolver.bytes_of(node.args[0]) if node.args else b""


def _path(resolver: Resolver, node: Call) -> str:
    return str(PurePosixPath(*(resolver.text(part) for part in node.args)))


def _opaque(_resolver: Resolver, node: Call | Instance) -> Opaque:
    return Opaque(str(node.function if isinstance(node, Call) else node.cls))


# -- NumPy -----------------------------------------------------------------------------------------------------------


def _dtype(_resolver: Resolver, node: Call) -> Any:
    return make_dtype(node.args, node.state) or Opaque("dtype of objects")


def _array(resolver: Resolver, node: Call) -> Any:
    """`_reconstruct(ndarray, (0,), b'b')` with the state (version, shape, dtype, Fortran order, bytes)."""
    return _array_of(resolver, node.state)


def _dill_array(resolver: Resolver, node: Call) -> Any:
    """dill's `_create_array(function, args, state, attributes)`."""
    return _array_of(resolver, node.args[2])


def _array_of(resolver: Resolver, state: Any) -> Any:
    if not isinstance(state, tuple) or len(state) not in (4, 5):
        raise ValueError("an array has no contents")
    shape, dtype, fortran, data = state[-4:]
    return _filled(resolver, shape, resolver.resolve(dtype), bool(fortran), data)


def _frombuffer(resolver: Resolver, node: Call) -> Any:
    """`_frombuffer(bytes, dtype, shape, order[, axes])` of pickle protocol 5; NumPy 2.4 adds the axes for order 'K'."""
    data, dtype, shape, order, *axes = node.args
    array = _filled(resolver, shape, resolver.resolve(dtype), order == "F", data)
    turned = order == "K" and axes and axes[0] is not None and isinstance(array, np.ndarray)
    return array.transpose(resolver.resolve(axes[0])) if turned else array


def _filled(resolver: Resolver, shape: Any, dtype: Any, fortran: bool, data: Any) -> Any:
    shape = check_shape(shape)
    if not isinstance(dtype, np.dtype):
        return Opaque("array of objects")
    if isinstance(data, Blob) and data.kind != "utf8":  # straight from the file into the array
        check_size(shape, dtype, data.length)
        resolver.job.spend_array(data.length)
        flat = np.empty(data.length // dtype.itemsize, dtype)
        resolver.window.read_into(data.start, flat.view(np.uint8).data)
    else:
        raw = resolver.bytes_of(data)
        check_size(shape, dtype, len(raw))
        resolver.job.spend_array(len(raw))
        flat = np.frombuffer(bytearray(raw), dtype)
    return shaped(flat, shape, fortran)


def _scalar(resolver: Resolver, node: Call) -> Any:
    dtype = resolver.resolve(node.args[0])
    if not isinstance(dtype, np.dtype):
        return Opaque("a NumPy object")
    raw = resolver.bytes_of(node.args[1])
    check_size((), dtype, len(raw))
    return np.frombuffer(raw, dtype)[0].item()


def _encode(resolver: Resolver, node: Call) -> bytes:
    """`_codecs.encode(text, 'latin1')`: how Python 3 writes bytes in protocol 2."""
    if len(node.args) != 2 or node.args[1] not in ("latin1", "latin-1"):
        raise ValueError("text in another encoding than latin1")
    return resolver.bytes_of(node.args[0])


# -- torch -----------------------------------------------------------------------------------------------------------


def _load_from_bytes(resolver: Resolver, node: Call) -> Storage:
    """The torch file inside a pickle that holds one storage; it may name that storage and nothing else."""
    window = _window_of(resolver, node.args[0])
    if window.read(0, min(window.length, len(MAGIC))) == MAGIC:
        root, storages = open_legacy(window, calls=False)
    elif window.read(0, min(window.length, 4)) == LOCAL and is_torch(members := directory(window)):
        root, storages = open_zip(window, members, calls=False)
    else:
        raise ValueError("the bytes of a storage are no torch file")
    storage = Resolver(window, HANDLERS, storages).root(root)
    if not isinstance(storage, Storage):
        raise ValueError(f"expected a storage, found {type(storage).__name__}")
    return storage


def _window_of(resolver: Resolver, node: Any) -> Window:
    if isinstance(node, Blob) and node.kind != "utf8":
        return resolver.window.sub(node.start, node.length)
    raw = resolver.bytes_of(node)
    return Window(io.BytesIO(raw), resolver.job, 0, len(raw))


def _tensor(resolver: Resolver, node: Call) -> torch.Tensor:
    """`_rebuild_tensor(storage, offset, size, stride)`; v2 adds flags, v3 adds the dtype of an untyped storage."""
    storage, offset, size, stride = node.args[:4]
    dtype = resolver.resolve(node.args[6]) if node.function.name == "_rebuild_tensor_v3" else None
    if dtype is not None and not isinstance(dtype, torch.dtype):
        raise ValueError("a tensor has no dtype")
    return rebuild(resolver.resolve(storage), offset, resolver.resolve(size), resolver.resolve(stride), dtype)


def _parameter(resolver: Resolver, node: Call) -> torch.Tensor:
    return _checked(resolver.resolve(node.args[0]))


def _from_type(resolver: Resolver, node: Call) -> torch.Tensor:
    """`_rebuild_from_type_v2(function, type, args, state)`: a tensor with attributes, which are not kept."""
    function, _cls, args, _state = node.args
    if not isinstance(function, Reference) or function.path not in allow_list.TENSORS:
        raise ValueError(f"a tensor made by {function}")
    return _checked(resolver.resolve(Call(function, args)))


def _from_device(resolver: Resolver, node: Call) -> torch.Tensor:
    """A tensor that was on a device: (array or tensor, dtype, device, requires_grad)."""
    value, dtype = resolver.resolve(node.args[0]), resolver.resolve(node.args[1])
    if isinstance(value, np.ndarray):
        value = torch.from_numpy(value)
    if not isinstance(dtype, torch.dtype):
        raise ValueError("a tensor has no dtype")
    tensor = _checked(value)
    resolver.job.spend_array(0 if tensor.dtype == dtype else tensor.numel() * dtype.itemsize)
    return tensor.to(dtype)


def _checked(value: Any) -> torch.Tensor:
    if not isinstance(value, torch.Tensor):
        raise ValueError(f"expected a tensor, found {type(value).__name__}")
    return value


def _size(resolver: Resolver, node: Call) -> tuple[int, ...]:
    return check_shape(resolver.resolve(node.args[0]) if node.args else ())


def _device(_resolver: Resolver, node: Call) -> str:
    return ":".join(str(part)[:16] for part in node.args)


def _layout(_resolver: Resolver, node: Call) -> str:
    return str(node.args[0])[:32]


def _by_name(handlers: dict[str, Handler]) -> Callable[[Resolver, Call], Any]:
    return lambda resolver, node: handlers[node.function.name](resolver, node)


_PLAIN = _by_name(
    {
        "dict": _dict, "list": _list, "tuple": lambda r, n: tuple(_list(r, n)), "set": _set, "frozenset": _set,
        "complex": _complex, "bytes": _bytes, "bytearray": _bytes, "encode": _encode,
    }
)  # fmt: skip
_ARRAYS = _by_name({"_reconstruct": _array, "scalar": _scalar, "_frombuffer": _frombuffer})
_TENSORS = _by_name(
    {
        "_rebuild_tensor": _tensor, "_rebuild_tensor_v2": _tensor, "_rebuild_tensor_v3": _tensor,
        "_rebuild_parameter": _parameter, "_rebuild_parameter_with_state": _parameter,
        "_rebuild_device_tensor_from_numpy": _from_device, "_rebuild_device_tensor_from_cpu_tensor": _from_device,
        "_rebuild_from_type_v2": _from_type,
    }
)  # fmt: skip
_TORCH_VALUES = _by_name({"Size": _size, "device": _device, "_get_layout": _layout})

_CALLS: tuple[tuple[frozenset[allow_list.Name], Handler], ...] = (
    (allow_list.ORDERED | allow_list.DICT_CLASSES, _dict),
    (allow_list.PLAIN, _PLAIN),
    (allow_list.SEQUENCES, _list),
    (allow_list.PATHS, _path),
    (allow_list.OPAQUE, _opaque),
    (allow_list.DTYPE, _dtype),
    (allow_list.ARRAYS, _ARRAYS),
    (allow_list.DILL_ARRAY, _dill_array),
    (allow_list.STORAGE, _load_from_bytes),
    (allow_list.TENSORS, _TENSORS),
    (allow_list.TORCH_VALUES, _TORCH_VALUES),
    (allow_list.PERSISTENT, modules.persistent),
    (allow_list.DILL_INERT | allow_list.GETATTR, modules.dill_object),
)
_INSTANCES: tuple[tuple[frozenset[allow_list.Name], Handler], ...] = (
    (allow_list.DICT_CLASSES, _dict),
    (allow_list.PATHS | allow_list.OPAQUE | allow_list.PLAIN, _opaque),
    (allow_list.TF_NETWORK, modules.tf_network),
)
HANDLERS = Handlers(
    calls={name: handler for names, handler in _CALLS for name in names},
    instances={name: handler for names, handler in _INSTANCES for name in names},
    default=modules.instance,
)
