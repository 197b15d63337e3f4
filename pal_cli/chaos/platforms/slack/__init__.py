"""Slack on 127.0.0.1: Web API, Socket Mode and files, as the real SDK meets them, and a control door for tests.

What it does follows what was seen of the platform: tickets that work once, acknowledgements within three seconds or
three repeats, a mention told twice, echoes of a bot's own posts, metadata only when asked for, sign-in pages for
files without a token. Its clock can be moved, so that a repeat after six hours takes no six hours.
"""
