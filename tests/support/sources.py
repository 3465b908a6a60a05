"""The program's sources as trees: many tests look into the same files."""

from __future__ import annotations

import ast
from functools import cache


@cache
def nodes_of(source: str) -> tuple[ast.AST, ...]:
    """Every node of a module, the module first."""
    return tuple(ast.walk(ast.parse(source)))
