"""The command line: train, resume, generate, verify and list the same runs that the window has."""

import argparse
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from itertools import chain
from pathlib import Path
from types import FrameType
from typing import Any, Final

import numpy as np

from nanograd.errors import CheckpointError, CorpusError, NanogradError, SettingsError
from nanograd.generation import Sampling
from nanograd.random import stream
from nanograd.text.cache import IdsCache
from nanograd.text.choice import KINDS, TokenizerChoice
from nanograd.text.corpus import Corpus, Opening, encode_again, open_corpus
from nanograd.text.source import TextSource
from nanograd.training.checkpoint import summarize_newest
from nanograd.training.events import (
    CheckpointFailed,
    CheckpointSaved,
    LossSpiked,
    RunFailed,
    RunFinished,
    TrainingEvent,
    VerificationAdvanced,
    VerificationFinished,
)
from nanograd.training.run import Run, find_corpus
from nanograd.training.run_directory import RunDirectory
from nanograd.training.saved_run import OpenedRun, open_run, open_to_write
from nanograd.training.settings import PRESETS, RunSettings, Setting, declared_settings
from nanograd.training.telling import JsonTeller, Progress, Teller, Way, print_row
from nanograd.training.trainer import first_prompt
from nanograd.training.verification import verify

COMMANDS: Final = ("train", "resume", "generate", "verify", "list")
_FAILED, _SPIKED, _SIGNALLED = 1, 3, 128
STATUSES: Final = (
    "Exit status: 0 where all went well, 1 where something did not, 2 where the command cannot be understood, 3 where the loss "
    "jumped and the run was saved and stopped, 130 after Ctrl-C."
)


def main(argv: Sequence[str], data_directory: Path, cache_directory: Path) -> int:
    """Do what `argv` asks, with the runs below `data_directory` unless it names another; returns the exit status.

    Encoded texts are kept in `cache_directory`, or with the runs where `argv` names another folder for those.

    See `STATUSES` for what that means.
    """
    try:
        arguments = _parser(data_directory).parse_args(argv)
        arguments.is_at_home = arguments.data_directory == data_directory
        arguments.cache = IdsCache(cache_directory if arguments.is_at_home else arguments.data_directory / "cache")
        status: int = arguments.command(arguments)
        sys.stdout.flush()
    except NanogradError as error:
        print(f"nanograd: {error}", file=sys.stderr)
        return _FAILED
    except KeyboardInterrupt:
        return _SIGNALLED + signal.SIGINT
    except BrokenPipeError:  # whoever read what we print has left
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _FAILED
    return status


# ---- the commands ---------------------------------------------------------------------------------------------------------


def _train(arguments: argparse.Namespace) -> int:
    settings = replace(PRESETS[arguments.preset], **_given(arguments)).check()
    run = Run.start(settings, _load_texts(arguments), arguments.data_directory, arguments.probe)
    return _follow(run, arguments)


def _resume(arguments: argparse.Namespace) -> int:
    opened = open_to_write(_path_of(arguments), arguments.from_step)
    try:
        _remark(opened.notice)
        corpus = _corpus_of(opened, arguments)
        run = Run.resume(opened.saved, corpus, arguments.data_directory, opened.directory, opened.parent)
        settings = replace(run.trainer.settings, **_given(arguments))
        events = run.change_settings(settings)
    except BaseException:
        opened.release()
        raise
    if run.trainer.step >= settings.max_steps:
        run.close()
        raise SettingsError(
            {"max_steps": f"The run has all its {settings.max_steps:,} steps; give more with --max-steps to go on."}
        )
    return _follow(run, arguments, events)


def _generate(arguments: argparse.Namespace) -> int:
    opened = open_run(_path_of(arguments))
    _remark(opened.notice)
    saved = opened.saved
    model, tokenizer = saved.build_model(), saved.tokenizer
    if arguments.tokens < 0:
        raise SettingsError({"tokens": f"A text has 0 tokens at least, not {arguments.tokens:,}."})
    seed = arguments.seed if arguments.seed >= 0 else int(np.random.SeedSequence().generate_state(1)[0] >> 1)
    prompt = tokenizer.encode(arguments.prompt or first_prompt(tokenizer))
    try:
        sampling = Sampling(temperature=arguments.temperature, top_k=arguments.top_k or None, top_p=arguments.top_p)
        tokens = model.stream(prompt, arguments.tokens, sampling, stream(seed, "generate"))
    except ValueError as error:
        raise SettingsError({"sampling": str(error)}) from None
    if arguments.json:
        text = tokenizer.decode([token.id for token in tokens])
        print_row({"prompt": arguments.prompt, "text": text, "seed": seed, "step": saved.step})
        return 0
    print(arguments.prompt, end="", flush=True)
    decode = tokenizer.new_decoder()
    for token in tokens:
        print(decode(token.id), end="", flush=True)
    print()
    return 0


