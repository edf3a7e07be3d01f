"""What may import what: the contracts in pyproject.toml, and what a list of forbidden names cannot say."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FRAMEWORK = sorted((ROOT / "nanograd").rglob("*.py"))


def imported_packages(source: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "nanograd").partition(".")[0]


def test_every_import_contract_is_kept():
    command = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    outcome = subprocess.run([sys.executable, "-c", command, "--no-cache", "--no-logo"], cwd=ROOT, capture_output=True, text=True)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


def test_framework_imports_only_numpy_and_the_standard_library():
    allowed = {"nanograd", "resources", "numpy"} | sys.stdlib_module_names
    foreign = {(path.relative_to(ROOT).as_posix(), name) for path in FRAMEWORK for name in imported_packages(path)}
    foreign = {(path, name) for path, name in foreign if name not in allowed}
    assert foreign <= {("nanograd/__main__.py", "platformdirs")}
