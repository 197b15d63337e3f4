"""The process that owns one agent process: `python -I -S keeper.py RUN_DIR`, the launch document on stdin.

Daemon and server may die and come back; the keeper stays with the agent, writes down every byte it says, and sees
its whole process tree to the end. Standard library only and little of it: it starts in a few milliseconds and stays
below 15 MB.

Promises
- One run directory is started at most once: the spool is created, never opened.
- Files, all 0600: `keeper.pid` (pid, start ticks, boot id), `spool` (records, `keeping/frames.py`), `control`
  (socket, `keeping/requests.py`), and `keeper.log` after a defect of the keeper itself.
- One line on stdout once the agent runs or could not be started; then stdin, stdout and stderr are /dev/null.
- The last record is the exit. Then the socket goes and the keeper ends.
- SIGHUP, SIGINT and SIGQUIT are ignored: they are meant for daemon or server. SIGTERM to the keeper itself is the
  computer shutting down or somebody's `kill`: the agent is stopped as by `stop`, and the exit record says `terminate`.
- When the keeper dies, the kernel kills the agent (parent-death signal), and the guard above the keeper ends the rest
  (`keeping/guard.py`). Of a keeper that is killed together with its guard `pal_daemon.process_tree` finds what carries
  the run's marks.

Without prctl and /proc (macOS) it works, but weaker: the agent outlives a killed keeper, what left the agent's process
group is not found, and a reused pid cannot be told apart. Windows is not supported: there is no fork.
"""

import os
import sys

if __name__ == "__main__":
    # -I keeps our own package off the path. Last, so that nothing of it can hide the standard library. Everything else
    # is a module, because a script is compiled anew at each start.
    sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    from pal_daemon.keeping.life import die_aloud, keep

    run_dir = os.path.abspath(sys.argv[1])
    try:
        code = keep(run_dir)
    except BaseException:  # anything: the agent must not run on without an owner
        die_aloud(run_dir)
    os._exit(code)  # skips the interpreter's tidying up: a millisecond between the exit record and our end
