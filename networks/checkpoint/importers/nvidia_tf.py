"""NVIDIA's TensorFlow pickles: StyleGAN, StyleGAN2 (configs A to F) and StyleGAN2-ADA as `dnnlib.tflib.Network`.

Config A is the original StyleGAN; B to D keep progressive growing (one unsummed to-RGB per resolution, Fig. 2d of
Karras et al. 2020), E and F are 'skip', 'resnet' or 'orig'. Widths and start size come from the stored variables;
keyword arguments only where no variable tells.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from networks.checkpoint.errors import CheckpointError
from networks.checkpoint.importers.shapes import stylegan2_spec, trunk_sizes
from networks.checkpoint.records import Array, Checkpoint, Source, TFNetwork
from networks.stylegan1 import BLUR, StyleGAN1Spec
from networks.stylegan2 import BINOMIAL, StyleGAN2Spec

FORMAT = "nvidia-tf"
FUSED_FROM = 128  # StyleGAN up-samples with a transposed convolution from this height on
# Arguments that the network can only have with one value; others would be another network.
FIXED: Mapping[str, Any] = {
    "use_wscale": True,
    "use_pixel_norm": False,
    "use_instance_norm": True,
    "use_styles": True,
    "const_input_layer": True,
    "nonlinearity": "lrelu",
    "act": "lrelu",
    "mapping_nonlinearity": "lrelu",
    "normalize_latents": True,
}
# Arguments that the variables tell as well, or that concern training only.
_KNOWN_WORDS = """
    num_channels resolution resolution_w resolution_h label_size label_fmaps latent_size dlatent_size mapping_fmaps
    mapping_layers mapping_lrmul dlatent_broadcast fmap_base fmap_decay fmap_min fmap_max use_noise blur_filter
    fused_scale structure dtype truncation_psi truncation_cutoff truncation_psi_val truncation_cutoff_val
    dlatent_avg_beta style_mixing_prob randomize_noise is_training is_validation is_template_graph architecture
    resample_kernel fused_modconv num_fp16_res conv_clamp synthesis_func mapping_func components func_name
    normalize_labels force_clean_graph return_dlatents
