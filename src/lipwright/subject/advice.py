"""The footage report in words a person filming can act on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_MANY_SHOTS_S = 4.0
"""Shots shorter than this on average are worth a word."""


def advice(report: dict[str, Any]) -> list[str]:
    """What to do about it, most important first; empty when the footage is fine."""
    return [*_of_the_file(report), *_of_the_picture(report), *_of_the_sound(report), *_of_the_person(report)]


def _of_the_file(report: dict[str, Any]) -> Iterator[str]:
    if report["missing_s"] > 0:
        yield f"The file ends {report['missing_s']:.1f} s before its announced length: it may be cut off."
    if damaged := report["damaged_s"]:
        lost = sum(b - a for a, b in damaged)
        yield f"{lost:.1f} s of the file are damaged (first at {damaged[0][0]:.1f} s); they are left out of training."
    if report["usable_s"] < 30:
        yield f"{report['usable_s']:.0f} s is short: a minute or more teaches more mouth shapes."
    file = report["footage"]
    if file["material_fps"]:
        yield (
            f"Pictures are repeated to fill {_rate(file['fps'])} fps; their own {_rate(file['material_fps'])} fps are "
            "taken back."
        )
    if file["variable_rate"]:
        yield f"The frame rate varies; the pictures were put on an even {_rate(report['fps'])} fps."
    if file["interlaced"]:
        yield "The pictures are interlaced and were made whole; film progressive if you can, it is sharper."
    if file["hdr"]:
        yield "The footage is HDR and was brought to SDR; the result will be SDR."


def _of_the_picture(report: dict[str, Any]) -> Iterator[str]:
    face = report["face_width_px"]
    if face < 120:
        yield f"The face is {face:.0f} px wide: come closer or film at a higher resolution (200 px or more)."
    if report["sharpness"] < 60:
        yield "The picture is soft: check focus and motion blur, teeth can only be as sharp as the footage."
    if not 0.2 < report["brightness"] < 0.8:
        word = "dark" if report["brightness"] <= 0.2 else "bright"
        yield f"The face is too {word}: aim for even, soft light."
    if report["clipped_share"] > 0.02:
        yield "Parts of the face are clipped to black or white: lower contrast or exposure."


def _of_the_sound(report: dict[str, Any]) -> Iterator[str]:
    if report["silence_share"] > 0.5:
        yield f"{100 * report['silence_share']:.0f} % of the sound is silence: speak more, pauses teach little."
    elif report["silence_share"] < 0.03:
        yield "There is hardly a pause: a few seconds of a closed, resting mouth make silence look better."
    offset = report["audio_offset"]
    if not offset["sure"]:
        yield (
            f"The audio-video offset could not be estimated with confidence; check the sync by eye ({offset['words']})."
        )
    elif abs(offset["offset_s"]) >= 0.04:
        direction = "late" if offset["offset_s"] > 0 else "early"
        done = "corrected" if offset["corrected"] else "not corrected"
        yield f"The sound is {abs(1000 * offset['offset_s']):.0f} ms {direction}; this was {done}."
    if offset["trend"] in ("drift", "jump"):
        yield f"{offset['trend_words'].capitalize()}; that was not corrected, export the footage again in sync."


def _of_the_person(report: dict[str, Any]) -> Iterator[str]:
    yaw = max(abs(v) for v in report["yaw_deg"])
    if yaw > 30:
        yield f"The head turns to {yaw:.0f} degrees: beyond about 30 the mouth is hidden; face the camera more."
    if report["no_face_share"] > 0:
        yield f"{100 * report['no_face_share']:.1f} % of the frames show no face; they are left out of training."
    for reason, share in report["unusable_share"].items():
        if share >= 0.005 and reason != "no face is seen":
            yield f"{100 * share:.1f} % of the frames cannot be used: {reason}."
    if report["faces"] > 1:
        yield (
            f"{report['faces']} persons were seen; the largest and steadiest was followed. Use --faces FILE.png to "
            "see everybody and --face N for another."
        )
    if report["shots"] > 1 and report["length_s"] / report["shots"] < _MANY_SHOTS_S:
        yield f"There are {report['shots']} shots, short ones: uncut footage teaches and serves better."


def _rate(text: str) -> str:
    """`30000/1001` as 29.97."""
    top, _, bottom = text.partition("/")
    return f"{int(top) / int(bottom or 1):.5g}"
