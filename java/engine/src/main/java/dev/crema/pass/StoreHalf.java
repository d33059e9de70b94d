package dev.crema.pass;

import dev.crema.graph.Application;
import dev.crema.graph.Assign;
import dev.crema.graph.Constant;
import dev.crema.graph.ElementwiseOp;
import dev.crema.graph.Input;
import dev.crema.graph.Node;
import dev.crema.graph.Op;
import dev.crema.graph.Storage;
import dev.crema.graph.Variable;
import dev.crema.memory.ElementType;
import dev.crema.op.Cast;
import dev.crema.op.Embedding;
import dev.crema.op.MeanScale;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/**
 * Stores activations and gradients between ops in a 16-bit type (Micikevicius et al. 2018).
 * Products and convolutions read and write it; what follows them does as well where the device has
 * the kernel; losses, statistics, sums and updates are float32. Variables stay float32: each is
 * cast once where the first product of a run reads it, for the backward pass as well. Inputs and
 * outputs keep their types. It trades accuracy for speed: plans use it only when they are asked to.
 *
 * @param type {@link ElementType#BFLOAT16} or {@link ElementType#FLOAT16}
 * @param kernels whether the device's kernel of that name reads and writes it
 * @param ahead whether parameters that no run changes are cast ahead of the runs, in {@link
 *     Computation#PREPARE}
 */
