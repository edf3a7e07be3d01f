"""The entry point of the desktop program; a first word such as "train" is for the command line instead."""

import argparse
import os
import sys
from pathlib import Path

from nanograd.__main__ import main as command_line
from nanograd.training.command_line import COMMANDS


def main(argv: list[str] | None = None) -> int:
    """Open the window, run the demonstration, or do what a command asks; returns the exit status."""
    words = sys.argv[1:] if argv is None else argv
    if words and words[0] in COMMANDS:
        return command_line(words)
    arguments = _parser().parse_args(argv)
    if arguments.demo:
        if arguments.data_directory:
            _parser().error("--demo makes a data folder of its own, and removes it; leave --data-directory out.")
        _draw_off_screen_without_a_display()
        from gui.demonstration import demonstrate

        return demonstrate(corpus=arguments.corpus, steps=arguments.steps, screenshots=arguments.screenshots)
    from gui.application import create_application, default_cache_directory, default_data_directory, keep_log
    from gui.main_window import MainWindow

    app = create_application(sys.argv[:1])
    data_directory = arguments.data_directory or default_data_directory()
    keep_log(data_directory / "logs")
    cache_directory = None if arguments.data_directory else default_cache_directory()
    window = MainWindow(data_directory=data_directory, cache_directory=cache_directory)
    window.show()
    if arguments.text:
        window.open_corpus(*arguments.text)
    return app.exec()


def _draw_off_screen_without_a_display() -> None:
    if sys.platform == "linux" and not any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))):
        os.environ["QT_QPA_PLATFORM"] = "offscreen"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="nanograd",
        description="Watch a GPT learn your text. Without a window: nanograd train | resume | generate | verify | list.",
    )
    parser.add_argument("text", nargs="*", type=Path, help="texts or folders to open at once")
    parser.add_argument("--data-directory", type=Path, help="where runs are kept, in place of the user's data folder")
    parser.add_argument("--demo", action="store_true", help="drive the real window through its own controls, and say what it saw")
    parser.add_argument("--corpus", type=Path, help="the text for the demonstration; a bundled one if none is given")
    parser.add_argument("--steps", type=int, default=300, help="how many steps the demonstration trains (default 300)")
    parser.add_argument("--screenshots", type=Path, help="where the demonstration writes its pictures")
    return parser


if __name__ == "__main__":
    sys.exit(main())
