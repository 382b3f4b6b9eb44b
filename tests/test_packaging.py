"""The files that install the course agree with one another and with the code."""

import ast
import json
import os
import re
import runpy
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
IMPORTED_AS = {"sklearn": "scikit-learn", "PIL": "pillow"}
PART_OF = {"traitlets": "ipywidgets", "jupyter_client": "nbclient", "ipykernel": "jupyterlab", "IPython": "ipywidgets",
           "psutil": "jupyterlab", "packaging": "pytest", "jupyter_server": "jupyterlab"}


def by_name(lines):
    return {canonicalize_name(Requirement(line).name): Requirement(line) for line in lines}


def ranges():
    return by_name(PROJECT["dependencies"] + PROJECT["optional-dependencies"]["test"])


def pins():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return by_name(line for line in lines if line and not line.startswith("#"))


def environment():
    """The `pip:` list of environment.yml, and everything else in it."""
    text = (ROOT / "environment.yml").read_text(encoding="utf-8")
    pip = re.findall(r"^      - (.+)$", text, re.MULTILINE)
    return pip, re.findall(r"^  - (.+)$", text, re.MULTILINE)


def test_environment_yml_names_the_same_packages_and_ranges():
    pip, conda = environment()
    assert pip[-1] == "-e ."
    assert {name: str(r.specifier) for name, r in by_name(pip[:-1]).items()} == {
        name: str(r.specifier) for name, r in ranges().items()}
    assert conda == ["conda-forge", f"python{PROJECT['requires-python']}", "pip", "pip:"]


def test_every_range_has_a_pin_inside_it():
    pinned = pins()
    for name, requirement in (ranges() | by_name(PROJECT["optional-dependencies"]["peers"])).items():
        assert name in pinned, f"{name} has no pin in constraints.txt"
        [pin] = pinned[name].specifier
        assert pin.version in requirement.specifier, f"{pinned[name]} is outside {requirement}"


def test_constraints_are_exact_versions_that_any_index_may_have():
    for name, pin in pins().items():
        assert re.fullmatch(r"==\d[\w.!]*", str(pin.specifier)), f"{pin} is no plain pin"
        assert pin.url is None
    assert str(pins()["torch"].specifier) == "==2.13.0"
    assert not {"pip", "setuptools", "wheel", "mlcourse"} & set(pins())


def imported(folder):
    """(file, top-level module) of every absolute import under `folder`."""
    for path in sorted((ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module]
            for name in names:
                yield path.relative_to(ROOT), name.split(".")[0]


EVERYTHING = ranges() | by_name(PROJECT["optional-dependencies"]["peers"])


ALLOWED = {"mlcourse/bench": EVERYTHING, "mlcourse/course/nbval_lessons.py": ranges(),      # the first that fits
           "mlcourse": by_name(PROJECT["dependencies"]), "tests": ranges(), "benchmarks": EVERYTHING}


@pytest.mark.parametrize("folder", ["mlcourse", "tests", "benchmarks"])
def test_every_import_is_a_declared_dependency(folder):
    local = {path.stem for path in (ROOT / folder).rglob("*.py")} | {"mlcourse", folder}
    undeclared = {
        f"{path}: {module}" for path, module in imported(folder)
        if module not in sys.stdlib_module_names and module not in local
        and canonicalize_name(PART_OF.get(module, IMPORTED_AS.get(module, module)))
        not in next(allowed for place, allowed in ALLOWED.items() if path.as_posix().startswith(place))}
    assert not undeclared


def test_the_installed_command_is_the_package():
    assert PROJECT["scripts"] == {"mlcourse": "mlcourse.cli:main"}
    assert PROJECT["requires-python"] == ">=3.11"
    for name in PROJECT["license-files"] + [PROJECT["readme"]]:
        assert (ROOT / name).is_file()


@pytest.mark.skipif(os.name == "nt", reason="make is the way of Linux and macOS")
def test_make_says_which_python_is_missing(tmp_path):
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        (tmp_path / name).write_text((ROOT / name).read_text(encoding="utf-8"), encoding="utf-8")
    old = tmp_path / "old_python"
    old.write_text("#!/bin/sh\ncase \"$2\" in *version_info*) exit 1;; esac\n[ \"$1\" = -V ] && echo Python 3.8.1\nexit 0\n",
                   encoding="utf-8")
    old.chmod(0o755)
    for python, sentence in (("/no/such/python", "no Python found as '/no/such/python'"),
                             (str(old), "is Python 3.8.1, but 3.11 or later is needed")):
        made = subprocess.run(["make", "test", f"PYTHON={python}"], cwd=tmp_path, capture_output=True, text=True)
        assert made.returncode == 2 and sentence in made.stdout
        assert not (tmp_path / ".venv").exists()


@pytest.mark.skipif(os.name == "nt", reason="a shell script")
def test_ci_run_is_an_executable_shell_script():
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert subprocess.run(["bash", "-n", str(script)]).returncode == 0
    assert script.read_text(encoding="utf-8").rstrip().endswith("make test")


def test_an_installed_course_has_its_lessons_data_and_rows_inside(tmp_path, monkeypatch):
    """As setup.py installs it: what lies beside the package in a clone lies inside it."""
    handed = {}
    monkeypatch.setattr("setuptools.setup", handed.update)
    monkeypatch.chdir(ROOT)
    runpy.run_path("setup.py")
    package = tmp_path / "mlcourse"
    shutil.copytree(ROOT / "mlcourse", package, ignore=shutil.ignore_patterns("__pycache__"))
    for name, folder in handed["package_dir"].items():
        shutil.copytree(ROOT / folder, tmp_path / name.replace(".", "/"))
    assert {"mlcourse", "mlcourse.lessons.l03_maml", *handed["package_dir"]} <= {*handed["packages"]}
    ask = ("import json; from mlcourse import datasets, rows; from mlcourse.course import notebooks; from mlcourse.system import "
           "paths; print(json.dumps([len(notebooks.lessons()), len(datasets.load('glyphs').images), len(rows.read('rates')), "
           "str(paths.WORK), str(paths.PACKAGE)]))")
    done = subprocess.run([sys.executable, "-c", ask], cwd=tmp_path, capture_output=True, text=True,
                          env=os.environ | {"PYTHONPATH": str(tmp_path)})
    assert done.returncode == 0, done.stderr
    lessons, images, kept, work, where = json.loads(done.stdout)
    assert lessons == len(list((ROOT / "notebooks").glob("[0-9]*.ipynb"))) and images == 10_300 and kept > 50
    assert Path(work) == tmp_path / "mlcourse-work" and Path(where) == package
