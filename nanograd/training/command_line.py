"""The command line: train, resume, generate, verify and list the same runs that the window has."""

import argparse
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from math import isfinite
from pathlib import Path
from time import monotonic
from types import FrameType
from typing import Any, Final, TextIO

import numpy as np

from nanograd.errors import CheckpointError, CorpusError, NanogradError, SettingsError
from nanograd.generation import Sampling
from nanograd.random import stream
from nanograd.text.cache import IdsCache
from nanograd.text.choice import KINDS, TokenizerChoice
from nanograd.text.corpus import Corpus, encode_again, load_corpus
from nanograd.text.source import TextSource
from nanograd.training.checkpoint import summarize_newest
from nanograd.training.events import (
    CheckpointFailed,
    CheckpointSaved,
    EvaluationAdvanced,
    EvaluationFinished,
    LossSpiked,
    ProbeTaken,
    RunFailed,
    RunFinished,
    RunStarted,
    SampleAdvanced,
    StepFinished,
    TrainingEvent,
    VerificationAdvanced,
    VerificationFinished,
)
from nanograd.training.run import Run, find_corpus
from nanograd.training.run_directory import RunDirectory
from nanograd.training.saved_run import OpenedRun, open_run, open_to_write
from nanograd.training.settings import PRESETS, RunSettings, Setting, declared_settings
from nanograd.training.trainer import first_prompt
from nanograd.training.verification import verify

COMMANDS: Final = ("train", "resume", "generate", "verify", "list")
_FAILED, _SIGNALLED = 1, 128
_REDRAW_INTERVAL_S = 0.1
_Row = Mapping[str, Any]


def main(argv: Sequence[str], data_directory: Path, cache_directory: Path) -> int:
    """Do what `argv` asks, with the runs below `data_directory` unless it names another; returns the exit status.

    Encoded texts are kept in `cache_directory`, or with the runs where `argv` names another folder for those.

    It is 0 where all went well, 1 where something did not, 2 where it cannot be understood, 130 after Ctrl-C.
    """
    try:
        arguments = _parser(data_directory).parse_args(argv)
        is_default = arguments.data_directory == data_directory
        arguments.cache = IdsCache(cache_directory if is_default else arguments.data_directory / "cache")
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
    opened = open_to_write(_path_of(arguments))
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
    seed = arguments.seed if arguments.seed >= 0 else int(np.random.SeedSequence().generate_state(1)[0] >> 1)
    prompt = tokenizer.encode(arguments.prompt or first_prompt(tokenizer))
    try:
        sampling = Sampling(temperature=arguments.temperature, top_k=arguments.top_k or None, top_p=arguments.top_p)
        tokens = model.stream(prompt, arguments.tokens, sampling, stream(seed, "generate"))
    except ValueError as error:
        raise SettingsError({"sampling": str(error)}) from None
    if arguments.json:
        text = tokenizer.decode([token.id for token in tokens])
        _print_row({"prompt": arguments.prompt, "text": text, "seed": seed, "step": saved.step})
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
    progress = _Progress(sys.stderr, is_quiet=arguments.json)
    corpus = _corpus_of(opened, arguments)
    for event in verify(opened.directory, corpus, arguments.from_step):
        match event:
            case VerificationAdvanced():
                progress.show(event.step, event.last_step, "replayed")
            case VerificationFinished():
                progress.clear()
                if arguments.json:
                    _print_row(asdict(event) | {"is_same": event.is_same, "message": event.message})
                else:
                    print(event.message)
                return 0 if event.is_same else _FAILED
    return _FAILED


def _list(arguments: argparse.Namespace) -> int:
    rows = [_describe(run) for run in RunDirectory.all(arguments.data_directory / "runs")]
    if arguments.json:
        for row in rows:
            _print_row(row)
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
    choice = TokenizerChoice(kind=arguments.tokenizer, vocabulary_size=arguments.vocabulary_size)
    corpus = load_corpus(TextSource(paths=tuple(arguments.text), encoding=arguments.encoding), choice, arguments.cache)
    _remark(corpus.notice)
    return corpus


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
    """Train to the end, and tell of it; saves and ends after Ctrl-C."""
    show: Callable[[TrainingEvent], None] = _print_event if arguments.json else _Teller(run).show
    status = 0
    try:
        with _asked_to_end() as asked:
            for event in first:
                show(event)
            for event in run.events():
                show(event)
                if isinstance(event, RunFailed | CheckpointFailed):
                    status = _FAILED
                elif isinstance(event, CheckpointSaved):  # the disk is back
                    status = 0
                if asked and not isinstance(event, RunFinished):
                    _save_and_tell(run, show, is_told=not arguments.json)
                    return _SIGNALLED + asked[0]
    finally:
        run.close()
    return status


def _save_and_tell(run: Run, show: Callable[[TrainingEvent], None], is_told: bool) -> None:
    event = run.save()
    show(event)
    if is_told and isinstance(event, CheckpointSaved) and run.directory is not None:
        print(f"Saved at step {event.step:,}; go on with: nanograd resume {run.directory.path.name}", flush=True)


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


