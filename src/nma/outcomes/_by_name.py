"""A mapping that a frozen value can hold: nobody can write to it, and it can be hashed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Generic, TypeVar, final

__all__ = ["ByName"]

Value = TypeVar("Value")


@final
class ByName(Mapping[str, Value], Generic[Value]):
    """Values by name, in the order given; equal to any mapping of the same pairs.

    Parameters
    ----------
    pairs : mapping of str to hashable values
        Copied.
    """

    def __init__(self, pairs: Mapping[str, Value]) -> None:
        self._pairs = dict(pairs)

    def __getitem__(self, name: str) -> Value:
        return self._pairs[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._pairs)

    def __len__(self) -> int:
        return len(self._pairs)

    def __hash__(self) -> int:
        return hash(frozenset(self._pairs.items()))

    def __repr__(self) -> str:
        return repr(self._pairs)
