"""How a person makes the app by hand, step by step."""

from pal_server.bridges.lark.needs import CALLBACKS, EVENTS, INSTEAD, SCOPES

_scopes = "\n".join(f"   - `{name}`: {purpose}" for name, purpose in SCOPES.items())
_events = "\n".join(f"   - `{name}`: {purpose}" for name, purpose in EVENTS.items())
_callbacks = "\n".join(f"   - `{name}`: {purpose}" for name, purpose in CALLBACKS.items())

GUIDE = f"""\
Quickest: `pal console agents onboard --interactive` shows a code; scan it with Lark or Feishu, and the app is there.

By hand:

1. Open <https://open.larksuite.com/app> (Feishu: <https://open.feishu.cn/app>), **Create Custom App**.
2. **Add Features → Bot**.
3. **Permissions & Scopes**, add:
{_scopes}

   With `{INSTEAD["im:message.group_at_msg:readonly"]}` the bot also hears what follows in a thread without a mention.
4. **Credentials & Basic Info**: copy App ID and App Secret, then

   ```sh
   pal console agents update --key AGENT --lark-app-id cli_… --lark-app-secret …
   ```

   Now pal is connected, which Lark wants to see before it lets you do the next step.
5. **Events & Callbacks → Event Configuration**: *Receive events through persistent connection*, then add:
{_events}
6. **Events & Callbacks → Callback Configuration**: *Receive callbacks through persistent connection*, then add:
{_callbacks}
7. **Version Management**: create a version, choose who may use the app, publish it.
8. `pal doctor lark` says what is still missing. Then mention the bot in a group, or write to it.
"""
