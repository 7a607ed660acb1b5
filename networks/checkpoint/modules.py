"""Records of networks: persistent classes, plain modules by reference, dill's classes by value, TensorFlow networks."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from networks.checkpoint.nodes import Call, Instance, Opaque, Reference
from networks.checkpoint.records import Array, ModuleRecord, TFNetwork
from networks.checkpoint.resolve import Resolver

# What torch keeps in a module for itself, and what persistence adds: no part of the network.
BOOKKEEPING = frozenset(
    (
        "_parameters", "_buffers", "_modules", "_init_args", "_init_kwargs", "_non_persistent_buffers_set",
        "_is_full_backward_hook", "_orig_module_src", "_orig_class_name", "_version", "_backend",
    )
)  # fmt: skip
HOOKS = ("_backward_", "_forward_", "_state_dict_", "_load_state_dict_")


def persistent(resolver: Resolver, node: Call) -> ModuleRecord:
    """`_reconstruct_persistent_obj(meta)`: the class's source text in `meta` is dropped unread."""
    meta = resolver.raw_mapping(node.args[0])
    if meta.get("type") != "class":
        raise ValueError(f"a persistent {str(meta.get('type'))[:40]!r}, only classes are known")
    return _record(resolver, resolver.text(meta.get("class_name")), meta.get("state"))


def instance(resolver: Resolver, node: Instance | Call) -> Any:
    """An instance of a class that the file names or brings along: a record of its state, or the dict or list it is."""
    cls = node.cls if isinstance(node, Instance) else node.function
    if isinstance(node, Call) and node.state is None and not node.pairs and not node.members:
        return Opaque(str(cls))  # an enumeration's member, say
    if node.state is None and node.pairs:
        return {resolver.key(key): resolver.at(key, value) for key, value in node.pairs}
    if node.state is None and node.members:
        return [resolver.resolve(member) for member in node.members]
    return _record(resolver, _class_name(cls), node.state)


def dill_object(_resolver: Resolver, node: Call) -> Opaque:
    """A class, function, code object or module that dill wrote by value: nothing of it is used."""
    return Opaque(f"what {node.function} makes")


def tf_network(resolver: Resolver, node: Instance) -> TFNetwork:
    """`dnnlib.tflib.network.Network`; its build function's source text is dropped unread."""
    state = resolver.raw_mapping(node.state)
    components = resolver.resolve(state.get("components") or {})
    if not isinstance(components, dict) or not all(isinstance(c, TFNetwork) for c in components.values()):
        raise ValueError("its components are no networks")
    return TFNetwork(
        name=str(state.get("name", ""))[:200],
        version=int(state.get("version", 0)),
        static_kwargs=resolver.mapping(state.get("static_kwargs") or {}),
        build_func_name=str(state.get("build_func_name", ""))[:200],
        components=components,
        variables=_variables(resolver, state.get("variables") or []),
    )


def _variables(resolver: Resolver, node: Any) -> dict[str, np.ndarray]:
    pairs = list(node.items()) if isinstance(node, dict) else node
    if not isinstance(pairs, list):
        raise ValueError("its variables are no list")
    variables: dict[str, np.ndarray] = {}
    for name, value in pairs:
        array = resolver.at(name, value)
        if not isinstance(array, np.ndarray | int | float):
            raise ValueError(f"its variable {str(name)[:80]} is of type {type(array).__name__}, expected an array")
        variables[resolver.text(name)] = np.asarray(array)
    return variables


def _class_name(cls: Any) -> str:
    """The bare name of a class by reference, or of one that dill wrote by value (`_create_type(type, name, ...)`)."""
    if isinstance(cls, Reference):
        return cls.name.rpartition(".")[2]
    return str(cls.args[1])[:200] if isinstance(cls, Call) and len(cls.args) > 1 else "unknown"


def _record(resolver: Resolver, class_name: str, state: Any) -> ModuleRecord:
    if isinstance(state, tuple) and len(state) == 2:  # (__dict__, __slots__)
        state = {**resolver.raw_mapping(state[0]), **resolver.raw_mapping(state[1])}
    if not isinstance(state, dict | Call | Instance | None):
        return ModuleRecord(class_name, attributes={"state": resolver.attribute("state", state)})
    values = resolver.raw_mapping(state)
    args = resolver.attribute("_init_args", values.get("_init_args", ()))
    kwargs = resolver.attribute("_init_kwargs", values.get("_init_kwargs", {}))
    return ModuleRecord(
        class_name,
        init_args=tuple(args) if isinstance(args, list | tuple) else (),
        init_kwargs=kwargs if isinstance(kwargs, dict) else {},
        attributes={
            str(name): resolver.attribute(str(name), value) for name, value in values.items() if _is_own(str(name))
        },
        parameters=_tensors(resolver, values.get("_parameters")),
        buffers=_tensors(resolver, values.get("_buffers")),
        modules=_modules(resolver, values.get("_modules")),
    )


def _is_own(name: str) -> bool:
    return name not in BOOKKEEPING and not name.startswith(HOOKS)


def _tensors(resolver: Resolver, node: Any) -> dict[str, Array]:
    """The tensors of a module; those that are None (a layer without bias) are left out."""
    tensors: dict[str, Array] = {}
    for name, value in resolver.raw_mapping(node).items():
        tensor = resolver.at(name, value)
        if isinstance(tensor, torch.Tensor | np.ndarray):
            tensors[str(name)] = tensor
        elif tensor is not None:
            raise ValueError(f"{str(name)[:80]} is of type {type(tensor).__name__}, expected a tensor")
    return tensors


def _modules(resolver: Resolver, node: Any) -> dict[str, ModuleRecord]:
    modules: dict[str, ModuleRecord] = {}
    for name, value in resolver.raw_mapping(node).items():
        module = resolver.at(name, value)
        if isinstance(module, ModuleRecord):
            modules[str(name)] = module
        elif module is not None:
            raise ValueError(f"{str(name)[:80]} is of type {type(module).__name__}, expected a module")
    return modules
