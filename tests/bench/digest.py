#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What the benches wrote, in one file, as plots and as a digest.

usage: digest.py DIRECTORY SCENARIOS [BENCH.RST]
DIRECTORY holds SUITE.json and SUITE.out of the suites that were run, SCENARIOS what tests/oom/run
wrote. Written to DIRECTORY are results.json, *.svg (by gnuplot) and digest.rst; with BENCH.RST, the
digest replaces what is between its two marks there.
"""
import datetime
import json
import os
import platform
import re
import subprocess
import sys

BEGIN, END = ".. digest: begin", ".. digest: end"
SUITES = ["zsmalloc", "cold", "path", "wa"]
COLOURS = ["#1b6ca8", "#d1495b", "#edae49", "#66a182", "#8d6a9f", "#555555", "#2e4057"]


def load(path):
    """JSON of a file, or None if there is none; a suite that was stopped leaves one that is not whole."""
    if not os.path.exists(path):
        return None
    with open(path, encoding="ascii") as f:
        try:
            return json.load(f)
        except ValueError:
            print(f"{path}: not whole, left out", file=sys.stderr)
            return None


def rows_of(suite):
    return suite["results"] if isinstance(suite, dict) else suite or []


def gnuplot(directory, name, commands, data):
    """One plot: commands may use $data."""
    text = [
        "set terminal svg size 860,480 font 'sans,12' background '#ffffff'",
        f"set output '{os.path.join(directory, name + '.svg')}'",
        "$data << EOD", *data, "EOD", "set grid y lc rgb '#dddddd'", "set border 3", "set tics nomirror", *commands,
    ]
    subprocess.run(["gnuplot"], input="\n".join(text) + "\n", text=True, check=True)
    return name + ".svg"


def quoted(text):
    return '"' + text.replace("_", " ") + '"'


def plot_path(directory, rows):
    """Ratio to zram of each way through the device."""
    data = [f"{quoted(r['metric'][:-5])} {r['ratio']:.4f} " +
            f"{r['spread']['ours'][0] / r['peer_value']:.4f} {r['spread']['ours'][1] / r['peer_value']:.4f}"
            for r in rows if r["bench"] == "path" and r["metric"].endswith("_wall") and r["peer"] == "zram"]
    if not data:
        return None
    return gnuplot(directory, "path", [
        "set title 'Reads and writes that hit RAM: time of ours by time of zram'", "set yrange [0:*]",
        "set xtics rotate by 40 right font ',9'", "set boxwidth 0.6", "set style fill solid", "set arrow 1 from graph 0, "
        "first 1 to graph 1, first 1 nohead dt 2", f"plot $data using 0:2:3:4:xtic(1) with boxerrorbars lc rgb '{COLOURS[0]}' notitle",
    ], data)


def plot_pairs(directory, name, title, rows, logarithmic):
    """Ours beside zram's, for some figures."""
    data = [f"{quoted(r['metric'])} {r['ours']} {r['peer_value']}" for r in rows if r["ours"] and r["peer_value"]]
    if not data:
        return None
    return gnuplot(directory, name, [
        f"set title '{title}'", "set logscale y" if logarithmic else "set yrange [0:*]", "set style data histograms", "set style fill solid",
        "set xtics rotate by 40 right font ',9'", "set key top left",
        f"plot $data using 2:xtic(1) title 'dm-zram' lc rgb '{COLOURS[0]}', '' using 3 title 'zram' lc rgb '{COLOURS[1]}'",
    ], data)


def plot_wa(directory, rows):
    """Write amplification over the live share, against the theory that stands beside each."""
    groups = {}
    for r in rows:
        m = re.match(r"(.*), ([\d.]+) % live, (.*)", r["metric"])
        if m:
            groups.setdefault(m.group(3), []).append((float(m.group(2)), r["ours"], r["peer_value"], r["peer"]))
    if not groups:
        return None
    data, plots = [], []
    for i, (name, points) in enumerate(sorted(groups.items())):
        data += [f"{live} {ours} {peer}" for live, ours, peer, _ in sorted(points)] + ["", ""]
        colour = COLOURS[i % len(COLOURS)]
        plots += [f"$data index {i} using 1:2 with linespoints lc rgb '{colour}' title {quoted(name)}",
                  f"$data index {i} using 1:3 with lines dt 2 lc rgb '{colour}' notitle"]
    return gnuplot(directory, "wa", [
        "set title 'Write amplification of the cleaner (broken: what it is compared with)'", "set xlabel '% live'", "set yrange [1:*]",
        "set key top left font ',9'", "plot " + ", ".join(plots)], data)


