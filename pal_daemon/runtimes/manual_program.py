"""The manual agent: context file into the folder, one question, its answer is the end. Standard library only."""

import json
import os
import signal
import sys


def tell(**said: object) -> None:
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


def main() -> None:
    signal.signal(signal.SIGINT, lambda number, frame: os._exit(130))
    for stream in (sys.stdin, sys.stdout):
        stream.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]  # -I ignores PYTHONUTF8
    prompt = json.loads(sys.stdin.readline())
    path = os.path.abspath(prompt["file"])
    with open(path, "w", encoding="utf-8") as file:
        file.write(prompt["text"] + "\n")
    tell(type="files", text=f"wrote {path}", paths=[prompt["file"]])
    title = f"{prompt['name']} is done by hand: answer when it is finished"
    tell(type="ask", key="done", kind="question", title=title, body=f"The context is in {path}", options=["done"])
    line = sys.stdin.readline()
    answer = json.loads(line).get("answer") if line else None
    if answer and answer.strip().lower() != "done":
        tell(type="say", text=answer)


if __name__ == "__main__":
    main()
