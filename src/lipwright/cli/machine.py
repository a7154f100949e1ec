"""What this machine and this installation are: for `doctor` and beside every benchmark."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from datetime import date
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from typing import Any

import lipwright

_REQUIREMENT = re.compile(r"^\s*([A-Za-z0-9._-]+)")


def machine() -> dict[str, Any]:
    """Versions, cores, memory, GPU and how busy it is (processes waiting in the last minute), as plain values."""
    import torch

    gpu = torch.cuda.get_device_name(0) if torch.cuda.is_available() else None
    return {
        "lipwright": lipwright.__version__,
        "commit": _commit(),
        "date": date.today().isoformat(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "system": platform.platform(terse=True),
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        **_memory(),
        "gpu": gpu,
        "load": round(os.getloadavg()[0]) if hasattr(os, "getloadavg") else None,
    }


def _memory() -> dict[str, float | None]:
    """Whole and free memory; not known where psutil is missing, as on a machine that only measures networks."""
    try:
        import psutil
    except ImportError:
        return {"memory_gb": None, "free_memory_gb": None}
    memory = psutil.virtual_memory()
    return {"memory_gb": round(memory.total / 1e9, 1), "free_memory_gb": round(memory.available / 1e9, 1)}


def _commit() -> str | None:
    """Commit of the checkout the package runs from, marked when its code was changed since; None without a checkout.

    Results and pages do not count as code: writing one result must not mark the next.
    """
    commit = _git("rev-parse", "--short", "HEAD")
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", ":/src", ":/benchmarks/*.py")
    return commit and commit + ("-dirty" if changed else "")


def _git(*arguments: str) -> str | None:
    command = ["git", "-C", os.path.dirname(lipwright.__file__), *arguments]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip() or None
    except OSError:
        return None


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as info:
            return next((line.partition(":")[2].strip() for line in info if line.startswith("model name")), "")
    except OSError:
        return platform.processor()


def core_install() -> tuple[int, int] | None:
    """(packages, bytes on disk) that the core requirements pull in, None when not installed as a package."""
    try:
        found = _closure(distribution("lipwright"))
    except PackageNotFoundError:
        return None
    return len(found), sum(_size(package) for package in found.values())


def _closure(start: Distribution) -> dict[str, Distribution]:
    """Every installed distribution reachable without extras."""
    found: dict[str, Distribution] = {}
    waiting = [start]
    while waiting:
        package = waiting.pop()
        name = _normal(package.metadata["Name"])
        if name in found:
            continue
        found[name] = package
        for line in package.requires or []:
            needed = _required(line)
            if needed and _normal(needed) not in found:
                try:
                    waiting.append(distribution(needed))
                except PackageNotFoundError:
                    continue  # for another platform, or broken: `doctor` tries the imports itself
    return found


def _required(line: str) -> str | None:
    """The package a requirement line names, None when it belongs to an extra."""
    if re.search(r"\bextra\s*==", line.partition(";")[2]):
        return None
    match = _REQUIREMENT.match(line)
    return match.group(1) if match else None


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _size(package: Distribution) -> int:
    total = 0
    for file in package.files or []:
        try:
            total += os.stat(str(package.locate_file(file))).st_size
        except OSError:
            continue
    return total