def plot_scenarios(directory, scenarios, rows):
    """RAM and disk over time, a line for each row: its first round."""
    series = {}
    for row in rows:
        path = os.path.join(scenarios, f"{row}.1.series")
        if os.path.exists(path):
            with open(path, encoding="ascii") as f:
                series[row] = [line for line in f.read().splitlines() if len(line.split()) == 5]
    if not any(series.values()):
        return []
    data = [line for lines in series.values() for line in [*lines, "", ""]]
    names = []
    for name, title, column in (("scenario-pool", "Compressed pools, MiB", 2), ("scenario-available", "Available memory, MiB", 3),
                                ("scenario-disk", "Written to the disk since boot, MiB", 4)):
        lines = [f"$data index {i} using 1:(${column} / 1024) with lines lw 2 lc rgb '{COLOURS[i % len(COLOURS)]}' title {quoted(row)}"
                 for i, row in enumerate(series)]
        names.append(gnuplot(directory, name, [f"set title '{title}'", "set xlabel 'seconds'", "set yrange [0:*]", "set key outside right",
                                              "plot " + ", ".join(lines)], data))
    return names


def plots(directory, scenarios, results):
    zsmalloc, cold = rows_of(results.get("zsmalloc")), rows_of(results.get("cold"))
    zram = [r for r in zsmalloc + cold if r["peer"] == "zram"]
    made = [
        plot_path(directory, rows_of(results.get("path"))),
        plot_pairs(directory, "density", "Density of the pool: stored bytes by bytes of its pages",
                   [r for r in zram if r["metric"].startswith("efficiency")], False),
        plot_pairs(directory, "latency", "Latencies and lock holds, ns",
                   [r for r in zram if r["unit"] == "ns" and re.search(r"_p(50|99|999)(_|$)", r["metric"]) and
                    not r["metric"].startswith("kwrite_ran")], True),
        plot_wa(directory, rows_of(results.get("wa"))),
        *plot_scenarios(directory, scenarios, [r["row"] for r in results.get("oom") or []]),
    ]
    return [m for m in made if m]


def where():
    """Machine, kernel, date and commit, in one line."""
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as f:
        model = next((line.split(":", 1)[1].strip() for line in f if line.startswith("model name")), platform.machine())
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False).stdout.strip()
    return f"{datetime.date.today()}, {model}, {os.cpu_count()} processors, host kernel {platform.release()}, commit {commit or 'unknown'}."


def digest(directory):
    """The end of each suite's log is its table and what was reached of it."""
    lines = [where(), ""]
    for suite in ("zsmalloc", "cold", "path", "policy", "oom"):
        path = os.path.join(directory, suite + ".out")
        if not os.path.exists(path):
            continue
        with open(path, encoding="utf-8", errors="replace") as f:
            text = [line for line in f.read().rstrip().splitlines() if not re.match(r"\d+ rows in /", line)]
        starts = [i for i, line in enumerate(text) if line.startswith(("date: ", "row  ", "trace"))]
        title = "bench-" + suite if suite != "oom" else "check-oom"
        lines += [title, "-" * len(title), ""]
        if starts:
            lines += ["::", "", *("    " + line if line else "" for line in text[starts[0]:]), ""]
        else:
            lines += [f"It ended without a table, see ``build/bench/{suite}.out``.", ""]
    return lines


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    directory, scenarios = sys.argv[1:3]
    results = {s: load(os.path.join(directory, s + ".json")) for s in SUITES}
    results["oom"] = load(scenarios + ".json")
    results = {s: r for s, r in results.items() if r is not None}
    with open(os.path.join(directory, "results.json"), "w", encoding="ascii") as f:
        json.dump(results, f, indent=1)
        f.write("\n")
    names = plots(directory, scenarios, results)
    lines = digest(directory)
    with open(os.path.join(directory, "digest.rst"), "w", encoding="utf-8") as f:
        f.write("\n".join(lines) + "\n")
    print(f"{', '.join(results)} in {directory}/results.json; plots: {', '.join(names) or 'none'}; digest.rst")
    if len(sys.argv) == 4:
        with open(sys.argv[3], encoding="utf-8") as f:
            text = f.read()
        head, rest = text.split(BEGIN, 1)
        tail = rest.split(END, 1)[1]
        with open(sys.argv[3], "w", encoding="utf-8") as f:
            f.write(head + BEGIN + "\n\n" + "\n".join(lines) + "\n" + END + tail)


main()
