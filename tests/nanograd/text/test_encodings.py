import pytest

from nanograd.errors import CorpusError
from nanograd.text import encodings
from nanograd.text.encodings import EncodingError, decoded

TEXT = "Größe, Ärger und ein Euro: €. " * 40
RUSSIAN = "Съешь же ещё этих мягких французских булок, да выпей чаю.\n" * 9
JAPANESE = "吾輩は猫である。名前はまだ無い。どこで生れたか頓と見当がつかぬ。\n" * 9


def read(folder, data, encoding=""):
    """The text of a file with these bytes, and what is remarked."""
    path = folder / "some.txt"
    path.write_bytes(data)
    remarks, counts = [], []
    text = "".join(decoded(path, encoding, counts.append, remarks.append))
    assert sum(counts) == len(data)
    return text, remarks


@pytest.fixture(params=[1 << 20, 7, 1])
def block(request, monkeypatch):
    monkeypatch.setattr(encodings, "_PIECE", request.param)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.usefixtures("block")
def test_unicode_is_read_without_a_word(tmp_path, monkeypatch, encoding):
    monkeypatch.setattr(encodings, "_PIECE", max(4, encodings._PIECE))  # a mark comes whole
    assert read(tmp_path, TEXT.encode(encoding)) == (TEXT, [])


@pytest.mark.parametrize(("codec", "mark"), [("utf-16-be", b"\xfe\xff"), ("utf-32-be", b"\x00\x00\xfe\xff")])
def test_marks_tell_the_byte_order(tmp_path, codec, mark):
    assert read(tmp_path, mark + TEXT.encode(codec)) == (TEXT, [])


@pytest.mark.parametrize(
    ("text", "encoding"),
    [(TEXT, "windows-1252"), (RUSSIAN, "windows-1251"), (RUSSIAN, "koi8-r"), (JAPANESE, "shift_jis"), (JAPANESE, "euc_jp"),
     (TEXT, "utf-16-le"), (RUSSIAN, "utf-16-be"), ("Łódź żółć gęślą jaźń\n" * 9, "windows-1250"), ("早上好,今天天气很好。\n" * 9, "gb18030"),
     ("안녕하세요. 오늘 날씨가 좋네요.\n" * 9, "euc_kr")],
)  # fmt: skip
def test_what_is_not_unicode_is_asked_for_and_the_right_guess_is_among_the_first(tmp_path, text, encoding):
    with pytest.raises(EncodingError, match="Choose the encoding") as caught:
        read(tmp_path, text.encode(encoding))
    guesses = dict(caught.value.guesses)
    assert encoding in list(guesses)[:3], guesses
    assert guesses[encoding] in " ".join(text.split())
    assert read(tmp_path, text.encode(encoding), encoding) == (text, [])


def test_bytes_that_windows_1252_leaves_open_are_kept(tmp_path):
    assert read(tmp_path, b"a" * 200 + b"\x81\xe9b", "windows-1252") == ("a" * 200 + "\x81éb", [])


def test_places_that_the_encoding_does_not_have_are_replaced_and_counted(tmp_path):
    text, remarks = read(tmp_path, JAPANESE.encode("shift_jis") + b"\xff\xff", "shift_jis")
    assert text == JAPANESE + "\ufffd\ufffd"
    assert "2 places" in remarks[0]


def test_unicode_stays_unicode_whatever_encoding_is_chosen_for_the_rest(tmp_path):
    assert read(tmp_path, TEXT.encode(), "shift_jis") == (TEXT, [])
    assert read(tmp_path, TEXT.encode("utf-16"), "shift_jis") == (TEXT, [])


def test_utf_8_cut_within_a_character_loses_only_that(tmp_path):
    text, remarks = read(tmp_path, TEXT.encode() + "€".encode()[:2])
    assert text == TEXT
    assert "cut off" in remarks[0]


@pytest.mark.parametrize(
    ("data", "message"),
    [(b"text\0text", "not a text"), (bytes(range(1, 128)) * 9, "not a text"), (b"\xff\xfe\x00\xd8a", "mark of UTF-16"),
     (b"\xef\xbb\xbfab\xff", "mark of UTF-8, but byte 2 "), (b"\x00\x01\x02\xff" * 999, "not a text")],
)  # fmt: skip
def test_what_is_no_text_is_refused(tmp_path, data, message):
    with pytest.raises(CorpusError, match=message) as caught:
        read(tmp_path, data)
    assert not isinstance(caught.value, EncodingError)


def test_the_place_of_a_fault_is_right_across_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr(encodings, "_PIECE", 8)
    with pytest.raises(CorpusError, match="but byte 40 after"):
        read(tmp_path, b"\xef\xbb\xbf" + b"a" * 40 + b"\xff" + b"b" * 40)


@pytest.mark.parametrize("encoding", ["nonsense", "zlib_codec", "idna", "rot13", "undefined", "a\0b"])
def test_an_encoding_that_there_is_not_is_refused(tmp_path, encoding):
    with pytest.raises(CorpusError, match="There is no encoding"):
        read(tmp_path, b"\xff", encoding)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "punycode"])
def test_a_text_that_an_encoding_cannot_read_at_all_is_refused(tmp_path, encoding):
    with pytest.raises(CorpusError, match=f"cannot be read as {encoding}.*utf-16-le"):
        read(tmp_path, "schön".encode("latin-1") * 4, encoding)


def test_a_file_that_fails_while_it_is_read_says_so(tmp_path, monkeypatch):
    path = tmp_path / "some.txt"
    path.write_bytes(b"text")
    path.unlink()
    with pytest.raises(CorpusError, match="There is no file"):
        list(decoded(path, "", lambda _: None, lambda _: None))

    def refuse(self, *_):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(type(path), "open", refuse)  # the tests may run as root, whom no permission stops
    with pytest.raises(CorpusError, match="may not be read"):
        list(decoded(path, "", lambda _: None, lambda _: None))
