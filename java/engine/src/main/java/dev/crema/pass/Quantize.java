package dev.crema.pass;

import dev.crema.graph.Application;
import dev.crema.graph.Node;
import dev.crema.graph.Op;
import dev.crema.graph.Storage;
import dev.crema.graph.Variable;
import dev.crema.memory.ElementType;
import dev.crema.op.Add;
import dev.crema.op.AveragePool2d;
import dev.crema.op.Concat;
import dev.crema.op.Conv2d;
import dev.crema.op.DynamicQuantizeLinear;
import dev.crema.op.DynamicQuantizedLinear;
import dev.crema.op.Embedding;
import dev.crema.op.Fp8Linear;
import dev.crema.op.FusedActivation;
import dev.crema.op.GlobalAveragePool;
import dev.crema.op.Linear;
import dev.crema.op.MaxPool2d;
import dev.crema.op.QuantizationParameters;
import dev.crema.op.QuantizeFp8;
import dev.crema.op.QuantizeLinear;
import dev.crema.op.QuantizedAdd;
import dev.crema.op.QuantizedAveragePool2d;
import dev.crema.op.QuantizedConv2d;
import dev.crema.op.QuantizedEmbedding;
import dev.crema.op.QuantizedGlobalAveragePool;
import dev.crema.op.QuantizedLinear;
import dev.crema.op.Relu;
import dev.crema.op.Reshape;
import dev.crema.op.Transpose;
import dev.crema.op.WeightOnlyLinear;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Computes layers with quantized weights. For plans that do not change parameters, after {@link
 * FuseActivation} and before {@link FuseElementwise}.
 *
 * <p>Static layers have uint8 inputs, or rows of int8 tables, and so has what stands between them:
 * sums, means, maxima. Where only such layers read what one of them gives, through ops that only
 * move bytes and ReLU at most, it gives bytes: nothing is float32 between them. That trades
 * accuracy, within what the calibration found. Dynamic, weight-only and fp8 layers are dense layers
 * that read and give float32; each is computed so where that is chosen, else as before: the
 * kernel's float32 values are those that the quantized ones stand for.
 *
 * @param layers by the name of the layer
 * @param choice decides for each dynamic, weight-only or fp8 product
 */
public record Quantize(Map<String, LayerQuantization> layers, Choice choice) implements Pass {
  /** Whether a product is to be computed with quantized weights. */
  @FunctionalInterface
  public interface Choice {
    /**
     * @param product of a {@link Linear}: x, kernel, bias
     */
    boolean pays(Application product, QuantizationScheme scheme);
  }

  public Quantize {
    layers = Map.copyOf(layers);
  }

  /** One that computes all layers so. */
  public Quantize(Map<String, LayerQuantization> layers) {
    this(layers, (product, scheme) -> true);
  }

  @Override
  public Rewrite apply(Computation from) {
    return new Work(from).rewrite();
  }

  /** The layer's quantization if the application is what one of the layers is for; or null. */
  private LayerQuantization of(Application a) {
    LayerQuantization q = layers.get(a.layer());
    boolean fits =
        q != null
            && q.isStatic()
            && (q.weightScales().length > 0
                ? isProduct(a) || isTable(a)
                : a.op() instanceof Add
                    || a.op() instanceof AveragePool2d
                    || a.op() instanceof GlobalAveragePool);
    return fits ? q : null;
  }

  private static boolean isProduct(Application a) {
    boolean product = a.op() instanceof Linear || a.op() instanceof Conv2d c && c.groups() == 1;
    return product && readsParameter(a);
  }

  private static boolean isTable(Application a) {
    return a.op() instanceof Embedding && readsParameter(a);
  }

  private static boolean readsParameter(Application a) {
    return a.input(1).op() instanceof Variable v && v.storage().equals(Storage.PARAMETERS);
  }

  /** The quantization of a layer that reads float32, if that is to be used; or null. */
  private LayerQuantization chosen(Application a) {
    LayerQuantization q = layers.get(a.layer());
    boolean fits = q != null && !q.isStatic() && a.op() instanceof Linear && readsParameter(a);
    return fits && choice.pays(a, q.scheme()) ? q : null;
  }

  private final class Work {
    private final Computation from;
    private final Rewrite rewrite;
    private final PackedKernels packed;
    private final Map<Node, List<Application>> readers = new IdentityHashMap<>();
    private final Map<Node, Map<Op, Node>> bytes = new IdentityHashMap<>();
    private final Map<Node, Application> rows = new IdentityHashMap<>(); // quantized dynamically

