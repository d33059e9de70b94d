#!/usr/bin/env python3
"""The works of `crema bench gpu` in PyTorch on the same card, and one table of both.

  peers.py --crema FILE    what `crema bench gpu --out FILE` has written: the sizes, and Crema's figures for the table
  peers.py --near FILE     the same written with CREMA_CUDA_MEASURE=all
           --data DIR      what its --data DIR has written: weights and batches to begin with, so that losses compare
           --out FILE      PyTorch's figures as JSON
           NAME ...        only these works

Each work runs eagerly, compiled (torch.compile; then with its CUDA graphs, reduce-overhead), as one CUDA graph, and as
one CUDA graph of what torch.compile made. A training step is what it is in Crema: the next batch is copied from pinned
memory while this one is trained on, and the loss is read after each step. Networks of bf16 run under autocast with
float32 weights; float32 runs without TF32. Layers of int8 and fp8 are torch._int_mm and torch._scaled_mm with scales,
biases and roundings around them, which torch.compile joins; the int8 is signed, where Crema's inputs are unsigned. Adam is PyTorch's fused one. Medians of rounds of a fifth of a second.
Not yet run on hardware.
"""
import argparse
import array
import json
import math
import pathlib
import statistics
import sys
import time

import join

# As Sizes.full() of Crema's bench has them, for a run without --crema.
SIZES = {
    "seedBatch": 32, "mlp": [4096, 8192, 8192, 4096], "mlpBatch": 8192, "lenetBatch": 512, "residualSide": 224,
    "residualClasses": 1000, "residualBatch": 256, "width": 1024, "heads": 16, "sequence": 1024, "blockBatch": 16,
    "parameters": 100_000_000, "rows": 1 << 18, "columns": 1024, "product": 8192,
}
STEPS = 5  # whose losses are compared
ROUNDS = 7
SECONDS = 0.2
BIG = 1 << 20  # bytes of a batch that are worth a stream of their own
NAMES = ("seed-mlp", "wide-mlp", "lenet", "resnet18", "transformer-block", "adam", "softmax", "layer-norm", "gelu",
         "mlp-int8", "product-int8", "mlp-fp8", "product-fp8")
RANGE = 1.5  # of the numbers between layers of bytes
FP8_MAX = 448.0


class Missing(Exception):
    """This PyTorch or this card cannot do it: no failure."""


def mlp(widths):
    layers = []
    for i in range(len(widths) - 1):
        layers.append(nn.Linear(widths[i], widths[i + 1]))
        if i < len(widths) - 2:
            layers.append(nn.ReLU())
    return nn.Sequential(*layers)


