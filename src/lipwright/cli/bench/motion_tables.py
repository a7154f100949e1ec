"""Runs of `bench motion` as tables: the paper's layout, its own figures beside ours, and what it does not show."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lipwright.cli import results

Runs = Mapping[str, Mapping[str, Any]]
"""Seed to figures."""


def result_of(data: dict[str, Any], command: str) -> dict[str, Any]:
    """Everything measured as a result for `lipwright report`."""
    tables = []
    for name, subject in data["subjects"].items():
        runs = {row: seeds for row, seeds in subject["runs"].items() if seeds}
        if runs:
            tables += _tables(f"{name}, {subject['train_s'] / 60:.1f} min to learn from", runs)
    notes = [
        "Errors are mean squares per coordinate in 1e-6 Frobenius units; ± is the deviation over seeds.",
        f"Features (logfbank) of five minutes: {data['features']['features_cpu_s']:.3f} s of one core."
        if "features" in data
        else "",
    ]
    return results.result(command, tables, data=data, notes=[note for note in notes if note])


def values(runs: Runs, key: str) -> list[float]:
    """One figure over the seeds that have it."""
    return [float(found[key]) for found in runs.values() if found.get(key) is not None]


def _tables(title: str, runs: Mapping[str, Runs]) -> list[dict[str, Any]]:
    from lipwright.recipes.motion_table.rows import ROWS, mouth_only

    rows = [row for row in ROWS if row.name in runs]
    ours = runs.get("Ours", {})
    paper_ours = next(row.printed for row in ROWS if row.name == "Ours")
    assert paper_ours is not None
    first, printed, more, bins, cross = [], [], [], [], []
    for row in rows:
        own = runs[row.name]
        jaw = None if mouth_only(row) else _spread(own, "jaw_mse", 1e6)
        slid = values(own, "infer_sliding_s")
        first.append([
            row.name, _spread(own, "mouth_mse", 1e6), jaw, _spread(own, "train_s"), _spread(own, "train_cpu_s"),
            _spread(own, "epochs"), _spread(own, "infer_s"), _spread(own, "infer_cpu_s"), slid[0] if slid else None,
            len(own),
        ])  # fmt: skip
        if row.printed is not None and ours:
            ratio = _ratio(own, ours)
            p = row.printed
            slow = statistics.mean(slid) if slid else statistics.mean(values(own, "infer_s"))
            printed.append([
                row.name, p.mouth, p.mouth / paper_ours.mouth, ratio("mouth_mse"), p.jaw,
                None if p.jaw is None or paper_ours.jaw is None else p.jaw / paper_ours.jaw,
                None if jaw is None else ratio("jaw_mse"), p.train_min / paper_ours.train_min, ratio("train_cpu_s"),
                p.infer_s / paper_ours.infer_s, slow / statistics.mean(values(ours, "infer_s")),
            ])  # fmt: skip
        more.append([
            row.name, _spread(own, "shape_mse", 1e6), _spread(own, "inter_frame_mse", 1e6), _spread(own, "energy"),
            _spread(own, "lmd_px"), _spread(own, "lmd_to_noise"), _spread(own, "lmd_to_mean_mouth"),
            _spread(own, "lmd_centred_to_mean_mouth"), _spread(own, "aperture_correlation"),
            _spread(own, "aperture_amplitude"),
        ])  # fmt: skip
        keys = [k for k in next(iter(own.values())) if k.startswith("mouth_mse_yaw_")]
        bins.append([row.name, *(_spread(own, k, 1e6) for k in keys)])
        cross.append([
            row.name, _spread(own, "cross_mouth_mse", 1e6), _spread(own, "cross_shape_mse", 1e6),
            *(_spread(own, f"cross_{k}") for k in ("aperture_correlation", "aperture_amplitude", "template_leak")),
            _spread(own, "cross_real_leak"),
        ])  # fmt: skip
    turned = [k.removeprefix("mouth_mse_yaw_").replace("_", " to ") for k in keys]
    return [
        results.table(title, _FIRST, first),
        *([results.table(f"{title}: beside the paper's figures", _PRINTED, printed)] if printed else []),
        results.table(f"{title}: shape, movement, distance", _MORE, more),
        results.table(f"{title}: mouth MSE by yaw in degrees", ("", *turned), bins),
        results.table(f"{title}: over pose and cheeks of other frames (`cross`)", _CROSS, cross),
    ]


_FIRST = (
    "", "mouth MSE", "jaw MSE", "train, s", "train, CPU s", "epochs", "infer 5 min, s", "infer, CPU s",
    "infer frame by frame, s", "seeds",
)  # fmt: skip
_PRINTED = (
    "", "mouth, paper", "to Ours, paper", "to Ours, here", "jaw, paper", "to Ours, paper ", "to Ours, here ",
    "train to Ours, paper", "train CPU to Ours, here", "infer to Ours, paper", "infer (frame by frame) to Ours, here",
)  # fmt: skip
_MORE = (
    "", "shape MSE", "inter-frame MSE", "inter-frame energy to real", "LMD, px", "LMD to tracker noise",
    "LMD to mean mouth", "LMD centred to mean mouth", "aperture correlation", "aperture amplitude",
)  # fmt: skip
_CROSS = (
    "", "mouth MSE", "shape MSE", "aperture correlation", "aperture amplitude", "template leak", "leak of the truth",
)  # fmt: skip


def _spread(runs: Runs, key: str, factor: float = 1.0) -> str | None:
    """Mean ± deviation over seeds; None where no run has it."""
    found = [factor * v for v in values(runs, key)]
    if not found:
        return None
    mean = results.cell(float(statistics.mean(found)))
    return mean if len(found) == 1 else f"{mean} ± {results.cell(float(statistics.stdev(found)))}"


def _ratio(own: Runs, ours: Runs) -> Callable[[str], float]:
    def ratio(key: str) -> float:
        return statistics.mean(values(own, key)) / statistics.mean(values(ours, key))

    return ratio


def order(runs: Mapping[str, Runs], names: Sequence[str], key: str = "mouth_mse") -> list[tuple[str, str, float, bool]]:
    """Neighbours of a claimed order: (better, worse, difference in deviations, whether it is decided).

    Decided: the seeds' means differ by more than twice the deviation of their difference.
    """
    found = []
    for a, b in itertools.pairwise(names):
        left, right = (values(runs.get(name, {}), key) for name in (a, b))
        if len(left) < 2 or len(right) < 2:
            continue
        gap = statistics.mean(right) - statistics.mean(left)
        spread = (statistics.variance(left) / len(left) + statistics.variance(right) / len(right)) ** 0.5
        found.append((a, b, gap / max(spread, 1e-12), gap > 2 * spread))
    return found
