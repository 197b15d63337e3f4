"""A jump of the wall clock must not end leases."""

from pal_server.clock import Clock

SECOND = 1_000_000_000


class Sources:
    """A monotonic and a wall clock, in nanoseconds, moved by hand."""

    def __init__(self) -> None:
        self.monotonic = 5 * SECOND
        self.wall = 1_800_000_000 * SECOND

    def clock(self) -> Clock:
        return Clock(monotonic=lambda: self.monotonic, wall=lambda: self.wall)

    def pass_time(self, seconds: float) -> None:
        self.monotonic += round(seconds * SECOND)
        self.wall += round(seconds * SECOND)


def test_it_is_the_wall_clock_while_nobody_touches_that() -> None:
    sources = Sources()
    clock = sources.clock()

    sources.pass_time(3600)

    assert clock() == sources.wall // 1_000_000


def test_a_jump_is_followed_by_one_part_in_a_hundred() -> None:
    for jump in (3600, -3600):
        sources = Sources()
        clock = sources.clock()
        before = clock()
        sources.wall += jump * SECOND

        assert clock() == before
        sources.pass_time(100)
        moved = clock() - before

        assert moved == 101_000 if jump > 0 else moved == 99_000


def test_it_never_goes_back_and_meets_the_wall_clock_in_the_end() -> None:
    sources = Sources()
    clock = sources.clock()
    sources.wall -= 10 * SECOND
    last = clock()
    for _ in range(2000):
        sources.pass_time(1)
        now = clock()
        assert now >= last
        last = now

    assert last == sources.wall // 1_000_000


def test_it_goes_on_from_where_it_stood_before_a_restart_with_a_clock_set_back() -> None:
    """A computer that boots with another system's clock: leases of before would last for hours, whoever is dead."""
    sources = Sources()
    stood = sources.clock()()
    sources.wall -= 8 * 3600 * SECOND
    clock = sources.clock()

    clock.go_on_from(stood)

    assert clock() == stood
    sources.pass_time(100)
    assert clock() == stood + 99_000


def test_it_goes_on_from_nowhere_that_is_past_or_far_away() -> None:
    sources = Sources()
    clock = sources.clock()
    now = clock()

    for moment in (now - 1, now + 370 * 24 * 3_600_000):  # the year was wrong, and somebody set it right
        clock.go_on_from(moment)

    assert clock() == now
