"""What the program brings along; opened through importlib.resources, so that it works from a packed installation too."""

from dataclasses import dataclass
from importlib.resources import files


@dataclass(frozen=True, slots=True, kw_only=True)
class BundledCorpus:
    """A text that comes with the program: `key` names it in code, the others introduce it to the reader."""

    key: str
    title: str
    excerpt: str
    description: str


BUNDLED_CORPORA = (
    BundledCorpus(
        key="tales", title="Tales", excerpt="Once upon a time …",
        description="Small stories from a grammar. Soon the model tells new ones.",
    ),
    BundledCorpus(
        key="sums", title="Sums", excerpt="478+256=734",
        description="Additions with carries. Watch it find out how to carry.",
    ),
    BundledCorpus(
        key="echo", title="Echo", excerpt="geiha|geiha",
        description="A string, and the same again. Heads that copy show in a minute.",
    ),
)  # fmt: skip


def corpus_text(name: str) -> str:
    """The bundled text with the key `name`; raises KeyError where there is none."""
    known = [corpus.key for corpus in BUNDLED_CORPORA]
    if name not in known:
        raise KeyError(f"There is no bundled text {name!r}; choose one of {', '.join(known)}.")
    return files("resources.corpora").joinpath(f"{name}.txt").read_text(encoding="utf-8")
