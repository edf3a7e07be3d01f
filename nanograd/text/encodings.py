"""From bytes to characters: by the file's mark, else UTF-8, else as the user says."""

import codecs
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import numpy as np

from nanograd.errors import CorpusError
from nanograd.text.files import unreadable
from nanograd.text.tokenizer import code_points

_PIECE: Final = 1 << 20
_MARKS: Final = (  # UTF-32's begins with UTF-16's, so it is tried first
    (b"\xff\xfe\x00\x00", "utf-32-le", "UTF-32"),
    (b"\x00\x00\xfe\xff", "utf-32-be", "UTF-32"),
    (b"\xff\xfe", "utf-16-le", "UTF-16"),
    (b"\xfe\xff", "utf-16-be", "UTF-16"),
    (b"\xef\xbb\xbf", "utf-8", "UTF-8"),
)
ENCODINGS: Final = (
    "windows-1252", "windows-1250", "windows-1251", "windows-1253", "windows-1254", "windows-1255", "windows-1256",
    "utf-16-le", "utf-16-be", "shift_jis", "euc_jp", "gb18030", "big5", "euc_kr", "koi8-r", "cp437", "cp850", "mac_roman",
)  # fmt: skip
_GUESSES: Final = 6
_SAMPLE: Final = 1 << 12
_LEAST_SPACE: Final = 0.03
_PREVIEW: Final = 60
_WINDOWS_1252: Final = [bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in range(256)]
_IS_CONTROL: Final = np.array(  # by code point, the last for all beyond
    [(code < 32 or 127 <= code < 160) and chr(code) not in "\b\t\n\v\f\r\x1b\x85" for code in range(161)]
)
_CONTROL_SHARE_OF_BINARY: Final = 0.01


class EncodingError(CorpusError):
    """A file that is not Unicode. `guesses` are encodings that it may have, likeliest first, each with how the text would read."""

    def __init__(self, name: str, guesses: tuple[tuple[str, str], ...]) -> None:
        names = ", ".join(encoding for encoding, _ in guesses)
        super().__init__(f"{name} is not UTF-8. Choose the encoding that it has ({names}), or save it again as UTF-8.")
        self.name = name
        self.guesses = guesses


def decoded(path: Path, encoding: str, advance: Callable[[int], None], remark: Callable[[str], None]) -> Iterator[str]:
    """The characters of a file, piece by piece. `advance` hears how many bytes were read, `remark` what was left out or replaced.

    Raises EncodingError where it is not Unicode and no `encoding` is given, CorpusError where it is no text or cannot be read.
    """
    controls = total = 0
    for text in _decoded(path, encoding, advance, remark):
        controls += _control_count(text)
        total += len(text)
        if "\0" in text or controls > _CONTROL_SHARE_OF_BINARY * total:
            raise _no_text(path, encoding)
        yield text


def _control_count(text: str) -> int:
    return int(np.count_nonzero(_IS_CONTROL.take(code_points(text), mode="clip")))


def _decoded(path: Path, encoding: str, advance: Callable[[int], None], remark: Callable[[str], None]) -> Iterator[str]:
    blocks = _blocks(path, advance)
    first = next(blocks, b"")
    for mark, codec, name in _MARKS:
        if first.startswith(mark):
            yield from _decode_marked(path, first[len(mark) :], blocks, codec, name)
            return
    if encoding and _is_utf_8(path):
        encoding = ""
    yield from _decode_as(first, blocks, encoding, path, remark) if encoding else _decode_utf_8(first, blocks, path, remark)


def _blocks(path: Path, advance: Callable[[int], None]) -> Iterator[bytes]:
    try:
        with path.open("rb") as stream:
            while block := stream.read(_PIECE):
                advance(len(block))
                yield block
    except FileNotFoundError:
        raise CorpusError(f"There is no file {path}. It may have been moved or renamed; choose it again.") from None
    except OSError as error:
        raise unreadable(path, error) from None


def _decode_marked(path: Path, first: bytes, blocks: Iterator[bytes], codec: str, name: str) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder(codec)()
    done, block = 0, first
    while True:
        following = next(blocks, b"")
        held = len(decoder.getstate()[0])
        try:
            yield decoder.decode(block, final=not following)
        except UnicodeDecodeError as error:
            raise CorpusError(
                f"{path.name} begins with the mark of {name}, but byte {done - held + error.start:,} after it does not belong there. "
                "Save the text again as UTF-8, or choose another."
            ) from None
        if not following:
            return
        done += len(block)
        block = following


def _decode_utf_8(first: bytes, blocks: Iterator[bytes], path: Path, remark: Callable[[str], None]) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8")()
    is_proven, block = False, first  # that it is UTF-8, by a character beyond ASCII
    while block:
        try:
            text = decoder.decode(block)
        except UnicodeDecodeError:
            raise _unknown(path) from None
        is_proven = is_proven or not text.isascii()
        yield text
        block = next(blocks, b"")
    if decoder.getstate()[0]:
        if not is_proven:
            raise _unknown(path)
        remark(f"The last character of {path.name} is cut off and was left out.")


