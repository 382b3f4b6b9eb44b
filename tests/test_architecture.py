"""The house: floors that imports only lead down, no circle, small modules, docstrings, nothing unpickled."""

import ast
import functools
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "mlcourse"
MODULES = sorted(PACKAGE.rglob("*.py"))

# From the ground up. A part of the package imports what stands below it, and its own modules; parts on one floor do not
# know each other. Only the lessons stand side by side in one part: none imports another.
FLOORS = (
    ("statistics", "system", "lesson"),
    ("losses",),
    ("nets",),
    ("context", "engine", "memory", "optimisers"),
    ("domains",),
    ("episode",),
    ("datasets",),
    ("division",),
    ("phases", "held_out"),
    ("generators",),
    ("learner",),
    ("method",),
    ("learners",),
    ("description", "products"),
    ("checkpoint", "compiled"),
    ("train", "evaluate", "probes", "online"),
    ("job", "rows", "supervised", "fewshot"),
    ("assess",),
    ("runs",),
    ("small",),
    ("plots", "exercises"),
    ("widgets",),
    ("studies",),
    ("lessons",),
    ("course",),
    ("bench",),
    ("cli",),
    ("__main__",),
)
FLOOR = {part: floor for floor, parts in enumerate(FLOORS) for part in parts}
DRAWS = {"plots", "widgets", "studies", "lessons", "bench"}
# Names so general that each means one thing: the module that has it. A function, method or class elsewhere says more.
ONE_MEANING = {
    "Adapted": "learner", "Domain": "domains/domain", "Episode": "episode/episode", "Estimate": "statistics",
    "Exercise": "exercises/framework", "Explorer": "widgets/base", "Learner": "learner", "Phase": "phases",
    "Scene": "plots/scene", "Study": "studies/study", "accuracy": "supervised", "cosine": "memory/addressing",
    "evaluate": "evaluate", "interval": "statistics", "linear": "nets/wrap", "paired_difference": "statistics",
    "t_interval": "statistics", "Background": "widgets/background", "Generator": "generators/generator", "Job": "job",
    "Lesson": "lesson", "Notebook": "course/notebooks", "Picture": "plots/static", "Redrawing": "nets/gan",
}
SHORT_LINES = {"browser", "context", "course", "engine", "exercises", "generators", "lessons", "losses", "memory",
               "online", "optimisers", "widgets", "of_lessons.py", "answer_kinds.py", "test_architecture.py"}
RENDERS = {"build", "card", "characters", "drawing", "stored"}      # of the glyphs: inside functions only


@functools.cache
def tree_of(path):
    """The syntax tree of a module."""
    return ast.parse(path.read_text(encoding="utf-8"))


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


def parts_of(path):
    """The other parts of the package that a file imports."""
    names = [name.split(".") for _, name in imports(tree_of(path))]
    return {name[1] for name in names if name[0] == "mlcourse" and len(name) > 1 and name[1] != "__version__"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_lead_down(path):
    own = component(path)
    if own == "__init__":
        assert not parts_of(path)
        return
    assert own in FLOOR, f"{own} stands on no floor: give it one"
    up = sorted(part for part in parts_of(path) - {own} if FLOOR[part] >= FLOOR[own])
    assert not up, f"{own} stands on floor {FLOOR[own]} and must not import {up}"


def test_the_floors_are_those_of_the_house():
    assert set(FLOOR) == {component(path) for path in MODULES} - {"__init__"}, "a part was renamed: mend the floors"


def test_no_lesson_imports_a_lesson():
    for path in MODULES:
        own = path.relative_to(PACKAGE).parts[:2]
        if own[0] == "lessons" and len(path.relative_to(PACKAGE).parts) == 3:
            others = {name.split(".")[2] for _, name in imports(tree_of(path)) if name.startswith("mlcourse.lessons.l")}
            assert others <= {own[1]}, f"{path.relative_to(ROOT)} imports {others - {own[1]}}: move down what both need"


def test_a_general_name_means_one_thing():
    found = {}
    for path in MODULES:
        for node in ast.walk(tree_of(path)):
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name in ONE_MEANING:
                found.setdefault(node.name, []).append(path.relative_to(PACKAGE).with_suffix("").as_posix())
    wanted = {name: [home] for name, home in ONE_MEANING.items()}
    assert found == wanted, "give it a name that says what it does, or use the one function"


def test_no_circle():
    """The modules can be put in an order in which each imports only what stands before it."""
    names = {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in MODULES}
    found = lambda name: name if name in names else name.rpartition(".")[0]
    waiting = {own: {found(name) for _, name in imports(tree_of(path)) if name.startswith("mlcourse")}
               - {own, "mlcourse"}
               for own, path in names.items()}
    while ready := {own for own, needs in waiting.items() if not needs & set(waiting)}:
        waiting = {own: needs for own, needs in waiting.items() if own not in ready}
    assert not waiting, f"a circle among {sorted(waiting)}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_matplotlib_stays_with_the_pictures(path):
    top = {node for node in tree_of(path).body}
    for node, name in imports(tree_of(path)):
        if name.split(".")[0] in ("matplotlib", "seaborn") and component(path) not in DRAWS:
            assert path.stem in RENDERS, f"line {node.lineno}: only pictures, widgets and the glyph builder draw"
            assert node not in top, f"line {node.lineno}: import matplotlib inside the function that renders"
        assert not name.startswith("matplotlib.pyplot"), f"line {node.lineno}: pyplot keeps global figures"


def test_no_module_imports_a_notebook():
    for path in MODULES:
        assert not any(name.split(".")[0] == "notebooks" for _, name in imports(tree_of(path))), path


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
    found = [f"{path.relative_to(ROOT)}: {what}" for path in MODULES for what in unpickling(tree_of(path))]
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
        for node in ast.walk(tree_of(path)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.end_lineno - node.lineno >= 60:
                too_long.append(f"{path.relative_to(ROOT)}: {node.name} has {node.end_lineno - node.lineno + 1} lines")
    assert not too_long


def test_lines_have_at_most_120_characters():
    """In the package, and in the folders of tests/ where none is longer today."""
    folder = ROOT / "tests"
    tests = [path for path in folder.rglob("*.py") if path.relative_to(folder).parts[0] in SHORT_LINES]
    too_long = [f"{path.relative_to(ROOT)}:{number}" for path in MODULES + tests
                for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1) if len(line) > 120]
    assert not too_long


def test_everything_public_has_a_docstring():
    bare = []
    for path in MODULES:
        tree = tree_of(path)
        if not ast.get_docstring(tree):
            bare.append(str(path.relative_to(ROOT)))
        for node in tree.body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
                if not ast.get_docstring(node):
                    bare.append(f"{path.relative_to(ROOT)}: {node.name}")
    assert not bare
