"""Generated programs are the same in every run; the command line, called as a function."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

from autodiff_compiler.cli import main

settings.register_profile(
    "repeatable",
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
settings.load_profile("repeatable")


@pytest.fixture
def run(capsys):
    """What a command line returns, prints and complains of."""

    def call(*arguments):
        code = main(arguments)
        out, err = capsys.readouterr()
        return code, out, err

    return call
