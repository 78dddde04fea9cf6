"""What was found so far, one line of JSON each: an evaluation that is stopped goes on where it was."""

import json
from pathlib import Path
from typing import Any


class Store:
    """Values by key in a file that only grows."""

    def __init__(self, path: Path) -> None:
        self.values: dict[str, Any] = {}
        # Whoever stops it may stop it in the middle of a line: what follows the last whole one is cut off.
        whole = path.read_bytes().rpartition(b"\n")[0] if path.exists() else b""
        for line in whole.splitlines():
            row = json.loads(line)
            self.values[row["key"]] = row["value"]
        path.write_bytes(whole + b"\n" if whole else b"")
        self._file = path.open("a")

    def __contains__(self, key: str) -> bool:
        return key in self.values

    def __getitem__(self, key: str) -> Any:
        return self.values[key]

    def put(self, key: str, value: Any) -> None:
        """Keeps a value; it is in the file when this returns."""
        self.values[key] = value
        self._file.write(json.dumps({"key": key, "value": value}) + "\n")
        self._file.flush()
