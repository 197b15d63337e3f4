"""Slack: Socket Mode for what comes in, the Web API for what goes out. The SDK is loaded when a bot is opened."""

from .platform import Slack

PLATFORM = Slack()
