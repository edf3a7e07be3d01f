import os
import subprocess
import sys


def test_the_demonstration_plays_to_its_end_and_writes_its_pictures(tmp_path, text_file):
    command = [
        sys.executable,
        "-m",
        "gui",
        "--demo",
        "--corpus",
        text_file,
        "--steps",
        "6",
        "--screenshots",
        tmp_path / "pictures",
    ]
    played = subprocess.run(command, capture_output=True, text=True, timeout=110)
    assert played.returncode == 0, played.stdout + played.stderr
    for said in ("Opened cats.txt", "Trained 6 steps", "tokens per second", "It wrote:", "the same curve is there", "Done."):
        assert said in played.stdout
    pictures = {path.stem for path in (tmp_path / "pictures").glob("*.png")}
    assert pictures == {
        "welcome", "text", "training", "inside", "moment", "written", "written-other-theme", "batch", "reopened", "runs",
        "comparison",
    }  # fmt: skip
    assert all(path.stat().st_size > 10_000 for path in (tmp_path / "pictures").glob("*.png"))


def test_the_demonstration_says_what_went_wrong(tmp_path):
    command = [sys.executable, "-m", "gui", "--demo", "--corpus", tmp_path / "missing.txt", "--steps", "2"]
    display = ("QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY")
    without_display = {name: value for name, value in os.environ.items() if name not in display}
    played = subprocess.run(command, capture_output=True, text=True, timeout=110, env=without_display)
    assert played.returncode == 1
    assert "missing.txt" in played.stderr
