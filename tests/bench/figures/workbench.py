"""The web client in a real browser: how soon it is there, how soon it follows, and what an hour of it costs."""

from collections.abc import Iterator
from time import sleep
from typing import Any

from playwright.sync_api import Browser, Page

from tests.bench.browsing import (
    PAINTED,
    Work,
    browser,
    clicked,
    first_paint,
    furnish,
    heap,
    painted,
    person,
)
from tests.bench.figure import Bench, Fact, Figure, Seen
from tests.bench.places import Served, serving
from tests.bench.statistics import median, percentile
from tests.bench.talking import Talk, begin, talking
from tests.support.workbench import packed

FIRST = Figure(name="workbench-paint", what="first paint of a workspace of 500 topics", unit="ms", limit=800)
READY = Figure(name="workbench-ready", what="… until its last message can be read", unit="ms", limit=2_000)
SCRIPT = Figure(name="workbench-script", what="script of a first visit of a room, with gzip", unit="K", limit=260)
STYLE = Figure(name="workbench-style", what="… and style", unit="K", limit=40)
SWITCH = Figure(name="workbench-switch", what="another topic, whose messages are at hand, p50", unit="ms", limit=100)
ELSEWHERE = Figure(
    name="workbench-elsewhere", what="sent in one browser → seen in another one, p95", unit="ms", limit=150
)
LONG = Figure(name="workbench-long", what="a topic of 100,000 run events, opened at its end", unit="ms", limit=1_000)
FRAME = Figure(
    name="workbench-frame", what="typing and scrolling while three runs talk: frames, p99", unit="ms", limit=50
)
SCROLL = Figure(
    name="workbench-scroll", what="scrolling through the steps of such a run: frames, p95", unit="ms", limit=17.5
)
HOUR = Figure(
    name="workbench-hour",
    what="memory after an hour of three runs that talk, more than after a minute",
    unit="MB",
    limit=10,
)
FIGURES = (FIRST, READY, SCRIPT, STYLE, SWITCH, ELSEWHERE, LONG, SCROLL, FRAME, HOUR)

TOPICS, SPOKEN, MESSAGES = 500, 6, 60
LOG = "[role=log]"
MINUTE = 3 * 60 * 10  # events: three runs, ten a second each
# Frames while somebody types and scrolls; what the browser could not do in time is a long frame.
FRAMES = """
(seconds) => new Promise((done) => {
  const took = [];
  const field = document.querySelector("[data-composer]");
  const write = Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value").set;
  const log = document.querySelector("[role=log]");
  const end = performance.now() + seconds * 1000;
  let last = performance.now();
  let count = 0;
  const frame = (now) => {
    took.push(now - last);
    last = now;
    count += 1;
    if (count % 6 === 0 && field) {
      write.call(field, `${field.value.slice(-200)}a`);
      field.dispatchEvent(new InputEvent("input", { bubbles: true }));
    }
    if (count % 2 === 0 && log) {
      log.dispatchEvent(new WheelEvent("wheel", { bubbles: true }));
      log.scrollTop += count % 240 < 120 ? -40 : 40;
    }
    if (now < end) requestAnimationFrame(frame);
    else done(took.slice(2));
  };
  requestAnimationFrame(frame);
})
"""


# Frames while the longest list of the run's panel is scrolled up and down.
SCROLLED = """
(seconds) => new Promise((done) => {
  const room = (one) => one.scrollHeight - one.clientHeight;
  const panel = document.querySelector("aside, [role=complementary]");
  const [list] = [...panel.querySelectorAll("*")].sort((one, other) => room(other) - room(one));
  const took = [];
  const end = performance.now() + seconds * 1000;
  let last = performance.now();
  const frame = (now) => {
    took.push(now - last);
    last = now;
    list.dispatchEvent(new WheelEvent("wheel", { bubbles: true }));
    list.scrollTop += took.length % 240 < 120 ? -60 : 60;
    if (now < end) requestAnimationFrame(frame);
    else done([room(list), ...took.slice(2)]);
  };
  requestAnimationFrame(frame);
})
"""


def measure(bench: Bench) -> Iterator[Seen]:
    with serving(bench.folder / "workbench") as server, browser() as opened:
        bench.note("furnishing a workspace")
        workspace = furnish(server, topics=bench.pick(TOPICS, quick=TOPICS), spoken=SPOKEN, messages=MESSAGES)
        yield from _beginnings(bench, opened, server, workspace.topics)
        yield from _weights(opened, server)
        yield _switches(bench, opened, server, workspace.topics)
        yield _elsewhere(bench, opened, server, workspace.topics)
        talks = begin(server, runs=4)
        yield from _long(bench, opened, server, talks.pop())
        yield _frames(bench, opened, server, talks)
        yield _hour(bench, opened, server, talks)


def _beginnings(bench: Bench, opened: Browser, server: Served, topics: tuple[int, ...]) -> Iterator[Seen]:
    paints, readies = [], []
    for _ in range(bench.pick(7, quick=3)):
        page = person(opened, server)
        page.goto(f"/r/busy/{topics[0]}")
        readies.append(painted(page, LOG, f"said {topics[0]}-{MESSAGES - 1}"))
        paints.append(first_paint(page))
        page.context.close()
    facts: dict[str, Fact] = {"slowest ms": round(max(paints))}
    yield Seen(figure=FIRST, value=median(paints), facts=facts)
    yield Seen(figure=READY, value=median(readies), facts={"slowest ms": round(max(readies))})


