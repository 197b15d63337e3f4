"""How long tests wait for what has to come. Only a defect reaches these, on a busy machine too: waiting costs nothing
when all is well.
"""

PATIENCE = 40.0
"""Seconds for what happens in the test's own process, or in a platform beside it. Less than what repairs by itself what
has gone wrong: a post's lease has 45, a claim of a fake bus 60."""

AT_ONCE = 8.0
"""Seconds for what waits for nothing; what it must not wait for, as a call that hangs or an SDK's pause, takes ten."""

LONG_PATIENCE = 180.0
"""Seconds for processes: servers, daemons, agents, browsers. A delivery's lease has 30; who must not wait for its end
looks at the attempts."""
