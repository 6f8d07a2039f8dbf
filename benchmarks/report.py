"""Format the results as a table, as JSON, and as the tables and plots of docs/PERFORMANCE.md."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .fleet import Load
from .measuring import Row, Value
from .rows import OURS
from .scale import Curve

PAGE = Path(__file__).parent.parent / "docs" / "PERFORMANCE.md"
PLOTS = PAGE.with_name("performance")
MADE_HERE = "<!-- What follows is made by python -m benchmarks --docs. -->"


@dataclass
class Results:
    """All results and the environment of the measurement.

    fleet: the load by token store and number of workers, or the reason why there is none
    """

    environment: dict[str, str]
    rows: list[Row]
    curves: list[Curve]
    fleet: dict[str, dict[int, Load]] | str

    def missing(self) -> list[str]:
        """Return the results that are missing without a reason."""
        return [f"{row.name}: {OURS}" for row in self.rows if row.reference and OURS not in row.values] + [
            f"{curve.name}: {name}"
            for curve in self.curves
            for name, values in curve.values.items()
            if len(values) != len(curve.xs)
        ]

    def json(self) -> str:
        return json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n"


def number(value: Value | None, unit: str = "") -> str:
    """Format a number with three significant digits."""
    if value is None or isinstance(value, str):
        return value or ""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f}{' ' if unit else ''}{unit}"


def lines(row: Row) -> Iterator[tuple[str, str, str]]:
    """Yield each subject with its value and its ratio to the reference."""
    numbers = [(name, value) for name, value in row.values.items() if not isinstance(value, str)]
    words = [(name, value) for name, value in row.values.items() if isinstance(value, str)]
    for name, value in sorted(numbers, key=lambda pair: -pair[1] if row.more else pair[1]):
        ratio = row.ratio(name)
        yield name, number(value, row.unit), "" if ratio is None else f"{ratio:.2f}"
    yield from ((name, why, "") for name, why in words)


def text(results: Results) -> str:
    """Return the table for a terminal."""
    out = [f"{name}: {value}" for name, value in results.environment.items()]
    for row in results.rows:
        target = f" (target {'above' if row.more else 'below'} {row.target})" if row.target else ""
        out += ["", f"{row.name}{target}"]
        out += [f"  {name:32}{value:>16}{ratio:>8}" for name, value, ratio in lines(row)]
    for curve in results.curves:
        out += ["", f"{curve.name} ({curve.unit})", f"  {curve.x:32}" + "".join(f"{x:>12,}" for x in curve.xs)]
        for name, values in curve.values.items():
            why = [value for value in values if isinstance(value, str)]
            out += [f"  {name:32}" + (why[0] if why else "".join(f"{number(value):>12}" for value in values))]
    out += ["", "A fleet over a day: requests in the first second, at most in a later one, and on average"]
    if isinstance(results.fleet, str):
        return "\n".join([*out, f"  {results.fleet}"])
    for name, loads in results.fleet.items():
        for workers, load in loads.items():
            out += [f"  {name:32}{workers:>10,} workers{load.start:>12,}{load.peak:>12,}{load.mean:>12,.2f}"]
    return "\n".join(out)


def markdown(results: Results) -> str:
    """Return the tables and plots for docs/PERFORMANCE.md."""
    out = ["", ", ".join(f"{name} {value}" for name, value in results.environment.items()) + "."]
    for row in results.rows:
        out += ["", f"**{_title(row.name)}**", "", "| | | ratio |", "| --- | ---: | ---: |"]
        out += [f"| {name} | {value} | {ratio} |" for name, value, ratio in lines(row)]
    for curve in results.curves:
        out += ["", f"**{_title(curve.name)}** ({curve.unit})", "", *_plot(curve.key, curve.name)]
        out += [f"| {curve.x} | {' | '.join(f'{x:,}' for x in curve.xs)} |", "| --- |" + " ---: |" * len(curve.xs)]
        for name, values in curve.values.items():
            why = [value for value in values if isinstance(value, str)]
            out += [f"| {name} | {' | '.join(why[:1] or [number(value) for value in values])} |"]
    out += ["", "**A fleet over a day** (requests a second)", ""]
    if isinstance(results.fleet, str):
        return "\n".join([*out, results.fleet, ""])
    out += _plot("fleet", "the most requests in one second, by the number of workers")
    out += ["| token kept in | workers | first second | peak after it | mean |", "| --- | ---: | ---: | ---: | ---: |"]
    for name, loads in results.fleet.items():
        for workers, load in loads.items():
            out += [f"| {name} | {workers:,} | {load.start:,} | {load.peak:,} | {load.mean:,.2f} |"]
    return "\n".join([*out, ""])


def _title(name: str) -> str:
    return name[0].upper() + name[1:]


def _plot(key: str, of: str) -> list[str]:
    """Return the lines that show a plot, if its file exists."""
    file = PLOTS / f"{key}.svg"
    return [f"![{_title(of)}]({PLOTS.name}/{file.name})", ""] if file.exists() else []


def write_page(results: Results) -> None:
    """Update the generated part of docs/PERFORMANCE.md and its plots."""
    draw(results)
    prose, _, rest = PAGE.read_text(encoding="utf-8").partition(MADE_HERE)
    foot = rest[rest.rindex("[All pages]") :] if "[All pages]" in rest else ""
    PAGE.write_text(f"{prose}{MADE_HERE}\n{markdown(results)}\n{foot}", encoding="utf-8")


# A gray that is readable on white and on black, and colors that are distinguishable on both.
GRAY, BLUE, ORANGE, GREEN = "#7d8590", "#2f81f7", "#d9822b", "#3fa45b"
STYLE: Any = {
    "svg.fonttype": "none",  # Keep text as text.
    "svg.hashsalt": "benchmarks",  # Make the file reproducible.
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": GRAY,
    "axes.edgecolor": GRAY,
    "axes.labelcolor": GRAY,
    "axes.titlecolor": GRAY,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": GRAY,
    "grid.alpha": 0.25,
    "xtick.color": GRAY,
    "ytick.color": GRAY,
    "legend.frameon": False,
}


def draw(results: Results) -> None:
    """Draw the plots as SVG files without a background."""
    import matplotlib

    matplotlib.use("svg")
    with matplotlib.rc_context(STYLE):
        PLOTS.mkdir(exist_ok=True)
        for old in PLOTS.glob("*.svg"):
            old.unlink()
        by_name = {row.name: row for row in results.rows}
        _bars(
            "calls",
            "A token, against urllib3 with json.loads",
            [by_name["a token over HTTP"], by_name["a token over HTTPS"]],
        )
        _bars("cached", "A cached token, against a bare method call", [by_name["a cached token"]])
        for curve in results.curves:
            _lines(curve.key, curve.name, curve.x, curve.unit, curve.xs, curve.values)
        if not isinstance(results.fleet, str):
            sizes = list(next(iter(results.fleet.values())))
            peaks: Any = {name: [loads[size].peak for size in sizes] for name, loads in results.fleet.items()}
            _lines("fleet", "A fleet: the most requests in one second, after the first", "workers", "1/s", sizes, peaks)


def _bars(file: str, title: str, rows: Sequence[Row]) -> None:
    from matplotlib import pyplot

    ratios = {
        name: [row.ratio(name) if name in row.values else None for row in rows] for row in rows for name in row.values
    }
    names = sorted((n for n in ratios if any(ratios[n])), key=lambda n: -max(r for r in ratios[n] if r))
    figure, axes = pyplot.subplots(figsize=(7, 0.6 + 0.32 * len(names) * len(rows)))
    height = 0.8 / len(rows)
    for n, name in enumerate(names):
        for r, row in enumerate(rows):
            ratio = ratios[name][r]
            if ratio:
                place = n + 0.4 - height * (r + 0.5)
                bar = axes.barh(
                    place, ratio, height * 0.9, color=BLUE if name == OURS else GRAY, alpha=1 if r == 0 else 0.6
                )
                axes.bar_label(
                    bar, [f" {number(ratio)} {row.name.rpartition(' ')[2] if len(rows) > 1 else ''}"], color=GRAY
                )
    axes.set_yticks(range(len(names)), names)
    axes.grid(visible=False, axis="y")
    if max(max(r for r in ratios[n] if r) for n in names) > 20:
        axes.set_xscale("log")
    else:
        axes.margins(x=0.15)
    axes.set_title(title, loc="left")
    _save(figure, file)


def _lines(file: str, title: str, x: str, unit: str, xs: Sequence[int], values: dict[str, list[Any]]) -> None:
    from matplotlib import pyplot

    measured = {name: ys for name, ys in values.items() if not any(isinstance(y, str) for y in ys)}
    if not measured:
        return
    figure, axes = pyplot.subplots(figsize=(7, 3.4))
    others = iter((ORANGE, GREEN, "#a371f7"))
    for name, ys in measured.items():
        color = BLUE if name == OURS else GRAY if name == "urllib3" else next(others, GRAY)
        axes.plot(xs, ys, marker="o", markersize=4, label=name, color=color)
    axes.set_xscale("log", base=2 if xs[-1] & (xs[-1] - 1) == 0 else 10)
    least, most = (pick(pick(ys) for ys in measured.values()) for pick in (min, max))
    if most > 50 * least:
        axes.set_yscale("log" if least > 0 else "symlog")
    else:
        axes.set_ylim(0, most * 1.1)
    if len(xs) < 9:
        axes.set_xticks(list(xs), [f"{value:,}" for value in xs])
    axes.set_xlabel(x)
    axes.set_ylabel(unit)
    axes.set_title(_title(title), loc="left")
    axes.legend()
    _save(figure, file)


def _save(figure: Any, file: str) -> None:
    from matplotlib import pyplot

    figure.savefig(PLOTS / f"{file}.svg", transparent=True, bbox_inches="tight", metadata={"Date": None})
    pyplot.close(figure)
