"""DingTalk: Stream mode for what comes in, the robot and card APIs for what goes out. The SDK is loaded by `open`."""

from .platform import DingTalk

PLATFORM = DingTalk()
