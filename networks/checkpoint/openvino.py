"""OpenVINO IR: a graph in an .xml file whose constants lie at offsets in the .bin file beside it.

Read as data: the XML parser refuses document types (and with them every entity), sizes are checked against the
.bin before anything is allocated, and no operation of the graph is ever run.
"""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from xml.parsers import expat

import numpy as np

from networks.checkpoint.errors import CheckpointError
from networks.checkpoint.folders import MAPPING, SYNTHESIS, find_folder
from networks.checkpoint.records import Source

MAX_XML_BYTES = 32 << 20
MAX_ELEMENTS = 1_000_000
DTYPES = {"f32": np.float32, "f16": np.float16, "i64": np.int64, "i32": np.int32}


@dataclass
class IRLayer:
    """One node: its operation ('Convolution', 'Const', ...), attributes, and the nodes that feed it, by port."""

    id: str
    name: str
    type: str
    data: Mapping[str, str] = field(default_factory=dict)
    inputs: dict[int, str] = field(default_factory=dict)

    @property
    def sources(self) -> tuple[str, ...]:
        """Ids of the nodes that feed this one, in port order."""
        return tuple(self.inputs[port] for port in sorted(self.inputs))


@dataclass
class IRGraph:
    """A network as OpenVINO wrote it: nodes by id, and the bytes of its constants. `digest` is the hash of both."""

    path: Path
    layers: dict[str, IRLayer]
    weights: np.ndarray
    digest: bytes

    @cached_property
    def named(self) -> dict[str, IRLayer]:
        """Nodes by name; the first one where a name repeats."""
        names: dict[str, IRLayer] = {}
        for layer in self.layers.values():
            names.setdefault(layer.name, layer)
        return names

    @cached_property
    def _consumers(self) -> dict[str, list[IRLayer]]:
        found: dict[str, list[IRLayer]] = {}
        for layer in self.layers.values():
            for source in layer.sources:
                found.setdefault(source, []).append(layer)
        return found

    def node(self, name: str) -> IRLayer:
        """Return a node by name; raises CheckpointError when the graph has none."""
        if name not in self.named:
            raise CheckpointError(f"{self.path.name}: the graph has no node {name!r}; is this a MobileStyleGAN?")
        return self.named[name]

    def consumer(self, layer: IRLayer, kind: str) -> IRLayer:
        """Return the one node of an operation that reads this node's output; raises CheckpointError."""
        found = [other for other in self._consumers.get(layer.id, []) if other.type == kind]
        if len(found) != 1:
            raise CheckpointError(
                f"{self.path.name}: {layer.name!r} feeds {len(found)} nodes of type {kind}, expected 1;"
                " is this a MobileStyleGAN?"
            )
        return found[0]

    def inputs(self, layer: IRLayer) -> tuple[IRLayer, ...]:
        """Return the nodes that feed a node, in port order."""
        return tuple(self.layers[source] for source in layer.sources)

    def other_input(self, layer: IRLayer, than: IRLayer | None = None) -> IRLayer:
        """Return a node's input that is not `than` (None: that is no constant); raises CheckpointError."""
        for source in self.inputs(layer):
            if source.type != "Const" if than is None else source.id != than.id:
                return source
        raise CheckpointError(f"{self.path.name}: {layer.name!r} has no second input; is this a MobileStyleGAN?")

    def constant_input(self, layer: IRLayer) -> np.ndarray:
        """Return the one constant among a node's inputs; raises CheckpointError."""
        found = [source for source in self.inputs(layer) if source.type == "Const"]
        if len(found) != 1:
            raise CheckpointError(f"{self.path.name}: {layer.name!r} has {len(found)} constant inputs, expected 1")
        return self.constant(found[0])

    def constant(self, layer: IRLayer) -> np.ndarray:
        """Return a constant, a part of `weights`, after checking its place there against its shape."""
        try:
            dtype = np.dtype(DTYPES[layer.data["element_type"]])
            shape = tuple(int(size) for size in layer.data["shape"].split(",") if size.strip())
            offset, size = int(layer.data["offset"]), int(layer.data["size"])
        except (KeyError, ValueError) as error:
            raise CheckpointError(f"{self.path.name}: the constant {layer.name!r} is not described: {error}") from None
        if min((offset, size, *shape)) < 0 or math.prod(shape) * dtype.itemsize != size:
            raise CheckpointError(
                f"{self.path.name}: the constant {layer.name!r} has {size} bytes for shape {list(shape)}"
            )
        if offset + size > len(self.weights):
            raise CheckpointError(
                f"{self.path.with_suffix('.bin').name} has {len(self.weights)} bytes, but {layer.name!r} ends at"
                f" {offset + size}; is the file complete?"
            )
        return np.require(self.weights[offset : offset + size].view(dtype).reshape(shape), requirements="A")


