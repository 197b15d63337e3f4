"""From a delivery to a process and back, against the fake bus."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from importlib.metadata import EntryPoint

from pal_daemon.keeper_client import living_keeper
from pal_daemon.process_tree import find_left_over
from pal_daemon.runtimes.registry import GROUP
from tests.support.patience import LONG_PATIENCE


async def test_a_demo_agent_answers(bus, start_daemon):
    await start_daemon()

    run = await bus.end_of(await bus.given_delivery(content="/echo good morning"))

    assert run.finish["status"] == "succeeded"
    assert run.finish["text"] == "good morning"
    assert run.finish["exit_code"] == 0
    assert run.pid
    assert [event["kind"] for event in run.events] == ["message"]


async def test_a_command_gets_the_prompt_and_its_output_is_the_answer(bus, start_daemon):
    await start_daemon()

    run = await bus.end_of(
        await bus.given_delivery(content="abc", runtime="command", command="cat", command_allowed=True)
    )

    assert run.finish["text"] == "prompt: abc"
    assert run.text("output") == "prompt: abc"


async def test_the_agents_environment_names_the_run_and_hides_the_daemons_secrets(bus, start_daemon, monkeypatch):
    monkeypatch.setenv("PAL_API_KEY", "sk_machine_secret")
    monkeypatch.setenv("LOCK_DAEMON_TOKEN", "secret")
    daemon = await start_daemon()
    program = f"{sys.executable} -c 'import os, json; print(json.dumps(dict(os.environ)).encode().hex())'"

    run = await bus.end_of(await bus.given_delivery(runtime="command", command=program, command_allowed=True))

    env = json.loads(bytes.fromhex(run.finish["text"]))  # as it is, its secrets would not be told
    assert env["PAL_RUN_ID"] == str(run.id)
    assert env["PAL_RUN_TOKEN"] == run.token
    assert (env["PAL_AGENT_KEY"], env["PAL_ROOM"], env["PAL_TOPIC"], env["PAL_MESSAGE"]) == (
        "worker",
        "general",
        "7",
        "71",
    )
    assert env["PAL_DAEMON_URL"] == daemon.url
    assert "PAL_API_KEY" not in env
    assert "LOCK_DAEMON_TOKEN" not in env
    assert "PAL_HOME" not in env


async def test_a_program_that_fails_is_told_with_its_exit_code_and_last_words(bus, start_daemon):
    await start_daemon()

    run = await bus.end_of(await bus.given_delivery(content="/fail the disk is on fire"))

    assert (run.finish["status"], run.finish["exit_code"], run.finish["error_kind"]) == ("failed", 1, "agent")
    assert run.finish["stderr"] == run.finish["error"] == "the disk is on fire"
    assert "text" not in run.finish


async def test_a_server_that_does_not_know_a_field_of_an_end_gets_the_end_without_details(bus, start_daemon):
    bus.unknown_at_end = {"usage"}
    await start_daemon()

    run = await bus.end_of(await bus.given_delivery(content="/fail the disk is on fire"))

    assert (run.finish["status"], run.finish["exit_code"]) == ("failed", 1)
    assert "did not take the details" in run.finish["error"]


async def test_what_is_as_usual_is_not_said_so_that_an_older_server_understands(bus, start_daemon):
    bus.unknown_at_end = {"signal", "resume_at", "effects"}
    await start_daemon()

    run = await bus.end_of(await bus.given_delivery(content="/echo hi"))

    assert (run.finish["status"], run.finish["text"]) == ("succeeded", "hi")


async def test_a_missing_program_fails_at_once_with_a_remedy(bus, start_daemon):
    await start_daemon()

    run = await bus.end_of(
        await bus.given_delivery(runtime="command", command="no-such-program-here", command_allowed=True)
    )

    assert (run.finish["status"], run.finish["error_kind"]) == ("failed", "missing_program")
    assert "no-such-program-here" in run.finish["error"]
    assert "install" in run.finish["error"]


async def test_an_unknown_runtime_fails_with_what_to_install(bus, start_daemon):
    await start_daemon()

    run = await bus.end_of(await bus.given_delivery(runtime="codex"))

    assert (run.finish["status"], run.finish["error_kind"]) == ("failed", "missing_program")
    assert "npm install -g @openai/codex" in run.finish["error"]


async def test_a_command_nobody_allowed_is_not_started(bus, start_daemon):
    await start_daemon()

    run = await bus.end_of(await bus.given_delivery(runtime="command", command="true"))

    assert run.finish["status"] == "failed"
    assert "allow" in run.finish["error"]


async def test_a_folder_that_does_not_exist_fails_the_run(bus, start_daemon):
    await start_daemon()

    run = await bus.end_of(await bus.given_delivery(cwd="/no/such/folder"))

    assert (run.finish["status"], run.finish["error_kind"]) == ("failed", "spawn")
    assert "/no/such/folder" in run.finish["error"]


async def test_an_agents_key_never_leads_out_of_the_home(bus, start_daemon):
    await start_daemon()

    run = await bus.end_of(await bus.given_delivery(key="../../escape"))

    assert (run.finish["status"], run.finish["error_kind"]) == ("failed", "spawn")


async def test_output_that_is_no_text_is_kept_with_marks(bus, start_daemon):
    await start_daemon()

    run = await bus.end_of(
        await bus.given_delivery(runtime="command", command=r"printf 'a\377b\303'", command_allowed=True)
    )

    assert run.text("output") == "a�b�"


async def test_a_question_waits_for_its_answer(bus, start_daemon):
    await start_daemon()
    delivery = await bus.given_delivery(content="/ask Shall I?")
    run = await bus.run_of(delivery)
    await bus.until(lambda: run.interactions)

    command = await bus.given_command("answer", run.id, interaction=100, key="ask-1", kind="question", answer="yes")

    assert (await bus.end_of(delivery)).finish["text"] == "You answered: yes"
    await bus.until(lambda: command in bus.commands_done)
    assert bus.commands_done[command].get("ok", True)
    asked = [path for _, path in bus.asked]
    assert asked.index("/api/interactions/100/applied") < asked.index(f"/api/runs/{run.id}/finish")


async def test_a_refused_approval_is_told_to_the_program(bus, start_daemon, settings):
    await start_daemon()
    delivery = await bus.given_delivery(content="/approve delete everything")
    run = await bus.run_of(delivery)
    await bus.until(lambda: run.interactions)

    assert bus.interactions[100]["folder"] == str(settings.home / "agents" / "worker")
    await bus.given_command(
        "answer", run.id, interaction=100, key="ask-1", kind="approval", decision="deny", reason="too much"
    )

    assert (await bus.end_of(delivery)).finish["text"] == "Denied: delete everything (too much)"


async def test_work_done_by_hand_waits_for_a_person(bus, start_daemon, settings):
    await start_daemon()
    delivery = await bus.given_delivery(content="paint the door", runtime="manual")
    run = await bus.run_of(delivery)
    await bus.until(lambda: run.interactions)
    context = settings.home / "agents" / "worker" / f"pal-run-{run.id}.md"
    assert context.read_text() == "prompt: paint the door\n"

    await bus.given_command("answer", run.id, interaction=100, key="done", kind="question", answer="done")

    assert (await bus.end_of(delivery)).finish["status"] == "succeeded"


HOPPING = """
import os, signal, sys
held = os.open(sys.argv[1], os.O_WRONLY)
os.write(held, b"here")
for _ in range(3):
    if os.fork() == 0:
        for _ in range(300):  # the child goes on in a session of its own, and is another process each time
            if os.fork():
                os._exit(0)
            os.setsid()
        break