    Work(Computation from) {
      this.from = from;
      this.rewrite = new Rewrite(from);
      this.packed = new PackedKernels(rewrite);
    }

    Rewrite rewrite() {
      List<Application> live = from.live();
      for (Application a : live) {
        a.inputs().stream()
            .filter(x -> x != null)
            .forEach(x -> readers.computeIfAbsent(x, k -> new ArrayList<>()).add(a));
      }
      Set<Application> done = Computation.identitySet();
      for (Application a : live) {
        LayerQuantization q = of(a);
        if (done.contains(a)) {
          continue;
        }
        if (q != null && isProduct(a)) {
          product(a, q);
        } else if (q != null && isTable(a)) {
          rows(a, q);
        } else if (q != null && a.op() instanceof Add) {
          add(a, q, done);
        } else if (q != null) {
          mean(a, q);
        } else if (keepsBytes(a.op()) && a.inputs().stream().anyMatch(this::isBytes)) {
          move(a);
        } else {
          LayerQuantization floats = chosen(a);
          if (floats == null) {
            rewrite.copy(a);
            continue;
          }
          switch (floats.scheme().method()) {
            case DYNAMIC -> dynamic(a, floats);
            case FP8 -> fp8(a, floats);
            default -> weightOnly(a, floats);
          }
        }
      }
      return rewrite;
    }

    private boolean isBytes(Node old) {
      return rewrite.map(old).type().element() == ElementType.UINT8;
    }

    /** Ops that give of bytes the bytes of what they give of the numbers. */
    private static boolean keepsBytes(Op op) {
      return op instanceof Reshape
          || op instanceof MaxPool2d
          || op instanceof Concat
          || op instanceof Transpose;
    }

    private void move(Application a) {
      QuantizationParameters q = readAs(a.output(0)); // as the inputs that are bytes
      Op op =
          a.op() instanceof Reshape r
              ? new Reshape(r.type().withElement(ElementType.UINT8))
              : a.op();
      Node[] in = a.inputs().stream().map(x -> bytes(a, x, q)).toArray(Node[]::new);
      rewrite.put(a, rewrite.add(op, a, in));
    }

    /** A sum, with the ReLU behind it where nothing else reads the sum. */
    private void add(Application a, LayerQuantization q, Set<Application> done) {
      Node end = a.output(0);
      List<Application> next = readers.getOrDefault(end, List.of());
      boolean relu =
          next.size() == 1 && next.get(0).op() instanceof Relu && !from.outputs().contains(end);
      if (relu) {
        done.add(next.get(0));
        end = next.get(0).output(0);
      }
      FusedActivation activation = relu ? FusedActivation.RELU : FusedActivation.NONE;
      QuantizationParameters first = q.inputs().get(0);
      QuantizationParameters second = q.inputs().get(1);
      Op op = new QuantizedAdd(first, second, activation, readAs(end));
      Node x = bytes(a, a.input(0), first);
      rewrite.put(end, rewrite.add(op, a, x, bytes(a, a.input(1), second)).output(0));
    }

    private void mean(Application a, LayerQuantization q) {
      QuantizationParameters y = readAs(a.output(0));
      Op op =
          a.op() instanceof AveragePool2d p
              ? new QuantizedAveragePool2d(
                  p.height(), p.width(), p.window(), p.countPadding(), q.input(), y)
              : new QuantizedGlobalAveragePool(q.input(), y);
      rewrite.put(a, rewrite.add(op, a, bytes(a, a.input(0), q.input())));
    }

    private void rows(Application a, LayerQuantization q) {
      QuantizationParameters y = readAs(a.output(0));
      int units = Math.toIntExact(a.input(1).type().extent(1));
      Op op = new QuantizedEmbedding(units, y);
      rewrite.put(a, rewrite.add(op, a, rewrite.map(a.input(0)), packed.table(a, q, y)));
    }

