"""What a person gives to connect a bot of each platform; the command line's flags are made of these names."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformForm:
    """`credentials` are (name, label, is secret); `app` is the one that names the app, empty where a check finds it."""

    label: str
    credentials: tuple[tuple[str, str, bool], ...]
    app: str
    receivers: tuple[str, ...]  # kinds of names one can send to; the first is the usual one
    person: str  # what an allow-list entry names


PLATFORMS = {
    "lark": PlatformForm(
        label="Lark/Feishu",
        credentials=(("app_id", "App ID", False), ("app_secret", "App Secret", True)),
        app="app_id",
        receivers=("chat_id", "open_id", "union_id", "email", "user_id"),
        person="union id",
    ),
    "slack": PlatformForm(
        label="Slack",
        credentials=(("bot_token", "Bot Token (xoxb-…)", True), ("app_token", "App Token (xapp-…)", True)),
        app="",
        receivers=("channel", "user"),
        person="member id (U…)",
    ),
    "dingtalk": PlatformForm(
        label="DingTalk",
        credentials=(("client_id", "Client ID", False), ("client_secret", "Client Secret", True)),
        app="client_id",
        receivers=("conversation", "user"),
        person="staff id",
    ),
}
