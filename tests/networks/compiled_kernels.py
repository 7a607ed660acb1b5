"""The kernels for CUDA become machine code for a GPU that is not here, within its shared memory.

Run by test_ops_fused.py in a process of its own; prints one line for each kernel: its name, and the bytes of shared
memory that a program of it takes.
"""

from __future__ import annotations

import sys
from typing import Any

import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from networks.ops import fused, triton_kernels

AMPERE = 80  # compute capability 8.0; the kernels use nothing that later ones lack
PLANES = {"y": "*fp16", "out": "*fp16"}
FILTERS = {"up_taps": "*fp32", "down_taps": "*fp32"}
TAPS = 12  # of a down filter by 2


def compiled(kernel: Any, constants: dict[str, Any], pointers: dict[str, str], floats: set[str]) -> Any:
    """Machine code of one kernel; what is neither constant, pointer nor float is a whole number."""
    types = {name: "fp32" if name in floats else "i32" for name in kernel.arg_names}
    types |= {name: "*fp32" for name in ("scale", "bias", "noise", "down", "across") if name in types}
    types |= pointers | dict.fromkeys(constants, "constexpr")
    source = ASTSource(fn=kernel, signature=types, constexprs=constants)
    return triton.compile(source, target=GPUTarget("cuda", AMPERE, 32))


def epilogues() -> None:
    floats, common = {"slope", "gain", "bound"}, {"NOISY": True, "BOUNDED": True, "BLOCK": fused.BLOCK}
    for last in (False, True):
        code = compiled(triton_kernels.epilogue, common | {"LAST": last}, PLANES, floats)
        report("epilogue", code)
        constants = common | {"LAST": last, "TAPS": 4}
        report("low-pass", compiled(triton_kernels.low_pass_epilogue, constants, PLANES, floats))


def filters() -> None:
    floats = {"slope", "gain", "bound"}
    fine = (fused.TILE - 1) * 2 + TAPS
    for up, rank, precision in ((2, 1, "tf32"), (4, 1, "tf32"), (2, 4, "tf32"), (2, 1, "tf32x3")):
        kind = "*fp16" if precision == "tf32" else "*fp32"
        constants = {
            "UP": up, "N": 6 * up, "DOWN": 2, "M": TAPS, "RANK": rank, "BOUNDED": True, "D": fused.TILE,
            "U": fused._power(fine), "K": fused._power((fine + 6 * up) // up + 3), "PRECISION": precision,
        }  # fmt: skip
        pointers = FILTERS | {"x": kind, "out": kind}
        report(f"filtered x{up} of {rank}", compiled(triton_kernels.filtered_lrelu, constants, pointers, floats))


def report(name: str, code: Any) -> None:
    assert code.asm["cubin"]
    sys.stdout.write(f"{name}: {code.metadata.shared}\n")


if __name__ == "__main__":
    epilogues()
    filters()
