"""The footage report in words a person filming can act on."""

from __future__ import annotations

from typing import Any


def advice(report: dict[str, Any]) -> list[str]:
    """What to do about it, most important first; empty when the footage is fine."""
    said = []
    length, face = report["length_s"], report["face_width_px"]
    if report.get("missing_s", 0) > 0:
        said.append(f"The file ends {report['missing_s']:.1f} s before its announced length: it may be cut off.")
    if length < 30:
        said.append(f"{length:.0f} s is short: a minute or more teaches more mouth shapes.")
    if face < 120:
        said.append(f"The face is {face:.0f} px wide: come closer or film at a higher resolution (200 px or more).")
    if report["sharpness"] < 60:
        said.append("The picture is soft: check focus and motion blur, teeth can only be as sharp as the footage.")
    if not 0.2 < report["brightness"] < 0.8:
        word = "dark" if report["brightness"] <= 0.2 else "bright"
        said.append(f"The face is too {word}: aim for even, soft light.")
    if report["clipped_share"] > 0.02:
        said.append("Parts of the face are clipped to black or white: lower contrast or exposure.")
    yaw = max(abs(v) for v in report["yaw_deg"])
    if yaw > 30:
        said.append(f"The head turns to {yaw:.0f} degrees: beyond about 30 the mouth is hidden; face the camera more.")
    if report["silence_share"] > 0.5:
        said.append(f"{100 * report['silence_share']:.0f} % of the sound is silence: speak more, pauses teach little.")
    elif report["silence_share"] < 0.03:
        said.append("There is hardly a pause: a few seconds of a closed, resting mouth make silence look better.")
    offset = report["audio_offset"]
    if not offset["sure"]:
        said.append("The audio-video offset could not be estimated with confidence; check the sync by eye.")
    elif abs(offset["offset_s"]) >= 0.04:
        direction = "late" if offset["offset_s"] > 0 else "early"
        done = "corrected" if offset["corrected"] else "not corrected"
        said.append(f"The sound is {abs(1000 * offset['offset_s']):.0f} ms {direction}; this was {done}.")
    if report["no_face_share"] > 0:
        said.append(f"{100 * report['no_face_share']:.1f} % of the frames show no face; they are left out of training.")
    if report["faces"] > 1:
        said.append(f"Up to {report['faces']} faces were seen; the largest was followed. Use --face N for another.")
    return said
