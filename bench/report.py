# SPDX-License-Identifier: Apache-2.0
"""What bench/run says of its figures: a table in Markdown, and drawings."""
import json
import os
import pathlib
import platform
import statistics
from xml.sax.saxutils import escape

WIDE = 0.15 # a spread above this part of the median tells nothing
DAV_PEERS = ["durable", "apache", "lighttpd"]
COLOURS = {"floor": "d", "nginx": "a", "h2o": "b", "lighttpd": "c", "durable": "d", "apache": "a",
           "haproxy": "b"}
STYLE = """\
<style>
text { font: 13px sans-serif; fill: #24292f; }
.small { font-size: 11px; fill: #57606a; }
.grid { stroke: #d0d7de; stroke-width: 1; }
.one { stroke: #24292f; stroke-width: 1.5; }
.back { fill: #ffffff; }
.a { fill: #0969da; stroke: #0969da; } .b { fill: #bf8700; stroke: #bf8700; }
.c { fill: #8250df; stroke: #8250df; } .d { fill: #57606a; stroke: #57606a; }
.line { fill: none; stroke-width: 2; }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3; } .small { fill: #9198a1; } .grid { stroke: #3d444d; }
.one { stroke: #e6edf3; } .back { fill: #0d1117; }
.a { fill: #4493f8; stroke: #4493f8; } .b { fill: #d29922; stroke: #d29922; }
.c { fill: #ab7df8; stroke: #ab7df8; } .d { fill: #9198a1; stroke: #9198a1; }
}
</style>
"""


def machine():
    """In general terms."""
    system = "Linux"
    try:
        for line in pathlib.Path("/etc/os-release").read_text().splitlines():
            if line.startswith("PRETTY_NAME="):
                system = line.partition("=")[2].strip('"')
    except OSError:
        pass
    kernel = platform.release().split(".")
    return f"{os.cpu_count()} virtual cores, Linux {kernel[0]}.{kernel[1]}, {system}"


class Ratio:
    """Earnest to a peer, of the rounds in which both were measured."""

    def __init__(self, ours, theirs):
        self.all = sorted(a / b for a, b in zip(ours, theirs) if a and b)
        self.median = statistics.median(self.all) if self.all else None

    def wide(self):
        if len(self.all) < 3:
            return True
        low, _, high = statistics.quantiles(self.all, n=4, method="inclusive")
        return high - low > WIDE * self.median

    def text(self):
        if self.median is None:
            return "–"
        mark = " ?" if self.wide() else ""
        return f"{self.median:.2f} ({self.all[0]:.2f}–{self.all[-1]:.2f}){mark}"


def ratios(result, of="earnest"):
    """{load: {peer: Ratio}}"""
    peers = [p for p in result["peers"] if p != of]
    found = {}
    for load, us in result["us"].items():
        ours = us.get(of, [])
        found[load] = {p: Ratio(ours, us[p]) for p in peers if p in us and ours}
    return found


def median(figures):
    known = [f for f in figures if f is not None]
    return statistics.median(known) if known else None


def number(value, digits=2):
    return "–" if value is None else f"{value:.{digits}f}"


