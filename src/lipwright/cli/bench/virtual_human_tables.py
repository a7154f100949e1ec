"""What `lipwright bench virtual-human` wrote, as tables: the paper's questions, one table each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lipwright.cli.bench.system_tables import absent
from lipwright.cli.results import table

OURS = "ours"
RENDERER = {
    "mouth_psnr_db": "mouth PSNR, dB",
    "mouth_ssim": "mouth SSIM",
    "mouth_sharpness": "mouth sharpness",
    "teeth_sharpness": "teeth sharpness",
    "silence_ratio": "silence ratio",
    "swap_change": "lips changed by another head",
    "swap_correlation": "lips on both heads, correlation",
    "noise": "noise alone",
    "lip_correlation": "lips to real, correlation",
    "lip_amplitude": "lips to real, amplitude",
    "faces_found": "faces found",
    "grid": "grid, levels",
    "grid_real": "grid of real",
    "draw_ms": "CPU ms a head",
    "fps": "fps",
    "openvino_ms": "OpenVINO, CPU ms",
}
ORACLE = {
    "mouth_psnr_db": "mouth PSNR, dB",
    "mouth_sharpness": "mouth sharpness",
    "teeth_sharpness": "teeth sharpness",
    "head_psnr_db": "head PSNR, dB",
    "square_psnr_db": "square in the head, PSNR",
    "square_sharpness": "sharpness",
    "square_teeth_sharpness": "teeth",
    "reduced_psnr_db": "mouth picture reduced, PSNR",
    "reduced_sharpness": "its sharpness",
    "reduced_teeth_sharpness": "its teeth",
    "footage_px": "mouth square in the footage, px",
    "mouth_px": "in the mouth picture",
    "square_px": "in the head",
}
COMPARED = {
    "fps": "FPS",
    "fps_no_io": "FPS without I/O",
    "ssim": "SSIM",
    "psnr_db": "PSNR, dB",
    "mouth_ssim": "mouth SSIM",
    "mouth_psnr_db": "mouth PSNR, dB",
    "lse_c": "Sync (LSE-C)",
    "lipmatch": "LipMatch confidence (not LSE)",
    "dlip_px": "Dlip raw, px of 512",
    "dlip_centred": "Dlip centred",
    "dlip_frobenius": "Dlip Frobenius",
    "shape_px": "mouth to the speaker's, px",
    "shape_centred_px": "mouth shape to the speaker's, px",
    "lip_correlation": "lips to real, correlation",
    "template_leak": "template leak",
}
GROUPS = ("augmentation", "start", "decoders", "speech", "window", "synthetic share", "backbone", "taught by")
"""Tables of renderers; each begins with `ours`."""
PRINTED = (
    ("Wav2Lip", 49, 0.88, 33.16, 9.51, 8.65),
    ("TalkingFace", 63, None, None, 6.45, None),
    ("NVP+p2p", 47, 0.82, 27.19, 4.83, 18.34),
    ("Ours", 110, 0.94, 35.71, 7.41, 12.81),
)
"""Paper D, Table 1: FPS on a GPU, SSIM, PSNR, Sync, Dlip; other faces, 500 pictures."""
_HOW = {
    "drawn_by": "drawn by",
    "steps": "steps",
    "train_s": "training, s",
    "oracle_steps": "oracle steps",
    "cpu_s": "CPU s",
}


def of_virtual_human(given: Mapping[str, Any]) -> dict[str, Any]:
    """Command, machine of the last row, and tables for `lipwright report`; ValueError when no row was run."""
    budget = given["budget"]
    limit = f"--steps {budget.removesuffix(' steps')}" if budget.endswith(" steps") else f"--budget {budget}"
    command = f"lipwright bench virtual-human {' '.join(given['subjects'])} --preset {given['preset']} {limit}"
    command += f" --seed {given['seed']}" + "".join(f" --set {k}={v}" for k, v in given["changes"].items())
    machines = [r["machine"] for s in given["subjects"].values() for r in s["rows"].values() if "machine" in r]
    if not machines:
        raise ValueError("no row was run")
    return {"command": command + " --json table.json", "machine": machines[-1], "tables": tables(given)}


def tables(given: Mapping[str, Any]) -> list[dict[str, Any]]:
    """All tables of all subjects; a subject's own name stands in the titles when there are several."""
    several = len(given["subjects"]) > 1
    found = []
    for name, subject in given["subjects"].items():
        rows = {row: facts for row, facts in subject["rows"].items() if facts["status"] == "run"}
        made = [_renderers(group, rows) for group in GROUPS]
        made += [_plain("oracle", {r: f for r, f in rows.items() if f["kind"] == "oracle"}, ORACLE)]
        made += [*_bins(rows), _sticking(rows), *_compared(rows), absent(subject["rows"])]
        found += [one | {"title": f"{name}: {one['title']}" if several else one["title"]} for one in made if one]
    if any("comparison" in one["title"] for one in found):
        columns = ("method", "FPS", "SSIM", "PSNR, dB", "Sync", "Dlip")
        found.append(table("comparison, as the paper printed it", columns, PRINTED))
    return found


def _renderers(group: str, rows: Mapping[str, Any]) -> dict[str, Any] | None:
    own = {row: facts for row, facts in rows.items() if facts["group"] == group}
    first = {OURS: rows[OURS]} if OURS in rows else {}
    return _plain(group, first | own, RENDERER) if own else None


def _plain(title: str, rows: Mapping[str, Any], columns: Mapping[str, str]) -> dict[str, Any] | None:
    """Rows by name; columns that no row has a value for are left out."""
    keys = [key for key in (*columns, *_HOW) if any(facts.get(key) is not None for facts in rows.values())]
    labels = [{**columns, **_HOW}[key] for key in keys]
    lines = [[row, *(facts.get(key) for key in keys)] for row, facts in rows.items()]
    return table(title, ("row", *labels), lines) if rows else None


def _bins(rows: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = []
    for row, title, unit in (
        ("artefacts by pose distance", "artefacts by pose distance", "pose distance"),
        ("limits", "quality by yaw", "yaw"),
    ):
        bins = rows.get(row, {}).get("bins") or []
        if bins:
            keys = [key for key in bins[0] if key not in ("from_deg", "to_deg")]
            labels = [key.replace("_", " ").replace("psnr db", "PSNR, dB") for key in keys]
            lines = [[f"{b['from_deg']:g} to {b['to_deg']:g} degrees", *(b[key] for key in keys)] for b in bins]
            found.append(table(title, (unit, *labels), lines))
    return found


def _sticking(rows: Mapping[str, Any]) -> dict[str, Any] | None:
    facts = rows.get("limits", {}).get("sticking")
    if not facts:
        return None
    columns = ("cheek detail", "correlation at the same place of the picture", "of the face", "pairs")
    lines = [[who, facts[f"{key}_fixed"], facts[f"{key}_moving"], facts["pairs"]] for who, key in
             (("drawn", "made"), ("real", "real"))]  # fmt: skip
    return table("texture sticking", columns, lines)


def _compared(rows: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One table per protocol, the real video last."""
    done = {row.removeprefix("comparison "): f["protocols"] for row, f in rows.items() if f["group"] == "comparison"}
    found = []
    for protocol in ("self", "cross", "cross, exact"):
        lines = {row: facts[protocol] for row, facts in done.items() if protocol in facts}
        if lines:
            real = next(iter(lines.values()))["real"]
            found.append(_plain(f"comparison, {protocol}", {**lines, "*real video*": real}, COMPARED))
    return [one for one in found if one]
