"""Opens damaged files of runs: each is refused with a message, or loads exactly what it holds.

    python tests/proofs/damage.py --checkpoints 2000 --others 500

Never another error, never much memory, never code run. Bits are flipped, files cut short, parts swapped; headers get absurd
sizes, offsets and shapes, metadata of wrong kinds or nested deeply, weights that are not numbers, with checksums that hold.
"""

import argparse
import hashlib
import json
import random
import shutil
import sys
import tempfile
import tracemalloc
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from nanograd.errors import NanogradError
from nanograd.text.corpus import Corpus
from nanograd.training.checkpoint import load_run
from nanograd.training.events import StepFinished
from nanograd.training.run import Run, find_corpus
from nanograd.training.run_directory import RunDirectory
from nanograd.training.saved_run import open_run
from nanograd.training.settings import RunSettings

TEXT = "the cat sat on the mat; the dog dug in the fog.\n" * 40
NO_CHECKSUM = "0" * 64
MOST_BYTES = 30_000_000
FORBIDDEN = (
    "exec",
    "os.system",
    "subprocess.Popen",
    "pickle.find_class",
    "marshal.loads",
    "os.exec",
    "os.posix_spawn",
    "socket.connect",
)
ABSURD = (-1, 0, 1, 2**31, 2**62, 2**63, 2**70, 10**400, 1.5, "8", None, True, [], {})
caught: list[str] = []


def watch(event: str, _arguments: Any) -> None:
    """Note what a file must never bring about."""
    if event in FORBIDDEN and not sys._getframe(1).f_code.co_filename.startswith("<frozen importlib"):
        caught.append(event)  # a module's first import is Python's own


def make_run(folder: Path) -> RunDirectory:
    """A run of eight steps in a data folder, with checkpoints, changes, samples and probes."""
    settings = RunSettings(
        n_layer=2, n_head=2, n_embd=16, block_size=8, batch_size=4, dropout=0.2, max_steps=8, eval_interval=2, eval_windows=20,
        sample_tokens=8, warmup_steps=2, parts=1, seed=7,
    )  # fmt: skip
    run = Run.start(settings, Corpus.from_text(TEXT, name="cats.txt"), folder)
    for event in run.events():
        if isinstance(event, StepFinished) and event.step == 3:
            run.change_settings(replace(settings, lr=1e-4, min_lr=1e-5))
            run.change_probe("the dog")
    run.close()
    assert run.directory is not None
    return run.directory


# ---- damages --------------------------------------------------------------------------------------------------------------


def flip_bits(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def flip_bits_of_the_head(data: bytes, chance: random.Random) -> bytes:
    return flip_bits(data[:4000], chance) + data[4000:]


def cut_short(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data))]


def lengthen(data: bytes, chance: random.Random) -> bytes:
    return data + chance.randbytes(chance.randint(1, 5000))


def swap_parts(data: bytes, chance: random.Random) -> bytes:
    first, second, third = sorted(chance.sample(range(len(data)), 3))
    return data[:first] + data[second:third] + data[first:second] + data[third:]


def blank_a_part(data: bytes, chance: random.Random) -> bytes:
    begin = chance.randrange(len(data))
    end = min(len(data), begin + chance.choice((1, 64, 4096)))
    return data[:begin] + bytes(end - begin) + data[end:]


def replace_all(data: bytes, chance: random.Random) -> bytes:
    return chance.randbytes(chance.randrange(len(data)))


def claim_a_long_header(data: bytes, chance: random.Random) -> bytes:
    return chance.choice((2**63, 2**64 - 1, 10**8, 10**8 + 1, len(data), 0, 1)).to_bytes(8, "little") + data[8:]


def nest_deeply(data: bytes, chance: random.Random) -> bytes:
    depth = chance.choice((1_000, 100_000, 1_000_000))
    opened, closed = chance.choice(((b"[", b"]"), (b'{"a":', b"}")))
    header = opened * depth + b"1" + closed * depth
    return len(header).to_bytes(8, "little") + header


PLAIN: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    flip_bits, flip_bits_of_the_head, cut_short, lengthen, swap_parts, blank_a_part, replace_all,
)  # fmt: skip


def taken_apart(data: bytes) -> tuple[dict[str, Any], bytes]:
    length = int.from_bytes(data[:8], "little")
    return json.loads(data[8 : 8 + length]), data[8 + length :]


def sealed(entries: dict[str, Any], body: bytes) -> bytes:
    """A file with checksums that hold, whatever it says."""
    texts = {name: text for name, text in entries.pop("__metadata__").items() if "sha256" not in name}
    digests = {"header_sha256": NO_CHECKSUM, "sha256": hashlib.sha256(body).hexdigest()}
    header = json.dumps({"__metadata__": digests | texts, **entries}).encode()
    header = header.replace(NO_CHECKSUM.encode(), hashlib.sha256(header).hexdigest().encode(), 1)
    return len(header).to_bytes(8, "little") + header + body


def spoil_an_entry(data: bytes, chance: random.Random) -> bytes:
    entries, body = taken_apart(data)
    name = chance.choice([name for name in entries if name != "__metadata__"])
    entry = entries[name]
    match chance.choice(("shape", "offsets", "dtype", "swap", "missing", "kind")):
        case "shape":
            entry["shape"] = chance.choice(([], [chance.choice(ABSURD)], entry["shape"][::-1], [*entry["shape"], 1], [0, 2**62]))
        case "offsets":
            entry["data_offsets"][chance.randrange(2)] = chance.choice(ABSURD)
        case "dtype":
            entry["dtype"] = chance.choice(("F64", "I32", "F16", "BF16", "BOOL", "O8", "", None, 7))
        case "swap":
            other = chance.choice([other for other in entries if other != "__metadata__"])
            entries[name], entries[other] = entries[other], entries[name]
        case "missing":
            del entries[name]
        case _:
            entries[name] = chance.choice(ABSURD)
    return sealed(entries, body)


