"""The layouts of other people's code: our network's weights written as their files hold them, and what they compute.

`*_file` writes a state dict, `*_picture` evaluates such a state dict the way their code does, without any of ours.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from networks.base import Generator

State = dict[str, Tensor]
SQRT2 = math.sqrt(2)
BINOMIAL = torch.outer(*2 * [torch.tensor([1.0, 3.0, 3.0, 1.0])]) / 64


def unit(x: Tensor) -> Tensor:
    return x / (x.square().mean(dim=1, keepdim=True) + 1e-8).sqrt()


# --- rosinality ------------------------------------------------------------------------------------------------------


def rosinality_file(generator: Generator) -> State:
    """The `g_ema` of rosinality's stylegan2-pytorch."""
    ours, out = generator.state_dict(), {}
    for i in range(len(generator.spec.mapping_features)):
        for part in ("weight", "bias"):
            out[f"style.{i + 1}.{part}"] = ours[f"mapping.fc{i}.{part}"]
    out["input.input"] = ours["synthesis.b4.const"][None]
    _rosinality_conv(out, ours, "conv1", "b4.conv1", 0)
    _rosinality_rgb(out, ours, "to_rgb1", "b4.torgb")
    for i in range(len(generator.spec.channels) - 1):
        block = f"b{8 << i}"
        _rosinality_conv(out, ours, f"convs.{2 * i}", f"{block}.conv0", 2 * i + 1)
        out[f"convs.{2 * i}.conv.blur.kernel"] = 4 * BINOMIAL
        _rosinality_conv(out, ours, f"convs.{2 * i + 1}", f"{block}.conv1", 2 * i + 2)
        _rosinality_rgb(out, ours, f"to_rgbs.{i}", f"{block}.torgb")
        out[f"to_rgbs.{i}.upsample.kernel"] = 4 * BINOMIAL
    return {key: value.clone() for key, value in out.items()}


def _rosinality_rgb(out: State, ours: State, name: str, layer: str) -> None:
    out[f"{name}.conv.weight"] = ours[f"synthesis.{layer}.weight"][None]
    out[f"{name}.conv.modulation.weight"] = ours[f"synthesis.{layer}.affine.weight"]
    out[f"{name}.conv.modulation.bias"] = ours[f"synthesis.{layer}.affine.bias"]
    out[f"{name}.bias"] = ours[f"synthesis.{layer}.bias"].view(1, -1, 1, 1)


def _rosinality_conv(out: State, ours: State, name: str, layer: str, index: int) -> None:
    _rosinality_rgb(out, ours, name, layer)
    out[f"{name}.activate.bias"] = out.pop(f"{name}.bias").view(-1)
    out[f"{name}.noise.weight"] = ours[f"synthesis.{layer}.noise_strength"].view(1)
    out[f"noises.noise_{index}"] = ours[f"synthesis.{layer}.noise_const"][None, None]


