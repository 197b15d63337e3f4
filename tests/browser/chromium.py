"""Finds a real Chromium. CI installs Debian's (`.ci/run`); elsewhere the tests take what is there, or are skipped."""

from __future__ import annotations

import os
import shutil

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    # A list given later replaces an earlier one, so Playwright's own is in it. The last three are ours: with each
    # window Chromium loads two pages for the suggestions of its address bar, which nobody sees here and which cost more
    # than the client itself.
    "--disable-features="
    + ",".join(
        (
            "AvoidUnnecessaryBeforeUnloadCheckSync",
            "DestroyProfileOnBrowserClose",
            "HttpsUpgrades",
            "HttpsFirstBalancedModeAutoEnable",
            "MediaRouter",
            "PaintHolding",
            "ThirdPartyStoragePartitioning",
            "OptimizationHints",
            "NetworkTimeServiceQuerying",
            "PreconnectToSearch",
            "WebUIOmniboxPopup",
            "WebUIOmniboxAimPopup",
            "WebUIOmniboxFullPopup",
        )
    ),
]
NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
NAMED = "TEST_BROWSER"  # the path of one, where it is none of these


def find() -> str | None:
    """Its path."""
    named = os.environ.get(NAMED)
    return named or next((path for name in NAMES if (path := shutil.which(name))), None)
