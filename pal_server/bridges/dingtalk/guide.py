"""How a person makes the app: DingTalk takes no manifest, so it is steps to click."""

from __future__ import annotations

PERMISSIONS = {  # as the developer console names them: what each is for
    "qyapi_robot_sendmsg": "write when nobody has just written, and send files",
    "Card.Instance.Write": "cards: the state of the work, questions, approvals",
    "Card.Streaming.Write": "part of the cards' permissions",
    "qyapi_get_member": "names of people who only press a button",
}
NEEDED = ("qyapi_robot_sendmsg", "Card.Instance.Write")
CONSOLE = "https://open-dev.dingtalk.com"

GUIDE = f"""\
1. Open {CONSOLE}, choose your organisation, and under **Application development** make an **internal app**.
2. **Add capability → Robot**: switch it on, give it a name and a picture, and choose **Stream mode** as the way it gets
   messages. No address is needed: the bot connects from inside.
3. **Permissions**: search for these and apply for each:
{chr(10).join(f"   - `{name}`: {what}" for name, what in PERMISSIONS.items())}
4. **Version management & release**: make a version and publish it. Before that the bot is nowhere to be found, and a
   permission that was added later works only after the next version.
5. **Credentials & basic information**: copy Client ID and Client Secret:

       pal console agents update --key AGENT --dingtalk-client-id ding… --dingtalk-client-secret …

6. In a group: **Group settings → Robots → Add robot**, choose yours, and mention it. Or search for it by name and write
   to it directly.
"""