def _verify(arguments: argparse.Namespace) -> int:
    opened = open_run(_path_of(arguments))
    if opened.directory is None:
        raise CheckpointError("Verify replays a whole run; give its name or its folder, and --from-step for another beginning.")
    progress = Progress(sys.stderr, is_quiet=arguments.json)
    corpus = _corpus_of(opened, arguments)
    for event in verify(opened.directory, corpus, arguments.from_step):
        match event:
            case VerificationAdvanced():
                told = f"replayed step {event.step:,} of {event.last_step:,}"
                progress.show(event.step, event.last_step, told)
            case VerificationFinished():
                progress.clear()
                if arguments.json:
                    print_row(asdict(event) | {"is_same": event.is_same, "message": event.message})
                else:
                    print(event.message)
                return 0 if event.is_same else _FAILED
    return _FAILED


def _list(arguments: argparse.Namespace) -> int:
    rows = [_describe(run) for run in RunDirectory.all(arguments.data_directory / "runs")]
    if arguments.json:
        for row in rows:
            print_row(row)
        return 0
    if not rows:
        print(f"There are no runs in {arguments.data_directory} yet; begin one with: nanograd train TEXT")
        return 0
    width = max(len(row["run"]) for row in rows)
    for row in rows:
        best = "–" if row["best_validation_loss"] is None else f"{row['best_validation_loss']:.3f}"
        written = "  being written" if row["is_being_written"] else ""
        steps = f"step {row['step']:,} of {row['max_steps']:,}"
        print(f"{row['run']:{width}}  {steps:>26}  best {best:>6}  {row['bytes'] / 1e6:8,.1f} MB  {row['text']}{written}")
    return 0


# ---- runs and texts -------------------------------------------------------------------------------------------------------


def _path_of(arguments: argparse.Namespace) -> Path:
    """The run that was named: by its name in the data folder, or by a path to its folder or to a checkpoint."""
    named: Path = arguments.data_directory / "runs" / arguments.run
    path = named if named.exists() else Path(arguments.run)
    if not path.exists():
        raise CheckpointError(f"There is no run {arguments.run}, neither in {named.parent} nor as a path; see: nanograd list")
    return path


def _load_texts(arguments: argparse.Namespace) -> Corpus:
    """The texts that were named as one, parted by blank lines."""
    kind, files = arguments.tokenizer, arguments.tokenizer_files
    choice = TokenizerChoice(kind="byte-pair" if files else kind, vocabulary_size=arguments.vocabulary_size, files=files)
    source = TextSource(paths=tuple(arguments.text), encoding=arguments.encoding)
    corpus = _shown(open_corpus(source, choice, arguments.cache), source.name, is_quiet=arguments.json)
    _remark(corpus.notice)
    return corpus


def _shown(opening: Opening, name: str, is_quiet: bool) -> Corpus:
    """The text that is opened, while a line tells how far it is."""
    progress, stage = Progress(sys.stderr, is_quiet), ""
    while True:
        try:
            step = next(opening)
        except StopIteration as end:
            progress.clear()
            corpus: Corpus = end.value
            return corpus
        if step.stage != stage:  # each has a pace of its own
            progress.clear()
            progress, stage = Progress(sys.stderr, is_quiet), step.stage
        progress.show(step.done, step.total, f"{stage} {name}, {step.done / step.total:.0%}")


def _corpus_of(opened: OpenedRun, arguments: argparse.Namespace) -> Corpus:
    """The run's text: from the files that were named, otherwise from a cache or from where it lay."""
    saved, named = opened.saved, getattr(arguments, "text", None)
    if named:
        paths = tuple(named)
        source = replace(saved.corpus.text_source() or TextSource(paths=paths), paths=paths)
        corpus = encode_again(source, saved.tokenizer, saved.corpus.digest, arguments.cache)
        if corpus is None:
            raise CorpusError(
                f"That is not the text of this run, {saved.corpus.name}, as it was; name the same files, unchanged."
            )
        return corpus
    corpus = find_corpus(saved, arguments.data_directory, arguments.cache)
    if corpus is None:
        raise CorpusError(
            f"The text of this run, {opened.saved.corpus.name}, is not where it was; give it with: resume RUN --text TEXT"
        )
    _remark(corpus.notice)
    return corpus


