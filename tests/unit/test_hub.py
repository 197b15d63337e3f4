"""Wake-ups: none between a look and a wait is lost, and nothing is left behind."""

import asyncio

from pal_server.wakeups.hub import Hub


async def test_a_wake_before_the_wait_is_not_lost() -> None:
    hub = Hub()
    seen = hub.count("a")
    hub.wake("a")

    assert await hub.wait("a", seen=seen) > seen


async def test_a_wake_ends_the_wait_of_everybody_who_waits_for_it() -> None:
    hub = Hub()
    seen = hub.now
    waiting = [asyncio.ensure_future(hub.wait("a", "b", seen=seen)) for _ in range(3)]
    other = asyncio.ensure_future(hub.wait("c", seen=seen))
    await asyncio.sleep(0)

    hub.wake("b")

    assert await asyncio.gather(*waiting) == [hub.count("b")] * 3
    assert not other.done()
    other.cancel()


async def test_a_wait_ends_by_itself() -> None:
    hub = Hub()

    assert await hub.wait("a", seen=hub.count("a"), timeout=0.01) == hub.count("a")


async def test_a_key_that_was_forgotten_wakes_once_too_often_and_never_too_seldom() -> None:
    hub = Hub(keys=10)
    hub.wake("mine")
    seen = hub.count("mine")
    for number in range(50):
        hub.wake(f"other {number}")

    assert hub.count("mine") >= seen
    assert await hub.wait("mine", seen=seen, timeout=0.01) >= seen
