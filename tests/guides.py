"""The code of the guides in docs/: each block with the file that the sentence before it names."""

import ast
import re
import sys
import types

from mlcourse.system import paths

BLOCK = re.compile(r"([^\n]*)\n\n```python\n(.*?)```", re.DOTALL)


def blocks(guide):
    """(file, code) of every Python block of a page in docs/; "" where the line before it names no file."""
    page = (paths.ROOT / "docs" / guide).read_text(encoding="utf-8")
    name = lambda line: (re.findall(r"`([\w/]+\.py)`", line) or [""])[-1]
    return [(name(line), code) for line, code in BLOCK.findall(page)]


def check_docstrings(file, code):
    """The code has the docstrings that tests/test_architecture.py asks of a file in the package."""
    tree = ast.parse(code)
    public = [node for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name[0] != "_"]
    assert all(map(ast.get_docstring, [tree, *public])), f"{file} lacks a docstring"


def as_module(monkeypatch, file, code):
    """The code as the importable module that `file` would be."""
    check_docstrings(file, code)
    name = file.removesuffix(".py").replace("/", ".")
    module = types.ModuleType(name)
    monkeypatch.setitem(sys.modules, name, module)
    exec(compile(code, file, "exec"), vars(module))
    parent, _, own = name.rpartition(".")
    monkeypatch.setattr(sys.modules[parent], own, module, raising=False)
    return module


def run_tests(code):
    """Run the functions test_… of a block one after another; their names."""
    names = {"__name__": "guide"}
    exec(code, names)
    tests = [name for name in names if name.startswith("test_")]
    for name in tests:
        names[name]()
    return tests
