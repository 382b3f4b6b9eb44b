"""The import directions and the sizes that design keeps: widgets → plots → records of learners, train and
evaluate → learner, descend → episode, domains."""

import ast
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "mlcourse"
MODULES = sorted(PACKAGE.rglob("*.py"))
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in MODULES}

COMMANDS = {"cli", "cli_train", "cli_bench", "cli_daml", "cli_study", "cli_transfer", "bench", "study"}
FACE = COMMANDS | {"widgets", "plots", "exercises", "lab", "notebooks", "ipywidgets", "anywidget", "IPython"}
METHODS = {"learners", "train", "evaluate", "checkpoint", "runs"}
FORBIDDEN = {    # component of mlcourse: what it never imports
    "domains": FACE | METHODS | {"learner", "descend", "nets", "episode", "datasets"},
    "episode": FACE | METHODS | {"learner", "descend", "nets", "datasets"},
    "domain_episodes": FACE | METHODS | {"learner", "descend", "nets", "datasets"},
    "losses": FACE | METHODS | {"learner", "descend", "datasets"},
    "losses_distillation": FACE | METHODS | {"learner", "descend", "nets", "datasets"},
    "losses_contrast": FACE | METHODS | {"learner", "descend", "datasets"},
    "augment": FACE | METHODS | {"learner", "descend", "nets", "datasets"},
    "pairs": FACE | METHODS | {"learner", "descend", "nets", "datasets"},
    "nets": FACE | METHODS | {"learner", "datasets"},
    "descend": FACE | METHODS | {"learner", "datasets"},
    "learner": FACE | METHODS | {"datasets"},
    "learners": FACE | {"datasets", "evaluate", "runs"},
    "datasets": FACE | METHODS | {"learner", "descend", "nets"},
    "train": FACE | {"datasets", "evaluate", "runs"},
    "evaluate": FACE | {"datasets", "train", "runs"},
    "checkpoint": FACE | {"datasets", "train", "runs"},
    "runs": FACE,
    "plots": COMMANDS | {"widgets", "exercises", "lab", "notebooks", "ipywidgets", "anywidget", "IPython"},
    "widgets": COMMANDS | {"lab", "notebooks"},
    "exercises": COMMANDS | {"widgets", "plots", "lab", "notebooks"},
    "results": FACE - {"results"},
    "study": FACE - {"study"},
    "bench": COMMANDS - {"bench"},
}
DRAWS = {"plots", "widgets"}
RENDERS = {"glyphs", "glyph_build", "glyph_card", "glyph_characters", "glyph_drawing"}    # inside functions only


def component(path):
    """The part of the package that a file belongs to: "learners" for mlcourse/learners/maml.py."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(tree):
    """(node, full name) of every module that a file imports, wherever the statement stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: write imports in full"
            yield from ((node, f"{node.module}.{alias.name}") for alias in node.names)


def part_of(name):
    """The component of mlcourse in a module's full name, or the top-level module."""
    parts = name.split(".")
    return parts[1] if parts[0] == "mlcourse" and len(parts) > 1 else parts[0]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_one_way(path):
    forbidden = FORBIDDEN.get(component(path), set())
    wrong = sorted({name for _, name in imports(TREES[path]) if part_of(name) in forbidden})
    assert not wrong, f"{component(path)} must not import {wrong}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_matplotlib_stays_with_the_pictures(path):
    top = {node for node in TREES[path].body}
    for node, name in imports(TREES[path]):
        if name.split(".")[0] in ("matplotlib", "seaborn") and component(path) not in DRAWS:
            assert path.stem in RENDERS, f"line {node.lineno}: only plots, widgets and the glyph builder draw"
            assert node not in top, f"line {node.lineno}: import matplotlib inside the function that renders"
        assert not name.startswith("matplotlib.pyplot"), f"line {node.lineno}: pyplot keeps global figures"


def test_the_table_knows_the_components():
    assert set(FORBIDDEN) <= {component(path) for path in MODULES}, "a component was renamed: mend the table"


def test_no_module_imports_a_notebook():
    for path, tree in TREES.items():
        assert not any(name.split(".")[0] == "notebooks" for _, name in imports(tree)), path


def calls(tree):
    """(dotted name, node) of every call by name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def unpickling(tree):
    """A line for every way to unpickle that a file uses."""
    for node, name in imports(tree):
        if name.split(".")[0] in ("pickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"):
            yield f"line {node.lineno} imports {name}"
        if name in ("torch.load", "torch.save", "numpy.load", "pandas.read_pickle"):
            yield f"line {node.lineno} imports {name} by itself"
    for name, node in calls(tree):
        if name in ("torch.load", "torch.save", "torch.jit.load", "pd.read_pickle", "pandas.read_pickle"):
            yield f"line {node.lineno} calls {name}"
        if name in ("np.load", "numpy.load"):
            safe = [k for k in node.keywords if k.arg == "allow_pickle" and ast.unparse(k.value) == "False"]
            if not safe:
                yield f"line {node.lineno} calls {name} without allow_pickle=False"


def test_nothing_is_unpickled():
    found = [f"{path.relative_to(ROOT)}: {what}" for path, tree in TREES.items() for what in unpickling(tree)]
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] == "code":
                found += [f"{path.name}: {what}" for what in unpickling(ast.parse("".join(cell["source"])))]
    assert not found


@pytest.mark.parametrize("source", [
    "import pickle", "from joblib import load", "torch.load('x')", "np.load('x')", "np.load('x', allow_pickle=True)",
    "from torch import load", "pd.read_pickle('x')"])
def test_unpickling_would_be_seen(source):
    assert list(unpickling(ast.parse(source)))


def test_modules_and_functions_are_small():
    too_long = []
    for path in MODULES + sorted((ROOT / "tests").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if text.count("\n") > 400:
            too_long.append(f"{path.relative_to(ROOT)}: {text.count(chr(10))} lines")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.end_lineno - node.lineno >= 60:
                too_long.append(f"{path.relative_to(ROOT)}: {node.name} has {node.end_lineno - node.lineno + 1} lines")
    assert not too_long


def test_everything_public_has_a_docstring():
    bare = []
    for path, tree in TREES.items():
        if not ast.get_docstring(tree):
            bare.append(str(path.relative_to(ROOT)))
        for node in tree.body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
                if not ast.get_docstring(node):
                    bare.append(f"{path.relative_to(ROOT)}: {node.name}")
    assert not bare
