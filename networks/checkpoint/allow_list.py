"""Which names a pickle may say, and which it may call. Everything else is refused by name.

Three rules. (1) A name from Python's standard library must be in STANDARD. (2) Of functions, only those in CALLS may
be called, and what happens then is our own code in `handlers.py`. (3) Any other name may stand for a class, whose
instances become inert records, because no class is ever looked up.
"""

from __future__ import annotations

import sys

from networks.checkpoint.nodes import Reference

Name = tuple[str, str]


def _names(modules: str, names: str) -> frozenset[Name]:
    return frozenset((module, name) for module in modules.split() for name in names.split())


NUMPY_CORE = "numpy.core numpy._core"
MULTIARRAY = "numpy.core.multiarray numpy._core.multiarray"
BUILTINS = "builtins __builtin__"
DILL = "dill._dill dill.dill"

PERSISTENT = _names("torch_utils.persistence", "_reconstruct_persistent_obj")
TF_NETWORK = _names("dnnlib.tflib.network dnnlib.tflib", "Network")
RECONSTRUCTORS = _names("copyreg copy_reg", "_reconstructor __newobj__ __newobj_ex__")
ORDERED = _names("collections", "OrderedDict Counter defaultdict")
DICT_CLASSES = (
    _names("dnnlib.util dnnlib", "EasyDict")
    | _names("argparse", "Namespace")
    | _names("types", "SimpleNamespace")
    | _names("easydict", "EasyDict")
    | _names("collections", "OrderedDict defaultdict Counter")
)
ARRAYS = _names(MULTIARRAY, "_reconstruct scalar _frombuffer") | _names(
    "numpy.core.numeric numpy._core.numeric", "_frombuffer"
)
DTYPE = _names("numpy", "dtype")
TENSORS = _names(
    "torch._utils",
    "_rebuild_tensor _rebuild_tensor_v2 _rebuild_tensor_v3 _rebuild_parameter _rebuild_parameter_with_state"
    " _rebuild_device_tensor_from_numpy _rebuild_device_tensor_from_cpu_tensor",
) | _names("torch._tensor", "_rebuild_from_type_v2")
STORAGE = _names("torch.storage", "_load_from_bytes")
TORCH_VALUES = _names("torch", "Size device") | _names("torch.serialization", "_get_layout")
DILL_INERT = _names(
    DILL,
    "_load_type _create_type _create_function _create_code _create_cell _import_module _get_attr"
    " _create_namedtuple _create_weakref",
)
DILL_ARRAY = _names(DILL, "_create_array")
SEQUENCES = _names("collections", "deque")
PLAIN = _names(BUILTINS, "set frozenset list dict tuple bytearray bytes complex") | _names("_codecs", "encode")
PATHS = _names(
    "pathlib pathlib._local",
    "Path PurePath PosixPath WindowsPath PurePosixPath PureWindowsPath",
)
# Values that nets are saved with and that no generator needs: they become `Opaque`.
OPAQUE = (
    _names("numpy.random._pickle", "__randomstate_ctor __generator_ctor __bit_generator_ctor")
    | _names("numpy.random", "__RandomState_ctor")
    | _names("datetime", "datetime date time timedelta")
    | _names("uuid", "UUID")
    | _names("functools", "partial")
    | _names("itertools", "count")
    | _names("random", "Random")
    | _names(BUILTINS, "slice range")
    | _names("torchvision.transforms.functional", "InterpolationMode")
)
GETATTR = _names(BUILTINS, "getattr")
SETATTR = _names(BUILTINS, "setattr")

CALLS: frozenset[Name] = (
    PERSISTENT
    | RECONSTRUCTORS
    | ORDERED
    | ARRAYS
    | DTYPE
    | TENSORS
    | STORAGE
    | TORCH_VALUES
    | DILL_INERT
    | DILL_ARRAY
    | PLAIN
    | SEQUENCES
    | PATHS
    | OPAQUE
    | GETATTR
    | _names("dnnlib.util dnnlib easydict", "EasyDict")
)

# Names of the standard library that may be said (as a class or in dill's bookkeeping), called or not.
STANDARD: frozenset[Name] = (
    frozenset(name for name in CALLS if name[0].partition(".")[0] in sys.stdlib_module_names | {"__builtin__"})
    | _names(BUILTINS, "object type int float bool str long unicode basestring NoneType Ellipsis NotImplemented")
    | _names(BUILTINS, "setattr super property staticmethod classmethod __main__")
    | _names("types", "FunctionType CodeType MethodType ModuleType NoneType SimpleNamespace")
    | _names("argparse", "Namespace")
    | _names("typing", "Any Callable Dict List Optional Sequence Tuple Union")
    | _names("enum", "Enum IntEnum Flag IntFlag")
    | _names("abc", "ABC ABCMeta")
    | _names("uuid", "SafeUUID")
)
PYTHON2 = frozenset(
    module
    for module, _ in _names(
        "__builtin__ commands exceptions cPickle cStringIO StringIO copy_reg popen2 thread urllib2 httplib os2 ce dl"
        " imp asyncore distutils pipes new user sets",
        "*",
    )
)


def is_standard(module: str) -> bool:
    """Whether a module belongs to Python itself (2 or 3), whose functions reach the machine."""
    top = module.partition(".")[0]
    return top in sys.stdlib_module_names or top in PYTHON2


def may_name(reference: Reference) -> bool:
    """Whether a file may mention this class or function at all."""
    return not is_standard(reference.module) or reference.path in STANDARD


def may_call(reference: Reference) -> bool:
    """Whether our own code stands in for this function, or it is a class by its spelling, such as an enumeration.

    What a third party's class would have made becomes a record or `Opaque`.
    """
    return reference.path in CALLS or (not is_standard(reference.module) and is_class(reference))


def is_class(reference: Reference) -> bool:
    """Whether a name is spelled like a class: `InterpolationMode`, not `load` or `_rebuild`."""
    name = reference.name.rpartition(".")[2]
    return name[:1].isupper() and not name.isupper()


def may_instantiate(reference: Reference) -> bool:
    """Whether an instance may become an inert record or a dict."""
    return not is_standard(reference.module) or reference.path in DICT_CLASSES | PATHS | OPAQUE | PLAIN
