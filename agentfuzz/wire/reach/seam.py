"""A seam: one method of a library's class, and what is put in its place.

Law: frozen data. Given by each library's module, used by `patches`.
"""

from collections.abc import Callable
from typing import Any, NamedTuple


class Seam(NamedTuple):
    """`wrap` is given the real method, and gives what stands in its place."""

    owner: type
    name: str
    wrap: Callable[[Any], Any]
