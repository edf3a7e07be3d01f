"""From the command to the drawn window, imports included, in a process of its own each time.

Python finds its bytecode in a cache, as where the program was started before; the first start, which fills it, is not counted.
"""

import os
import subprocess
import sys
import tempfile
from time import time

import numpy as np
from comparison import parse_arguments, report

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

SHOW = """
import sys
from pathlib import Path
from time import time
from gui.application import create_application
from gui.main_window import MainWindow
app = create_application(["benchmark"])
window = MainWindow(data_directory=Path(sys.argv[1]))
window.resize(1280, 800)
window.show()
app.processEvents()
window.grab()
print(time())
window.close()
"""


def main() -> None:
    """Measure and print."""
    arguments = parse_arguments(__doc__, rounds=7)
    with tempfile.TemporaryDirectory() as folder:
        times = [show(folder) for _ in range(arguments.rounds + 1)][1:]
    report("start-up", [{"median s": float(np.median(times)), "slowest s": max(times)}], arguments.json)


def show(folder: str) -> float:
    """Seconds until the window is drawn."""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": f"{folder}/bytecode"}
    began = time()
    outcome = subprocess.run([sys.executable, "-c", SHOW, folder], capture_output=True, text=True, check=True, env=environment)
    return float(outcome.stdout.split()[-1]) - began


if __name__ == "__main__":
    main()
