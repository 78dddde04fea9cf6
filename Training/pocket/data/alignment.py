"""When each letter of a recording is said, from how likely it is at each frame."""

import numpy as np

QUIET_BEFORE, QUIET_BEHIND = 6, 8  # frames at the ends of a recording that go with its first and its last word


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


def begins(text: str, letters: list[int], said: np.ndarray) -> np.ndarray | None:
    """The frame in which each letter of a text begins, or None where `said` is of another text.

    letters are the text's numbers; said [frame] are those of `said`, in which the same letter twice in a row is one.
    """
    if not len(said) or not said[-1] or len(letters) != len(text):
        return None
    changes = np.flatnonzero(np.diff(said, prepend=0))
    number = np.cumsum([0, *(before != letter for before, letter in zip(letters, letters[1:], strict=False))])
    return changes[number] if number[-1] + 1 == len(changes) else None


def words_heard(text: str, letters: list[int], said: np.ndarray, delay: int) -> np.ndarray | None:
    """How many of a text's words were said whole, at each frame, `delay` frames after their last letters began; None
    where `said` is of another text. [frame]"""
    at = begins(text, letters, said)
    if at is None:
        return None
    ends = [at[place - 1] for place in range(1, len(text) + 1) if place == len(text) or text[place] == " "]
    return np.searchsorted(np.array(ends) + delay, np.arange(len(said)), side="right")


def words_at(text: str, letters: list[int], said: np.ndarray) -> list[tuple[int, int]] | None:
    """The first frame and one after the last of each word of a text, from the space before it to the one behind it;
    None where `said` is of another text. Before the first word there is a little quiet, where the recording has it.
    """
    at = begins(text, letters, said)
    if at is None:
        return None
    spaces = [int(at[place]) for place, letter in enumerate(text) if letter == " "]
    first, end = max(0, int(at[0]) - QUIET_BEFORE), min(len(said), int(at[-1]) + QUIET_BEHIND)
    return list(zip([first, *spaces], [*spaces, end], strict=True))


def frames_of(words: str, text: str, letters: list[int], said: np.ndarray) -> tuple[int, int] | None:
    """The frames of some words at the end of what is said, or before " for me" and the like; None where they are not
    found, or nothing is before them.
    """
    place, frames = text.rfind(words), words_at(text, letters, said)
    if place <= 0 or frames is None:
        return None
    first = text.count(" ", 0, place)
    return frames[first][0], frames[first + words.count(" ")][1]
