"""What is installed can be told by one command, which loads nothing to find it."""

from __future__ import annotations

import os
import pickle
import platform
import re
import subprocess
import sys
from importlib.metadata import version

import pytest

import nma
from nma.__main__ import main
from nma.versions import Versions


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


def test_wrong_commands_are_answered_with_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    for wrong in (["frobnicate"], ["--verison"], ["explain"]):
        with pytest.raises(SystemExit) as stopped:
            main(wrong)
        assert stopped.value.code == 2
        said = capsys.readouterr().err
        assert "usage: python -m nma" in said
        assert "show this help" in said
        assert said.splitlines()[-1].startswith("python -m nma")


def test_codes_are_explained_by_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "not-positive", "ModelError"]) == 0
    printed = capsys.readouterr().out
    explained = (nma.errors.explain("not-positive"), nma.errors.explain("ModelError"))
    assert printed == "\n\n".join(map(str, explained)) + "\n"
    assert main(["explain", "not-positiv"]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert "Did you mean 'not-positive'?" in told.err


def test_versions_show_themselves_and_the_machine(capsys: pytest.CaptureFixture[str]) -> None:
    found = nma.show_versions()
    assert capsys.readouterr() == ("", "")
    assert dict(found.packages) == nma.versions.installed()
    lines = dict(re.split(r"  +", line, maxsplit=1) for line in repr(found).splitlines())
    assert lines == {**found.packages, **found.machine}
    assert lines["cores"] == str(os.cpu_count())
    assert "threads)" in lines["linear algebra"]
    assert platform.node() not in repr(found) or len(platform.node()) < 4
    assert found == pickle.loads(pickle.dumps(found))  # noqa: S301  our own pickle
    assert main(["versions"]) == 0
    assert capsys.readouterr().out == f"{found}\n"


def test_versions_in_a_notebook_are_the_same_text_escaped() -> None:
    page = Versions({"python": "<b>3</b> & more"}, {})._repr_html_()
    assert page == "<pre>python  &lt;b&gt;3&lt;/b&gt; &amp; more</pre>"


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
