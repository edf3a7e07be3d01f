"""Byte-pair vocabularies as GPT-2 has them on disk: vocab.json, each token and its id, and merges.txt, a merge a line."""

import json
from pathlib import Path
from typing import Any

from nanograd.atomic_file import write_atomically
from nanograd.errors import VocabularyError
from nanograd.text.byte_pair import BytePairTokenizer, parse_merges

VOCABULARY_NAME, MERGES_NAME = "vocab.json", "merges.txt"
_MAXIMUM_BYTES = 1 << 26
_HEADING = "#version: 0.2"


def save_gpt2_files(tokenizer: BytePairTokenizer, folder: Path) -> None:
    """Write vocab.json and merges.txt into `folder`, which is made where it is missing; raises OSError where that fails."""
    folder.mkdir(parents=True, exist_ok=True)
    ids = {token: number for number, token in enumerate(tokenizer.tokens)}
    lines = [_HEADING, *(f"{left} {right}" for left, right in tokenizer.merges)]
    for name, text in ((VOCABULARY_NAME, json.dumps(ids, ensure_ascii=False)), (MERGES_NAME, "\n".join(lines) + "\n")):
        data = text.encode()
        write_atomically(folder / name, lambda stream, data=data: stream.write(data))  # type: ignore[misc]


def load_gpt2_files(folder: Path) -> BytePairTokenizer:
    """The tokenizer whose files lie in `folder`; raises VocabularyError where one is missing, damaged or does not fit the other."""
    try:
        ids = json.loads(_read(folder / VOCABULARY_NAME))
    except (ValueError, RecursionError) as error:
        if isinstance(error, VocabularyError):
            raise
        raise VocabularyError(f"{VOCABULARY_NAME} is no JSON ({error}); get the file again.") from None
    lines = _read(folder / MERGES_NAME).split("\n")
    merges = [line.removesuffix("\r") for line in lines if line.strip() and not line.startswith("#version")]
    return BytePairTokenizer(_tokens_by_id(ids), parse_merges(merges))


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > _MAXIMUM_BYTES:
            raise VocabularyError(
                f"{path.name} has more than {_MAXIMUM_BYTES >> 20} MiB, which no vocabulary needs; choose another."
            )
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        raise VocabularyError(f"{path.name} is not UTF-8; get the file again.") from None
    except OSError as error:
        reason = error.strerror or error
        raise VocabularyError(
            f"{path} could not be read: {reason}. Choose a folder with {VOCABULARY_NAME} and {MERGES_NAME}."
        ) from None


def _tokens_by_id(ids: Any) -> list[str]:
    if not isinstance(ids, dict) or not ids:
        raise VocabularyError(f"{VOCABULARY_NAME} should name each token and its id; it holds something else.")
    if any(type(number) is not int for number in ids.values()) or sorted(ids.values()) != list(range(len(ids))):
        raise VocabularyError(f"The ids in {VOCABULARY_NAME} should be 0 to {len(ids) - 1:,}, each once; they are not.")
    return sorted(ids, key=ids.__getitem__)
