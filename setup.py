"""The parts of pyproject.toml that it cannot say: lessons, data and kept rows lie beside the package and are installed
inside it."""

from setuptools import find_packages, setup

BESIDE = {"mlcourse.data": "data", "mlcourse.notebooks": "notebooks", "mlcourse.results": "benchmarks/results"}

setup(
    packages=[*find_packages(include=["mlcourse*"]), *BESIDE],
    package_dir=BESIDE,
    package_data={"mlcourse": ["**/*.js", "**/*.css", "**/*.json"]} | {name: ["*", "*/*"] for name in BESIDE},
)
