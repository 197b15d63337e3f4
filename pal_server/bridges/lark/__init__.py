"""Lark and Feishu, through the SDK's own WebSocket and our own HTTP."""

from pal_server.bridges.lark.platform import PLATFORM

__all__ = ["PLATFORM"]
