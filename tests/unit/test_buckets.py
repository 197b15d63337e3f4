"""One bucket per limit: a send goes when all it counts against have room."""

from pal_server.bridges.buckets import Buckets
from pal_server.bridges.platform import Charge


class Time:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_goes_and_the_rest_waits_its_time() -> None:
    time = Time()
    buckets = Buckets(clock=time)
    charge = Charge("chat:1", per_second=2.0, burst=3.0)

    assert [buckets.take([charge]) for _ in range(4)] == [0.0, 0.0, 0.0, 0.5]
    time.now += 0.5
    assert buckets.take([charge]) == 0.0


def test_nothing_is_taken_unless_everything_has_room() -> None:
    time = Time()
    buckets = Buckets(clock=time)
    shared, own = Charge("app", per_second=10.0, burst=10.0), Charge("chat:1", per_second=1.0)
    assert buckets.take([shared, own]) == 0.0

    assert buckets.take([shared, own]) == 1.0

    assert [buckets.take([shared]) for _ in range(9)] == [0.0] * 9
    assert buckets.take([shared]) > 0


def test_what_the_platform_blocks_waits_and_nothing_else_does() -> None:
    time = Time()
    buckets = Buckets(clock=time)
    one, other = Charge("chat:1", per_second=5.0), Charge("chat:2", per_second=5.0)

    buckets.block([one, other], seconds=7.0, only="chat:1")

    assert (buckets.take([one]), buckets.take([other])) == (7.0, 0.0)
    time.now += 7.0
    assert buckets.take([one]) == 0.0
