#!/usr/bin/env python3
"""The works of Crema's benchmark in PyTorch on one card: eager, torch.compile, and CUDA graphs.

Medians of rounds, each of as many steps as take a tenth of a second, after warming up. The same shapes, batch sizes,
losses and optimiser as Crema's works of the same name; float32 with TF32 off. With --crema FILE (what
`crema bench --json` wrote on the same card) both are joined into one table. Not yet run on hardware.
"""
import argparse
import json
import statistics
import sys
import time

try:
    import torch
    from torch import nn
except ImportError as e:
    sys.exit(f"PyTorch is not measured: {e}")

ROUNDS = 7
SECONDS = 0.1


def mlp(*sizes):
    layers = []
    for i in range(len(sizes) - 1):
        layers.append(nn.Linear(sizes[i], sizes[i + 1]))
        if i < len(sizes) - 2:
            layers.append(nn.ReLU())
    return nn.Sequential(*layers)


def lenet():
    """As the lenet of Crema's bench: 5x5 convolutions to 32 and 64 channels, each pooled, then a layer of 512."""
    return nn.Sequential(
        nn.Conv2d(1, 32, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(1024, 512), nn.ReLU(), nn.Linear(512, 10))


def measure(step):
    """Median seconds a step."""
    for _ in range(20):
        step()
    torch.cuda.synchronize()
    start = time.perf_counter()
    step()
    torch.cuda.synchronize()
    count = max(1, int(SECONDS / max(1e-6, time.perf_counter() - start)))
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for _ in range(count):
            step()
        torch.cuda.synchronize()
        times.append((time.perf_counter() - start) / count)
    return statistics.median(times)


def training(model, x, y, mode):
    model = model.cuda()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True, capturable=mode != "eager")
    loss_of = nn.CrossEntropyLoss()
    forward = torch.compile(model, mode="max-autotune") if mode == "compile" else model

    def step():
        optimizer.zero_grad(set_to_none=False)
        loss = loss_of(forward(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return graphed(step) if mode == "graph" else lambda: step().item()


def prediction(model, x, mode):
    model = model.cuda().eval()
    forward = torch.compile(model, mode="max-autotune") if mode == "compile" else model

    def step():
        with torch.no_grad():
            return forward(x)

    return graphed(step) if mode == "graph" else step


def graphed(step):
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    return graph.replay


def function(f, mode):
    x = torch.randn(4096, 1024, device="cuda")
    g = torch.compile(f, mode="max-autotune") if mode == "compile" else f
    return graphed(lambda: g(x)) if mode == "graph" else lambda: g(x)


def adam(parameters, mode):
    p = torch.zeros(parameters, device="cuda", requires_grad=True)
    p.grad = torch.full_like(p, 1e-3)
    optimizer = torch.optim.Adam([p], fused=True, capturable=mode != "eager")
    return graphed(optimizer.step) if mode == "graph" else optimizer.step


def product(m, n, k, mode):
    a = torch.randn(m, k, device="cuda")
    b = torch.randn(k, n, device="cuda")
    return graphed(lambda: a @ b) if mode == "graph" else lambda: a @ b


def works():
    def rows(n, *shape):
        return torch.randn(n, *shape, device="cuda"), torch.randint(0, 10, (n,), device="cuda")

    def train(model, n, *shape):
        return lambda mode: training(model(), *rows(n, *shape), mode)

    def predict(model, n, *shape):
        return lambda mode: prediction(model(), rows(n, *shape)[0], mode)

    seed = lambda: mlp(100, 64, 64, 10)
    wide = lambda: mlp(784, 1024, 1024, 10)
    yield "seed.train.32", train(seed, 32, 100)
    yield "mlp.train.256", train(wide, 256, 784)
    for n in (1, 8, 32, 256):
        yield f"mlp.predict.{n}", predict(wide, n, 784)
    yield "lenet.train.64", train(lenet, 64, 1, 28, 28)
    yield "lenet.predict.64", predict(lenet, 64, 1, 28, 28)
    yield "adam.10m", lambda mode: adam(10_000_000, mode)
    yield "softmax.4096x1024", lambda mode: function(lambda x: torch.softmax(x, -1), mode)
    yield "layer-norm.4096x1024", lambda mode: function(lambda x: nn.functional.layer_norm(x, (1024,)), mode)
    yield "gelu.4096x1024", lambda mode: function(nn.functional.gelu, mode)
    for n in (1024, 2048):
        yield f"matmul.{n}", lambda mode, n=n: product(n, n, n, mode)


def crema_times(path):
    if path is None:
        return {}
    with open(path, encoding="utf-8") as file:
        document = json.load(file)
    times = {}
    for work in document["works"]:
        for name, engine in work.get("engines", {}).items():
            if name.lower() == "crema":
                times[work["name"]] = engine["median_ns"] * 1e-9
    return times


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--crema", help="what `crema bench --json` wrote")
    options.add_argument("--out", help="file for the figures as JSON")
    arguments = options.parse_args()
    if not torch.cuda.is_available():
        sys.exit("PyTorch is not measured: it sees no card")
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    crema = crema_times(arguments.crema)
    figures = {}
    print(f"PyTorch {torch.__version__}, CUDA {torch.version.cuda}, {torch.cuda.get_device_name()}\n")
    print("| work | Crema µs | eager µs | compile µs | graph µs | eager / Crema | best / Crema |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for name, make in works():
        row = {}
        for mode in ("eager", "compile", "graph"):
            try:
                row[mode] = measure(make(mode))
            except Exception as e:  # one work that fails must not hide the others
                print(f"{name} {mode}: {e}", file=sys.stderr)
            torch.cuda.empty_cache()
        figures[name] = row
        own = crema.get(name)
        micro = lambda t: "" if t is None else f"{t * 1e6:.1f}"
        ratio = lambda t: "" if t is None or own is None else f"{t / own:.2f}"
        best = min(row.values(), default=None)
        cells = [micro(own), micro(row.get("eager")), micro(row.get("compile")), micro(row.get("graph")),
                 ratio(row.get("eager")), ratio(best)]
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)
    if arguments.out:
        with open(arguments.out, "w", encoding="utf-8") as file:
            json.dump({"torch": torch.__version__, "card": torch.cuda.get_device_name(), "seconds": figures}, file, indent=1)


if __name__ == "__main__":
    main()
