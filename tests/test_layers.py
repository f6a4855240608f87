"""The rooms are what docs/architecture.md says, and a module imports only modules that stand above it there."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def _rooms() -> list[str]:
    text = (ROOT / "docs" / "architecture.md").read_text()
    block = text.split("## Rooms", 1)[1].split("\n## ", 1)[0]
    return re.findall(r"^    ([a-z_0-9.]+) ", block, flags=re.MULTILINE)


def _module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


ORDER = _rooms()
FILES = {
    _module(path).removeprefix("moopt."): path
    for path in sorted((ROOT / "moopt").rglob("*.py"))
    if path != ROOT / "moopt" / "__init__.py"
}


def _imports(path: Path, package: str) -> set[str]:
    """Modules of ``package`` that a file imports anywhere, without the package's name."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            whole = [f"{node.module}.{alias.name}" for alias in node.names]
            found |= {name if name.removeprefix(f"{package}.") in FILES else str(node.module) for name in whole}
    return {name.removeprefix(f"{package}.") for name in found if name.startswith(f"{package}.")}


def test_every_file_is_a_room_of_the_architecture() -> None:
    assert sorted(FILES) == sorted(ORDER)


@pytest.mark.parametrize("room", FILES)
def test_a_room_imports_only_rooms_above_it(room: str) -> None:
    above = set(ORDER[: ORDER.index(room)])
    wrong = {name for name in _imports(FILES[room], "moopt") if name in FILES and name not in above}
    assert not wrong, f"{room} imports {sorted(wrong)}, which do not stand above it"


def test_the_explorer_never_imports_what_searches() -> None:
    for path in (ROOT / "explorer").rglob("*.py"):
        rooms = {name.split(".")[0] for name in _imports(path, "moopt")}
        assert not rooms & {"study", "ledger", "loop", "searchers", "pool", "evaluate"}, path


def test_only_the_explorers_views_and_app_import_streamlit() -> None:
    for path in (ROOT / "explorer").glob("*.py"):
        if path.name != "app.py":
            assert "streamlit" not in path.read_text().split(), path