class _Builder:
    """Collects layers and edges while expat walks the file."""

    def __init__(self, name: str) -> None:
        self.file = name
        self.layers: dict[str, IRLayer] = {}
        self.current: IRLayer | None = None
        self.elements = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.elements += 1
        if self.elements == 1 and tag != "net":
            raise CheckpointError(f"{self.file}: an XML file, but not an OpenVINO network (its root is <{tag[:40]}>)")
        if self.elements > MAX_ELEMENTS:
            raise CheckpointError(f"{self.file}: more than {MAX_ELEMENTS} XML elements; this is no generator")
        try:
            self._element(tag, attributes)
        except (KeyError, ValueError) as error:
            raise CheckpointError(f"{self.file}: <{tag}> is not as OpenVINO writes it ({error})") from None

    def _element(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "layer":
            self.current = IRLayer(attributes["id"], attributes.get("name", ""), attributes["type"])
            self.layers[self.current.id] = self.current
        elif tag == "data" and self.current is not None:
            self.current.data = attributes
        elif tag == "edge":
            target = self.layers[attributes["to-layer"]]
            target.inputs[int(attributes["to-port"])] = self.layers[attributes["from-layer"]].id

    def end(self, tag: str) -> None:
        if tag == "layer":
            self.current = None

    def doctype(self, *_: Any) -> None:
        raise CheckpointError(f"{self.file}: the XML declares a document type, which OpenVINO never writes; not read")


def read_graph(path: Path) -> IRGraph:
    """Read one network: `path` is its .xml, the .bin lies beside it. Raises CheckpointError."""
    weights_path = path.with_suffix(".bin")
    if not os.path.isfile(weights_path):
        raise CheckpointError(f"{path.name}: its weights, {weights_path.name}, are missing; put them beside it")
    try:
        size = path.stat().st_size
        if size > MAX_XML_BYTES:
            raise CheckpointError(
                f"{path.name}: {size} bytes of XML; no generator's graph has more than {MAX_XML_BYTES}"
            )
        text, weights = path.read_bytes(), np.fromfile(weights_path, np.uint8)
    except OSError as error:
        raise CheckpointError(f"{path.name}: cannot be read ({error.strerror})") from None
    builder = _Builder(path.name)
    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = builder.start, builder.end
    parser.StartDoctypeDeclHandler = builder.doctype
    try:
        parser.Parse(text, True)
    except expat.ExpatError as error:
        raise CheckpointError(f"{path.name}: broken XML ({error}); is the file complete?") from None
    digest = hashlib.sha256(text)
    digest.update(weights.data)
    return IRGraph(path, builder.layers, weights, digest.digest())


def read_openvino(path: Path) -> Source | None:
    """Read the pair of networks that a path names; None when it names none. Raises CheckpointError."""
    folder = find_folder(path)
    if folder is None:
        return None
    for name in (MAPPING, SYNTHESIS):
        if not os.path.isfile(folder / name):
            raise CheckpointError(f"{path.name}: {name} is missing in {folder}; both networks are needed")
    graphs = {"mapping": read_graph(folder / MAPPING), "synthesis": read_graph(folder / SYNTHESIS)}
    digest = hashlib.sha256(graphs["mapping"].digest + graphs["synthesis"].digest).hexdigest()
    return Source(path=path, kind="openvino", root=graphs, sha256=digest)
