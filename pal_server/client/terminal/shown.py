"""Answers of the API as people read them: one function per kind, tables for lists, lines for messages."""

from typing import Any

from pal_server.client.terminal.output import how_long, note, say, size, table, when

Answer = dict[str, Any]


def health(answer: Answer) -> None:
    """The status first, then whatever else was told of."""
    say(str(answer.get("status", "ok")))
    for name, value in answer.items():
        if name == "status":
            continue
        if isinstance(value, dict):
            for part, detail in value.items():
                say(f"  {name}.{part}: {detail}")
        else:
            say(f"  {name}: {value}")


def rooms(answer: Answer) -> None:
    rows = answer.get("rooms") or answer.get("chats") or []
    table(
        ("ROOM", "MESSAGES", "VISIBILITY", "ID", "TITLE"),
        [(r["name"], r["seq"], r["visibility"], r["id"], r["title"]) for r in rows],
        empty="no rooms yet. `pal cli rooms create NAME` makes one",
    )


def projects(answer: Answer) -> None:
    table(
        ("PROJECT", "STATE", "ID", "NAME"),
        [(p["key"], "archived" if p.get("archived_at") else "active", p["id"], p["name"]) for p in answer["projects"]],
        empty="no projects yet. `pal console projects create KEY` makes one",
    )


def project(answer: Answer) -> None:
    """Its name, then goal, rules and stack as far as it has them."""
    shown = answer["project"]
    say(f"{shown['key']}: {shown['name']}{', archived' if shown.get('archived_at') else ''}")
    if shown["goal"]:
        say(f"goal: {shown['goal']}")
    for rule in shown["rules"]:
        say(f"rule: {rule}")
    if shown["tech_stack"]:
        say(f"stack: {', '.join(shown['tech_stack'])}")


def docs(answer: Answer) -> None:
    table(
        ("DOCUMENT", "STATE", "CHARACTERS", "CHANGED", "BY"),
        [(d["name"], _doc_state(d), d["size"], when(d["updated_at"]), d["written_by"]) for d in answer["docs"]],
        empty="no context documents yet. `pal console docs write NAME FILE` writes one",
    )


def _doc_state(doc: Answer) -> str:
    if doc.get("archived_at"):
        return "archived"
    return "told to runs" if doc["inject"] else "kept"


def decisions(answer: Answer) -> None:
    table(
        ("DECISION", "STATUS", "BY", "TITLE"),
        [(d["code"], d["status"], d.get("decided_by") or d["proposed_by"], d["title"]) for d in answer["decisions"]],
        empty='no decisions here. `pal cli decisions propose "TITLE"` proposes one',
    )


def decision(answer: Answer) -> None:
    """Code, status and title; why; who settled it."""
    one = answer["decision"]
    later = f" by {one['superseded_by']}" if one.get("superseded_by") else ""
    say(f"{one['code']} {one['status']}{later}: {one['title']}")
    if one["rationale"]:
        say(one["rationale"])
    settled = f", settled by {one['decided_by']}" if one.get("decided_by") else ""
    say(f"proposed by {one['proposed_by']}{settled}{': ' + one['reason'] if one.get('reason') else ''}")


def members(answer: Answer) -> None:
    table(
        ("NAME", "KIND", "MODE", "RUNTIME", "SHOWN AS"),
        [
            (m["name"], m["kind"], m.get("mode") or m.get("role"), m.get("runtime"), m["display_name"])
            for m in answer["members"]
        ],
        empty="nobody is in this room. `pal cli rooms invite --room R --agent A` invites an agent",
    )


def topics(answer: Answer) -> None:
    table(
        ("TOPIC", "NEWEST", "TITLE"),
        [(t["id"], when(t.get("last_message_at")), _topic_title(t)) for t in answer["topics"]],
        empty='no topics yet. `pal cli topics create --room R "TITLE"` makes one',
    )


def approval_rules(answer: Answer) -> None:
    table(
        ("RULE", "DECISION", "FOR", "USED", "BY", "WHAT"),
        [
            (
                r["id"],
                f"{r['decision']}, revoked" if r.get("revoked_at") else r["decision"],
                r["agent"] or "any agent in the room" if r["scope"] != "topic" else f"{r['agent']}, topic {r['topic']}",
                r["used"],
                r["made_by"],
                r["title"],
            )
            for r in answer["rules"]
        ],
        empty="no standing approvals. `pal cli approve ID --for topic` makes one",
    )


def messages(answer: Answer) -> None:
    rows = answer["messages"]
    if not rows:
        note("no messages")
    for row in rows:
        message_line(row)


def message_line(row: Answer) -> None:
    """`#12 general/3 14:02:11 codex → 11: text`, further lines of the text indented below."""
    sender = row["sender"]
    name = sender["name"] + (" (guest)" if sender.get("kind") == "guest" else "")
    reply = f" → {row['parent']}" if row.get("parent") else ""
    text = "(deleted)" if row.get("deleted_at") else row["content"]
    first, *rest = text.split("\n") or [""]
    say(f"#{row['id']} {row['room_name']}/{row['topic']} {when(row['created_at'])} {name}{reply}: {first}")
    for line in rest:
        say(f"    {line}")
    for file in row.get("files", []):
        say(f"    [file {file['name']}, {size(file['size'])}, {file['id']}]")
    if (state := _card_state(row)) is not None:
        say(f"    [{state}]")


