"""What the documents show is true: their Python runs, their links lead somewhere, their commands exist."""

import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from moopt.cli import app

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
README = (ROOT / "README.md").read_text()


def test_the_python_of_the_readme_runs_from_top_to_bottom(capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    assert len(blocks) == 3
    names: dict[str, Any] = {}
    for block in blocks:
        # A forest of 200 trees a fold takes its time: two trials show that it runs.
        exec(compile(re.sub(r"n_trials=30", "n_trials=2", block), "README.md", "exec"), names)
    assert len(names["study"].trials()) == 51
    assert "latency_ms" in capsys.readouterr().out


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_to_files_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", document.read_text()):
        if not target.startswith("http"):
            assert (document.parent / target).exists(), target


def test_every_command_of_the_readme_exists_and_shows_an_example() -> None:
    commands = set(re.findall(r"moopt (run|front|choose|export|verify|report|explore|studies)\b", README))
    assert len(commands) == 8
    for command in commands:
        shown = CliRunner().invoke(app, [command, "--help"])
        assert shown.exit_code == 0
        assert f"moopt {command}" in shown.output


def test_every_option_of_the_readme_exists() -> None:
    shown = "".join(
        CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200"}).output
        for command in ("run", "front", "choose", "export", "verify", "report", "explore", "studies")
    )
    for option in set(re.findall(r"`?(--[a-z][a-z-]+)", README)):
        assert option in shown, option


def test_every_target_of_the_readme_is_in_the_makefile() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    named = set(re.findall(r"(?:`|^    )make ([a-z]+)", README, flags=re.MULTILINE))
    assert named
    assert named <= targets
