"""DingTalk on loopback: Stream mode, the robot and card APIs, uploads and people, in a process of its own.

`loopback.py` is what tests use, `control.py` says what can be done to it. What facts about the real platform leave open
is answered in the way that is hardest on a client: a card made twice under one name is seen twice.
"""
