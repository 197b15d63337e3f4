"""A program as the `command` runtime runs it: the prompt on stdin goes to the model, whose words go to stdout as they
come. Standard library only.
"""

import os
import sys
from urllib.error import HTTPError
from urllib.request import urlopen


def main() -> int:
    try:
        with urlopen(f"{os.environ['MODEL_URL']}/plain", data=sys.stdin.buffer.read()) as answer:
            while piece := answer.read1(65536):
                sys.stdout.buffer.write(piece)
                sys.stdout.buffer.flush()
    except HTTPError as refused:
        sys.stderr.write(f"the model said {refused.code}: {refused.read().decode()}\n")
        return 1
    return 0


sys.exit(main())
