"""What a person gives to connect a bot of each platform; the command line's flags are made of these names."""

from dataclasses import dataclass

COMMON_OPTIONS = (  # of the bots of every platform
    ("prompt", "what the agent is told of a message, with {text} and {sender}"),
    ("held_by", "id of the one bridge token that may listen for it"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformForm:
    """`credentials` are (name, label, is secret); `app` is the one that names the app, empty where a check finds it."""

    label: str
    credentials: tuple[tuple[str, str, bool], ...]
    app: str
    receivers: dict[str, str]  # kinds of names one can send to, the usual one first, and what stands before such a name
    person: str  # what an allow-list entry names
    before_person: str = ""  # stands before that where a bot writes to them alone
    base_url_variable: str  # another origin than the platform's own
    reaction_variable: str  # the reaction while an agent is at work
    options: tuple[tuple[str, str], ...] = ()  # what else a bot of it may have set: (name, label)
    is_made_by_link: bool = False  # an app can be made by opening or scanning a link


PLATFORMS = {
    "lark": PlatformForm(
        label="Lark/Feishu",
        credentials=(("app_id", "App ID", False), ("app_secret", "App Secret", True)),
        app="app_id",
        receivers={"chat_id": "", "open_id": "", "union_id": "", "email": "", "user_id": ""},
        person="union id",
        base_url_variable="PAL_LARK_DOMAIN",
        reaction_variable="PAL_LARK_ACTION_REACTION_EMOJI",
        options=(("replies", "answers in groups: thread or quote"),),
        is_made_by_link=True,
    ),
    "slack": PlatformForm(
        label="Slack",
        credentials=(("bot_token", "Bot Token (xoxb-…)", True), ("app_token", "App Token (xapp-…)", True)),
        app="",
        receivers={"channel": "", "user": ""},
        person="member id (U…)",
        base_url_variable="PAL_SLACK_API_URL",
        reaction_variable="PAL_SLACK_ACTION_REACTION_EMOJI",
        options=(("test_channel", "where pal doctor may post and delete"),),
    ),
    "dingtalk": PlatformForm(
        label="DingTalk",
        credentials=(("client_id", "Client ID", False), ("client_secret", "Client Secret", True)),
        app="client_id",
        receivers={"conversation": "", "user": "user:"},
        person="staff id",
        before_person="user:",
        base_url_variable="PAL_DINGTALK_API_URL",
        reaction_variable="PAL_DINGTALK_ACTION_REACTION_EMOJI",
        options=(
            ("robot_code", "the robot's code, where it is not the Client ID"),
            ("card_template", "a card template of your own"),
            ("answers", "message, or card: answers that can be looked up"),
            ("test_user", "who pal doctor may write to"),
        ),
    ),
}
