"""The daemon that is evaluated: one of our own on a free port, or one that runs already."""

import contextlib
import hashlib
import json
import re
import subprocess
import time
import tomllib
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

PATIENCE = 120  # seconds that a daemon may take to load a model
SEED = 1  # of every session, so that an evaluation can be repeated
WORDS = ("kind", "system_prompt")  # of [model] that are no paths


class NoDaemon(Exception):
    """The daemon does not start or does not answer; one line that says what to do."""


def configuration(path: Path, work: Path) -> dict[str, dict[str, Any]]:
    """A configuration as it is evaluated: paths made absolute, on a free port, with a fixed seed, for this machine."""
    try:
        tables = tomllib.loads(path.read_text())
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise NoDaemon(f"the configuration {path} cannot be read: {error}") from error
    for key, value in tables.setdefault("model", {}).items():
        if key not in WORDS and isinstance(value, str) and value:
            tables["model"][key] = str((path.parent / value).resolve())
    tables["seed"] = tables.get("seed") or SEED
    tables["server"] = tables.get("server", {}) | {
        "host": "127.0.0.1", "port": 0, "web": "", "certificate": "", "private_key": "",
    }  # fmt: skip
    tables["artifacts"] = tables.get("artifacts", {}) | {"folder": str(work / "artifacts")}
    tables["desktop"] = {"enabled": False}
    return tables


def toml(tables: dict[str, Any]) -> str:
    """Tables of numbers, texts, truths and lists, and tables in these, as TOML."""

    def rows(table: dict[str, Any], name: str) -> list[str]:
        # JSON's numbers, texts, truths and lists are TOML's.
        lines = [f"{key} = {json.dumps(value)}" for key, value in table.items() if not isinstance(value, dict)]
        for key, value in table.items():
            if isinstance(value, dict):
                lines += [f"[{name}{key}]", *rows(value, f"{name}{key}.")]
        return lines

    return "\n".join(rows(tables, "")) + "\n"


def fingerprint(program: Path, tables: dict[str, Any]) -> str:
    """A name for what is evaluated: the program, the settings, and every file of the model."""
    settings = {name: table for name, table in tables.items() if name not in ("artifacts", "log")}
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    paths = {Path(value) for value in tables["model"].values() if isinstance(value, str) and value.startswith("/")}
    for path in sorted({path if path.is_dir() else path.parent for path in paths} | {program}):
        for file in [path] if path.is_file() else sorted(path.iterdir()):
            if file.is_file():
                with file.open("rb") as content:
                    digest.update(hashlib.file_digest(content, "sha256").digest())
    return digest.hexdigest()[:12]


@contextlib.contextmanager
def running(program: Path, tables: dict[str, Any], folder: Path) -> Iterator[str]:
    """A daemon with these settings for as long as it is needed. Its WebSocket's URL."""
    config, log = folder / "daemon.toml", folder / "daemon.log"
    config.write_text(toml(tables))
    with log.open("w") as output:
        try:
            # In a session of its own: a Ctrl-C is ours to pass on, in order.
            process = subprocess.Popen(
                [program, "--config", config], stdout=output, stderr=output, start_new_session=True
            )
        except OSError as error:
            raise NoDaemon(f"{program} cannot be started ({error.strerror}): run `make build`") from error
    try:
        yield _address(process, log)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    for _ in range(PATIENCE * 20):
        if found := re.search(r"ws://[^\s,]+", log.read_text()):
            return found[0]
        if process.poll() is not None:
            break
        time.sleep(0.05)
    end = "; ".join(log.read_text().splitlines()[-3:])
    raise NoDaemon(f"the daemon did not start: {end or 'it said nothing'} (all of it: {log})")


def about(url: str) -> dict[str, Any]:
    """What a daemon says of itself: model, version, and what it can make."""
    place = urlsplit(url)
    address = f"{'https' if place.scheme == 'wss' else 'http'}://{place.netloc}/about"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(address, timeout=10) as answer:
            return dict(json.load(answer))
    except (OSError, ValueError) as error:
        raise NoDaemon(f"no daemon answers at {address}: {error}") from error