def _remark(notice: str) -> None:
    """Tell of what is worth knowing and stops nothing."""
    if notice:
        print(f"nanograd: {notice}", file=sys.stderr)


def _describe(run: RunDirectory) -> dict[str, Any]:
    summary = summarize_newest(run.checkpoints.paths())
    return {
        "run": run.path.name,
        "text": summary.corpus_name if summary else "damaged",
        "step": summary.step if summary else 0,
        "max_steps": summary.max_steps if summary else 0,
        "best_validation_loss": summary.best_loss if summary else None,
        "bytes": run.byte_count(),
        "is_being_written": run.is_locked(),
        "path": str(run.path),
    }


# ---- a run that goes on ---------------------------------------------------------------------------------------------------


def _follow(run: Run, arguments: argparse.Namespace, first: Sequence[TrainingEvent] = ()) -> int:
    """Train to the end, and tell of it; after Ctrl-C and after a spike, save and end."""
    teller = JsonTeller() if arguments.json else Teller(run)
    status = 0
    try:
        with _asked_to_end() as asked:
            for event in chain(first, run.events()):
                teller.show(event)
                if isinstance(event, RunFailed | CheckpointFailed):
                    status = _FAILED
                elif isinstance(event, CheckpointSaved):  # the disk is back
                    status = 0
                if isinstance(event, RunFailed):
                    teller.show_ways(_ways_on(run, event, arguments))
                elif isinstance(event, LossSpiked) and event.step < run.trainer.settings.max_steps:
                    if _is_saved(run, teller):
                        teller.show_ways(_ways_on(run, event, arguments))
                        return _SPIKED
                    status = _FAILED  # what is nowhere saved goes on in memory
                if asked and not isinstance(event, RunFinished | RunFailed):
                    if _is_saved(run, teller):
                        teller.show_ways([_way_on_as_saved(run, arguments)])
                    return _SIGNALLED + asked[0]
    finally:
        run.close()
    return status


def _is_saved(run: Run, teller: Teller | JsonTeller) -> bool:
    event = run.save()
    teller.show(event)
    return isinstance(event, CheckpointSaved)


def _ways_on(run: Run, event: RunFailed | LossSpiked, arguments: argparse.Namespace) -> list[Way]:
    """How a run goes on after what went wrong; nothing where it has no folder to go on from."""
    if run.directory is None:
        return []
    step, settings = run.way_back(event)
    before = run.trainer.settings.as_dict()
    changed = {name: value for name, value in settings.as_dict().items() if value != before[name]}
    options = [f"--{name.replace('_', '-')}={value!r}" for name, value in changed.items()]
    name = f"from the last good checkpoint, of step {step:,}, at a lower rate"
    ways = [Way(name=name, command=_command_to_resume(run, arguments, f"--from-step={step}", *options))]
    if isinstance(event, LossSpiked):
        ways.append(_way_on_as_saved(run, arguments))
    return ways


def _way_on_as_saved(run: Run, arguments: argparse.Namespace) -> Way:
    name = f"from step {run.trainer.step:,}, as it was saved"
    return Way(name=name, command=_command_to_resume(run, arguments))


def _command_to_resume(run: Run, arguments: argparse.Namespace, *options: str) -> str:
    """What to type so that the run goes on."""
    assert run.directory is not None
    folder = run.directory.path
    name = folder.name if folder.parent == arguments.data_directory / "runs" else str(folder.absolute())
    elsewhere = [] if arguments.is_at_home else [f"--data-directory={arguments.data_directory.absolute()}"]
    words = ["nanograd", "resume", name, *options, *elsewhere]
    return subprocess.list2cmdline(words) if sys.platform == "win32" else shlex.join(words)


@contextmanager
def _asked_to_end() -> Iterator[list[int]]:
    """A list that the signal comes into that asks the process to end; one more of them ends it at once."""
    asked: list[int] = []
    former = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def on_signal(number: int, _frame: FrameType | None) -> None:
        asked.append(number)
        for each in former:
            signal.signal(each, signal.default_int_handler)

    for number in former:
        signal.signal(number, on_signal)
    try:
        yield asked
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