def _decode_as(first: bytes, blocks: Iterator[bytes], encoding: str, path: Path, remark: Callable[[str], None]) -> Iterator[str]:
    if encoding == "windows-1252":  # with the five bytes that it leaves open as Latin-1 has them, so that nothing is lost
        block = first
        while block:
            yield block.decode("latin-1").translate(dict(enumerate(_WINDOWS_1252)))
            block = next(blocks, b"")
        return
    try:
        first[:1].decode(encoding, "replace")  # some of Python's encodings are not of texts, and some replace nothing
        decoder = codecs.getincrementaldecoder(encoding)("replace")
    except (LookupError, ValueError):
        raise CorpusError(f"There is no encoding {encoding!r:.60}. Choose {', '.join(ENCODINGS)}.") from None
    replaced, block = 0, first
    while block:
        following = next(blocks, b"")
        try:
            text = decoder.decode(block, final=not following)
        except UnicodeError as error:  # utf-16 without a mark, say
            raise CorpusError(
                f"{path.name} cannot be read as {encoding}: {error!s:.80}. Choose {', '.join(ENCODINGS)}."
            ) from None
        replaced += text.count("\ufffd")
        yield text
        block = following
    if replaced:
        remark(f"{replaced:,} places of {path.name} are no {encoding}; they read �.")


def _is_utf_8(path: Path) -> bool:
    """Whether a file is UTF-8 after all: of many files only some may have the encoding that was chosen."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for block in _blocks(path, lambda _: None):
            text = decoder.decode(block)
            if _is_binary(text):  # UTF-16 may be ASCII by its bytes
                return False
    except UnicodeDecodeError:
        return False
    return not decoder.getstate()[0]


def _is_binary(text: str) -> bool:
    return "\0" in text or _control_count(text) > _CONTROL_SHARE_OF_BINARY * len(text)


def _no_text(path: Path, encoding: str) -> CorpusError:
    if not encoding:
        guesses = tuple(guess for guess in _guess(path) if guess[0].startswith("utf-16"))
        if guesses:
            return EncodingError(path.name, guesses)
    return CorpusError(
        f"{path.name} is not a text: it holds binary data. Choose a plain text file; if it is one, save it again as UTF-8."
    )


def _unknown(path: Path) -> CorpusError:
    guesses = _guess(path)
    return EncodingError(path.name, guesses) if guesses else _no_text(path, "?")


def _guess(path: Path) -> tuple[tuple[str, str], ...]:
    """Encodings in which the place that is not UTF-8 reads like text."""
    sample = _telling_sample(path)
    scored = []
    for rank, encoding in enumerate(ENCODINGS):
        text, score = _try(sample, encoding)
        if score > 0:
            scored.append((-score, rank, encoding, text))
    found: dict[str, str] = {}
    for _, _, encoding, text in sorted(scored):
        preview = _preview(text)
        if preview not in found.values():
            found[encoding] = preview
    return tuple(found.items())[:_GUESSES]


def _telling_sample(path: Path) -> bytes:
    """The bytes from the line of the first one that is not ASCII, or is 0; of an even place, as UTF-16 needs it."""
    place = 0
    for block in _blocks(path, lambda _: None):
        telling = next((index for index, byte in enumerate(block) if byte >= 0x80 or not byte), None)
        if telling is not None:
            begin = max(0, block.rfind(b"\n", 0, telling) + 1, telling - 2 * _PREVIEW)
            begin -= (place + begin) % 2 if begin else 0
            return block[begin : begin + _SAMPLE]
        place += len(block)
    return b""


def _try(sample: bytes, encoding: str) -> tuple[str, float]:
    """How the sample reads, and how much like text that looks: the share of letters in what is not ASCII, less what is odd."""
    if encoding == "windows-1252":
        text = "".join(map(_WINDOWS_1252.__getitem__, sample))
    else:
        try:
            text = codecs.getincrementaldecoder(encoding)().decode(sample)
        except UnicodeDecodeError:
            return "", 0.0
    if _is_binary(text):
        return text, 0.0
    is_wide = encoding.startswith("utf-16")
    telling = list(text) if is_wide else [character for character in text if not character.isascii()]
    if not telling or (is_wide and sum(map(str.isspace, telling)) < _LEAST_SPACE * len(telling)):
        return text, 0.0
    letters = sum(map(_is_usual_letter, telling))
    odd = sum(unicodedata.category(character) in ("Cc", "Cn", "Co", "Cs") and character not in "\t\r\n" for character in telling)
    mixed = sum(_is_odd_case(text, index) for index in range(1, len(text)))
    scripts = len({_script(character) for character in telling if character.isalpha()})
    return text, (letters + 0.3 * len(telling) - 5 * odd - 2 * mixed) / len(telling) / max(1, scripts)


def _is_usual_letter(character: str) -> bool:
    """Of the tens of thousands of Chinese characters those that texts are made of: a wrong encoding gives the others."""
    if not "\u4e00" <= character <= "\u9fff":
        return character.isalpha()
    mainland, japanese = character.encode("gb2312", "ignore")[:1], character.encode("shift_jis", "ignore")[:1]
    return (
        b"\xb0" <= mainland <= b"\xd7"
        or b"\x88" <= japanese <= b"\x97"
        or b"\xa4" <= character.encode("big5", "ignore")[:1] <= b"\xc6"
    )


def _script(character: str) -> str:
    name = unicodedata.name(character, "?").split()[0]
    return "CJK" if name in ("HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "HANGUL") else name


def _is_odd_case(text: str, index: int) -> bool:
    """A capital that is not ASCII after a small letter: in a wrong encoding they are common."""
    return text[index].isupper() and not text[index].isascii() and text[index - 1].islower()


def _preview(text: str) -> str:
    """Some characters around the first that is not ASCII, on one line."""
    first = next((index for index, character in enumerate(text) if not character.isascii()), 0)
    begin = max(0, first - _PREVIEW // 2)
    return " ".join(text[begin : begin + _PREVIEW].split())
