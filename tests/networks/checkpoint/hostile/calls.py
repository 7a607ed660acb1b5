"""Pickles that want to run something: plainly, nested in allowed objects, and in dill's classes by value."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.networks.checkpoint.hostile.cases import (
    CANARY,
    CODE,
    COMMAND,
    OPENS,
    call,
    case,
    container,
    ran,
    small,
    torch_zip,
)
from tests.pickle_writer import MAGIC, VERSION, Made, Name, dumps, legacy, persistent, storage_bytes

# -- calls -----------------------------------------------------------------------------------------------------------

CALLS: tuple[tuple[str, str, tuple[Any, ...]], ...] = (
    ("os", "system", (COMMAND,)),
    ("posix", "system", (COMMAND,)),
    ("nt", "system", (COMMAND,)),
    ("os", "popen", (COMMAND,)),
    ("os", "execlp", ("touch", "touch", CANARY)),
    ("subprocess", "Popen", (["touch", CANARY],)),
    ("subprocess", "check_output", (["touch", CANARY],)),
    ("commands", "getoutput", (COMMAND,)),
    ("builtins", "eval", (CODE,)),
    ("builtins", "exec", (CODE,)),
    ("__builtin__", "eval", (CODE,)),
    ("builtins", "compile", (CODE, "x", "exec")),
    ("builtins", "__import__", ("antigravity",)),
    ("builtins", "open", (CANARY, "w")),
    ("builtins", "print", ("hello",)),
    ("builtins", "breakpoint", ()),
    ("importlib", "import_module", ("antigravity",)),
    ("runpy", "run_path", ("evil.py",)),
    ("pickle", "loads", (b"cos\nsystem\n(S'true'\ntR.",)),
    ("marshal", "loads", (b"N",)),
    ("shutil", "rmtree", ("nothing",)),
    ("socket", "create_connection", (("localhost", 1),)),
    ("webbrowser", "open", ("http://localhost",)),
    ("ctypes", "CDLL", ("libc.so.6",)),
    ("pty", "spawn", ("touch",)),
    ("timeit", "timeit", (CODE,)),
    ("code", "interact", ()),
    ("functools", "reduce", (Name("operator", "add"), [1, 2])),
    ("operator", "methodcaller", ("system", COMMAND)),
    ("types", "FunctionType", (None, {})),
    ("torch", "load", ("evil.pt",)),
    ("torch.hub", "load", ("evil/repository", "model")),
    ("torch.jit", "load", ("evil.pt",)),
    ("numpy", "load", ("evil.npy",)),
    ("numpy.testing._private.utils", "runstring", (CODE, {})),
    ("numpy", "fromfile", ("/etc/hostname",)),
    ("torch.serialization", "load", ("evil.pt",)),
    ("torch.utils.cpp_extension", "load_inline", ("x",)),
    ("pip", "main", (["install", "evil"],)),
    ("dnnlib.util", "call_func_by_name", ()),
    ("dnnlib.util", "open_url", ("http://localhost",)),
    ("dill._dill", "_eval_repr", (CODE,)),
    ("dill", "loads", (b"N.",)),
    ("cloudpickle.cloudpickle", "_builtin_type", ("FunctionType",)),
    ("joblib", "load", ("evil",)),
)
for _module, _name, _args in CALLS:
    case(f"call-{_module}.{_name}.pkl", "calls", ran(f"{_module}.{_name}"))(
        lambda m=_module, n=_name, a=_args: container(call(m, n, *a))  # type: ignore[misc]
    )


@case("protocol0-os-system.pkl", "calls", ran("os.system"))
def _protocol0() -> bytes:
    return f"cos\nsystem\n(S'{COMMAND}'\ntR.".encode()


@case("inst-opcode.pkl", "calls", ran("os.system"))
def _inst() -> bytes:
    return f"(S'{COMMAND}'\nios\nsystem\n.".encode()


@case("obj-opcode.pkl", "calls", ran("subprocess.Popen"))
def _obj() -> bytes:
    return b"\x80\x04(csubprocess\nPopen\n]\x8c\x04trueao."


@case("newobj.pkl", "calls", ran("subprocess.Popen"))
def _newobj() -> Any:
    return Made(Name("subprocess", "Popen"), (["touch", CANARY],), new=True)


@case("newobj-ex.pkl", "calls", ran("subprocess.Popen"))
def _newobj_ex() -> bytes:
    return b"\x80\x04csubprocess\nPopen\n)}\x8c\x04args]\x8c\x04trueas\x92."


@case("called-and-dropped.pkl", "calls", ran("os.system"))
def _dropped() -> bytes:
    return dumps(call("os", "system", COMMAND))[:-1] + b"0" + dumps(container(small()))


@case("named-after-the-end-of-a-module.pkl", "calls", ran("os.path.os.system"))
def _dotted() -> Any:
    return call("os.path", "os.system", COMMAND)


@case("extension-registry.pkl", "calls", "it uses an extension registry")
def _extension() -> bytes:
    return b"\x80\x02\x82\x01."


@case("persistent-id.pkl", "calls", "it refers to data outside itself")
def _persistent_id() -> bytes:
    return b"\x80\x02X\x04\x00\x00\x00evilQ."


@case("out-of-band-buffer.pkl", "calls", "it refers to data outside itself")
def _buffer() -> bytes:
    return b"\x80\x05\x97."


# -- calls, nested ---------------------------------------------------------------------------------------------------


@case("in-persistence-state.pkl", "nested calls", ran("os.system"))
def _in_state() -> Any:
    return container(persistent("Generator", {"_modules": {"mapping": call("os", "system", COMMAND)}}))


@case("in-persistence-init-kwargs.pkl", "nested calls", ran("builtins.eval"))
def _in_kwargs() -> Any:
    return container(persistent("Generator", {"_init_kwargs": {"z_dim": call("builtins", "eval", CODE)}}))


@case("persistence-of-a-function.pkl", "nested calls", "a persistent 'function', only classes are known")
def _function() -> Any:
    meta = {"type": "function", "module_src": CODE, "class_name": "f", "state": None}
    return container(call("torch_utils.persistence", "_reconstruct_persistent_obj", meta))


@case("persistence-source-text.pkl", "nested calls", OPENS)
def _source_text() -> Any:
    generator = small()
    generator.args[0]["module_src"] = f"import os\nos.system({COMMAND!r})\n"
    return container(generator)


@case("persistence-import-hook.pkl", "nested calls", ran("torch_utils.persistence.import_hook"))
def _import_hook() -> Any:
    return container(call("torch_utils.persistence", "import_hook", Name("x", "y")))


@case("in-load-from-bytes.pkl", "nested calls", ran("os.system"))
def _in_bytes() -> Any:
    return container(_tensor_of(legacy(call("os", "system", COMMAND), {})))


@case("in-load-from-bytes-a-call.pkl", "nested calls", ran("torch._utils._rebuild_tensor_v2"))
def _call_in_bytes() -> Any:
    return container(_tensor_of(legacy(call("torch._utils", "_rebuild_tensor_v2"), {})))


@case("in-load-from-bytes-a-pickle.pkl", "nested calls", "the bytes of a storage are no torch file")
def _plain_in_bytes() -> Any:
    return container(_tensor_of(dumps(call("os", "system", COMMAND))))


@case("in-load-from-bytes-a-zip.pkl", "nested calls", ran("os.system"))
def _zip_in_bytes() -> Any:
    return container(_tensor_of(torch_zip(call("os", "system", COMMAND))))


@case("in-load-from-bytes-itself.pkl", "nested calls", ran("_codecs.encode"))
def _recursive_bytes() -> Any:
    inner = call("torch.storage", "_load_from_bytes", storage_bytes(np.zeros(3, np.float32)))
    return container(_tensor_of(legacy(inner, {})))


@case("in-easydict.pkl", "nested calls", ran("subprocess.check_output"))
def _in_easydict() -> Any:
    return container(Made(Name("dnnlib.util", "EasyDict"), ({"a": call("subprocess", "check_output", ["true"])},)))


@case("in-dict-key.pkl", "nested calls", ran("os.system"))
def _in_key() -> Any:
    return {call("os", "system", COMMAND): 1}


@case("in-tf-network.pkl", "nested calls", ran("os.system"))
def _in_tf() -> Any:
    state = {"version": 4, "name": "Gs", "static_kwargs": {"x": call("os", "system", COMMAND)}, "variables": []}
    return Made(Name("dnnlib.tflib.network", "Network"), (), state, new=True)


@case("tf-build-source.pkl", "nested calls", r"G_synthesis|no generator|variables|missing")
def _tf_source() -> Any:
    state = {
        "version": 4, "name": "Gs", "static_kwargs": {}, "components": {}, "variables": [],
        "build_module_src": CODE, "build_func_name": "G_synthesis",
    }  # fmt: skip
    return Made(Name("dnnlib.tflib.network", "Network"), (), state, new=True)


@case("state-on-a-class.pkl", "nested calls", "state is set on Reference")
def _state_on_class() -> bytes:
    return b"\x80\x04\x8c\x08networks\x8c\x09Generator\x93}\x8c\x08__init__\x8c\x04evilsb."


@case("setattr-on-a-class.pkl", "nested calls", ran("builtins.setattr"))
def _setattr() -> Any:
    return call("builtins", "setattr", Name("networks.generator", "Generator"), "forward", Name("builtins", "object"))


@case("reconstructor-of-popen.pkl", "nested calls", ran("subprocess.Popen"))
def _reconstructor() -> Any:
    return call("copyreg", "_reconstructor", Name("subprocess", "Popen"), Name("builtins", "object"), None)


@case("newobj-function-of-popen.pkl", "nested calls", ran("subprocess.Popen"))
def _newobj_function() -> Any:
    return call("copyreg", "__newobj__", Name("subprocess", "Popen"), ["touch", CANARY])


@case("partial-called.pkl", "nested calls", "asks to run what functools.partial returns")
def _partial() -> Any:
    return Made(call("functools", "partial", Name("torch", "save")), ())


@case("getattr-then-call.pkl", "nested calls", ran("os.path"))
def _getattr() -> Any:
    reached = call("builtins", "getattr", call("builtins", "getattr", Name("os", "path"), "os"), "system")
    return Made(reached, (COMMAND,))


@case("torch-zip-os-system.pt", "nested calls", ran("os.system"))
def _zip_system() -> bytes:
    return torch_zip({"g_ema": call("os", "system", COMMAND)})


@case("torch-legacy-os-system.pt", "nested calls", ran("os.system"))
def _legacy_system() -> bytes:
    return legacy({"g_ema": call("os", "system", COMMAND)}, {})


@case("torch-legacy-system-info.pt", "nested calls", ran("os.system"))
def _legacy_info() -> bytes:
    evil = dumps(call("os", "system", COMMAND), 2)
    return dumps(MAGIC, 2) + dumps(VERSION, 2) + evil + dumps({}, 2) + dumps([], 2)


@case("torchscript.pt", "nested calls", "is a TorchScript program, not a checkpoint")
def _torchscript() -> bytes:
    code = {"archive/constants.pkl": dumps(()), "archive/code/__torch__.py": b"def forward(self): pass"}
    return torch_zip({}, code)


@case("dill-function-called.pkl", "dill", "asks to run what dill._dill._create_function returns")
def _dill_function() -> Any:
    return container(Made(_dill_created(), ()))


@case("dill-function-as-a-class.pkl", "dill", "asks to run what dill._dill._create_function returns")
def _dill_function_class() -> Any:
    return container(Made(_dill_created(), (), {}, new=True))


@case("dill-function-kept.pkl", "dill", "no generator of a known family")
def _dill_kept() -> Any:
    return {"net": _dill_created()}


@case("dill-import-module.pkl", "dill", "asks to run what dill._dill._get_attr returns")
def _dill_module() -> Any:
    reached = call("dill._dill", "_get_attr", call("dill._dill", "_import_module", "os"), "system")
    return container(Made(reached, (COMMAND,)))


@case("dill-type-with-metaclass.pkl", "dill", ran("builtins.exec"))
def _dill_type() -> Any:
    cls = call("dill._dill", "_create_type", Name("builtins", "exec"), "G", (), {})
    return container(Made(cls, (), {}, new=True))


@case("dill-load-type-called.pkl", "dill", "asks to run what dill._dill._load_type returns")
def _dill_load_type() -> Any:
    return container(Made(call("dill._dill", "_load_type", "CodeType"), (0,)))


@case("dill-class-called.pkl", "dill", "asks to run what dill._dill._create_type returns")
def _dill_class_called() -> Any:
    return container(
        Made(call("dill._dill", "_create_type", call("dill._dill", "_load_type", "type"), "G", (), {}), ())
    )


@case("dill-setattr-elsewhere.pkl", "dill", ran("dill._dill._setattr"))
def _dill_setattr() -> Any:
    setattr_ = call("builtins", "getattr", Name("dill", "_dill"), "_setattr", Name("builtins", "setattr"))
    return container(Made(setattr_, (Name("networks", "Generator"), "forward", 1)))


def _dill_created() -> Made:
    code = call("dill._dill", "_create_code", b"", 0, 0, 0, 0, 0, 0, CODE.encode(), (), (), (), "f", "f", 1, b"", b"")
    return call("dill._dill", "_create_function", code, {}, "f", None, None)


def _tensor_of(data: bytes) -> Made:
    storage = call("torch.storage", "_load_from_bytes", data)
    return call("torch._utils", "_rebuild_tensor_v2", storage, 0, (3,), (1,), False, {})
