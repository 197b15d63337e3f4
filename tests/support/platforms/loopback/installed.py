"""Lets processes that a test starts find the loopback platform, as a package that is installed beside pal."""

from pathlib import Path

ROOT = Path(__file__).parents[4]


def install(folder: Path) -> str:
    """What PYTHONPATH has to be for processes that shall know it."""
    info = folder / "pal_loopback-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: pal-loopback\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[pal.platforms]\nloopback = tests.support.platforms.loopback:PLATFORM\n")
    return f"{folder}:{ROOT}"
