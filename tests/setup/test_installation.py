"""What an installation gets: everything tested is pinned, and every dependency is among it."""

import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import unstuck

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
PINS = {
    canonicalize_name(line.partition("==")[0]): line.strip().partition("==")[2]
    for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    if line and not line.startswith("#")
}
ASKED = [*PROJECT["dependencies"], *(r for extra in PROJECT["optional-dependencies"].values() for r in extra)]


@pytest.mark.parametrize("asked", ASKED)
def test_every_dependency_is_pinned_within_its_bounds(asked: str) -> None:
    requirement = Requirement(asked)
    pin = PINS[canonicalize_name(requirement.name)]
    assert Version(pin) in requirement.specifier
    assert ">=" in asked, "the oldest version that works is stated"


def test_pins_are_exact_and_fit_every_build() -> None:
    for name, pin in PINS.items():
        assert re.fullmatch(r"[0-9][0-9a-z.]*", pin), f"{name}: a local suffix such as +cpu would forbid other builds"
    assert PINS["torch"] == "2.13.0"


def test_one_version_everywhere() -> None:
    assert unstuck.__version__ == PROJECT["version"] == version("unstuck")


def test_what_ships() -> None:
    package = ROOT / "src" / "unstuck"
    assert (package / "py.typed").is_file()
    assert "Apache License" in (ROOT / "LICENSE").read_text("utf-8") and PROJECT["license"] == "Apache-2.0"
    assert "## [Unreleased]" in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_every_folder_of_code_is_a_package() -> None:
    """Without ``__init__.py`` a folder would be left out of a wheel, and only an editable install would work."""
    for file in (ROOT / "src" / "unstuck").rglob("*.py"):
        if "scripts" not in file.parent.name:  # the demo's scripts are data
            assert (file.parent / "__init__.py").is_file(), file.parent
