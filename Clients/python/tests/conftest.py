"""The real daemon for the tests: ANYGPTD names the program, ANYGPT_CONFIG its configuration."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a daemon that runs as long as the tests."""
    program = os.environ.get("ANYGPTD", str(ROOT / ".build/release/anygptd"))
    text = (ROOT / "config.toml").read_text()
    for folder in ("Models", "Clients"):
        text = text.replace(f'"{folder}/', f'"{ROOT}/{folder}/')
    text = text.replace("port = 8787", "port = 0")
    config = tmp_path_factory.mktemp("daemon") / "config.toml"
    config.write_text(text)
    process = subprocess.Popen(
        [program, "--config", str(config)], stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    log = ""
    for line in process.stderr:
        log += line
        if found := re.search(r"ws://\S+", line):
            break
    else:
        pytest.fail(f"the daemon did not start:\n{log}")
    yield found[0]
    process.terminate()
    assert process.wait(10) == 0


@pytest.fixture
def question() -> Path:
    """A recorded question."""
    return ROOT / "Models/pocket/demo/question.wav"
