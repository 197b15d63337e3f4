"""What an app must be allowed and subscribed to, and what for. Guide, doctor and QR code read it from here."""

from collections.abc import Mapping

SCOPES: Mapping[str, str] = {
    "im:message.p2p_msg:readonly": "hear direct messages",
    "im:message.group_at_msg:readonly": "hear messages in groups that mention the bot",
    "im:message:send_as_bot": "send messages and cards",
    "im:message": "read back what was said while nobody listened, change sent messages",
    "im:message.reactions:write_only": "show by a reaction that the agent works",
    "im:resource": "files and images, both ways",
    "im:chat:readonly": "names of groups",
    "contact:user.base:readonly": "names of people",
}
MUST = frozenset({"im:message.p2p_msg:readonly", "im:message.group_at_msg:readonly", "im:message:send_as_bot"})
INSTEAD: Mapping[str, str] = {"im:message.group_at_msg:readonly": "im:message.group_msg"}  # hears all of a group

EVENTS: Mapping[str, str] = {
    "im.message.receive_v1": "what people say",
    "im.message.recalled_v1": "what people take back",
    "im.chat.member.bot.added_v1": "the bot is put into a group",
    "im.chat.member.bot.deleted_v1": "the bot is taken out of a group",
}
CALLBACKS: Mapping[str, str] = {"card.action.trigger": "presses of buttons in cards"}