# ---- what can be said -----------------------------------------------------------------------------------------------------


def _given(arguments: argparse.Namespace) -> dict[str, Any]:
    """The settings that were given, by their names."""
    return {name: getattr(arguments, name) for name in declared_settings() if hasattr(arguments, name)}


def _parser(data_directory: Path) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="nanograd", description="Train a GPT on your text, and write with it. The window has the same runs.", epilog=STATUSES
    )
    commands = parser.add_subparsers(required=True, metavar=" | ".join(COMMANDS))
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", action="store_true", help="print JSON lines, for scripts")
    common.add_argument(
        "--data-directory", type=Path, default=data_directory, help=f"where runs are kept (default {data_directory})"
    )
    train = commands.add_parser("train", parents=[common], help="begin a run on a text, or on several")
    train.add_argument("text", nargs="+", type=Path, help="a text file or a folder; several make one text")
    train.add_argument(
        "--preset", choices=PRESETS, default=next(name for name, preset in PRESETS.items() if preset == RunSettings())
    )
    tokens = train.add_mutually_exclusive_group()
    tokens.add_argument("--tokenizer", choices=list(KINDS), default="character", help="what a token is (default character)")
    tokens.add_argument(
        "--tokenizer-files",
        type=Path,
        metavar="FOLDER",
        help="byte-pair from the vocab.json and merges.txt there, as GPT-2 has them",
    )
    train.add_argument("--vocabulary-size", type=int, default=1024, help="how many tokens byte-pair learns (default 1,024)")
    train.add_argument("--encoding", default="", help="that of texts which are not Unicode, such as cp1252")
    train.add_argument("--probe", help="the text that is watched; the beginning of the text if none is given")
    resume = commands.add_parser("resume", parents=[common], help="go on with a run")
    generate = commands.add_parser("generate", parents=[common], help="write with the model of a run")
    verify = commands.add_parser("verify", parents=[common], help="replay a run, and say whether its weights come out the same")
    for command in (resume, generate, verify):
        command.add_argument("run", help="a run's name, as list tells it, or the path of its folder or of a checkpoint")
    resume.add_argument(
        "--from-step", type=int, help="go back to the last checkpoint up to this step; what came after it is forgotten"
    )
    resume.add_argument("--text", nargs="+", type=Path, help="the run's text, where it is not where it was")
    for command, is_whole in ((train, True), (resume, False)):
        for name, setting in declared_settings().items():
            if is_whole or setting.changeable:
                _add_setting(command, name, setting)
    generate.add_argument("--prompt", default="", help="what the text begins with")
    generate.add_argument("--tokens", type=int, default=200, help="how many tokens to write (default 200)")
    generate.add_argument("--temperature", type=float, default=0.8, help="0 takes the likeliest token (default 0.8)")
    generate.add_argument("--top-k", type=int, default=0, help="draw from so many of the likeliest; 0 is all")
    generate.add_argument("--top-p", type=float, default=1.0, help="draw from the likeliest that together reach this probability")
    generate.add_argument("--seed", type=int, default=-1, help="the same seed writes the same text; -1 is a random one")
    verify.add_argument(
        "--from-step", type=int, help="replay from the last checkpoint up to this step; from the oldest if not given"
    )
    listing = commands.add_parser("list", parents=[common], help="tell of every run, the one saved last first")
    for command, act in ((train, _train), (resume, _resume), (generate, _generate), (verify, _verify), (listing, _list)):
        command.set_defaults(command=act)
    return parser


def _add_setting(parser: argparse.ArgumentParser, name: str, setting: Setting) -> None:
    """An option for a setting; where it is not given, the namespace has no such name."""
    option, default = f"--{name.replace('_', '-')}", getattr(RunSettings(), name)
    help = setting.help.replace("%", "%%")
    if isinstance(default, bool):
        parser.add_argument(option, action=argparse.BooleanOptionalAction, default=argparse.SUPPRESS, help=help)
    elif setting.choices:
        parser.add_argument(option, choices=setting.choices, default=argparse.SUPPRESS, help=help)
    else:
        parser.add_argument(option, type=type(default), metavar="N", default=argparse.SUPPRESS, help=help)
