"""`lipwright fit SUBJECT/ -o FILE.npz`: the person's face as a morphable model, frame by frame."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from lipwright.cli.interrupt import kept
from lipwright.cli.output import print_json
from lipwright.cli.values import sibling
from lipwright.core.bars import Bars


def command(
    subject: Annotated[Path, typer.Argument(help="Folder made by `lipwright prepare`.")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="[default: SUBJECT.face.npz]")] = None,
    model: Annotated[
        str, typer.Option(help="person (from the footage alone), ict-facekit, or a BFM .mat or FLAME .npz file.")
    ] = "person",
    overlay: Annotated[
        Path | None, typer.Option(help="Also write a picture: points, face drawn, face over the frame, difference.")
    ] = None,
    frames: Annotated[int | None, typer.Option(min=1, help="Only the first so many frames.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Fit a 3D face to a subject: identity and texture once, expression, pose and light per frame."""
    target = out or sibling(subject, ".face.npz")
    with kept("nothing was written; run the same command again"), Bars() as bars:
        from lipwright.subject.face import fit_subject

        report: dict[str, Any] = fit_subject(
            subject, target, model=model, overlay=overlay, frames=frames, progress=bars
        )  # fmt: skip
    if json:
        print_json({"fit": target, "overlay": overlay, **report})
        return
    print(f"Fitted: {target} ({report['frames']} frames, {report['model']})")
    print(f"Reprojection: {report['reprojection_px']:.2f} px ({report['reprojection_px_at_512']:.2f} at 512)")
    print(f"Photometric: {report['photometric_grey_levels']:.1f} of 255 grey levels")
    if overlay:
        print(f"Overlay: {overlay}")