public record StoreHalf(ElementType type, Predicate<String> kernels, boolean ahead)
    implements Pass {
  @Override
  public Rewrite apply(Computation from) {
    List<Application> live = from.live();
    boolean prepares = ahead && !Prepack.changesVariables(from, live);
    Casts casts = new Casts(type, from, prepares ? Prepack.prepared(live) : -1);
    for (Application a : live) {
      Node[] in = casts.rewrite.inputs(a);
      if (isHalf(a, in, casts)) {
        for (int i = 0; i < in.length; i++) {
          if (HalfRules.isNarrow(a.op(), i)) {
            in[i] = casts.narrow(in[i], a);
          } else if (isRead(a.op(), i)) {
            in[i] = casts.wide(in[i], a);
          }
        }
      } else if (!(a.op() instanceof Cast) && !mixes(a, in)) {
        for (int i = 0; i < in.length; i++) {
          in[i] = isRead(a.op(), i) ? casts.wide(in[i], a) : in[i];
        }
      }
      casts.put(a, casts.rewrite.add(a.op(), a, in));
    }
    return casts.rewrite;
  }

  /** Of one input only the extents count. */
  private static boolean isRead(Op op, int input) {
    return !(op instanceof MeanScale) || input == 0;
  }

  /** Whether an op of the table is computed in 16 bits here. */
  private boolean isHalf(Application a, Node[] in, Casts casts) {
    Op op = a.op();
    if (!(HalfRules.isProduct(op) || HalfRules.isFollower(op))) {
      return false;
    }
    if (op.alias() < 0 && !kernels.test(op.kernel())) {
      return false;
    }
    boolean any = HalfRules.isProduct(op);
    for (int i = 0; i < in.length; i++) {
      if (in[i] != null && HalfRules.isNarrow(op, i)) {
        if (!in[i].type().element().isFloating()) {
          return false; // a quantized model's bytes
        }
        any |= casts.hasNarrow(in[i]);
      }
    }
    return any;
  }

  /**
   * Whether an element-wise op reads its inputs as they are: 16-bit ones of the output's extents
   * beside whatever repeats. With float32 of the output's extents it is float32.
   */
  private boolean mixes(Application a, Node[] in) {
    if (!(a.op() instanceof ElementwiseOp op)
        || HalfRules.isWide(op.operation())
        || !kernels.test(op.kernel())) {
      return false;
    }
    boolean half = false;
    for (Node x : in) {
      if (x.type().sameDims(a.output(0).type())) {
        if (x.type().element() != type) {
          return false;
        }
        half = true;
      }
    }
    return half;
  }

  /** The new graph with each value in both types, where both are wanted. */
  private static final class Casts {
    private final ElementType type;
    private final Computation from;
    private final Rewrite rewrite;
    private final Map<Node, Map<Long, Node>> known = new IdentityHashMap<>(); // by section
    private final Map<Node, Long> sections = new IdentityHashMap<>();

    private long prepared; // floats, or -1: nothing is cast ahead of the runs

    Casts(ElementType type, Computation from, long prepared) {
      this.type = type;
      this.from = from;
      this.rewrite = new Rewrite(from);
      this.prepared = prepared;
    }

    /** Whether a value is there in 16 bits. */
    boolean hasNarrow(Node x) {
      return x.type().element() == type || uncast(x) != null || known.containsKey(x) && !isThere(x);
    }

    /** What a cast to float32 was made of; null if it is none. */
    private Node uncast(Node x) {
      if (!(x.op() instanceof Cast)) {
        return null;
      }
      Node before = x.application().input(0);
      return before.type().element() == type ? before : null;
    }

    Node narrow(Node x, Application reader) {
      if (x == null || x.type().element() == type) {
        return x;
      }
      Node before = uncast(x);
      return before != null ? before : cast(type, x, reader);
    }

    Node wide(Node x, Application reader) {
      return x == null || x.type().element() != type ? x : cast(ElementType.FLOAT32, x, reader);
    }

    private Node cast(ElementType to, Node x, Application reader) {
      if (prepared >= 0 && Prepack.isKnownAhead(x)) {
        return known
            .computeIfAbsent(x, key -> new HashMap<>())
            .computeIfAbsent(Computation.PREPARE, key -> prepare(x, reader));
      }
      long section = section(x, reader);
      return known
          .computeIfAbsent(x, key -> new HashMap<>())
          .computeIfAbsent(section, key -> add(to, x, reader, section));
    }

    /** Casts a parameter when it has changed, into memory that runs read. */
    private Node prepare(Node x, Application reader) {
      Variable v = (Variable) x.op();
      long at = 4 / type.byteSize() * prepared; // in elements
      Variable half =
          new Variable(v.name() + ".16", Storage.PREPARED, at, v.type().withElement(type));
      prepared += (v.type().elements().constant() * type.byteSize() + 63) / 64 * 16;
      Node memory = rewrite.add(half, reader).output(0);
      rewrite.add(
          new Assign(false),
          reader,
          Computation.PREPARE,
          memory,
          add(type, x, reader, Computation.PREPARE));
      return memory;
    }

    private Node add(ElementType to, Node x, Application reader, long section) {
      Node y = rewrite.add(new Cast(to), reader, section, x).output(0);
      sections.put(y, section);
      return y;
    }

    /** Whether a value is not computed by the graph. */
    private static boolean isThere(Node x) {
      Op root = Computation.root(x).op();
      return root instanceof Variable || root instanceof Input || root instanceof Constant;
    }

    /** When a cast runs: with what computes the value or, of what is there already, its reader. */
    private long section(Node x, Application reader) {
      return isThere(x) ? from.sections().applyAsLong(reader) : sections.get(x);
    }

    void put(Application old, Application now) {
      forgetWritten(now);
      long section = from.sections().applyAsLong(old);
      now.outputs().forEach(y -> sections.put(y, section));
      for (int i = 0; i < old.outputs().size(); i++) {
        Node y = now.output(i);
        if (old.op() instanceof Embedding) {
          y = narrow(y, old); // what follows shall be 16-bit; the table is not cast
        }
        boolean isOutput = from.outputs().contains(old.output(i));
        rewrite.put(old.output(i), isOutput ? wide(y, old) : y);
      }
    }

    /** A copy of a variable is stale when it is written. */
    private void forgetWritten(Application now) {
      for (int i : now.op().writes()) {
        if (now.input(i) != null && now.input(i).op() instanceof Variable v) {
          List.copyOf(known.keySet()).stream()
              .filter(x -> lies(x, v.storage()))
              .forEach(known::remove);
        }
      }
    }

    private static boolean lies(Node x, Storage storage) {
      return Computation.root(x).op() instanceof Variable v && v.storage().equals(storage);
    }
  }
}
