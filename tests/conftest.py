"""What several tests share."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of data sets and benchmarks beside the checkout; CI has it, a person's machine need not."""
    folder = Path(__file__).resolve().parents[2] / "shared"
    if not folder.is_dir():
        if os.environ.get("CI"):
            pytest.fail(f"the folder {folder.name} of data sets is not beside the checkout")
        pytest.skip("wants the data sets in a folder 'shared' beside the checkout")
    return folder