signal.pause()
"""


async def test_children_that_are_another_process_each_moment_are_ended_too(bus, start_daemon, settings, tmp_path):
    await start_daemon()
    fifo, script = tmp_path / "fifo", tmp_path / "hopping.py"
    os.mkfifo(fifo)
    script.write_text(HOPPING)
    delivery = await bus.given_delivery(
        runtime="command", command=f"{sys.executable} -S {script} {fifo}", command_allowed=True
    )
    run = await bus.run_of(delivery)
    async with asyncio.timeout(LONG_PATIENCE):
        held = await asyncio.to_thread(open, fifo, "rb", 0)
        begun = await asyncio.to_thread(held.read, 4)
        await bus.given_command("kill", run.id)
        end = (await bus.end_of(delivery)).finish
        rest = await asyncio.to_thread(held.read)  # ends when nobody is left who could write
    held.close()

    assert (begun, rest, end["status"]) == (b"here", b"", "cancelled")
    assert find_left_over(settings.runs_folder / str(run.id)) == []


async def test_a_killed_run_ends_cancelled_with_its_children(bus, start_daemon, settings):
    await start_daemon()
    delivery = await bus.given_delivery(
        runtime="command", command="sh -c 'sleep 300 & sleep 300'", command_allowed=True
    )
    run = await bus.run_of(delivery)
    await bus.until(lambda: run.pid)

    command = await bus.given_command("kill", run.id)

    assert (await bus.end_of(delivery)).finish["status"] == "cancelled"
    await bus.until(lambda: command in bus.commands_done)
    assert find_left_over(settings.runs_folder / str(run.id)) == []


async def test_a_stopped_run_is_asked_politely(bus, start_daemon):
    await start_daemon()
    delivery = await bus.given_delivery(content="/slow 100")
    run = await bus.run_of(delivery)
    await bus.until(lambda: run.events)

    await bus.given_command("stop", run.id)

    run = await bus.end_of(delivery)
    assert (run.finish["status"], run.finish["error_kind"], run.finish["exit_code"]) == ("cancelled", "stopped", 130)


async def test_an_order_of_a_newer_server_is_refused_and_hinders_no_other(bus, start_daemon):
    await start_daemon()
    delivery = await bus.given_delivery(content="/slow 100")
    run = await bus.run_of(delivery)
    await bus.until(lambda: run.events)

    unknown = await bus.given_command("polish", run.id, text="do not tell me this", until={"never": []})
    await bus.given_command("kill", run.id)

    assert (await bus.end_of(delivery)).finish["status"] == "cancelled"
    await bus.until(lambda: unknown in bus.commands_done)
    assert bus.commands_done[unknown]["ok"] is False
    assert "does not know the order polish: upgrade it" in bus.commands_done[unknown]["detail"]


async def test_a_computer_connects_while_an_order_of_a_newer_server_waits(bus, start_daemon):
    unknown = await bus.given_command("polish", None)
    await start_daemon()

    await bus.until(lambda: unknown in bus.commands_done)
    assert bus.commands_done[unknown]["ok"] is False


async def test_an_order_for_a_run_nobody_knows_is_refused_once(bus, start_daemon):
    await start_daemon()

    command = await bus.given_command("kill", 999)

    await bus.until(lambda: command in bus.commands_done)
    assert not bus.commands_done[command]["ok"]


async def test_a_run_over_its_time_limit_is_ended(bus, start_daemon):
    await start_daemon()

    run = await bus.end_of(await bus.given_delivery(content="/slow 100", max_duration=400))

    assert (run.finish["status"], run.finish["error_kind"]) == ("failed", "timeout")


async def test_a_silent_run_is_told_as_stalled_and_goes_on(bus, start_daemon):
    await start_daemon(stalled_after=0.5)
    delivery = await bus.given_delivery(runtime="command", command="sleep 300", command_allowed=True)
    run = await bus.run_of(delivery)

    await bus.until(lambda: any(run.id in beat.get("stalled", []) for beat in bus.heartbeats))

    assert run.finish is None


async def test_a_keeper_that_is_killed_leaves_an_interrupted_run_and_no_agent(bus, start_daemon, settings):
    await start_daemon()
    delivery = await bus.given_delivery(content="/slow 300")
    run = await bus.run_of(delivery)
    await bus.until(lambda: run.events)
    folder = settings.runs_folder / str(run.id)

    os.kill(living_keeper(folder), signal.SIGKILL)

    run = await bus.end_of(delivery)
    assert (run.finish["status"], run.finish["error_kind"]) == ("interrupted", "lost")
    assert find_left_over(folder) == []


async def test_a_keeper_that_stands_still_is_killed_with_its_agent(bus, start_daemon, settings):
    await start_daemon()
    delivery = await bus.given_delivery(content="/slow 300")
    run = await bus.run_of(delivery)
    await bus.until(lambda: run.events)
    folder = settings.runs_folder / str(run.id)
    os.kill(living_keeper(folder), signal.SIGSTOP)

    await bus.given_command("kill", run.id)

    run = await bus.end_of(delivery)
    assert run.finish["status"] == "cancelled"
    assert find_left_over(folder) == []


async def test_many_lines_arrive_whole_and_in_order(bus, start_daemon):
    await start_daemon()
    program = f"{sys.executable} -c 'for i in range(100000): print(i)'"

    run = await bus.end_of(await bus.given_delivery(runtime="command", command=program, command_allowed=True))

    assert run.text("output") == "".join(f"{i}\n" for i in range(100_000))
    assert "cut off here" in run.finish["text"]


async def test_a_number_used_by_an_earlier_bus_is_no_hindrance(bus, start_daemon, settings):
    old = settings.runs_folder / "1"
    old.mkdir(parents=True)
    (old / "spool").write_bytes(b"of another time")
    await start_daemon()

    run = await bus.end_of(await bus.given_delivery(content="/echo fresh"))

    assert run.finish["text"] == "fresh"


async def test_deliveries_of_different_topics_run_side_by_side_up_to_the_limit(bus, start_daemon):
    await start_daemon(max_runs=2)
    deliveries = [await bus.given_delivery(content="/ask go on?", look=False) for _ in range(3)]
    await bus.say_look("deliveries")

    await bus.until(lambda: sum(bool(run.interactions) for run in bus.runs.values()) == 2)

    assert deliveries[2].status == "pending"
    for delivery in deliveries[::2]:  # the third begins when the first has ended
        run = await bus.run_of(delivery)
        await bus.until(lambda run=run: run.interactions)
        await bus.given_command(
            "answer", run.id, interaction=run.interactions["ask-1"], key="ask-1", kind="question", answer="yes"
        )
        assert (await bus.end_of(delivery)).finish["status"] == "succeeded"


async def test_without_a_socket_the_next_heartbeat_finds_the_work(bus, start_daemon):
    bus.has_socket = False
    await start_daemon()

    run = await bus.end_of(await bus.given_delivery(content="/echo found"))

    assert run.finish["text"] == "found"


async def test_an_agents_account_adds_to_its_environment(bus, start_daemon):
    await start_daemon()
    account = {"label": "work", "env": {"ACCOUNT_REGION": "north", "PAL_RUN_TOKEN": "stolen"}, "disabled": False}

    run = await bus.end_of(
        await bus.given_delivery(
            runtime="command",
            command="sh -c 'printenv ACCOUNT_REGION; printenv PAL_RUN_TOKEN | rev'",
            command_allowed=True,
            settings={"account": account},
        )
    )

    assert run.finish["text"] == f"north\n{run.token[::-1]}"


async def test_an_account_that_is_disabled_starts_nothing(bus, start_daemon):
    await start_daemon()

    run = await bus.end_of(await bus.given_delivery(settings={"account": {"label": "work", "disabled": True}}))

    assert (run.finish["status"], run.finish["error_kind"]) == ("failed", "auth")


async def test_a_runtime_of_another_package_runs_like_a_built_in_one(bus, start_daemon, monkeypatch):
    plugin = EntryPoint(name="shouting", value="tests.support.shouting_runtime:ShoutingRuntime", group=GROUP)
    broken = EntryPoint(name="broken", value="tests.support.no_such_module:Nothing", group=GROUP)
    monkeypatch.setattr("pal_daemon.runtimes.registry.entry_points", lambda group: (plugin, broken))
    await start_daemon()

    run = await bus.end_of(await bus.given_delivery(content="hello", runtime="shouting"))

    assert run.finish["text"] == "HELLO"
    known = {runtime["name"] for runtime in bus.connected["runtimes"]}
    assert "shouting" in known
    assert "broken" not in known


async def test_a_yes_is_never_a_yes_to_something_else_under_the_same_name(bus, start_daemon, monkeypatch):
    plugin = EntryPoint(name="changing", value="tests.support.changing_runtime:ChangingRuntime", group=GROUP)
    monkeypatch.setattr("pal_daemon.runtimes.registry.entry_points", lambda group: (plugin,))
    await start_daemon()
    run = await bus.run_of(await bus.given_delivery(runtime="changing"))
    await bus.until(lambda: "deny" in run.text("message"))

    given = {"interaction": 100, "key": "k", "kind": "approval", "decision": "approve"}
    command = await bus.given_command("answer", run.id, **given)
    await bus.until(lambda: command in bus.commands_done)

    assert bus.commands_done[command]["ok"] is False
    assert bus.interactions[100]["title"] == "list the folder"
    assert "something else" in run.text("message")
    assert "approve" not in run.text("message")
    assert "remove the folder" in run.text("error")
    await bus.until(lambda: run.withdrawn)


async def test_a_run_the_server_believes_in_and_nobody_has_is_settled(bus, start_daemon):
    """Whatever lost it, its lane must not wait for ever."""
    await start_daemon(stray_after=0.5)
    ended = await bus.end_of(await bus.given_delivery(content="/echo hi"))
    assert ended.finish["status"] == "succeeded"

    ended.finish = None  # as if the server had never taken the end
    ended.status = "running"

    await bus.until(lambda: ended.finish is not None)
    assert ended.finish["status"] == "interrupted"
