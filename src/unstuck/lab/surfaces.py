"""Where the pages' playgrounds find the surfaces; they live with the other problems of known answer."""

from __future__ import annotations

from unstuck.problems.surface import Surface

__all__ = ["Surface"]