    private void product(Application a, LayerQuantization q) {
      FusedActivation activation =
          a.op() instanceof Linear l ? l.activation() : ((Conv2d) a.op()).activation();
      boolean simple = activation == FusedActivation.NONE || activation == FusedActivation.RELU;
      QuantizationParameters y = simple ? readAs(a.output(0)) : null;
      FusedActivation fused = simple ? activation : FusedActivation.NONE;
      Node x = bytes(a, a.input(0), q.input());
      int units = q.weightScales().length;
      Application now;
      if (a.op() instanceof Conv2d c) {
        int height = Math.toIntExact(a.input(1).type().extent(0));
        int width = Math.toIntExact(a.input(1).type().extent(1));
        long run = QuantizedConv2d.run(c.window(), width, x.type().extent(-1));
        Op op = new QuantizedConv2d(height, width, units, c.window(), fused, q.input(), y);
        now = rewrite.add(op, a, x, packed.of(a, q, y, run));
      } else {
        Op op = new QuantizedLinear(units, fused, y);
        now = rewrite.add(op, a, x, packed.of(a, q, y, x.type().extent(-1)));
      }
      rewrite.put(a, simple ? now : rewrite.add(activation.op(), a, now.output(0)));
    }

    private void dynamic(Application a, LayerQuantization q) {
      Node[] in = rewrite.inputs(a);
      Application x =
          rows.computeIfAbsent(in[0], k -> rewrite.add(new DynamicQuantizeLinear(), a, k));
      FusedActivation activation = ((Linear) a.op()).activation();
      boolean simple = activation == FusedActivation.NONE || activation == FusedActivation.RELU;
      int units = q.weightScales().length;
      Op op = new DynamicQuantizedLinear(units, simple ? activation : FusedActivation.NONE);
      Node bias = in.length > 2 ? in[2] : null;
      Application now =
          rewrite.add(op, a, x.output(0), x.output(1), x.output(2), packed.of(a, q), bias);
      rewrite.put(a, simple ? now : rewrite.add(activation.op(), a, now.output(0)));
    }

    private void fp8(Application a, LayerQuantization q) {
      Node[] in = rewrite.inputs(a);
      FusedActivation activation = ((Linear) a.op()).activation();
      boolean simple = activation == FusedActivation.NONE || activation == FusedActivation.RELU;
      FusedActivation fused = simple ? activation : FusedActivation.NONE;
      float scale = q.input().scale();
      Node x = quantized(a, in[0], new QuantizeFp8(scale));
      Op op = new Fp8Linear(q.weightScales().length, fused, scale);
      Node bias = in.length > 2 ? in[2] : null;
      Application now = rewrite.add(op, a, x, packed.of(a, q), bias);
      rewrite.put(a, simple ? now : rewrite.add(activation.op(), a, now.output(0)));
    }

    private void weightOnly(Application a, LayerQuantization q) {
      Node[] in = rewrite.inputs(a);
      QuantizationScheme scheme = q.scheme();
      int units = Math.toIntExact(in[1].type().extent(-1));
      FusedActivation activation = ((Linear) a.op()).activation();
      Op op = new WeightOnlyLinear(units, activation, scheme.bits(), scheme.groupSize());
      rewrite.put(a, rewrite.add(op, a, in[0], packed.of(a, q), in.length > 2 ? in[2] : null));
    }

    /** How all readers of a value want it as bytes; null if they differ or one wants numbers. */
    private QuantizationParameters readAs(Node x) {
      List<Application> all = readers.getOrDefault(x, List.of());
      if (all.isEmpty() || from.outputs().contains(x)) {
        return null;
      }
      QuantizationParameters wanted = null;
      for (Application a : all) {
        QuantizationParameters one = readAs(a, x);
        if (one == null || wanted != null && !wanted.equals(one)) {
          return null;
        }
        wanted = one;
      }
      return wanted;
    }

    private QuantizationParameters readAs(Application a, Node x) {
      LayerQuantization q = of(a);
      if (q != null) {
        int i = a.inputs().indexOf(x);
        return i < q.inputs().size() ? q.inputs().get(i) : null;
      }
      return keepsBytes(a.op()) ? readAs(a.output(0)) : null;
    }

    /** An old value as bytes. */
    private Node bytes(Application a, Node old, QuantizationParameters q) {
      Node x = rewrite.map(old);
      if (x.type().element() == ElementType.UINT8) {
        return x;
      }
      return quantized(a, x, new QuantizeLinear(q, ElementType.UINT8));
    }

    /** What an op gives of a new value, once for all who read it. */
    private Node quantized(Application a, Node x, Op op) {
      return bytes
          .computeIfAbsent(x, k -> new HashMap<>())
          .computeIfAbsent(op, k -> rewrite.add(op, a, x).output(0));
    }
  }
}
