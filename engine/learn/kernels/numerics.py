"""How exactly torch computes: what it is told to do, and the same in words."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from engine.learn import sentences

if TYPE_CHECKING:
    from engine.learn.plan import Plan

# float32 products keep float32's 24 bits. TF32 would keep 11 of them, and bring the losses of a GPU and of a processor
# apart in the third digit; who wants that speed asks for bf16, and knows it.
PRODUCTS = "highest"
WORKSPACE = ":4096:8"  # of cuBLAS; with a fixed one it repeats its sums in one order (cuBLAS manual, "Reproducibility")


def settle(plan: Plan) -> None:
    """Tell torch. The settings belong to the whole process."""
    import torch

    torch.set_num_threads(plan.threads)
    torch.set_float32_matmul_precision(PRODUCTS)
    torch.backends.cudnn.allow_tf32 = False
    if plan.deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", WORKSPACE)
    torch.use_deterministic_algorithms(plan.deterministic)
    torch.backends.cudnn.benchmark = False  # which would choose algorithms by timing them


def explain(plan: Plan) -> tuple[str, ...]:
    """What there is to know of a plan's arithmetic, a sentence each."""
    said = []
    gpu = plan.device.startswith("cuda")
    if plan.precision == "float32" and gpu:
        said.append(sentences.TF32_OFF())
    if plan.precision == "bf16":
        said.append(sentences.BF16())
    if plan.precision == "fp16":
        said.append(sentences.FP16())
    if plan.deterministic:
        said.append(sentences.DETERMINISTIC_GPU() if gpu else sentences.DETERMINISTIC())
    return tuple(said)