def spoil_the_metadata(data: bytes, chance: random.Random) -> bytes:
    entries, body = taken_apart(data)
    texts = entries["__metadata__"]
    name = chance.choice([name for name in texts if "sha256" not in name])
    value = chance.choice(
        (
            "",
            "null",
            "[]",
            "{}",
            "-1",
            "1e999",
            "NaN",
            '"x"',
            "[" * 100_000,
            '{"kind": "character", "vocabulary": "ba"}',
            str(10**400),
        )
    )
    with suppress(ValueError):
        inner = json.loads(texts[name])
        if isinstance(inner, dict) and inner and chance.random() < 0.7:
            key = chance.choice(list(inner))
            inner[key] = chance.choice((*ABSURD, 4096, 48, 64, [2**62] * 3))
            value = json.dumps(inner)
    texts[name] = value
    if chance.random() < 0.1:
        del texts[name]
    return sealed(entries, body)


def lose_the_numbers(data: bytes, chance: random.Random) -> bytes:
    entries, body = taken_apart(data)
    name = chance.choice([name for name in entries if name != "__metadata__"])
    begin, end = entries[name]["data_offsets"]
    width = 8 if entries[name]["dtype"] in ("F64", "I64") else 4
    what = np.array(chance.choice((np.nan, np.inf, -np.inf, 1e38)), np.float64 if width == 8 else np.float32).tobytes()
    place = begin + width * chance.randrange(max((end - begin) // width, 1))
    return sealed(entries, (body[:place] + what + body[place + width :])[: len(body)])


CRAFTED: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    claim_a_long_header, nest_deeply, spoil_an_entry, spoil_the_metadata, lose_the_numbers,
)  # fmt: skip


# ---- the proof ------------------------------------------------------------------------------------------------------------


def open_damaged(path: Path, corpus: Corpus) -> str:
    """What comes of a damaged checkpoint; raises AssertionError where it is neither refused nor what the file holds."""
    try:
        saved = load_run(path)
        trainer = saved.build_trainer(corpus)
    except NanogradError as error:
        if len(str(error)) < 20:
            raise
        return "refused"
    entries, body = taken_apart(path.read_bytes())
    for name, parameter in trainer.model.state_dict().items():
        entry = entries.get(f"model.{name}")
        if entry is not None:
            begin, end = entry["data_offsets"]
            kind = {"F32": np.float32, "F64": np.float64, "F16": np.float16}[entry["dtype"]]
            held = np.frombuffer(body[begin:end], kind).reshape(entry["shape"]).astype(np.float32)
            assert np.array_equal(held, np.asarray(parameter.array), equal_nan=True), name
    return "loaded as written"


def prove_checkpoints(count: int, folder: Path, chance: random.Random) -> None:
    directory = make_run(folder)
    data = directory.checkpoint_path.read_bytes()
    corpus = Corpus.from_text(TEXT, name="cats.txt")
    damaged = folder / "damaged.safetensors"
    outcomes: Counter[str] = Counter()
    assert open_damaged(directory.checkpoint_path, corpus) == "loaded as written"
    tracemalloc.start()
    most_bytes = 0
    for number in range(count):
        damages = PLAIN + CRAFTED
        damage = damages[number % len(damages)]
        damaged.write_bytes(damage(data, chance))
        tracemalloc.reset_peak()
        outcome = open_damaged(damaged, corpus)
        most_bytes = max(most_bytes, tracemalloc.get_traced_memory()[1])
        outcomes[outcome] += 1
    tracemalloc.stop()
    print(
        f"{count} damaged checkpoints: {dict(outcomes)}; at most {most_bytes / 1e6:.1f} MB of memory; code run: {len(caught)} times."
    )
    assert most_bytes < MOST_BYTES
    assert not caught, caught


def prove_others(count: int, folder: Path, chance: random.Random) -> None:
    """The other files of a run, and the text's ids: what is damaged is left out, and the run opens all the same."""
    directory = make_run(folder)
    whole = {path.name: path.read_bytes() for path in directory.path.iterdir() if path.suffix in (".json", ".jsonl", ".txt")}
    caches = {path: path.read_bytes() for path in (folder / "corpora").iterdir()}
    corpus = Corpus.from_text(TEXT, name="cats.txt")
    for number in range(count):
        damage = (*PLAIN, nest_deeply)[number % (len(PLAIN) + 1)]
        files = {directory.path / name: data for name, data in whole.items()} | caches
        target = chance.choice(list(files))
        before = files[target]
        target.write_bytes(damage(before or b'{ "a": 1 }', chance))
        assert RunDirectory.all(folder / "runs")[0].path == directory.path
        opened = open_run(directory.path)
        assert opened.saved.step == 8
        for read in (directory.changes, directory.probes, directory.versions, directory.parent, directory.recorded_links):
            read()
        directory.samples(8)
        found = find_corpus(opened.saved, folder)
        assert found is None or found.digest == corpus.digest
        target.write_bytes(before)
    shutil.rmtree(directory.path)
    print(f"{count} damaged settings, curves, other records and caches: the run opened each time; code run: {len(caught)} times.")
    assert not caught, caught


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoints", type=int, default=2000)
    parser.add_argument("--others", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        sys.addaudithook(watch)
        prove_checkpoints(arguments.checkpoints, Path(first), random.Random(arguments.seed))
        prove_others(arguments.others, Path(second), random.Random(arguments.seed))
