"""Trains the shipped weights further: `python -m pocket all`. Every stage resumes where it stopped.

usage: python -m pocket all [--work FOLDER] [--model FOLDER] [--jobs N] [--pace FACTOR] [--hear | --anew]
       python -m pocket STAGE [--work FOLDER] [--model FOLDER] [--pace FACTOR] [--hear]

Training goes on from the weights in the model folder, with --hear also that of the speech encoder's ear and of the
layers that read its codes; with --anew it begins with random weights.
"""

import argparse
import os
import subprocess
import sys
import time

from .stages import STAGES, estimate, left_out


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="pocket", description=__doc__.split("\n")[0])
    parser.add_argument("stage", choices=["all", *STAGES], help="one stage, or all in order")
    parser.add_argument("--work", default="work", help="corpus, checkpoints and logs (8 GB of memory, 15 GB of disk)")
    parser.add_argument("--model", default="../Models/pocket", help="where the model is written")
    parser.add_argument("--jobs", type=int, default=2, help="stages side by side, or processes of one; a core each")
    parser.add_argument("--pace", type=float, default=1.0, help="factor on every training budget")
    begin = parser.add_mutually_exclusive_group()
    begin.add_argument("--hear", action="store_true", help="train what the speech encoder hears, too")
    begin.add_argument("--anew", action="store_true", help="begin with random weights and a latent of its own")
    return parser.parse_args()


def command(name: str, options: argparse.Namespace) -> list[str]:
    """How a stage is started: as one process, or on a processor as several that train one network together."""
    program = [sys.executable, "-u", "-m"]
    if cores(name, options) > 1:
        program += ["torch.distributed.run", "--standalone", "--nproc-per-node", str(options.jobs), "-m"]
    program += ["pocket", name, "--work", options.work, "--model", options.model, "--pace", str(options.pace)]
    return [*program, "--hear"] if hears(options) else program


def gpu() -> bool:
    """Whether there is one."""
    import torch

    return torch.cuda.is_available()


def shipped(options: argparse.Namespace) -> bool:
    """Whether training goes on from shipped weights, which stage `start` has unpacked, or will."""
    return os.path.exists(f"{options.work}/start/provenance.json") or not os.path.exists(f"{options.work}/start.done")


def hears(options: argparse.Namespace) -> bool:
    """Whether the encoder's ear is trained further: in this run, or in the one that it goes on from."""
    return options.hear or os.path.exists(f"{options.work}/hear")


def cores(name: str, options: argparse.Namespace) -> int:
    """How many a stage takes: a GPU is used by one process."""
    return options.jobs if STAGES[name].shared and not gpu() else 1


def run_all(options: argparse.Namespace) -> None:
    """Starts each stage as soon as what it needs is there and there is a core for it."""
    if options.anew:
        open(f"{options.work}/start.done", "w").close()  # nothing to begin with
    if options.hear:
        open(f"{options.work}/hear", "w").close()
    finished = {name for name in STAGES if os.path.exists(f"{options.work}/{name}.done")}
    ahead = [name for name in STAGES if name not in finished and not left_out(name, shipped(options), hears(options))]
    print(estimate(ahead, options.pace, options.jobs), flush=True)
    running: dict[str, subprocess.Popen] = {}
    while len(finished) < len(STAGES):
        for name, stage in STAGES.items():
            ready = name not in finished and name not in running and finished >= set(stage.needs)
            if ready and sum(cores(other, options) for other in [name, *running]) <= options.jobs:
                running[name] = subprocess.Popen(command(name, options))
        time.sleep(1)
        for name, process in list(running.items()):
            if process.poll() is None:
                continue
            del running[name]
            if process.returncode:
                for other in running.values():
                    other.terminate()
                sys.exit(f"stage {name} failed; after mending the cause, the same command goes on from here")
            finished.add(name)


def main() -> None:
    options = arguments()
    os.makedirs(options.work, exist_ok=True)
    if options.stage == "all":
        run_all(options)
        return
    import torch

    torch.set_num_threads(1)
    if STAGES[options.stage].trains and gpu():
        torch.set_default_device("cuda")
    began = time.time()
    if left_out(options.stage, shipped(options), hears(options)):
        print(f"{options.stage}: the shipped weights have had this", flush=True)
    else:
        STAGES[options.stage].run(options.work, options.model, options.pace)
    if os.environ.get("RANK", "0") != "0":
        return  # the first of several processes tells
    with open(f"{options.work}/{options.stage}.done", "w") as file:
        file.write(f"{time.time() - began:.0f} s\n")
    print(f"{options.stage}: done after {(time.time() - began) / 60:.1f} min", flush=True)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
