"""The files of a report in a folder: which are its own, so that no other is ever removed."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

__all__ = ["MANIFEST", "manifest", "own_files"]

MANIFEST = "manifest.txt"
HEADER = "Files of a report by nma.report, with the SHA-256 of each."
LINE = re.compile(r"([0-9a-f]{64})  ([a-z][a-z0-9-]*\.(?:md|csv|svg|pdf))")
"""A digest and a name; no name has a folder in it."""


def manifest(files: Mapping[str, bytes]) -> bytes:
    """Return the list of files, each with the digest of its content."""
    lines = [f"{_digest(content)}  {name}" for name, content in sorted(files.items())]
    return "\n".join([HEADER, *lines, ""]).encode()


def own_files(folder: Path) -> list[str]:
    """Return the files that an earlier report wrote into a folder and that are as it left them."""
    listed = folder / MANIFEST
    if not listed.is_file():
        return []
    first, *lines = listed.read_text(encoding="utf-8", errors="replace").split("\n")
    found = [LINE.fullmatch(line) for line in lines] if first == HEADER else []
    return [one[2] for one in found if one and _is_unchanged(folder / one[2], one[1])]


def _is_unchanged(file: Path, digest: str) -> bool:
    return file.is_file() and not file.is_symlink() and _digest(file.read_bytes()) == digest


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