def _card_state(row: Answer) -> str | None:
    """Of a card that asks a person: what answers it here, or who did."""
    card = row.get("card") or {}
    match card.get("type"), card.get("status"):
        case "interaction", "pending":
            return f"waits: {_how_to_answer(card['interaction'], kind=card.get('kind', 'question'))}"
        case "interrupted", "pending":
            return f"waits: pal cli choose {card['run']} {'|'.join(card['actions']).replace('_', '-')}"
        case "draft", "held":
            return f"waits: pal cli draft {row['id']} send|revise|drop"
        case (("interaction" | "interrupted"), status):
            by = f" by {card['answered_by']}" if card.get("answered_by") else ""
            return f"{'answered' if by else status}{by}"
    return None


def _how_to_answer(id: int, *, kind: str) -> str:
    return f'pal cli answer {id} "…"' if kind == "question" else f"pal cli approve {id}, or pal cli deny {id}"


def message(answer: Answer) -> None:
    row = answer["message"]
    message_line(row)
    if row.get("mentions"):
        say(f"    for: {', '.join(row['mentions'])}")
    if row.get("edited_at"):
        say(f"    edited: {when(row['edited_at'])}")
    if row.get("run"):
        say(f"    said by run {row['run']}")


def inbox(answer: Answer) -> None:
    items = answer.get("items") or [{"message": m} for m in answer["messages"]]
    if not items:
        note("the inbox is empty")
    for item in items:
        message_line(item["message"])
        if item.get("reason"):
            state = f", delivery {item['delivery']} is {item['status']}" if item.get("delivery") else ""
            say(f"    because of: {item['reason']}{state}")


def runs(answer: Answer) -> None:
    table(
        ("RUN", "AGENT", "STATUS", "ROOM", "TOPIC", "STARTED", "TOOK", "WHAT WENT WRONG"),
        [
            (
                r["id"],
                r["agent"],
                r["status"] + (f" ({r['wanted']} asked)" if r.get("wanted") else ""),
                r["room"],
                r["topic"],
                when(r.get("started_at") or r["created_at"]),
                how_long(r.get("duration_ms")),
                r.get("error"),
            )
            for r in answer["runs"]
        ],
        empty="no runs yet. A message that mentions an agent starts one",
    )


def agents(answer: Answer) -> None:
    table(
        ("AGENT", "RUNTIME", "STATE", "COMPUTER", "SHOWN AS", "NOTE"),
        [
            (
                a["key"],
                a["runtime"],
                a["runtime_state"] if a.get("enabled", True) else "disabled",
                a.get("computer"),
                a["display_name"],
                a.get("runtime_note"),
            )
            for a in answer["agents"]
        ],
        empty="no agents yet. `pal console agents onboard --interactive` makes one",
    )


def interaction(answer: Answer) -> None:
    one = answer["interaction"]
    say(f"{one['kind']} {one['id']} is {one['status']}: {one['title']}")
    if one["status"] == "pending" and one.get("approvals"):
        by = " and ".join(approval["by"] for approval in one["approvals"])
        say(f"{by} approved it; {one['needs']} people have to")
    if suggestion := one.get("suggestion"):
        say(f"people approved exactly this {suggestion['times']} times: --for {suggestion['scope']} ends the asking")
    if one.get("answer"):
        said = one["answer"]
        words = ", ".join(str(value) for value in said.values() if value) if isinstance(said, dict) else str(said)
        by = f" by {one['answered_by']}" if one.get("answered_by") else ""
        say(f"answered{by}: {words}")


def interactions(answer: Answer) -> None:
    table(
        ("ID", "KIND", "STATUS", "AGENT", "TOPIC", "SINCE", "WHAT"),
        [
            (i["id"], i["kind"], i["status"], i.get("agent"), i["topic"], when(i["created_at"]), i["title"])
            for i in answer["interactions"]
        ],
        empty="nothing waits for a person",
    )


def whole_interaction(answer: Answer) -> None:
    """All that it says, each question with its options, and what answers it."""
    one = answer["interaction"]
    interaction(answer)
    if one["body"]:
        say(one["body"])
    for number, question in enumerate(one.get("questions", ()), start=1):
        say(f"{number}: {question['text']}{' (several may be chosen)' if question['multiple'] else ''}")
        for option in question["options"]:
            say("   " + ": ".join(part for part in (option["label"], option.get("description")) if part))
    if one["options"] and one["kind"] == "question" and not one.get("questions"):
        say(f"options: {', '.join(one['options'])}")
    if one["status"] == "pending":
        note(_how_to_answer(one["id"], kind=one["kind"]))


def artifact(answer: Answer, *, url: str) -> None:
    """The address alone on stdout, ready to be passed on."""
    one = answer["artifact"]
    say(url)
    note(f"{one['name']}: {size(one['size'])}, {one['mime']}, id {one['id']}")


def debate(answer: Answer) -> None:
    one = answer["debate"]
    say(f"debate {one['id']} is {one['status']}: {one['a']} and {one['b']}, {one['taken']} of {one['turns']} turns")
    say(f"topic {one['topic']}")


def _topic_title(topic: Answer) -> str:
    title = str(topic["title"])
    return f"{title or 'general talk'} (default)" if topic.get("is_default") else title
