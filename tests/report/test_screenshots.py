"""The pictures of docs/reports.md: each is small, shown, and told to who does not see it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from .test_browser import CHROMIUM

ROOT = Path(__file__).resolve().parents[2]
PICTURES = sorted((ROOT / "docs" / "screenshots").iterdir())
SHOWN = re.findall(
    r"!\[([^\]]*)\]\(screenshots/([\w.-]+)\)", (ROOT / "docs/reports.md").read_text()
)


def test_each_is_shown_with_what_is_seen() -> None:
    assert sorted(name for _, name in SHOWN) == [path.name for path in PICTURES]
    for words, name in SHOWN:
        assert len(words.split()) >= 8, name


def test_they_are_few_and_small() -> None:
    assert len(PICTURES) <= 14
    for path in PICTURES:
        assert path.suffix == ".png"
        assert path.stat().st_size < 150 * 1024, path.name


@pytest.mark.slow
@pytest.mark.skipif(not CHROMIUM, reason="no Chromium on this machine")
def test_they_can_be_taken_anew(tmp_path: Path) -> None:
    """Every loop still breaks the law that its picture is about."""
    pytest.importorskip("playwright.sync_api")
    script = [sys.executable, str(ROOT / "tools" / "screenshots.py"), str(tmp_path)]
    subprocess.run(script, check=True, timeout=600)
    assert sorted(path.name for path in tmp_path.iterdir()) == [path.name for path in PICTURES]
