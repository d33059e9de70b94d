package dev.crema.pass;

import dev.crema.graph.Application;
import dev.crema.graph.Constant;
import dev.crema.graph.ElementwiseOp;
import dev.crema.graph.Node;
import dev.crema.graph.Storage;
import dev.crema.graph.TensorType;
import dev.crema.graph.Variable;
import dev.crema.memory.ElementType;
import dev.crema.op.FusedActivation;
import dev.crema.op.Gelu;
import dev.crema.op.GeluTanh;
import dev.crema.op.Linear;
import dev.crema.op.PackQuantized;
import dev.crema.op.QuantizationParameters;
import dev.crema.op.QuantizeLinear;
import dev.crema.op.QuantizedLinear;
import dev.crema.op.Reshape;
import dev.crema.op.Sigmoid;
import dev.crema.op.Silu;
import dev.crema.op.Tanh;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/**
 * Computes dense layers with int8 weights on uint8 inputs. Where only such layers read what one of
 * them gives, through reshapes and ReLU at most, it gives bytes: nothing is float32 between them.
 * For plans that do not change parameters, after {@link FuseActivation}; it trades accuracy, within
 * what the calibration found.
 *
 * @param layers by the name of the layer
 */
public record QuantizeDense(Map<String, LayerQuantization> layers) implements Pass {
  public QuantizeDense {
    layers = Map.copyOf(layers);
  }

  @Override
  public Rewrite apply(Computation from) {
    return new Work(from).rewrite();
  }

  /** The layer's quantization if the application is one of the {@code layers}; or null. */
  private LayerQuantization of(Application a) {
    boolean dense =
        a.op() instanceof Linear
            && a.input(1).op() instanceof Variable v
            && v.storage().equals(Storage.PARAMETERS);
    return dense ? layers.get(a.layer()) : null;
  }

  private final class Work {
    private final Computation from;
    private final Rewrite rewrite;
    private final Map<Node, List<Application>> readers = new IdentityHashMap<>();
    private final Map<Node, Map<QuantizationParameters, Node>> bytes = new IdentityHashMap<>();
    private final Map<Packing, Node> packed = new HashMap<>();
    private long size;

    Work(Computation from) {
      this.from = from;
      this.rewrite = new Rewrite(from);
    }

    Rewrite rewrite() {
      List<Application> live = from.live();
      for (Application a : live) {
        a.inputs().stream()
            .filter(x -> x != null)
            .forEach(x -> readers.computeIfAbsent(x, k -> new ArrayList<>()).add(a));
      }
      for (Application a : live) {
        LayerQuantization q = of(a);
        if (q != null) {
          quantize(a, q);
        } else if (a.op() instanceof Reshape r && isBytes(a.input(0))) {
          Reshape same = new Reshape(r.type().withElement(ElementType.UINT8));
          rewrite.put(a, rewrite.add(same, a, rewrite.inputs(a)));
        } else {
          rewrite.copy(a);
        }
      }
      return rewrite;
    }

    private boolean isBytes(Node old) {
      return rewrite.map(old).type().element() == ElementType.UINT8;
    }

    private void quantize(Application a, LayerQuantization q) {
      Linear linear = (Linear) a.op();
      boolean simple =
          linear.activation() == FusedActivation.NONE
              || linear.activation() == FusedActivation.RELU;
      QuantizationParameters y = simple ? readAs(a.output(0)) : null;
      int units = q.weightScales().length;
      QuantizedLinear op =
          new QuantizedLinear(units, simple ? linear.activation() : FusedActivation.NONE, y);
      Application now = rewrite.add(op, a, input(a, q.input()), pack(a, q, y));
      rewrite.put(a, simple ? now : rewrite.add(activation(linear), a, now.output(0)));
    }

    /** How all readers of a value want it as bytes; null if they differ or one wants numbers. */
    private QuantizationParameters readAs(Node x) {
      List<Application> all = readers.getOrDefault(x, List.of());
      if (all.isEmpty() || from.outputs().contains(x)) {
        return null;
      }
      QuantizationParameters wanted = null;
      for (Application a : all) {
        LayerQuantization q = of(a);
        QuantizationParameters one =
            q != null && a.input(0) == x
                ? q.input()
                : a.op() instanceof Reshape ? readAs(a.output(0)) : null;
        if (one == null || wanted != null && !wanted.equals(one)) {
          return null;
        }
        wanted = one;
      }
      return wanted;
    }

    /** The layer's input as bytes. */
    private Node input(Application a, QuantizationParameters q) {
      Node x = rewrite.map(a.input(0));
      if (x.type().element() == ElementType.UINT8) {
        return x;
      }
      return bytes
          .computeIfAbsent(x, k -> new HashMap<>())
          .computeIfAbsent(
              q, k -> rewrite.add(new QuantizeLinear(q, ElementType.UINT8), a, x).output(0));
    }

    private Node pack(Application a, LayerQuantization q, QuantizationParameters y) {
      Node[] in = rewrite.inputs(a);
      Node bias = in.length > 2 ? in[2] : null;
      return packed.computeIfAbsent(
          new Packing((Variable) in[1].op(), bias, q.input(), y),
          key -> {
            TensorType kernel = in[1].type();
            long units = q.weightScales().length;
            TensorType type = PackQuantized.typeOf(kernel.dim(0).constant(), units);
            String name = key.kernel().name() + ".int8";
            Node memory =
                rewrite.add(new Variable(name, Storage.PREPARED, size, type), a).output(0);
            size += (type.elements().constant() + 15) / 16 * 16;
            Constant scales = new Constant(q.weightScales(), TensorType.of(units));
            Node s = rewrite.add(scales, a).output(0);
            PackQuantized op = new PackQuantized(q.input(), y);
            rewrite.add(op, a, Computation.PREPARE, memory, in[1], s, bias);
            return memory;
          });
    }
  }

  private static ElementwiseOp activation(Linear linear) {
    return switch (linear.activation()) {
      case SIGMOID -> new Sigmoid();
      case TANH -> new Tanh();
      case GELU -> new Gelu();
      case GELU_TANH -> new GeluTanh();
      case SILU -> new Silu();
      default -> throw new IllegalArgumentException(linear.activation() + " is applied in int8");
    };
  }

  /** A kernel and bias as they are to be packed. */
  private record Packing(
      Variable kernel, Node bias, QuantizationParameters x, QuantizationParameters y) {}
}
