"""What a keeper does for one agent: start it, keep every byte, tell how it ended."""

import os
import signal
import stat

import pytest

from pal_daemon.keeper_client import MEMO, KeeperUsed, LaunchSpec, attach, launch
from pal_daemon.keeping.tree import read_proc
from pal_daemon.spool import Stream, parse_exit, parse_memo, parse_started, read_spool


async def test_output_and_exit_code_are_kept(runs):
    run = await runs.start("sh", "-c", "echo out; echo err >&2; exit 3")

    end = await run.end()

    assert (end.code, end.signal, end.asked, end.start_error) == (3, None, "none", None)
    assert run.stdout == b"out\n"
    assert run.output(Stream.STDERR) == b"err\n"
    assert run.records[-1].stream is Stream.EXIT


async def test_the_started_record_names_the_process(runs):
    run = await runs.python("import os; print(os.getpid(), os.getpgid(0), os.getsid(0)); input()")

    await run.says(b"\n")

    started = parse_started(run.records[0])
    assert run.stdout.split() == [str(started.pid).encode()] * 3
    assert started.keeper == run.keeper.pid
    assert started.start_ticks > 0


async def test_a_memo_is_the_first_record(runs):
    run = await runs.start("true", memo='{"prompt": "Grüße", "deep": [{"a": 1.5}]}'.encode())

    await run.end()

    assert [record.stream for record in run.records] == [Stream.MEMO, Stream.STARTED, Stream.EXIT]
    assert parse_memo(run.records[0]) == {"prompt": "Grüße", "deep": [{"a": 1.5}]}


async def test_a_memo_is_kept_when_nothing_could_be_started(runs):
    run = await runs.start("no-such-program-anywhere", memo=b'{"a": "b"}')

    await run.end()

    assert [record.stream for record in run.records] == [Stream.MEMO, Stream.EXIT]


async def test_a_memo_too_long_for_a_record_is_refused_before_anything_starts(runs):
    with pytest.raises(ValueError, match="memo"):
        await runs.start("true", memo=b"x" * (MEMO + 1))


async def test_death_by_a_signal_is_told(runs):
    run = await runs.start("sh", "-c", "kill -SEGV $$")

    end = await run.end()

    assert (end.code, end.signal, end.asked) == (None, signal.SIGSEGV, "none")


async def test_resource_use_is_measured(runs):
    run = await runs.python("data = b'x' * 60_000_000\nfor _ in range(3_000_000): pass")

    end = await run.end()

    assert end.max_rss_kib > 58_000
    assert 0 < end.user_ms <= end.wall_ms * 4


async def test_the_agent_gets_exactly_the_given_environment_and_the_marks(runs):
    env = {"PATH": os.environ["PATH"], "ODD": "caf\udce9"}
    run = await runs.start("env", "-0", env=env)

    await run.end()

    given = dict(line.split(b"=", 1) for line in run.stdout.split(b"\0") if line)
    marks = {b"PAL_RUN_ID": run.keeper.run_dir.name.encode(), b"PAL_KEEPER": os.fsencode(run.keeper.run_dir)}
    assert given == {b"PATH": os.fsencode(env["PATH"]), b"ODD": b"caf\xe9"} | marks


async def test_the_agent_inherits_no_descriptors_signals_or_umask_of_the_keeper(runs):
    script = """
import os, _signal
print(sorted(os.listdir('/proc/self/fd'))[:-1], _signal.getsignal(_signal.SIGHUP), oct(os.umask(0)), os.getcwd())
"""
    run = await runs.python(script)

    await run.end()

    mask = os.umask(0)
    os.umask(mask)
    assert run.stdout.decode().strip() == f"['0', '1', '2'] {int(signal.SIG_DFL)} {oct(mask)} {runs.home}"


async def test_every_byte_of_fifty_megabytes_arrives(runs):
    script = "import os\nblock = bytes(range(256)) * 4096\nfor _ in range(50):\n    rest = block\n"
    run = await runs.python(script + "    while rest: rest = rest[os.write(1, rest):]")

    end = await run.end()

    assert end.code == 0
    assert run.stdout == bytes(range(256)) * 4096 * 50


