"""What is installed can be told by one command, which loads nothing to find it."""

from __future__ import annotations

import platform
import subprocess
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING

import nma
from nma.__main__ import main

if TYPE_CHECKING:
    import pytest


def run(*arguments: str) -> str:
    return subprocess.run(  # noqa: S603  our own interpreter, our own code
        [sys.executable, *arguments], capture_output=True, text=True, check=True
    ).stdout


def test_the_command_prints_the_versions_that_are_installed() -> None:
    lines = run("-m", "nma", "--version").splitlines()
    printed = dict(line.split() for line in lines)
    assert list(printed)[:2] == ["python", "bayesnma"]
    assert printed == nma.versions.installed()
    for name in ("bayesnma", "numpy", "scipy", "pandas", "pymc", "arviz", "matplotlib"):
        assert printed[name] == version(name)


def test_without_an_option_the_command_says_what_it_can_do(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main([]) == 0
    printed = capsys.readouterr().out
    assert "--version" in printed
    assert "import nma" in printed


def test_versions_are_found_without_importing_the_packages() -> None:
    code = "import sys, nma; nma.versions.installed(); print(*sys.modules)"
    loaded = {name.split(".")[0] for name in run("-c", code).split()}
    assert loaded & {"pymc", "pytensor", "arviz", "matplotlib", "networkx", "nutpie"} == set()


def test_what_is_not_installed_is_left_out() -> None:
    assert nma.versions.installed(["no-such-package"]) == {"python": platform.python_version()}


def test_a_fit_keeps_the_versions_it_was_made_with() -> None:
    posterior = nma.fit(nma.datasets.network("back_pain"))
    now = nma.versions.installed()
    for name in ("python", "bayesnma", "numpy", "scipy", "pandas", "xarray"):
        assert posterior.provenance[name] == now[name]
