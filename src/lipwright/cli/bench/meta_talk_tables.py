"""What `lipwright bench meta-talk` wrote, as tables in the layout of Meta Talk's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lipwright.cli.bench.system_rows import NOT_ASKED
from lipwright.cli.bench.system_tables import absent
from lipwright.cli.results import table

CELLS = {"lse_d": "LSE-D", "lse_c": "LSE-C", "fid": "FID", "ssim": "SSIM, full frame"}
"""The paper's, in its order; LSE and FID only where their weights were brought."""
SELF = CELLS | {
    "lipmatch": "LipMatch confidence (not LSE)",
    "frechet_pyramid": "Fréchet distance of mouth pyramids (not FID)",
    "skin_detail": "skin detail to real",
    "mouth_psnr_db": "mouth PSNR, dB",
    "mouth_ssim": "mouth SSIM",
    "mouth_sharpness": "mouth sharpness to real",
    "mouth_jitter": "mouth jitter to real",
    "seam": "seam",
    "lmd_centred": "LMD centred, px",
    "lip_correlation": "lips to real, correlation",
    "lip_amplitude": "amplitude",
    "silence_ratio": "silence ratio",
    "closure_rate": "closure rate",
    "fps": "FPS",
}
CROSS = {
    "lse_d": "LSE-D",
    "lse_c": "LSE-C",
    "lipmatch": "LipMatch confidence (not LSE)",
    "shape_centred_px": "mouth shape to the speaker's, px",
    "lip_correlation": "lips to real, correlation",
    "lip_amplitude": "amplitude",
    "template_leak": "template leak",
    "silence_ratio": "silence ratio",
}
GROUPS = {"systems": "systems", "pairs": "what speech to expression learnt from", "renderer": "renderer",
          "footage": "less footage"}  # fmt: skip
PRINTED_METHODS = ("ATVG", "Wav2Lip", "AudioDVP", "MakeItTalk", "Ours")
PRINTED = {
    "A": ("9.114/5.653/21.572/0.5298", "7.756/7.555/11.847/0.6072", "10.195/4.138/9.437/0.9490",
          "9.977/4.716/23.158/0.5526", "8.636/6.060/6.734/0.9832"),
    "B": ("10.400/5.234/19.983/0.6721", "7.540/6.066/13.120/0.6049", "14.978/0.238/10.234/0.9645",
          "11.911/2.135/19.315/0.6238", "9.878/4.963/7.065/0.9896"),
    "C": ("10.581/5.122/19.311/0.350", "6.637/8.951/11.154/0.5647", "11.712/3.322/9.677/0.9316",
          "16.170/0.06/19.46/0.4781", "9.530/6.141/6.498/0.9744"),
    "D": ("10.005/5.808/17.969/0.5682", "6.546/9.023/12.485/0.5766", "11.804/2.884/9.076/0.9439",
          "11.444/3.725/19.93/0.4705", "9.091/6.155/6.881/0.9875"),
    "E": ("12.506/2.734/18.697/0.5716", "6.571/8.989/11.185/0.6482", "11.713/3.063/9.523/0.9237",
          "14.339/1.018/19.502/0.4872", "9.831/5.493/7.131/0.9867"),
    "F": ("9.567/5.803/20.839/0.5321", "6.343/9.314/13.457/0.7015", "9.953/4.794/11.348/0.9577",
          "11.167/4.277/17.746/0.4764", "8.817/5.841/6.775/0.9894"),
    "G": ("9.687/7.261/21.894/0.5794", "6.013/10.237/14.94/0.6102", "13.332/2.074/10.795/0.9102",
          "8.831/6.795/23.880/0.7736", "8.880/7.539/6.579/0.9866"),
}  # fmt: skip
"""Meta Talk's table: seven characters, each cell LSE-D / LSE-C / FID / SSIM; other faces and another protocol."""


def of_meta_talk(given: Mapping[str, Any]) -> dict[str, Any]:
    """Command, machine of the last row, and tables for `lipwright report`; ValueError when no row was run."""
    budget = given["budget"]
    limit = f"--steps {budget.removesuffix(' steps')}" if budget.endswith(" steps") else f"--budget {budget}"
    command = f"lipwright bench meta-talk {' '.join(given['subjects'])} --preset {given['preset']} {limit}"
    command += f" --seed {given['seed']}" + "".join(f" --set {k}={v}" for k, v in given["changes"].items())
    machines = [r["machine"] for s in given["subjects"].values() for r in s["rows"].values() if "machine" in r]
    if not machines:
        raise ValueError("no row was run")
    command += " --footage VIDEO --audio FROM-TO --picture FROM-TO --json table.json"
    return {"command": command, "machine": machines[-1], "tables": tables(given)}


def tables(given: Mapping[str, Any]) -> list[dict[str, Any]]:
    """All tables of all subjects, then the paper's own where its rows were asked for.

    A subject's name stands in titles when there are several.
    """
    several, found = len(given["subjects"]) > 1, []
    for name, subject in given["subjects"].items():
        made = [_one(title, group, protocol, columns, subject["rows"])
                for group, title in GROUPS.items()
                for protocol, columns in (("self", SELF), ("cross", CROSS))]  # fmt: skip
        made.append(absent(subject["rows"]))
        found += [one | {"title": f"{name}: {one['title']}" if several else one["title"]} for one in made if one]
    rows = [subject["rows"] for subject in given["subjects"].values()]
    if all(one.get("ATVG", {}).get("reason", NOT_ASKED) == NOT_ASKED for one in rows):
        return found
    printed = [[character, *cells] for character, cells in PRINTED.items()]
    return [*found, table("as the paper printed it, LSE-D / LSE-C / FID / SSIM", ("", *PRINTED_METHODS), printed)]


def _one(
    title: str, group: str, protocol: str, columns: Mapping[str, str], rows: Mapping[str, Any]
) -> dict[str, Any] | None:
    """One group under one protocol, the real video last; columns without any value are left out, the paper's never.

    Rows that were not run have 'not run' in the paper's cells.
    """
    done = {r: f["protocols"][protocol] for r, f in rows.items() if f["status"] == "run" and f["group"] == group}
    if not done:
        return None
    if group != "systems" and "ours" in rows and rows["ours"]["status"] == "run":
        done = {"ours": rows["ours"]["protocols"][protocol]} | done
    real = next(iter(done.values()))["real"]
    lines = {**done, "*real video*": real}
    keys = [k for k in columns if k in CELLS or any(facts.get(k) is not None for facts in lines.values())]
    shown = [[row, *(facts.get(k, None) if facts.get(k) is not None or k not in CELLS else "not run" for k in keys)]
             for row, facts in lines.items()]  # fmt: skip
    return table(f"{title}, {protocol}", ("row", *(columns[k] for k in keys)), shown)
