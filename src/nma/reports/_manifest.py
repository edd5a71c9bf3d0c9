"""The files of a report in a folder: which are its own, so that no other is ever removed."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

__all__ = ["MANIFEST", "listed_files", "manifest", "own_files"]

MANIFEST = "manifest.txt"
HEADER = "Files of a report by nma.report, with the SHA-256 of each."
LINE = re.compile(r"([0-9a-f]{64})  ([a-z][a-z0-9-]*\.(?:md|csv|svg|pdf))")
"""A digest and a name; no name has a folder in it."""


def manifest(files: Mapping[str, bytes]) -> bytes:
    """Return the list of files, each with the digest of its content."""
    lines = [f"{_digest(content)}  {name}" for name, content in sorted(files.items())]
    return "\n".join([HEADER, *lines, ""]).encode()


def listed_files(folder: Path) -> dict[str, str]:
    """Return the names of an earlier report's files and of its list, each with its digest."""
    listed = folder / MANIFEST
    if not listed.is_file():
        return {}
    first, *lines = listed.read_text(encoding="utf-8", errors="replace").split("\n")
    if first != HEADER:
        return {}
    found = filter(None, map(LINE.fullmatch, lines))
    return {MANIFEST: "", **{one[2]: one[1] for one in found}}


def own_files(folder: Path) -> list[str]:
    """Return the files that an earlier report wrote into a folder and that are as it left them."""
    listed = listed_files(folder).items()
    return [name for name, digest in listed if _is_unchanged(folder / name, digest)]


def _is_unchanged(file: Path, digest: str) -> bool:
    return file.is_file() and not file.is_symlink() and _digest(file.read_bytes()) == digest


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