def table(rows):
    """A Markdown table whose columns also line up as text."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = ["| " + " | ".join(c.ljust(w) for c, w in zip(row, widths)) + " |" for row in rows]
    lines.insert(1, "|" + "|".join("-" * (w + 2) for w in widths) + "|")
    return "\n".join(lines)


def verdict(value, goal):
    must, aim = goal
    return "aim met" if value <= aim else "met" if value <= must else "**missed**"


def us_table(result):
    names = ["earnest", *result["peers"]]
    rows = [["load", *names]]
    for load, us in result["us"].items():
        rows.append([load, *(number(median(us.get(n, []))) for n in names)])
    return table(rows)


def ratio_table(result, of="earnest"):
    names = [p for p in result["peers"] if p != of]
    rows = [["load", *(f"to {p}" for p in names)]]
    for load, peers in ratios(result, of).items():
        rows.append([load, *(peers[p].text() if p in peers else "–" for p in names)])
    return table(rows)


def goal_table(result, goals):
    rows = [["goal", "must", "aim", "found", ""]]
    found = ratios(result)
    for load, peers in goals["ratios"].items():
        for peer, goal in peers.items():
            ratio = found.get(load, {}).get(peer)
            if ratio and ratio.median is not None:
                said = verdict(ratio.median, goal) + (", spread too wide" if ratio.wide() else "")
                rows.append([f"{load} to {peer}", *(f"{g:.2f}" for g in goal),
                             f"{ratio.median:.2f}", said])
    for name, row in goals["figures"].items():
        value = median(result["figures"].get("earnest", {}).get(name, []))
        if value is not None:
            rows.append([f"{name} ({row['unit']})", *(str(g) for g in row["goal"]),
                         f"{value:.1f}", verdict(value, row["goal"])])
    return table(rows) if len(rows) > 1 else ""


def figure_table(result):
    titles = {"start": "start to first answer, ms", "rss": "resident, MiB (RSS of all processes)",
              "rss_pss": "resident, MiB (PSS: what processes share counts once)",
              "idle": "idle connection, bytes (RSS)", "idle_pss": "idle connection, bytes (PSS)",
              "idle-tls": "idle connection of TLS, bytes (RSS)",
              "idle-tls_pss": "idle connection of TLS, bytes (PSS)"}
    names = list(result["figures"])
    rows = [["", *names]]
    for key, title in titles.items():
        if any(key in result["figures"][n] for n in names):
            rows.append([title, *(number(median(result["figures"][n].get(key, [])), 1)
                                  for n in names)])
    return table(rows) if len(rows) > 1 else ""


def text(result, goals):
    parts = [f"{result['date']}, {result['machine']}, {result['rounds']} rounds of "
             f"{result['seconds']} s."]
    if result["us"]:
        parts += [f"Processor time a {result['unit']}, microseconds, median:", us_table(result)]
    if ratios(result):
        parts += ["Earnest's time to that of another (below 1: Earnest takes less): median (least–"
                  "most); ? where the rounds differ too much to tell:", ratio_table(result)]
    if "durable" in result["us"].get("put, 1", {}):
        parts += ["The same of durable:", ratio_table(result, "durable")]
    if result["figures"]:
        parts.append(figure_table(result))
    if goals := goal_table(result, goals):
        parts += ["Goals:", goals]
    return "\n\n".join(p for p in parts if p)


def rounded(value):
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, dict):
        return {k: rounded(v) for k, v in value.items()}
    return [rounded(v) for v in value] if isinstance(value, list) else value


def to_json(result):
    result = rounded(result)
    result["ratios"] = {load: {p: [round(x, 4) for x in (r.all[0], r.median, r.all[-1])]
                               for p, r in peers.items() if r.all}
                        for load, peers in ratios(result).items()}
    return json.dumps(result, indent=1) + "\n"


def into_readme(path, table_text, name="figures"):
    """Puts the figures between the two marks of the file with this name."""
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    before, _, rest = path.read_text().partition(begin)
    after = rest.partition(end)[2]
    path.write_text(f"{before}{begin}\n{table_text}\n{end}{after}")


def svg(width, height, title, parts):
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
            f'width="{width}" height="{height}" role="img">\n<title>{escape(title)}</title>\n'
            f'{STYLE}<rect class="back" width="{width}" height="{height}"/>\n'
            + "\n".join(parts) + "\n</svg>\n")


def write(x, y, words, kind="", anchor="start"):
    kind = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y:.1f}"{kind} text-anchor="{anchor}">{escape(words)}</text>'


def ratios_svg(result):
    """For each load a row; in it the other servers' time in units of Earnest's."""
    peers = {name: COLOURS[name] for name in result["peers"]}
    rows = [(load, found) for load, found in ratios(result).items() if found]
    left, right, top, step = 110, 660, 70, 30
    inverse = [1 / x for _, found in rows for r in found.values() for x in r.all]
    most = min(max([2.0, *inverse]) * 1.05, 6)
    title = f"Processor time a {result['unit']}: other servers, Earnest = 1"
    parts = [write(left, 24, title)]

    def place(value):
        return left + (right - left) * min(value, most) / most

    x = left
    for name, kind in peers.items():
        parts += [f'<circle class="{kind}" cx="{x + 5}" cy="42" r="5"/>', write(x + 15, 46, name)]
        x += 100
    bottom = top + step * len(rows)
    for tick in range(int(most * 2) + 1):
        x = place(tick / 2)
        kind = "one" if tick == 2 else "grid"
        parts += [f'<line class="{kind}" x1="{x:.1f}" y1="{top - 8}" x2="{x:.1f}" y2="{bottom}"/>',
                  write(x, bottom + 16, f"{tick / 2:g}", "small", "middle")]
    for i, (load, found) in enumerate(rows):
        y = top + step * i + step / 2
        parts.append(write(left - 10, y + 4, load, "", "end"))
        for j, (name, kind) in enumerate(peers.items()):
            ratio = found.get(name)
            if not ratio or ratio.median is None:
                continue
            at = y + (j - (len(peers) - 1) / 2) * 5
            low, mid, high = (place(1 / v) for v in (ratio.all[-1], ratio.median, ratio.all[0]))
            parts += [f'<line class="{kind}" x1="{low:.1f}" y1="{at}" x2="{high:.1f}" y2="{at}"/>',
                      f'<circle class="{kind}" cx="{mid:.1f}" cy="{at}" r="4"/>']
            if 1 / ratio.median > most: # it stands at the edge: say where it would be
                parts.append(write(mid + 8, y + (j - 1) * 11, f"{1 / ratio.median:.1f}", "small"))
    parts.append(write(left, bottom + 36, f"right of the line: takes more than Earnest; "
                       f"lines: least to most of {result['rounds']} rounds", "small"))
    return svg(right + 50, bottom + 50, title, parts)


def panel(left, title, points, unit):
    """A small drawing: points [(label, value)] from left to right."""
    width, top, bottom = 190, 60, 210
    most = max(value for _, value in points) * 1.15
    parts = [write(left, 30, title), write(left, 46, unit, "small"),
             f'<line class="one" x1="{left}" y1="{bottom}" x2="{left + width}" y2="{bottom}"/>']
    step = width / len(points)
    for i, (label, value) in enumerate(points):
        x, height = left + step * i, (bottom - top) * value / most
        parts += [f'<rect class="a" x="{x + step * 0.2:.1f}" y="{bottom - height:.1f}" '
                  f'width="{step * 0.6:.1f}" height="{max(height, 1):.1f}"/>',
                  write(x + step / 2, bottom - height - 5, f"{value:.3g}", "small", "middle"),
                  write(x + step / 2, bottom + 16, label, "small", "middle")]
    return parts


def scale_svg(result):
    """How cost grows."""
    parts = panel(20, "Workers", [(str(w["workers"]), w["us"]) for w in result["workers"]],
                  "µs a request of 1 KiB")
    parts += panel(240, "Connections", [(str(c["connections"]), c["us"])
                                        for c in result["connections"]], "µs a request of 1 KiB")
    parts += panel(460, "Listing", [(f"{c['files']:,}", c["us"] / 1000 / c["files"] * 1000)
                                    for c in result["listing"]], "µs a file listed, by files")
    parts += panel(680, "Listing", [(f"{c['files']:,}", c["rss_mib"])
                                    for c in result["listing"]], "resident MiB after it, by files")
    return svg(890, 240, "How the cost of Earnest grows", parts)
