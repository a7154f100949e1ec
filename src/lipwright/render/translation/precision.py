"""bfloat16 only where the processor computes in it; emulated it is slower than float32."""

from __future__ import annotations

from contextlib import AbstractContextManager

import torch


def has_bf16(device: torch.device) -> bool:
    """Whether convolutions run natively in bfloat16 on `device`."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported()
    return device.type == "cpu" and bool(torch.cpu._is_avx512_bf16_supported())


def autocast(device: torch.device, wanted: bool) -> AbstractContextManager[object]:
    """Mixed precision when it is wanted and native, else float32."""
    return torch.autocast(device.type, torch.bfloat16, enabled=wanted and has_bf16(device))
