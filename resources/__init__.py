"""What the program brings along; opened through importlib.resources, so that it works from a packed installation too."""

from dataclasses import dataclass
from importlib.resources import files


@dataclass(frozen=True, slots=True, kw_only=True)
class BundledCorpus:
    """A text that comes with the program: `key` names it in code, `title` and `description` are for the reader."""

    key: str
    title: str
    description: str


BUNDLED_CORPORA = (
    BundledCorpus(key="tales", title="Tales", description="short stories of a small world"),
    BundledCorpus(key="sums", title="Sums", description="additions, and how to carry"),
    BundledCorpus(key="echo", title="Echo", description="random letters, said twice"),
)


def corpus_text(name: str) -> str:
    """The bundled text with the key `name`; raises KeyError where there is none."""
    known = [corpus.key for corpus in BUNDLED_CORPORA]
    if name not in known:
        raise KeyError(f"There is no bundled text {name!r}; choose one of {', '.join(known)}.")
    return files("resources.corpora").joinpath(f"{name}.txt").read_text(encoding="utf-8")
