"""Which tokenizer a text gets."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from nanograd.errors import VocabularyError
from nanograd.text.byte import ByteTokenizer
from nanograd.text.byte_pair import BytePairTokenizer
from nanograd.text.byte_pair_training import check_vocabulary_size
from nanograd.text.character import CharacterTokenizer
from nanograd.text.gpt2_files import load_gpt2_files
from nanograd.text.tokenizer import Tokenizer

TokenizerKind = Literal["character", "byte", "byte-pair"]
KINDS: Final[dict[str, type[Tokenizer]]] = {kind.kind: kind for kind in (CharacterTokenizer, ByteTokenizer, BytePairTokenizer)}


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenizerChoice:
    """A kind of tokenizer and, for byte-pair, how many tokens it learns; VocabularyError where that is out of bounds.

    Where `files` names a folder with GPT-2's vocab.json and merges.txt, byte-pair learns nothing and comes from there.
    """

    kind: TokenizerKind = "character"
    vocabulary_size: int = 1024
    files: Path | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise VocabularyError(f"There is no tokenizer {self.kind!r}; choose {', '.join(KINDS)}.")
        check_vocabulary_size(self.vocabulary_size)
        if self.files is not None and self.kind != "byte-pair":
            raise VocabularyError(f"Files hold a byte-pair vocabulary, and not one of the kind {self.kind!r}.")

    def load(self) -> Tokenizer | None:
        """The tokenizer that its files hold, None where it names none; VocabularyError where they do not hold one."""
        return None if self.files is None else load_gpt2_files(self.files)


def tokenizer_from_dict(values: Mapping[str, Any]) -> Tokenizer:
    """The tokenizer that some tokenizer's `as_dict` describes; raises VocabularyError for anything else."""
    kind = values.get("kind") if isinstance(values, Mapping) else None
    made = KINDS.get(kind) if isinstance(kind, str) else None
    if made is None:
        raise VocabularyError(f"This describes no tokenizer; its kind should be {', '.join(KINDS)}, not {kind!r:.60}.")
    return made.from_dict(values)
