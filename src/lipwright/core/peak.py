"""Peak memory of this process, where the system tells (Linux)."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path


def reset_peak() -> None:
    """Forget the peak so far; nothing where the system does not allow it."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def peak_mb() -> float | None:
    """Peak resident memory in MB since the last reset; None where the system does not tell."""
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM"):
                return round(int(line.split()[1]) / 1024, 1)
    return None
