"""Plain records that the reader makes of a file: data only, nothing in them was executed.

The reader (`reader.py`) turns bytes into one `Source`; an importer (`importers/`) turns a `Source` into a
`Checkpoint`, the family-neutral description from which `load.py` builds one of *our* networks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

if TYPE_CHECKING:
    from networks.base import Spec

Array = np.ndarray | torch.Tensor


@dataclass
class ModuleRecord:
    """One pickled torch module: class name, constructor arguments, plain attributes, tensors, children.

    `class_name` is the bare name ('Generator', 'SynthesisLayer'). `attributes` holds the instance's other
    plain values (ints, floats, strings, lists, arrays), as the constructor left them.
    """

    class_name: str
    init_args: tuple[Any, ...] = ()
    init_kwargs: Mapping[str, Any] = field(default_factory=dict)
    attributes: Mapping[str, Any] = field(default_factory=dict)
    parameters: Mapping[str, Array] = field(default_factory=dict)
    buffers: Mapping[str, Array] = field(default_factory=dict)
    modules: Mapping[str, ModuleRecord] = field(default_factory=dict)

    def state(self, prefix: str = "") -> Iterator[tuple[str, Array]]:
        """Yield (dotted key, array) of every parameter and buffer, in depth-first order."""
        for name, array in (*self.parameters.items(), *self.buffers.items()):
            yield prefix + name, array
        for name, child in self.modules.items():
            yield from child.state(f"{prefix}{name}.")

    def module(self, path: str) -> ModuleRecord:
        """Return the child at a dotted path; raises KeyError that names the path."""
        record = self
        for part in path.split("."):
            if part not in record.modules:
                raise KeyError(f"{self.class_name} has no module {path!r}")
            record = record.modules[part]
        return record


@dataclass
class TFNetwork:
    """One pickled `dnnlib.tflib.Network`: its keyword arguments, components and variables."""

    name: str
    version: int
    static_kwargs: Mapping[str, Any]
    build_func_name: str
    components: Mapping[str, TFNetwork] = field(default_factory=dict)
    variables: Mapping[str, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True)
class Source:
    """What was found in a file.

    `kind`: 'pickle' (any pickle: root holds ModuleRecord / TFNetwork / dict / tuple / tensors),
    'torch' (a torch.save file: root as saved, tensors and plain containers),
    'safetensors' (root = flat dict of tensors, `header` = its metadata),
    'openvino' (root = dict with 'mapping' and 'synthesis' graphs).
    """

    path: Path
    kind: str
    root: Any
    header: Mapping[str, str] = field(default_factory=dict)
    sha256: str = ""


@dataclass(frozen=True)
class Checkpoint:
    """A generator as data: which family, which configuration, which weights (keys are our attribute names).

    `format` says where it came from ('nvidia-torch', 'nvidia-tf', 'dill', 'rosinality', ...). `ignored` lists what
    the file held and we did not need; `notes` are sentences for the user; `w_avg_known` is False when the layout
    has no mean w and it must be estimated. `text_encoder` is the CLIP that a StyleGAN-T file may carry.
    """

    path: Path
    format: str
    family: str
    spec: Spec
    state: Mapping[str, Array]
    ignored: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    w_avg_known: bool = True
    sha256: str = ""
    text_encoder: ModuleRecord | None = None