def rosinality_w(sd: State, z: Tensor) -> Tensor:
    """z -> w: equalized linears with learning rate multiplier 0.01."""
    x = unit(z)
    for i in range(1, 1 + sum(key.startswith("style.") for key in sd) // 2):
        weight = sd[f"style.{i}.weight"] * (0.01 / math.sqrt(x.shape[1]))
        x = F.leaky_relu(F.linear(x, weight) + 0.01 * sd[f"style.{i}.bias"], 0.2) * SQRT2
    return x


def rosinality_picture(sd: State, ws: Tensor) -> Tensor:
    """ws -> picture with the stored noise: modulated weights, grouped convolutions, blur behind the transposed one."""
    x = sd["input.input"].repeat(len(ws), 1, 1, 1)
    x = _rosinality_styled(sd, "conv1", x, ws[:, 0], 0)
    img = _rosinality_modulated(sd, "to_rgb1", x, ws[:, 1], demodulate=False) + sd["to_rgb1.bias"]
    for i in range(sum(key.endswith("upsample.kernel") for key in sd)):
        x = _rosinality_styled(sd, f"convs.{2 * i}", x, ws[:, 2 * i + 1], 2 * i + 1)
        x = _rosinality_styled(sd, f"convs.{2 * i + 1}", x, ws[:, 2 * i + 2], 2 * i + 2)
        y = _rosinality_modulated(sd, f"to_rgbs.{i}", x, ws[:, 2 * i + 3], demodulate=False)
        img = y + sd[f"to_rgbs.{i}.bias"] + _double(img, sd[f"to_rgbs.{i}.upsample.kernel"])
    return img


def _double(img: Tensor, kernel: Tensor) -> Tensor:
    n, c, h, w = img.shape
    wide = torch.stack([img, torch.zeros_like(img)], dim=-1).view(n, c, h, 2 * w)
    wide = torch.stack([wide, torch.zeros_like(wide)], dim=3).view(n, c, 2 * h, 2 * w)
    return F.conv2d(F.pad(wide, (2, 1, 2, 1)), kernel.flip((0, 1)).expand(c, 1, -1, -1), groups=c)


def _rosinality_modulated(sd: State, name: str, x: Tensor, w: Tensor, demodulate: bool = True) -> Tensor:
    weight = sd[f"{name}.conv.weight"]  # [1, O, I, k, k]
    _, out, into, k, _ = weight.shape
    style = F.linear(
        w, sd[f"{name}.conv.modulation.weight"] / math.sqrt(w.shape[1]), sd[f"{name}.conv.modulation.bias"]
    )
    weight = weight / math.sqrt(into * k * k) * style.view(-1, 1, into, 1, 1)
    if demodulate:
        weight = weight * (weight.square().sum(dim=(2, 3, 4), keepdim=True) + 1e-8).rsqrt()
    n, _, h, width = x.shape
    x = x.reshape(1, n * into, h, width)
    if f"{name}.conv.blur.kernel" not in sd:
        y = F.conv2d(x, weight.view(n * out, into, k, k), padding=k // 2, groups=n)
        return y.view(n, out, h, width)
    y = F.conv_transpose2d(x, weight.transpose(1, 2).reshape(n * into, out, k, k), stride=2, groups=n)
    y = y.view(n * out, 1, *y.shape[-2:])
    return F.conv2d(F.pad(y, (1, 1, 1, 1)), sd[f"{name}.conv.blur.kernel"][None, None]).view(n, out, 2 * h, 2 * width)


def _rosinality_styled(sd: State, name: str, x: Tensor, w: Tensor, index: int) -> Tensor:
    x = _rosinality_modulated(sd, name, x, w)
    x = x + sd[f"{name}.noise.weight"] * sd[f"noises.noise_{index}"]
    return F.leaky_relu(x + sd[f"{name}.activate.bias"].view(1, -1, 1, 1), 0.2) * SQRT2


# --- mmgeneration: rosinality's network under other names -------------------------------------------------------------

MMGEN_NAMES = (
    (".conv.modulation.weight", ".conv.style_modulation.linear.weight_orig"),
    (".conv.modulation.bias", ".conv.style_modulation.bias"),
    (".conv.weight", ".conv.weight_orig"),
    (".noise.weight", ".noise_injector.weight"),
)


def mmgen_file(generator: Generator) -> State:
    """The generator of an mmgeneration checkpoint, without its prefix."""
    out = {}
    for key, value in rosinality_file(generator).items():
        if key.startswith("style."):
            _, i, part = key.split(".")
            key = f"style_mapping.{i}.linear.weight_orig" if part == "weight" else f"style_mapping.{i}.bias"
        key = key.replace("input.input", "constant_input.input").replace("noises.noise_", "injected_noise_")
        for theirs, mmgen in MMGEN_NAMES:
            if key.endswith(theirs):
                key = key.removesuffix(theirs) + mmgen
                break
        out[key] = value
    return out


# --- genforce --------------------------------------------------------------------------------------------------------


def genforce2_file(generator: Generator) -> State:
    """genforce's StyleGAN2: kernels as TensorFlow stores them, style biases without their 1."""
    ours, out = generator.state_dict(), {}
    _genforce_mapping(out, ours)
    out["synthesis.early_layer.const"] = ours["synthesis.b4.const"][None]
    names = [info.name for info in generator.layers if info.kind in ("conv", "up")]
    for i, layer in enumerate(names):
        _genforce2_layer(out, ours, f"synthesis.layer{i}", layer)
        out[f"synthesis.layer{i}.noise"] = ours[f"synthesis.{layer}.noise_const"][None, None]
        out[f"synthesis.layer{i}.noise_strength"] = ours[f"synthesis.{layer}.noise_strength"]
    for i in range(len(generator.spec.channels)):
        _genforce2_layer(out, ours, f"synthesis.output{i}", f"b{4 << i}.torgb")
    out["synthesis.upsample.kernel"] = 4 * BINOMIAL[None, None]
    return {key: value.clone() for key, value in out.items()}


def _genforce_mapping(out: State, ours: State) -> None:
    for key, value in ours.items():
        if key.startswith("mapping.fc"):
            out[key.replace("mapping.fc", "mapping.dense")] = value
    if "mapping.embed.weight" in ours:
        out["mapping.label_weight"] = ours["mapping.embed.weight"].T
    out["truncation.w_avg"] = ours["mapping.w_avg"]


def _genforce2_layer(out: State, ours: State, name: str, layer: str) -> None:
    weight = ours[f"synthesis.{layer}.weight"]
    out[f"{name}.weight"] = weight.flip((2, 3)) if layer.endswith("conv0") else weight
    out[f"{name}.bias"] = ours[f"synthesis.{layer}.bias"]
    out[f"{name}.style.weight"] = ours[f"synthesis.{layer}.affine.weight"]
    out[f"{name}.style.bias"] = ours[f"synthesis.{layer}.affine.bias"] - 1


def genforce2_picture(sd: State, ws: Tensor) -> Tensor:
    """genforce's StyleGAN2 as rosinality's: its code turns up-sampling kernels and adds 1 to styles when it runs."""
    out = {"input.input": sd["synthesis.early_layer.const"]}
    layers = sum(key.startswith("synthesis.layer") and key.endswith(".noise") for key in sd)
    pairs = [(f"layer{i}", "conv1" if i == 0 else f"convs.{i - 1}") for i in range(layers)]
    pairs += [(f"output{i}", "to_rgb1" if i == 0 else f"to_rgbs.{i - 1}") for i in range((layers + 1) // 2)]
    for theirs, name in pairs:
        p = {
            key.removeprefix(f"synthesis.{theirs}."): v
            for key, v in sd.items()
            if key.startswith(f"synthesis.{theirs}.")
        }
        up = theirs.startswith("layer") and int(theirs[5:]) % 2 == 1
        out[f"{name}.conv.weight"] = (p["weight"].flip((2, 3)) if up else p["weight"])[None]
        out[f"{name}.conv.modulation.weight"] = p["style.weight"]
        out[f"{name}.conv.modulation.bias"] = p["style.bias"] + 1
        if theirs.startswith("layer"):
            out[f"{name}.activate.bias"] = p["bias"]
            out[f"{name}.noise.weight"], out[f"noises.noise_{int(theirs[5:])}"] = p["noise_strength"], p["noise"]
        else:
            out[f"{name}.bias"] = p["bias"].view(1, -1, 1, 1)
        if up:
            out[f"{name}.conv.blur.kernel"] = 4 * BINOMIAL
        if name.startswith("to_rgbs"):
            out[f"{name}.upsample.kernel"] = sd["synthesis.upsample.kernel"][0, 0]
    return rosinality_picture(out, ws)


def genforce1_file(generator: Generator) -> State:
    """genforce's StyleGAN: kernels as TensorFlow stores them, so the fused ones are turned."""
    ours, out = generator.state_dict(), {"synthesis.lod": torch.zeros(())}
    _genforce_mapping(out, ours)
    names = [info for info in generator.layers if info.kind != "torgb"]
    for i, info in enumerate(names):
        source, target = f"synthesis.{info.name}", f"synthesis.layer{i}"
        if i == 0:
            out[f"{target}.const"] = ours[f"{source}.const"][None]
        else:
            fused = info.kind == "up" and info.size[0] >= 128
            weight = ours[f"{source}.weight"]
            out[f"{target}.weight"] = weight.flip((2, 3)) if fused else weight
        out[f"{target}.bias"] = ours[f"{source}.bias"]
        out[f"{target}.apply_noise.weight"] = ours[f"{source}.noise_strength"]
        out[f"{target}.apply_noise.noise"] = ours[f"{source}.noise_const"][None, None]
        for part in ("weight", "bias"):
            out[f"{target}.style.{part}"] = ours[f"{source}.affine.{part}"]
    for i in range(len(generator.spec.channels)):
        for part in ("weight", "bias"):
            out[f"synthesis.output{i}.{part}"] = ours[f"synthesis.b{4 << i}.torgb.{part}"]
    return {key: value.clone() for key, value in out.items()}


def genforce1_picture(sd: State, ws: Tensor) -> Tensor:
    """genforce's StyleGAN: nearest + convolution below 128 pixels, a transposed convolution from there on."""
    x = sd["synthesis.layer0.const"].repeat(len(ws), 1, 1, 1)
    for i in range(ws.shape[1]):
        p = {
            key.removeprefix(f"synthesis.layer{i}."): value
            for key, value in sd.items()
            if key.startswith(f"synthesis.layer{i}.")
        }
        if i > 0:
            weight = p["weight"] * SQRT2 / math.sqrt(9 * p["weight"].shape[1])
            up = i % 2 == 0
            if up and 2 * x.shape[2] >= 128:
                w = F.pad(weight, (1, 1, 1, 1))
                w = w[:, :, 1:, 1:] + w[:, :, :-1, 1:] + w[:, :, 1:, :-1] + w[:, :, :-1, :-1]
                x = F.conv_transpose2d(x, w.transpose(0, 1), stride=2, padding=1)
            else:
                x = F.conv2d(x.repeat_interleave(2, 2).repeat_interleave(2, 3) if up else x, weight, padding=1)
            if up:
                blur = torch.outer(*2 * [torch.tensor([1.0, 2.0, 1.0])]) / 16
                x = F.conv2d(x, blur.expand(x.shape[1], 1, 3, 3), padding=1, groups=x.shape[1])
        x = x + p["apply_noise.noise"] * p["apply_noise.weight"].view(1, -1, 1, 1) + p["bias"].view(1, -1, 1, 1)
        x = F.leaky_relu(x, 0.2)
        x = x - x.mean(dim=(2, 3), keepdim=True)
        x = x / (x.square().mean(dim=(2, 3), keepdim=True) + 1e-8).sqrt()
        style = F.linear(ws[:, i], p["style.weight"] / math.sqrt(ws.shape[2]), p["style.bias"])
        style = style.view(len(ws), 2, -1, 1, 1)
        x = x * (style[:, 0] + 1) + style[:, 1]
    last = ws.shape[1] // 2 - 1
    weight = sd[f"synthesis.output{last}.weight"]
    return F.conv2d(x, weight / math.sqrt(weight.shape[1]), sd[f"synthesis.output{last}.bias"])


# --- lucidrains ------------------------------------------------------------------------------------------------------


def lucidrains_file(generator: Generator) -> State:
    """The flat `GAN` dict of lucidrains' stylegan2-pytorch: the averaged mapping SE and synthesis GE."""
    ours, out = generator.state_dict(), {}
    for i in range(generator.spec.mapping_layers):
        for part in ("weight", "bias"):
            out[f"SE.net.{2 * i}.{part}"] = ours[f"mapping.fc{i}.{part}"]
    out["GE.initial_block"] = ours["synthesis.b4.const"][None]
    for part in ("weight", "bias"):
        out[f"GE.initial_conv.{part}"] = ours[f"synthesis.b4.conv.{part}"]
    for i in range(len(generator.spec.channels)):
        block, name = f"synthesis.b{4 << i}", f"GE.blocks.{i}"
        for layer, style in (("conv0", "to_style1"), ("conv1", "to_style2"), ("torgb", "to_rgb.to_style")):
            out[f"{name}.{style}.weight"] = ours[f"{block}.{layer}.affine.weight"]
            out[f"{name}.{style}.bias"] = ours[f"{block}.{layer}.affine.bias"] - 1
        for j in range(2):
            out[f"{name}.conv{j + 1}.weight"] = ours[f"{block}.conv{j}.weight"]
            out[f"{name}.to_noise{j + 1}.weight"] = ours[f"{block}.conv{j}.noise_strength"][:, None]
            out[f"{name}.to_noise{j + 1}.bias"] = ours[f"{block}.conv{j}.bias"]
        out[f"{name}.to_rgb.conv.weight"] = ours[f"{block}.torgb.weight"]
    return {key: value.clone() for key, value in out.items()}


def lucidrains_w(sd: State, z: Tensor) -> Tensor:
    """z -> w: unit length, then linears whose weight and bias are multiplied by 0.1."""
    x = z / z.norm(dim=1, keepdim=True)
    for i in range(0, sum(key.startswith("SE.net.") for key in sd), 2):
        x = F.leaky_relu(F.linear(x, 0.1 * sd[f"SE.net.{i}.weight"], 0.1 * sd[f"SE.net.{i}.bias"]), 0.2)
    return x


def lucidrains_picture(sd: State, ws: Tensor, noise: Tensor) -> Tensor:
    """ws [N, blocks, D], noise [H, W] uniform -> picture."""
    x = F.conv2d(sd["GE.initial_block"], sd["GE.initial_conv.weight"], sd["GE.initial_conv.bias"], padding=1)
    x, img = x.repeat(len(ws), 1, 1, 1), None
    for i in range(ws.shape[1]):
        p = {key.removeprefix(f"GE.blocks.{i}."): v for key, v in sd.items() if key.startswith(f"GE.blocks.{i}.")}
        if i > 0:
            x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
        corner = noise[: x.shape[2], : x.shape[3], None]
        for j in ("1", "2"):
            added = F.linear(corner, p[f"to_noise{j}.weight"], p[f"to_noise{j}.bias"]).permute(2, 1, 0)
            style = F.linear(ws[:, i], p[f"to_style{j}.weight"], p[f"to_style{j}.bias"])
            x = F.leaky_relu(_lucidrains_modulated(x, p[f"conv{j}.weight"], style) + added, 0.2)
        style = F.linear(ws[:, i], p["to_rgb.to_style.weight"], p["to_rgb.to_style.bias"])
        y = _lucidrains_modulated(x, p["to_rgb.conv.weight"], style, demodulate=False)
        img = y if img is None else img + y
        if i < ws.shape[1] - 1:
            img = F.interpolate(img, scale_factor=2, mode="bilinear", align_corners=False)
            f = torch.outer(*2 * [torch.tensor([1.0, 2.0, 1.0])]) / 16
            img = F.conv2d(
                F.pad(img, (1, 1, 1, 1), mode="reflect"), f.expand(img.shape[1], 1, 3, 3), groups=img.shape[1]
            )
    return img


def _lucidrains_modulated(x: Tensor, weight: Tensor, style: Tensor, demodulate: bool = True) -> Tensor:
    maps = []
    for sample, s in zip(x, style, strict=True):
        w = weight * (s[None, :, None, None] + 1)
        if demodulate:
            w = w * (w.square().sum(dim=(1, 2, 3), keepdim=True) + 1e-8).rsqrt()
        maps.append(F.conv2d(sample[None], w, padding=w.shape[-1] // 2))
    return torch.cat(maps)
