"""Arrays of any length in .npz files: written row by row, read without loading them.

The layout is numpy's own (a zip of .npy members), so `np.load` reads what is written here. Members are
stored uncompressed: tracked points hardly compress, and a stored member can be mapped into memory.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lipwright.core.errors import ShapeError
from lipwright.core.files import atomic_file

DAMAGED = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error)
"""What reading a damaged .npz file raises."""


class ArrayFile:
    """The members of one .npz file while it is written, one after the other."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive

    def write(self, name: str, values: NDArray[Any]) -> None:
        """A whole array at once."""
        self.stream(name, values.shape, values.dtype, (values,))

    def stream(
        self, name: str, shape: tuple[int, ...], dtype: np.dtype[Any] | type, chunks: Iterable[NDArray[Any]]
    ) -> None:
        """An array of a known shape, given as consecutive chunks along its first axis.

        ShapeError when the chunks together are not of that shape.
        """
        kind, written = np.dtype(dtype), 0
        with self._archive.open(f"{name}.npy", "w", force_zip64=True) as member:
            header = {"descr": np.lib.format.dtype_to_descr(kind), "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(member, header)
            for chunk in chunks:
                if chunk.shape[1:] != shape[1:]:
                    raise ShapeError(f"{name} (rows)", shape[1:], chunk.shape[1:])
                member.write(np.ascontiguousarray(chunk, kind).tobytes())
                written += len(chunk) if shape else 0
        if shape and written != shape[0]:
            raise ShapeError(name, shape, (written, *shape[1:]))


@contextmanager
def array_file(path: Path) -> Iterator[ArrayFile]:
    """Write an .npz file atomically. OutputError when the folder cannot be written or the disk is full."""
    with atomic_file(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
        yield ArrayFile(archive)


def mapped(path: Path, name: str) -> NDArray[Any]:
    """A member of an .npz file as read-only memory of the file; loaded when it is compressed or empty.

    KeyError when there is no such member; a damaged file raises one of `DAMAGED`.
    """
    with zipfile.ZipFile(path) as archive:
        entry = archive.getinfo(f"{name}.npy")
        if entry.compress_type == zipfile.ZIP_STORED:
            with archive.open(entry) as member:
                read_header = {
                    (1, 0): np.lib.format.read_array_header_1_0,
                    (2, 0): np.lib.format.read_array_header_2_0,
                }[np.lib.format.read_magic(member)]
                shape, fortran, dtype = read_header(member)
                skip = member.tell()
            if not fortran and not dtype.hasobject and 0 not in shape:
                start = _data_start(path, entry) + skip
                return np.memmap(path, dtype, "r", start, shape)
    with open(path, "rb") as stream, np.load(stream) as file:
        return np.asarray(file[name])


def _data_start(path: Path, entry: zipfile.ZipInfo) -> int:
    """Where a member's bytes begin: its local header's own lengths count, not the directory's copy."""
    with open(path, "rb") as stream:
        stream.seek(entry.header_offset)
        header = stream.read(30)
    return entry.header_offset + 30 + int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