def lenet():
    """5x5 convolutions to 32 and 64 channels, each pooled, then a layer of 512."""
    return nn.Sequential(
        nn.Conv2d(1, 32, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(1024, 512), nn.ReLU(), nn.Linear(512, 10))


def resnet18(classes):
    """He et al. 2016."""
    def normalised(before, channels, side, stride):
        return nn.Sequential(
            nn.Conv2d(before, channels, side, stride, padding=side // 2, bias=False), nn.BatchNorm2d(channels))

    class Block(nn.Module):
        def __init__(self, before, channels, stride):
            super().__init__()
            self.inner = nn.Sequential(
                normalised(before, channels, 3, stride), nn.ReLU(), normalised(channels, channels, 3, 1))
            same = stride == 1 and before == channels
            self.around = nn.Identity() if same else normalised(before, channels, 1, stride)

        def forward(self, x):
            return functional.relu(self.inner(x) + self.around(x))

    layers = [normalised(3, 64, 7, 2), nn.ReLU(), nn.MaxPool2d(3, 2, padding=1)]
    before = 64
    for channels in (64, 128, 256, 512):
        layers += [Block(before, channels, 1 if before == channels else 2), Block(channels, channels, 1)]
        before = channels
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, classes))


def transformer_block(width, heads):
    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.norms = nn.ModuleList([nn.LayerNorm(width), nn.LayerNorm(width)])
            self.parts = nn.Linear(width, 3 * width)
            self.joined = nn.Linear(width, width)
            self.wider = nn.Linear(width, 4 * width)
            self.narrower = nn.Linear(4 * width, width)

        def forward(self, x):
            batch, sequence, _ = x.shape
            parts = self.parts(self.norms[0](x)).view(batch, sequence, 3, heads, width // heads)
            q, k, v = parts.permute(2, 0, 3, 1, 4)
            mixed = functional.scaled_dot_product_attention(q, k, v)
            x = x + self.joined(mixed.transpose(1, 2).reshape(batch, sequence, width))
            return x + self.narrower(functional.gelu(self.wider(self.norms[1](x))))

    return Block()


def numbers(path, kind):
    """What Crema has written: little-endian numbers of four bytes."""
    values = array.array(kind)
    with open(path, "rb") as file:
        values.frombytes(file.read())
    if sys.byteorder != "little":
        values.byteswap()
    return values


def give_weights(model, values):
    """Layer by layer, kernel then bias; kernels are [in, out] or [height, width, in, out], features channels last."""
    flat = torch.tensor(values)
    at = 0
    channels = None  # of the last convolution, until its features become a row

    def take(*shape):
        nonlocal at
        count = math.prod(shape)
        at += count
        return flat[at - count:at].view(*shape)

    with torch.no_grad():
        for layer in model:
            if isinstance(layer, nn.Conv2d):
                channels = layer.out_channels
                kernel = take(*layer.kernel_size, layer.in_channels, channels).permute(3, 2, 0, 1)
            elif isinstance(layer, nn.Linear):
                kernel = take(layer.in_features, layer.out_features)
                if channels:
                    kernel = kernel.view(-1, channels, layer.out_features).transpose(0, 1).reshape(layer.in_features, -1)
                    channels = None
                kernel = kernel.t()
            else:
                continue
            layer.weight.copy_(kernel)
            layer.bias.copy_(take(layer.bias.numel()))
    if at != flat.numel():
        raise ValueError(f"Crema's network has {flat.numel()} weights, this one {at}")


class Feed:
    """A batch that comes from pinned memory for each step, while the step before it runs if that is worth it."""

    def __init__(self, *host):
        self.host = [t.pin_memory() for t in host]
        self.here = [t.cuda() for t in host]  # what a step reads; stays in place, for graphs
        self.ahead = None
        if sum(t.numel() * t.element_size() for t in host) >= BIG:
            self.ahead = [t.cuda() for t in host]
            self.side = torch.cuda.Stream()
            self.side.wait_stream(torch.cuda.current_stream())

    def next(self):
        if self.ahead is None:
            for here, host in zip(self.here, self.host):
                here.copy_(host, non_blocking=True)
            return
        now = torch.cuda.current_stream()
        now.wait_stream(self.side)
        for here, ahead in zip(self.here, self.ahead):
            here.copy_(ahead)
        self.side.wait_stream(now)
        with torch.cuda.stream(self.side):
            for ahead, host in zip(self.ahead, self.host):
                ahead.copy_(host, non_blocking=True)


def compiled(f, mode):
    if mode == "reduce-overhead":
        return torch.compile(f, mode="reduce-overhead")
    return torch.compile(f) if mode.startswith("compile") else f


def graphed(step, mode):
    """As one CUDA graph where the mode says so; gives what the step gives, which stays in place."""
    if mode not in ("graph", "compile-graph"):
        return step
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        result = step()

    def replay():
        graph.replay()
        return result

    return replay


def autocast(half, mode):
    return torch.autocast("cuda", torch.bfloat16, enabled=half, cache_enabled=mode not in ("graph", "compile-graph"))


def training(model, x, y, mode, half=False, channels_last=False):
    """A step that gives its loss to the host."""
    model = model.cuda()
    if channels_last:
        model = model.to(memory_format=torch.channels_last)
        x = x.to(memory_format=torch.channels_last)
    feed = Feed(x, y)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True, capturable="graph" in mode)
    loss_of = nn.CrossEntropyLoss()
    forward = compiled(model, mode)

    def step():
        optimizer.zero_grad(set_to_none=True)
        with autocast(half, mode):
            loss = loss_of(forward(feed.here[0]), feed.here[1])
        loss.backward()
        optimizer.step()
        return loss.detach()

    # Warming a graph up trains, too: losses are compared of eager steps.
    step = graphed(step, mode)

    def fed():
        feed.next()
        return step().item()

    return fed


def block(sizes, mode):
    shape = (sizes["blockBatch"], sizes["sequence"], sizes["width"])
    model = transformer_block(sizes["width"], sizes["heads"]).cuda()
    forward = compiled(model, mode)
    x = torch.rand(shape, device="cuda").requires_grad_()
    dy = torch.rand(shape, device="cuda")
    wanted = [x, *model.parameters()]

    def step():
        with autocast(True, mode):
            y = forward(x)
        torch.autograd.grad(y, wanted, dy.to(y.dtype))
        return y.detach()

    return graphed(step, mode)


def rows(f, sizes, mode):
    x = 4 * torch.rand(sizes["rows"], sizes["columns"], device="cuda") - 2
    g = compiled(f, mode)
    return graphed(lambda: g(x), mode)


def adam(count, mode):
    if mode in ("compile", "reduce-overhead", "compile-graph"):
        return None  # the fused kernel is what there is to run
    p = torch.rand(count, device="cuda").requires_grad_()
    p.grad = torch.rand(count, device="cuda")
    optimizer = torch.optim.Adam([p], fused=True, capturable=mode == "graph")
    return graphed(optimizer.step, mode)


def requires(kind):
    """Products of bytes are PyTorch's own functions, some of which it may lack, or the card."""
    function, least = ("_int_mm", (8, 0)) if kind == "int8" else ("_scaled_mm", (8, 9))
    if not hasattr(torch, function):
        raise Missing(f"PyTorch {torch.__version__} has no torch.{function}")
    capability = torch.cuda.get_device_capability()
    if capability < least:
        raise Missing(f"torch.{function} needs compute capability {least[0]}.{least[1]}, the card has "
                      f"{capability[0]}.{capability[1]}")


def product_of_bytes(kind, sums=None):
    """x [m, k] by w [k, n], stored as rows of k: sums, which are int32 of int8, and float32 of fp8 unless said otherwise."""
    if kind == "int8":
        return torch._int_mm
    one = torch.ones((), device="cuda")
    return lambda x, w: torch._scaled_mm(x, w, one, one, out_dtype=sums or torch.float32, use_fast_accum=False)


def to_bytes(x, kind):
    if kind == "int8":
        return torch.clamp(torch.round(x * (127 / RANGE)), -128, 127).to(torch.int8)
    return torch.clamp(x * (FP8_MAX / RANGE), -FP8_MAX, FP8_MAX).to(torch.float8_e4m3fn)


def any_bytes(kind, rows, columns):
    if kind == "int8":
        return torch.randint(-128, 128, (rows, columns), device="cuda", dtype=torch.int8)
    return (4 * torch.rand(rows, columns, device="cuda") - 2).to(torch.float8_e4m3fn)


def weights_of_bytes(kind, inputs, units):
    return any_bytes(kind, units, inputs).t()  # rows of inputs, as both products want them


def layers_of_bytes(kind, sizes, mode):
    """A prediction of dense layers with ReLU: bytes by bytes, a scale and a bias for each output, bytes again."""
    requires(kind)
    widths, count = sizes["mlp"], sizes["mlpBatch"]
    multiply = product_of_bytes(kind)
    weights = [weights_of_bytes(kind, i, o) for i, o in zip(widths, widths[1:])]
    scales = [torch.rand(o, device="cuda") / (i * 100) for i, o in zip(widths, widths[1:])]
    biases = [torch.rand(o, device="cuda") / i for i, o in zip(widths, widths[1:])]

    def forward(x):
        for i, (w, scale, bias) in enumerate(zip(weights, scales, biases)):
            x = multiply(to_bytes(x, kind), w) * scale + bias
            if i < len(weights) - 1:
                x = functional.relu(x)
        return x

    x = 2 * torch.rand(count, widths[0], device="cuda") - 1
    forward = compiled(torch.no_grad()(forward), mode)
    return graphed(lambda: forward(x), mode)


def scaled_product(kind, n, mode):
    requires(kind)
    multiply = product_of_bytes(kind)
    x, w, scale = any_bytes(kind, n, n), weights_of_bytes(kind, n, n), torch.rand(n, device="cuda")
    f = compiled(lambda: multiply(x, w) * scale, mode)
    return graphed(f, mode)


def batch(count, classes, *shape):
    return torch.rand(count, *shape), torch.randint(0, classes, (count,))


def given(name, data, model, x):
    """Crema's batch and weights where they are there; whether they are."""
    if data is None or not (data / f"{name}.weights").exists():
        return x, None
    give_weights(model, numbers(data / f"{name}.weights", "f"))
    values = torch.tensor(numbers(data / f"{name}.examples", "f"))
    targets = torch.tensor(numbers(data / f"{name}.targets", "i")).long()
    shape = x.shape
    if len(shape) == 4:  # Crema's images are channels last
        values = values.view(shape[0], shape[2], shape[3], shape[1]).permute(0, 3, 1, 2).contiguous()
    return values.view(shape), targets


def prepare(name, sizes, data, mode):
    """The step of a work, and whether it begins with Crema's weights; None where a mode has no meaning."""
    torch.manual_seed(1)
    if name in ("seed-mlp", "lenet"):
        model = mlp([100, 64, 64, 10]) if name == "seed-mlp" else lenet()
        count = sizes["seedBatch" if name == "seed-mlp" else "lenetBatch"]
        x, y = batch(count, 10, *((100,) if name == "seed-mlp" else (1, 28, 28)))
        x, targets = given(name, data, model, x)
        return training(model, x, y if targets is None else targets, mode), targets is not None
    if name == "wide-mlp":
        widths = sizes["mlp"]
        x, y = batch(sizes["mlpBatch"], widths[-1], widths[0])
        return training(mlp(widths), x, y, mode, half=True), False
    if name == "resnet18":
        side = sizes["residualSide"]
        x, y = batch(sizes["residualBatch"], sizes["residualClasses"], 3, side, side)
        model = resnet18(sizes["residualClasses"])
        return training(model, x, y, mode, half=True, channels_last=True), False
    if name == "transformer-block":
        return block(sizes, mode), False
    if name == "adam":
        return adam(sizes["parameters"], mode), False
    work, _, kind = name.rpartition("-")
    if kind in ("int8", "fp8"):
        step = layers_of_bytes(kind, sizes, mode) if work == "mlp" else scaled_product(kind, sizes["product"], mode)
        return step, False
    weight = [torch.rand(sizes["columns"], device="cuda") for _ in range(2)]
    functions = {
        "softmax": lambda x: torch.softmax(x, -1),
        "layer-norm": lambda x: functional.layer_norm(x, (sizes["columns"],), *weight),
        "gelu": lambda x: functional.gelu(x),
    }
    return rows(functions[name], sizes, mode), False


def measure(step):
    """Median seconds a step."""
    start = time.perf_counter()
    runs = 0
    while runs < 10 or time.perf_counter() - start < 1:
        step()
        runs += 1
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


def complaint(losses, last):
    """What is wrong with the first losses and the one after all steps that were timed; None if nothing is."""
    if any(not math.isfinite(loss) for loss in losses):
        return f"a loss is not finite: {losses}"
    return None if last < losses[0] else f"the loss does not fall: from {losses[0]} to {last}"


def figures(name, sizes, data, mode):
    """What a mode of a work has given; empty where the mode has no meaning."""
    try:
        step, same = prepare(name, sizes, data, mode)
        if step is None:
            return {}
        first = step()
        if not isinstance(first, float):  # no training
            return {"seconds": measure(step)}
        losses = [first] + [step() for _ in range(STEPS - 1)]
        seconds = measure(step)
        wrong = complaint(losses, step())
        return {"failure": wrong} if wrong else {"seconds": seconds, "losses": losses, "same_weights": same}
    except Missing as e:
        return {"missing": str(e)}
    except Exception as e:  # one that fails must not hide the others
        return {"failure": f"{type(e).__name__}: {e}".splitlines()[0]}
    finally:
        torch._dynamo.reset()
        torch.cuda.empty_cache()


def card_limits(sizes):
    n = sizes["product"]
    rates = {}
    x = torch.rand(sizes["rows"], sizes["columns"], device="cuda")
    y = torch.empty_like(x)
    rates["copy"] = 2 * x.numel() * x.element_size() / measure(lambda: y.copy_(x))
    for name, kind, tf32 in (("fp32", torch.float32, False), ("tf32", torch.float32, True), ("bf16", torch.bfloat16, False)):
        torch.backends.cuda.matmul.allow_tf32 = tf32
        a, b, c = (torch.rand(n, n, device="cuda", dtype=kind) for _ in range(3))
        rates[name] = 2 * n ** 3 / measure(lambda: torch.matmul(a, b, out=c))
    torch.backends.cuda.matmul.allow_tf32 = False
    for kind in ("int8", "fp8"):
        try:
            requires(kind)
            multiply = product_of_bytes(kind, torch.bfloat16)
            x, w = any_bytes(kind, n, n), weights_of_bytes(kind, n, n)
            rates[kind] = 2 * n ** 3 / measure(lambda: multiply(x, w))
        except Missing as e:
            print(f"The rate of {kind} is not measured: {e}", file=sys.stderr)
        except RuntimeError as e:
            print(f"The rate of {kind} is not measured: {e}".splitlines()[0], file=sys.stderr)
    return rates


def run(names, sizes, data):
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = True
    rates = card_limits(sizes)
    works = {}
    for name in names:
        works[name] = {}
        for mode in join.MODES:
            print(f"{name}: {mode}", file=sys.stderr, flush=True)
            works[name][mode] = figures(name, sizes, data, mode)
    for name, rate in card_limits(sizes).items():
        rates[name] = max(rates.get(name, 0.0), rate)
    return {
        "torch": torch.__version__, "cuda": torch.version.cuda, "card": torch.cuda.get_device_name(),
        "limits": rates, "works": works,
    }


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("names", nargs="*", metavar="NAME", help="works; by default all")
    options.add_argument("--crema", type=pathlib.Path)
    options.add_argument("--near", type=pathlib.Path)
    options.add_argument("--data", type=pathlib.Path)
    options.add_argument("--out", type=pathlib.Path)
    options.add_argument("--list", action="store_true", help="list the works")
    arguments = options.parse_args()
    unknown = [name for name in arguments.names if name not in NAMES]
    if unknown:
        options.error(f"there is no work {unknown[0]}; there are {', '.join(NAMES)}")
    if arguments.list:
        print("\n".join(NAMES))
        return 0
    crema, near = (json.loads(file.read_text(encoding="utf-8")) if file else None for file in (arguments.crema, arguments.near))
    sizes = crema["sizes"] if crema else SIZES
    names = arguments.names or ([work["name"] for work in crema["works"]] if crema else NAMES)
    peers = None
    global torch, nn, functional
    try:
        import torch
        from torch import nn
        from torch.nn import functional
    except ImportError as e:
        print(f"PyTorch is not measured: {e}\n")
    else:
        if torch.cuda.is_available():
            peers = run(names, sizes, arguments.data)
        else:
            print("PyTorch is not measured: it sees no card\n")
    if peers and arguments.out:
        arguments.out.write_text(json.dumps(peers, indent=1), encoding="utf-8")
    if crema is None and peers is None:
        return 1
    text, fine = join.table(crema, peers, near)
    print(text)
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