class _Progress:
    """One line that tells how far something is and how long it will take, on a terminal; elsewhere nothing."""

    def __init__(self, target: TextIO, is_quiet: bool = False) -> None:
        self._target = target
        self._is_shown = target.isatty() and not is_quiet
        self._began: tuple[float, int] | None = None
        self._shown_at_s = 0.0
        self._width = 0

    def show(self, step: int, last_step: int, text: str) -> None:
        now_s = monotonic()
        self._began = self._began or (now_s, step)
        if self._is_shown and now_s - self._shown_at_s >= _REDRAW_INTERVAL_S:
            self._shown_at_s = now_s
            line = f"step {step:,} of {last_step:,}  {text}  {self.time_left(step, last_step)}"
            print(f"\r{line:{self._width}}", end="", file=self._target, flush=True)
            self._width = len(line)

    def time_left(self, step: int, last_step: int) -> str:
        """How long the rest will take at the mean pace so far, evaluations included."""
        if self._began is None or step <= self._began[1]:
            return ""
        pace_s = (monotonic() - self._began[0]) / (step - self._began[1])
        return f"{_duration(pace_s * max(last_step - step, 0))} left"

    def clear(self) -> None:
        if self._width:
            print(f"\r{'':{self._width}}\r", end="", file=self._target, flush=True)
            self._width = 0


class _Teller:
    """Tells people how a run goes: a line that changes with the steps, and one that stays for each evaluation."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._progress = _Progress(sys.stderr)
        self._loss = ""

    def show(self, event: TrainingEvent) -> None:
        last_step = self._run.trainer.settings.max_steps
        match event:
            case RunStarted():
                place = f", kept in {event.run_directory}" if event.run_directory else ""
                self._say(f"{event.parameter_count:,} parameters, {self._run.trainer.corpus.name}{place}")
                self._progress.show(event.step, last_step, "")
            case StepFinished():
                self._loss = f"loss {event.loss:.3f}"
                self._progress.show(event.step, last_step, f"{self._loss}  {event.tokens_per_second:,.0f} tokens/s")
            case EvaluationAdvanced():
                self._progress.show(event.step, last_step, f"evaluating {event.done:,} of {event.total:,}")
            case EvaluationFinished():
                left = self._progress.time_left(event.step, last_step)
                told = [f"step {event.step:,} of {last_step:,}", self._loss, f"validation {event.loss:.3f}", left]
                self._say("  ".join(filter(None, told)))
            case CheckpointFailed() | LossSpiked() | RunFailed():
                self._progress.clear()
                print(f"nanograd: {event.message}", file=sys.stderr, flush=True)
                if isinstance(event, RunFailed) and self._run.directory is not None:
                    name = self._run.directory.path.name
                    print(f"nanograd: its last good checkpoint goes on with: nanograd resume {name} --lr N", file=sys.stderr)
            case RunFinished():
                self._say(f"Finished at step {event.step:,}.")
            case _:
                pass

    def _say(self, line: str) -> None:
        self._progress.clear()
        print(line, flush=True)


def _print_event(event: TrainingEvent) -> None:
    """One line of JSON for what a script may want to know; looks at the inside are left out."""
    if isinstance(event, ProbeTaken | EvaluationAdvanced | SampleAdvanced):
        return
    name = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in type(event).__name__).lstrip("_")
    _print_row({"event": name, **asdict(event)})


def _print_row(row: _Row) -> None:
    print(json.dumps({name: _plain(value) for name, value in row.items()}, ensure_ascii=False), flush=True)


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not isfinite(value):
        return None
    return str(value) if isinstance(value, Path) else value


# ---- what can be said -----------------------------------------------------------------------------------------------------


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def _given(arguments: argparse.Namespace) -> dict[str, Any]:
    """The settings that were given, by their names."""
    return {name: getattr(arguments, name) for name in declared_settings() if hasattr(arguments, name)}


def _parser(data_directory: Path) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="nanograd", description="Train a GPT on your text, and write with it. The window has the same runs."
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
    train.add_argument("--tokenizer", choices=list(KINDS), default="character", help="what a token is (default character)")
    train.add_argument("--vocabulary-size", type=int, default=1024, help="how many tokens byte-pair learns (default 1,024)")
    train.add_argument("--encoding", default="", help="that of texts which are not Unicode, such as cp1252")
    train.add_argument("--probe", help="the text that is watched; the beginning of the text if none is given")
    resume = commands.add_parser("resume", parents=[common], help="go on with a run")
    generate = commands.add_parser("generate", parents=[common], help="write with the model of a run")
    verify = commands.add_parser("verify", parents=[common], help="replay a run, and say whether its weights come out the same")
    for command in (resume, generate, verify):
        command.add_argument("run", help="a run's name, as list tells it, or the path of its folder or of a checkpoint")
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
