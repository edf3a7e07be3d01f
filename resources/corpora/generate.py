"""Makes the bundled texts: `python -m resources.corpora.generate` writes them again beside this file."""

from pathlib import Path

from resources.corpora.chance import Chance
from resources.corpora.tales import tale

_LETTERS = "abcdefghijkl"
_DIGIT_COUNTS = (1, 2, 2, 2, 2, 2, 3, 3, 3, 3)


def make_tales(seed: int = 1) -> str:
    """Short stories with a blank line between them, about 800 KB."""
    chance = Chance(seed)
    return "\n\n".join(tale(chance) for _ in range(1400)) + "\n"


def make_sums(seed: int = 2) -> str:
    """Additions such as 47+85=132, one a line, about 300 KB.

    Half have summands below 100: there are few enough of these that a small model gets them right within minutes.
    Two fifths have summands below 1000, so many that they can only be got right by carrying.
    """
    chance = Chance(seed)
    return "".join(_sum(chance) for _ in range(31_000))


def make_echo(seed: int = 3) -> str:
    """Lines such as kbifd|kbifd, about 300 KB.

    The letters mean nothing, so whoever gets the second half right must have looked it up in the first. No letter comes
    twice in a word: the letter before says which one to look up. Twelve letters are few enough that a model of two
    layers finds this out within a thousand steps; with all of the alphabet it does not in eight thousand.
    """
    chance = Chance(seed)
    return "".join(_echo(chance) for _ in range(21_400))


def texts() -> dict[str, str]:
    """Each bundled text by its key."""
    return {"tales": make_tales(), "sums": make_sums(), "echo": make_echo()}


def _sum(chance: Chance) -> str:
    end = 10 ** chance.pick(_DIGIT_COUNTS)
    left, right = chance.below(end), chance.below(end)
    return f"{left}+{right}={left + right}\n"


def _echo(chance: Chance) -> str:
    left = list(_LETTERS)
    word = "".join(left.pop(chance.below(len(left))) for _ in range(4 + chance.below(5)))
    return f"{word}|{word}\n"


def main() -> None:
    """Write every text into the folder of this file."""
    for name, text in texts().items():
        (Path(__file__).parent / f"{name}.txt").write_text(text, encoding="ascii", newline="\n")


if __name__ == "__main__":
    main()