"""
KNOWN = frozenset(_KNOWN_WORDS.split())


def stylegan_tf(source: Source) -> Checkpoint | None:
    """A TensorFlow generator, alone or as the last of (G, D, Gs); raises CheckpointError for other TF networks."""
    networks = _networks(source.root)
    if not networks:
        return None
    generators = [network for network in networks if {"mapping", "synthesis"} <= set(network.components)]
    if not generators:
        built = ", ".join(network.build_func_name or network.name for network in networks)
        raise CheckpointError(f"{source.path.name}: no style-based generator among its TensorFlow networks ({built})")
    network = generators[-1]  # Gs, the moving average, is stored last
    reader = _Reader(source.path.name, network)
    ignored = tuple(other.name for other in networks if other is not network)
    spec, state = reader.stylegan1() if reader.is_stylegan1 else reader.stylegan2()
    return Checkpoint(
        path=source.path,
        format=FORMAT,
        family="stylegan1" if reader.is_stylegan1 else "stylegan2",
        spec=spec,
        state=state,
        ignored=(*ignored, *reader.ignored()),
        notes=reader.notes(),
        w_avg_known="dlatent_avg" in network.variables,
        sha256=source.sha256,
    )


def _networks(root: Any) -> list[TFNetwork]:
    if isinstance(root, TFNetwork):
        return [root]
    if isinstance(root, Mapping):
        root = list(root.values())
    return [item for item in root if isinstance(item, TFNetwork)] if isinstance(root, (list, tuple)) else []


def _dense(variable: np.ndarray) -> np.ndarray:
    """[in, out] -> [out, in]."""
    return variable.T


def _kernel(variable: np.ndarray, turned: bool = False) -> np.ndarray:
    """[k, k, I, O] -> [O, I, k, k], spatially flipped where TensorFlow ran a transposed convolution."""
    return (variable[::-1, ::-1] if turned else variable).transpose(3, 2, 0, 1)


class _Reader:
    """One generator's variables, taken by name; what nobody took is reported as ignored."""

    def __init__(self, file: str, network: TFNetwork) -> None:
        self.file = file
        self.kwargs: dict[str, Any] = dict(network.static_kwargs)
        self.main = dict(network.variables)
        self.mapping = dict(network.components["mapping"].variables)
        self.synthesis = dict(network.components["synthesis"].variables)
        for component in ("mapping", "synthesis"):
            self.kwargs.update(network.components[component].static_kwargs)
        self.taken: set[str] = set()
        self.scopes = self._scopes()
        self._check_arguments()

    @property
    def is_stylegan1(self) -> bool:
        return any(name.endswith("StyleMod/weight") for name in self.synthesis)

    def _scopes(self) -> list[str]:
        """The variable scopes of the resolutions ('4x4', '8x8', ...), ascending."""
        scopes = {match[1] for name in self.synthesis if (match := re.match(r"(\d+x\d+)/", name))}
        if not scopes:
            raise CheckpointError(f"{self.file}: its synthesis network has no 4x4, 8x8, ... variables; is it StyleGAN?")
        return sorted(scopes, key=lambda scope: int(scope.split("x")[0]) * int(scope.split("x")[1]))

    def _check_arguments(self) -> None:
        for name, value in FIXED.items():
            if name in self.kwargs and self.kwargs[name] != value:
                raise CheckpointError(
                    f"{self.file}: built with {name}={self.kwargs[name]!r}; only {value!r} can be shown here"
                )

    def take(self, name: str, group: str = "synthesis") -> np.ndarray:
        """A variable of 'synthesis', 'mapping' or 'main'; raises CheckpointError when it is missing."""
        variables: dict[str, np.ndarray] = getattr(self, group)
        if name not in variables:
            raise CheckpointError(f"{self.file}: variable {group}/{name} is missing; is the file complete?")
        self.taken.add(f"{group}/{name}")
        return np.asarray(variables[name])

    def ignored(self) -> tuple[str, ...]:
        """Variables that have no place in our network."""
        every = {f"{group}/{name}" for group in ("main", "mapping", "synthesis") for name in getattr(self, group)}
        return tuple(sorted(every - self.taken - {"main/lod", "synthesis/lod"}))

    def notes(self) -> tuple[str, ...]:
        """Sentences on what is unusual: arguments that we do not know, training that stopped while growing."""
        notes = []
        if unknown := sorted(set(self.kwargs) - KNOWN - set(FIXED)):
            notes.append(f"Built with arguments that are unknown here and were not used: {', '.join(unknown)}.")
        lod = float(self.synthesis.get("lod", self.main.get("lod", np.zeros(()))))
        if lod > 0:
            size = self.size(len(self.scopes) - 1 - int(np.ceil(lod)))
            notes.append(
                f"Training stopped while the network grew (lod {lod:g});"
                f" layers above {size[1]}x{size[0]} pixels are unfinished."
            )
        return tuple(notes)

    # --- what both generations share ---------------------------------------------------------------------------

    @property
    def start(self) -> tuple[int, int]:
        """(H, W) of the constant."""
        const = self.synthesis.get(f"{self.scopes[0]}/Const/const")
        if const is None:
            raise CheckpointError(
                f"{self.file}: {self.scopes[0]}/Const/const is missing; only constant inputs are known"
            )
        return int(const.shape[2]), int(const.shape[3])

    def size(self, level: int) -> tuple[int, int]:
        """(H, W) at a level above the start."""
        return self.start[0] << level, self.start[1] << level

    def block(self, level: int) -> str:
        return f"synthesis.b{self.size(level)[0]}"

    @property
    def lr_multiplier(self) -> float:
        """The learning rate multiplier of the mapping network; it scales its weights and biases."""
        return float(self.kwargs.get("mapping_lrmul", 0.01))

    def _depth(self) -> int:
        return sum(bool(re.fullmatch(r"Dense\d+/weight", name)) for name in self.mapping)

    def mapping_state(self) -> Iterator[tuple[str, Array]]:
        """Keys and arrays of the mapping network."""
        for i in range(self._depth()):
            yield f"mapping.fc{i}.weight", _dense(self.take(f"Dense{i}/weight", "mapping"))
            yield f"mapping.fc{i}.bias", self.take(f"Dense{i}/bias", "mapping")
        for name in ("LabelConcat", "LabelEmbed"):
            if f"{name}/weight" in self.mapping:
                yield "mapping.embed.weight", _dense(self.take(f"{name}/weight", "mapping"))
            if f"{name}/bias" in self.mapping:
                yield "mapping.embed.bias", self.take(f"{name}/bias", "mapping")
        width = int(self.mapping[f"Dense{self._depth() - 1}/weight"].shape[1])
        known = "dlatent_avg" in self.main
        yield "mapping.w_avg", self.take("dlatent_avg", "main") if known else np.zeros(width, np.float32)

    def noise(self, index: int, level: int) -> np.ndarray:
        """The stored noise map [H, W] of a layer; zeros where the file has none."""
        name = f"noise{index}"
        return self.take(name)[0, 0] if name in self.synthesis else np.zeros(self.size(level), np.float32)

    # --- StyleGAN ----------------------------------------------------------------------------------------------

    def stylegan1(self) -> tuple[StyleGAN1Spec, dict[str, Array]]:
        """Specification and state of a StyleGAN generator."""
        state = dict(self.stylegan1_state())
        psi = self.kwargs.get("truncation_psi", 0.7)
        spec = StyleGAN1Spec(
            **trunk_sizes(state),
            mapping_lr_multiplier=self.lr_multiplier,
            blur_taps=_taps(self.kwargs.get("blur_filter", BLUR)),
            default_psi=None if psi is None else float(psi),
            default_cutoff=_optional_int(self.kwargs.get("truncation_cutoff", 8)),
        )
        return spec, state

    def stylegan1_state(self) -> Iterator[tuple[str, Array]]:
        """Keys and arrays of a StyleGAN generator."""
        yield from self.mapping_state()
        for level, scope in enumerate(self.scopes):
            for i, name in enumerate(("Conv0_up", "Conv1") if level else ("Const", "Conv")):
                yield from self._adain_layer(f"{self.block(level)}.conv{i}", f"{scope}/{name}", 2 * level + i)
            rgb = f"ToRGB_lod{len(self.scopes) - 1 - level}"
            yield f"{self.block(level)}.torgb.weight", _kernel(self.take(f"{rgb}/weight"))
            yield f"{self.block(level)}.torgb.bias", self.take(f"{rgb}/bias")

    def _adain_layer(self, ours: str, theirs: str, index: int) -> Iterator[tuple[str, Array]]:
        level = index // 2
        if index == 0:
            yield f"{ours}.const", self.take(f"{theirs}/const")[0]
        else:
            turned = theirs.endswith("_up") and self._is_fused(level)
            yield f"{ours}.weight", _kernel(self.take(f"{theirs}/weight"), turned)
        bias = self.take(f"{theirs}/bias")
        yield f"{ours}.bias", bias
        noisy = f"{theirs}/Noise/weight" in self.synthesis
        yield f"{ours}.noise_strength", self.take(f"{theirs}/Noise/weight") if noisy else np.zeros_like(bias)
        yield f"{ours}.noise_const", self.noise(index, level)
        yield f"{ours}.affine.weight", _dense(self.take(f"{theirs}/StyleMod/weight"))
        yield f"{ours}.affine.bias", self.take(f"{theirs}/StyleMod/bias")

    def _is_fused(self, level: int) -> bool:
        asked = self.kwargs.get("fused_scale", "auto")
        return min(self.size(level)) >= FUSED_FROM if asked == "auto" else bool(asked)

    # --- StyleGAN2 ---------------------------------------------------------------------------------------------

    def stylegan2(self) -> tuple[StyleGAN2Spec, dict[str, Array]]:
        """Specification and state of a StyleGAN2 or StyleGAN2-ADA generator."""
        state = dict(self.stylegan2_state())
        clamp = self.kwargs.get("conv_clamp")
        spec = stylegan2_spec(
            state,
            progressive=any(name.startswith("ToRGB_lod") for name in self.synthesis),
            label_concat="LabelConcat/weight" in self.mapping,
            mapping_lr_multiplier=self.lr_multiplier,
            half_resolutions=int(self.kwargs.get("num_fp16_res", 0)),
            conv_clamp=None if clamp is None else float(clamp),
            filter_taps=_taps(self.kwargs.get("resample_kernel", BINOMIAL)),
        )
        return spec, state

    def stylegan2_state(self) -> Iterator[tuple[str, Array]]:
        """Keys and arrays of a StyleGAN2 generator."""
        yield from self.mapping_state()
        for level, scope in enumerate(self.scopes):
            block = self.block(level)
            if level == 0:
                yield f"{block}.const", self.take(f"{scope}/Const/const")[0]
                yield from self._modulated(f"{block}.conv1", f"{scope}/Conv", 0, level)
            else:
                yield from self._modulated(f"{block}.conv0", f"{scope}/Conv0_up", 2 * level - 1, level)
                yield from self._modulated(f"{block}.conv1", f"{scope}/Conv1", 2 * level, level)
            if f"{scope}/Skip/weight" in self.synthesis:
                yield f"{block}.skip.weight", _kernel(self.take(f"{scope}/Skip/weight"))
            for rgb in (f"{scope}/ToRGB", f"ToRGB_lod{len(self.scopes) - 1 - level}"):
                if f"{rgb}/weight" in self.synthesis:
                    yield from self._modulated(f"{block}.torgb", rgb, None, level)

    def _modulated(self, ours: str, theirs: str, noise: int | None, level: int) -> Iterator[tuple[str, Array]]:
        yield f"{ours}.weight", _kernel(self.take(f"{theirs}/weight"), turned=theirs.endswith("_up"))
        yield f"{ours}.bias", self.take(f"{theirs}/bias")
        yield f"{ours}.affine.weight", _dense(self.take(f"{theirs}/mod_weight"))
        yield f"{ours}.affine.bias", self.take(f"{theirs}/mod_bias") + 1
        if noise is not None:
            noisy = f"{theirs}/noise_strength" in self.synthesis
            strength = self.take(f"{theirs}/noise_strength") if noisy else np.zeros((), np.float32)
            yield f"{ours}.noise_strength", strength.reshape(())
            yield f"{ours}.noise_const", self.noise(noise, level)


def _taps(kernel: Sequence[float] | None) -> tuple[float, ...]:
    return (1.0,) if kernel is None else tuple(float(tap) for tap in np.asarray(kernel).ravel())


def _optional_int(value: Any) -> int | None:
    return None if value is None else int(value)