def _weights(opened: Browser, server: Served) -> Iterator[Seen]:
    server.api.post("/api/rooms", name="plain")
    server.api.post("/api/messages", room="plain", content="It **works**, see [the log](https://example.com/log).")
    page = person(opened, server)
    page.goto("/r/plain")
    painted(page, LOG, "the log")
    names: list[str] = page.evaluate("performance.getEntriesByType('resource').map((one) => one.name)")
    page.context.close()
    for figure, kind in ((SCRIPT, ".js"), (STYLE, ".css")):
        files = [packed(name) for name in names if name.endswith(kind)]
        yield Seen(figure=figure, value=sum(files) / 1000, facts={"files": len(files)})


def _switches(bench: Bench, opened: Browser, server: Served, topics: tuple[int, ...]) -> Seen:
    page = person(opened, server)
    page.goto(f"/r/busy/{topics[0]}")
    painted(page, LOG, f"said {topics[0]}-{MESSAGES - 1}")
    first: list[float] = []
    again: list[float] = []
    computed: list[float] = []
    work = Work(page)
    for turn in range(bench.pick(6, quick=3)):
        for topic in topics:
            work.since()
            took = clicked(page, f'a[href="/r/busy/{topic}"]', LOG, f"said {topic}-{MESSAGES - 1}")
            (again if turn else first).append(took)
            if turn:
                computed.append(work.since())
    page.context.close()
    facts = {
        "p95 ms": round(percentile(again, 0.95)),
        "for the first time ms": round(median(first[1:])),
        "computed in it ms": round(median(computed)),
    }
    return Seen(figure=SWITCH, value=median(again), facts=dict(facts))


def _elsewhere(bench: Bench, opened: Browser, server: Served, topics: tuple[int, ...]) -> Seen:
    me, other = person(opened, server), person(opened, server)
    for page in (me, other):
        page.goto(f"/r/busy/{topics[1]}")
        painted(page, LOG, f"said {topics[1]}-{MESSAGES - 1}")
    took = []
    for number in range(bench.pick(30, quick=10)):
        text = f"hello number {number} from here"
        other.evaluate(f"() => {{ window.seen = ({PAINTED})(['{LOG}', '{text}', 0]).then(() => Date.now()) }}")
        me.locator("[data-composer]").fill(text)
        sent = me.evaluate(
            "() => { const at = Date.now(); document.querySelector('form button[type=submit]').click(); return at }"
        )
        took.append(float(other.evaluate("window.seen")) - float(sent))
    me.context.close()
    other.context.close()
    return Seen(figure=ELSEWHERE, value=percentile(took, 0.95), facts={"p50 ms": round(median(took))})


def _long(bench: Bench, opened: Browser, server: Served, talk: Talk) -> Iterator[Seen]:
    events = bench.pick(100_000, quick=100_000)
    bench.note(f"writing {events:,} events")
    talk.add(events)
    took = []
    for _ in range(bench.pick(5, quick=3)):
        page = person(opened, server)
        page.goto("/needs")
        painted(page, "h1", "")
        page.goto(f"/r/talk/{talk.topic}")
        painted(page, LOG, "the last words of a person")
        took.append(painted(page, LOG, f"Part {last_said(talk)}"))
        page.context.close()
    yield Seen(figure=LONG, value=median(took), facts={"events": talk.seq, "slowest ms": round(max(took))})
    page = person(opened, server)
    page.goto(f"/r/talk/{talk.topic}?run={talk.id}&tab=steps")
    painted(page, LOG, f"Part {last_said(talk)}")
    page.get_by_role("button", name="Earlier steps").click()
    page.get_by_role("button", name="Earlier steps").wait_for()
    [pixels, *frames] = page.evaluate(SCROLLED, bench.pick(12, quick=5))
    page.context.close()
    facts = {"pixels": round(pixels), "longest ms": round(max(frames)), "p50 ms": round(median(frames), 1)}
    yield Seen(figure=SCROLL, value=percentile(frames, 0.95), facts=dict(facts))
    talk.finish("done, at last")


def _frames(bench: Bench, opened: Browser, server: Served, talks: list[Talk]) -> Seen:
    page = person(opened, server)
    page.goto(f"/r/talk/{talks[0].topic}?run={talks[0].id}")
    painted(page, LOG, "the last words of a person")
    with talking(talks, batch=2, every=0.1):
        painted(page, LOG, "Part ")
        took: list[float] = page.evaluate(FRAMES, bench.pick(12, quick=5))
    page.context.close()
    facts = {"longest ms": round(max(took)), "p50 ms": round(median(took), 1), "frames": len(took)}
    return Seen(figure=FRAME, value=percentile(took, 0.99), facts=dict(facts))


def _hour(bench: Bench, opened: Browser, server: Served, talks: list[Talk]) -> Seen:
    page = person(opened, server)
    page.goto(f"/r/talk/{talks[0].topic}?run={talks[0].id}")
    painted(page, LOG, "the last words of a person")
    _say(page, talks, MINUTE)
    before = heap(page)
    _say(page, talks, MINUTE * bench.pick(60, quick=12))
    after = heap(page)
    page.context.close()
    facts: dict[str, Any] = {"after a minute MB": round(before, 1), "at the end MB": round(after, 1)}
    return Seen(figure=HOUR, value=max(0.0, after - before), facts=facts)


def _say(page: Page, talks: list[Talk], events: int) -> None:
    """All of them at once, a batch after the other, and wait until the page has the last one."""
    for _ in range(0, events // len(talks), 200):
        for talk in talks:
            talk.add(200)
        sleep(0.02)
    painted(page, LOG, f"Part {last_said(talks[0])}")


def last_said(talk: Talk) -> int:
    """The last of its events that is words."""
    return next(seq for seq in range(talk.seq, 0, -1) if seq % 10 > 1)
