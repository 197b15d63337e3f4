"""The app as Slack is told to make it: everything in one paste."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

Json = dict[str, Any]

SCOPES = {  # what each is for; those without which a bot can do nothing are NEEDED
    "app_mentions:read": "hear when it is called",
    "channels:history": "hear public channels it is in, and read back what it missed",
    "groups:history": "the same in private channels",
    "im:history": "hear direct messages",
    "mpim:history": "hear group conversations",
    "chat:write": "answer",
    "reactions:read": "hear reactions",
    "reactions:write": "show that work is going on",
    "files:read": "fetch files people send",
    "files:write": "send files",
    "users:read": "know people's names",
    "channels:read": "know which channels it is in",
    "groups:read": "the same for private channels",
    "im:read": "the same for direct messages",
    "mpim:read": "the same for group conversations",
    "im:write": "begin a direct conversation",
    "commands": "its slash command",
    "metadata.message:read": "find out after a lost answer whether a post is there, so that nothing is posted twice",
}
NEEDED = ("app_mentions:read", "chat:write", "im:history", "channels:history")
EVENTS = (
    "app_mention",
    "message.im",
    "message.channels",
    "message.groups",
    "message.mpim",
    "app_uninstalled",
    "tokens_revoked",
)
NEW_APP = "https://api.slack.com/apps?new_app=1&manifest_json="


def manifest(name: str = "pal", *, command: str = "pal") -> Json:
    """Socket Mode, interactivity, one slash command, direct messages, and only events that are of use."""
    return {
        "display_information": {"name": name[:35], "description": "A coding agent that answers when it is called."},
        "features": {
            "app_home": {
                "home_tab_enabled": False,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": name[:80], "always_online": True},
            "slash_commands": [
                {
                    "command": f"/{command}",
                    "description": "new, stop, status, model, help",
                    "usage_hint": "[new | stop | status | model NAME | help]",
                    "should_escape": True,
                }
            ],
        },
        "oauth_config": {"scopes": {"bot": list(SCOPES)}},
        "settings": {
            "event_subscriptions": {"bot_events": list(EVENTS)},
            "interactivity": {"is_enabled": True},
            "org_deploy_enabled": False,
            "socket_mode_enabled": True,
            "token_rotation_enabled": False,
        },
    }


def guide() -> str:
    """Step by step, with the manifest to paste and a link that has it filled in."""
    shown = json.dumps(manifest(), indent=2)
    link = NEW_APP + quote(json.dumps(manifest(), separators=(",", ":")))
    return f"""# A Slack app for an agent

1. Open https://api.slack.com/apps, press *Create New App*, *From a manifest*, choose the workspace, and paste this
   (change the name and the command to your agent's):

```json
{shown}
```

   Or open this link, which has it filled in: {link}

2. *Basic Information*, *App-Level Tokens*, *Generate*, with the scope `connections:write`: the app token, `xapp-…`.
3. *Install App*, *Install to Workspace*. *Bot User OAuth Token* begins with `xoxb-`: the bot token.
4. Give both to pal: `pal console agents update --key AGENT --slack-bot-token xoxb-… --slack-app-token xapp-…`
5. Look whether it works: `pal doctor slack`
6. In Slack: write to the bot directly, or `/invite` it into a channel and mention it.

One app is one agent; make an app for each. Both tokens have to be of the same app. After a change of scopes Slack wants
the app installed again.
"""