async def test_a_line_of_twenty_megabytes_arrives(runs):
    run = await runs.python("print('é' * 10_000_000)")

    await run.end()

    assert run.stdout == "é".encode() * 10_000_000 + b"\n"


async def test_the_prompt_and_end_of_file_come_with_the_launch(runs):
    prompt = bytes(range(256)) * 8000  # many pipes full, no text

    run = await runs.start("cat", input=prompt, close_input=True)
    end = await run.end()

    assert end.code == 0
    assert run.stdout == prompt
    receipt = next(record for record in run.records if record.stream is Stream.INPUT)
    assert receipt.facts == {"id": "launch", "bytes": len(prompt)}


@pytest.mark.parametrize(
    ("argv", "cwd", "reason"),
    [
        (("no-such-program",), "/", "missing_program"),
        (("/no/such/program",), "/", "missing_program"),
        (("{home}/plain",), "/", "not_executable"),
        (("{home}/headless",), "/", "not_executable"),
        (("{home}/orphan",), "/", "missing_interpreter"),
        (("true",), "/no/such/folder", "missing_cwd"),
        (("true",), "{home}/plain", "missing_cwd"),
    ],
)
async def test_a_failed_start_is_told_exactly(runs, argv, cwd, reason):
    for name, text, mode in (("plain", "x", 0o600), ("headless", "x", 0o700), ("orphan", "#!/no/such/sh\n", 0o700)):
        (runs.home / name).write_text(text)
        (runs.home / name).chmod(mode)

    run = await runs.start(*(word.format(home=runs.home) for word in argv), cwd=cwd.format(home=runs.home))

    assert run.keeper.agent is None
    (record,) = read_spool(run.keeper.spool)
    end = parse_exit(record)
    assert (end.code, end.signal, end.start_error) == (None, None, reason)
    assert end.detail


async def test_a_run_directory_is_launched_only_once(runs):
    run = await runs.start("cat")

    with pytest.raises(KeeperUsed):
        await launch(run.keeper.run_dir, LaunchSpec(argv=("true",), cwd="/", env={}))

    assert (await run.keeper.status()).is_running


async def test_everything_in_the_run_directory_is_private_and_holds_no_secret(runs):
    env = {"PATH": os.environ["PATH"], "TOKEN": "hush-hush"}
    run = await runs.start("cat", env=env)

    files = list(run.keeper.run_dir.iterdir())
    assert {file.name for file in files} == {"control", "keeper.pid", "reserve", "spool"}
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert not any(b"hush" in file.read_bytes() for file in files if file.name != "control")


async def test_after_the_end_the_socket_is_gone_and_nobody_can_attach(runs, gone):
    run = await runs.start("true")

    await run.end()
    await gone(run.keeper.pid)

    assert not (run.keeper.run_dir / "control").exists()
    assert await attach(run.keeper.run_dir) is None


async def test_output_past_the_limit_is_counted_and_the_exit_still_told(runs):
    run = await runs.python("import os\nfor _ in range(100): os.write(1, b'x' * 10000)", spool_limit=200_000)

    end = await run.end()

    assert end.code == 0
    assert len(run.stdout) <= 200_000
    assert len(run.stdout) + end.dropped == 1_000_000
    assert len(run.notes("limit")) == 1
    assert run.notes("dropped") == [{"kind": "dropped", "why": "limit", "stdout": end.dropped, "stderr": 0}]


async def test_a_keeper_is_small(runs):
    run = await runs.start("cat")

    await run.keeper.status()

    pages = int(read_proc(f"/proc/{run.keeper.pid}/statm").split()[1])
    assert pages * os.sysconf("SC_PAGE_SIZE") < 15_000_000


async def test_a_pipe_held_by_a_stranger_does_not_delay_the_exit(runs):
    run = await runs.python("import os; print(os.getpid()); input()")
    await run.says(b"\n")
    held = os.open(f"/proc/{int(run.stdout)}/fd/1", os.O_WRONLY)

    await run.keeper.close_input()
    end = await run.end()
    os.close(held)

    assert end.start_error is None
