"""When each letter of a recording is said, from how likely it is at each frame."""

import numpy as np


def said(scores: np.ndarray, text: list[int]) -> np.ndarray:
    """The number of the letter said last, at each frame; 0 before the first.

    scores [frame, blank and letters] are log-probabilities; the likeliest way through blanks and letters is taken.
    """
    states = np.zeros(2 * len(text) + 1, int)  # blank, letter, blank, letter, ..., blank
    states[1::2] = text
    skips = np.zeros(len(states), bool)  # from one letter straight to the next, unless they are the same
    skips[3::2] = states[3::2] != states[1:-2:2]
    best = np.full(len(states), -np.inf)
    best[:2] = scores[0, states[:2]]
    came = np.zeros((len(scores), len(states)), int)
    for frame in range(1, len(scores)):
        ways = np.full((3, len(states)), -np.inf)
        ways[0] = best
        ways[1, 1:] = best[:-1]
        ways[2, 2:] = np.where(skips[2:], best[:-2], -np.inf)
        came[frame] = ways.argmax(0)
        best = ways.max(0) + scores[frame, states]
    state = len(states) - 1 if best[-1] > best[-2] else len(states) - 2
    letters = np.zeros(len(scores), np.int8)
    for frame in range(len(scores) - 1, -1, -1):
        letters[frame] = text[(state - 1) // 2] if state else 0
        state -= came[frame, state]
    return letters


def latest(letters: np.ndarray, delay: int, count: int) -> np.ndarray:
    """The `count` letters said last, the latest first, `delay` frames after they were said; 0 where there is none.

    letters [frame] are those of `said`; the same letter twice in a row is one here. -> [frame, count]
    """
    late = np.concatenate([np.zeros(delay, int), letters])[: len(letters)]
    out, known = np.zeros((len(letters), count), int), [0] * count
    for frame, letter in enumerate(late):
        if letter != known[0]:
            known = [int(letter), *known[:-1]]
        out[frame] = known
    return out
