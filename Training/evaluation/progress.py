"""A line that says how far it is and how long it will take."""

import sys
import time


class Progress:
    """Steps of known number and guessed length; the guesses give way to what is measured."""

    def __init__(self, steps: dict[str, tuple[int, float]]) -> None:
        """`steps`: name -> (units that lie ahead, seconds that a unit is guessed to take)"""
        self._ahead = dict(steps)
        self._live = sys.stderr.isatty()
        self._said = 0.0

    def plan(self) -> str:
        """What lies ahead, for the beginning."""
        rows = [f"  {name:32s} {count:4d}   about {count * each:3.0f} s" for name, (count, each) in self._ahead.items()]
        total = sum(count * each for count, each in self._ahead.values())
        return "\n".join([*rows, f"  {'in all':32s}        about {clock(total)}"])

    def begin(self, name: str) -> None:
        """A step begins."""
        self._name, self._began, self._done = name, time.monotonic(), 0
        self._count, self._each = self._ahead.pop(name)
        self._show()

    def advance(self) -> None:
        """A unit is done."""
        self._done += 1
        self._show()

    def end(self) -> None:
        """The step is over."""
        if self._live:
            sys.stderr.write("\r\033[K")
        seconds = time.monotonic() - self._began
        print(f"{self._name}: {self._done} in {clock(seconds)}", file=sys.stderr, flush=True)

    def _show(self) -> None:
        passed = time.monotonic() - self._began
        # The first units may wait for something to be loaded.
        each = passed / self._done if self._done >= 3 else max(self._each, passed / (self._done + 1))
        left = max(0.0, self._count * each - passed) + sum(count * unit for count, unit in self._ahead.values())
        line = f"{self._name}: {self._done} of {self._count}; about {clock(left)} left in all"
        if self._live:
            sys.stderr.write(f"\r\033[K{line}")
            sys.stderr.flush()
        elif time.monotonic() - self._said > 20:
            self._said = time.monotonic()
            print(line, file=sys.stderr, flush=True)


def clock(seconds: float) -> str:
    """A time for people."""
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.1f} min"
