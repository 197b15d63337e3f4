"""Counters of this process, and how they read as Prometheus text. Imports nothing of pal."""

from bisect import bisect_left
from collections.abc import Callable, Mapping

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)  # seconds

Labels = tuple[tuple[str, str], ...]


class Metrics:
    """All series of one server. Used from the event loop."""

    def __init__(self) -> None:
        self._help: dict[str, tuple[str, str]] = {}
        self._values: dict[str, dict[Labels, float]] = {}
        self._histograms: dict[str, dict[Labels, list[float]]] = {}
        self._gauges: dict[str, tuple[str, Callable[[], Mapping[Labels, float] | float]]] = {}

    def count(self, name: str, help: str, /, *, by: float = 1, **labels: str) -> None:
        series = self._values.get(name)
        if series is None:
            self._help[name] = ("counter", help)
            series = self._values[name] = {}
        key = tuple(labels.items())
        series[key] = series.get(key, 0) + by

    def observe(self, name: str, help: str, seconds: float, /, **labels: str) -> None:
        series = self._histograms.get(name)
        if series is None:
            self._help[name] = ("histogram", help)
            series = self._histograms[name] = {}
        key = tuple(labels.items())
        cells = series.get(key)
        if cells is None:
            cells = series[key] = [0.0] * (len(BOUNDS) + 2)  # one per bound, one above all, the sum
        cells[bisect_left(BOUNDS, seconds)] += 1
        cells[-1] += seconds

    def gauge(self, name: str, help: str, read: Callable[[], Mapping[Labels, float] | float], /) -> None:
        """`read` is asked when the metrics are."""
        self._gauges[name] = (help, read)

    def render(self) -> str:
        """The text exposition format, version 0.0.4."""
        lines: list[str] = []
        for name, series in sorted(self._values.items()):
            lines += self._head(name)
            lines += [f"{name}{_labels(labels)} {_number(value)}" for labels, value in series.items()]
        for name, histogram in sorted(self._histograms.items()):
            lines += self._head(name)
            for labels, cells in histogram.items():
                lines += _histogram(name, labels, cells)
        for name, (about, read) in sorted(self._gauges.items()):
            lines += [f"# HELP {name} {about}", f"# TYPE {name} gauge"]
            value = read()
            values = value if isinstance(value, Mapping) else {(): value}
            lines += [f"{name}{_labels(labels)} {_number(value)}" for labels, value in values.items()]
        return "\n".join(lines) + "\n"

    def _head(self, name: str) -> list[str]:
        kind, about = self._help[name]
        return [f"# HELP {name} {about}", f"# TYPE {name} {kind}"]


def _histogram(name: str, labels: Labels, cells: list[float]) -> list[str]:
    lines, total = [], 0.0
    for bound, cell in zip((*BOUNDS, None), cells[:-1], strict=True):
        total += cell
        le = "+Inf" if bound is None else repr(bound)
        lines.append(f"{name}_bucket{_labels((*labels, ('le', le)))} {_number(total)}")
    lines.append(f"{name}_sum{_labels(labels)} {_number(cells[-1])}")
    lines.append(f"{name}_count{_labels(labels)} {_number(total)}")
    return lines


def _labels(labels: Labels) -> str:
    if not labels:
        return ""
    escaped = ((name, value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")) for name, value in labels)
    return "{" + ",".join(f'{name}="{value}"' for name, value in escaped) + "}"


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(float(value))
