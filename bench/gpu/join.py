"""Joins what `crema bench gpu --out` and peers.py have measured on one card into one table, with the bars and whether
Crema reaches them. No PyTorch is needed for that."""

import re

MODES = ("eager", "compile", "reduce-overhead", "graph", "compile-graph")
AGREEMENT = 1e-3  # of losses, relative: float32 on both sides, sums in another order


def limits(crema, peers):
    """Rates of the card: of each the better of what Crema and PyTorch have measured."""
    rates = dict((crema or {}).get("limits", {}))
    for name, rate in (peers or {}).get("limits", {}).items():
        rates[name] = max(rate, rates.get(name, 0.0))
    return rates


def limit_seconds(work, rates):
    """The least seconds that a work takes on this card; None if its rate was not measured."""
    amount, rate = (work["bytes"], "copy") if "bytes" in work else (work.get("flops"), work.get("arithmetic"))
    return amount / rates[rate] if amount and rates.get(rate) else None


def verdict(bar, own, limit, row):
    """A bar in words, with what was got and whether that reaches it."""
    if "of_limit" in bar:
        text = f"{100 * bar['of_limit']:.0f} % of the limit"
        got = None if own is None or limit is None else limit / own
        return text, None if got is None else f"{100 * got:.0f} %", got is not None and got >= bar["of_limit"]
    least = bar["times"]
    text = f"ahead of {bar['over']}" if least == 1 else f"{least:g}× {bar['over']}"
    times = [row[mode]["seconds"] for mode in bar["modes"] if "seconds" in row.get(mode, {})]
    got = None if own is None or not times else min(times) / own
    return text, None if got is None else f"{got:.2f}×", got is not None and got >= least


def disagreement(work, row):
    """Why Crema's first losses are not PyTorch's; None if they are, or weights were not the same."""
    own = work.get("losses")
    theirs = row.get("eager", {}).get("losses")
    if not own or not theirs or not row["eager"].get("same_weights"):
        return None
    for step, (a, b) in enumerate(zip(own, theirs)):
        if not abs(a - b) <= AGREEMENT * max(abs(a), abs(b)):
            return f"the loss of step {step} is {a:.6g} in Crema and {b:.6g} in PyTorch"
    return None


def micro(seconds):
    return "" if seconds is None else f"{1e6 * seconds:,.1f}"


def cell(mode, own):
    """A mode's time, and how many times Crema's that is."""
    if "failure" in mode:
        return "failed"
    if "missing" in mode:
        return "none"
    if "seconds" not in mode:
        return ""
    ratio = "" if own is None else f" ({mode['seconds'] / own:.2f}×)"
    return micro(mode["seconds"]) + ratio


def rates_line(rates):
    products = ", ".join(f"{rates[name] / 1e12:.3g} in {name}" for name in ("fp32", "tf32", "bf16", "int8", "fp8") if name in rates)
    copy = f"a copy {rates['copy'] / 1e9:,.0f} GB/s" if "copy" in rates else "a copy was not measured"
    return f"Measured on the card: {copy}; products, TFLOP/s: {products}."


def kinds(ways):
    """Ways without the layers' names, each with how many took it: `head (Attention): cudnn` is Attention's."""
    counts = {}
    for way in ways:
        kind = re.sub(r"^.*\((\w+)\):", r"\1:", way)
        counts[kind] = counts.get(kind, 0) + 1
    return "; ".join(kind if count == 1 else f"{count} × {kind}" for kind, count in counts.items())


def table(crema, peers, near=None):
    """Markdown of what either or both have measured, and whether nothing has failed and all that can be compared agrees.
    `near` is what Crema takes where it may choose ways whose results differ by rounding (CREMA_CUDA_MEASURE=all)."""
    rates = limits(crema, peers)
    works = crema["works"] if crema else [{"name": name, "bars": []} for name in peers["works"]]
    lines = []
    if crema:
        lines.append(f"Crema on {crema['description']}, {crema['date']}.")
    if peers:
        lines.append(f"PyTorch {peers['torch']}, CUDA {peers['cuda']}, {peers['card']}.")
    full = crema is None or crema.get("full_size", True)
    if not full:
        lines.append("Small sizes, to see that it works: the bars are set for others.")
    lines += [rates_line(rates), "Times are medians in µs; behind PyTorch's stands how many times Crema's that is.", ""]
    header = ["work", "Crema", "of limit", *(["Crema, near ways too"] if near else []), *MODES, "bars"]
    chosen = {work["name"]: work for work in near["works"]} if near else {}
    lines += ["| " + " | ".join(header) + " |", "|---" + "|---:" * (len(header) - 2) + "|---|"]
    notes = []
    fine = True
    for work in works:
        row = (peers or {}).get("works", {}).get(work["name"], {})
        own = work.get("seconds")
        if "failure" in work:
            notes.append(f"{work['name']} in Crema: {work['failure']}")
            own, fine = None, False
        for mode in MODES:
            if "failure" in row.get(mode, {}):
                notes.append(f"{work['name']} in PyTorch, {mode}: {row[mode]['failure']}")
                fine = False
        missing = sorted({row[mode]["missing"] for mode in MODES if "missing" in row.get(mode, {})})
        notes += [f"{work['name']} is not measured in PyTorch: {reason}" for reason in missing]
        differs = disagreement(work, row)
        if differs:
            notes.append(f"{work['name']}: {differs}")
            fine = False
        limit = limit_seconds(work, rates)
        bars = []
        for bar in work["bars"] if full else []:
            text, got, reached = verdict(bar, own, limit, row)
            bars.append(f"{text}: " + ("not measured" if got is None else f"{got} {'✓' if reached else '✗'}"))
        share = "" if own is None or limit is None else f"{100 * limit / own:.0f} %"
        cells = [work["name"], "failed" if "failure" in work else micro(own), share]
        if near:
            other = chosen.get(work["name"], {})
            cells.append(cell(other, own))
            if "failure" in other:
                notes.append(f"{work['name']} in Crema with near ways: {other['failure']}")
                fine = False
            elif other.get("ways") and other["ways"] != work.get("ways"):
                notes.append(f"{work['name']} with near ways: " + kinds(other["ways"]))
        cells += [cell(row.get(mode, {}), own) for mode in MODES]
        lines.append("| " + " | ".join(cells + ["; ".join(bars)]) + " |")
    lines += [""] + [f"- {work['name']}: {work['description']}" for work in works if "description" in work]
    lines += [f"- {note}" for note in notes]
    return "\n".join(lines), fine
