package dev.crema.pass;

import dev.crema.graph.Application;
import dev.crema.graph.Assign;
import dev.crema.graph.ElementwiseOp;
import dev.crema.graph.Node;
import dev.crema.graph.Op;
import dev.crema.graph.Storage;
import dev.crema.graph.TensorType;
import dev.crema.graph.Variable;
import dev.crema.op.ActivatedOp;
import dev.crema.op.Add;
import dev.crema.op.BatchNorm;
import dev.crema.op.Conv1d;
import dev.crema.op.Conv2d;
import dev.crema.op.FusedActivation;
import dev.crema.op.Linear;
import dev.crema.op.Mul;
import dev.crema.op.Neg;
import dev.crema.op.Sub;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Folds batch normalisation, as {@link BatchNorm#inference} computes it, into the product before it
 * (Jacob et al. 2018): a dense layer or a convolution whose output nothing else reads multiplies by
 * kernel · s and adds (bias − mean) · s + beta, with s = gamma / √(variance + epsilon). Both are
 * computed ahead of the runs, in {@link Computation#PREPARE}, into memory of their own, so that
 * others may read the same parameters. Results differ from the unfolded ones by rounding.
 *
 * <p>For plans that do not change parameters or state, before {@link FuseActivation}; one that does
 * is left as it is.
 *
 * @param keptLayers names of layers whose products stay as they are: those that are quantized
 * @param keptKernels names of kernels that stay: those whose zeros are left out
 */
public record FoldBatchNorm(Set<String> keptLayers, Set<String> keptKernels) implements Pass {
  private static final int KERNEL = 1;
  private static final int BIAS = 2;

  public FoldBatchNorm {
    keptLayers = Set.copyOf(keptLayers);
    keptKernels = Set.copyOf(keptKernels);
  }

  /** One that folds wherever it can. */
  public FoldBatchNorm() {
    this(Set.of(), Set.of());
  }

  @Override
  public Rewrite apply(Computation from) {
    return new Work(from).rewrite();
  }

  private boolean isKept(Application product) {
    return keptLayers.contains(product.layer())
        || keptKernels.contains(((Variable) product.input(KERNEL).op()).name());
  }

  /**
   * What stands behind a product.
   *
   * @param product whose input 1 is a parameter
   * @param mean that is taken from each output
   * @param scale by which the rest is multiplied
   * @param beta that is added to that; or null
   * @param end the last application of the normalisation
   */
  private record Norm(Application product, Node mean, Node scale, Node beta, Application end) {}

  /** Where one kernel, folded, stands. */
  private record Folded(Node kernel, Node bias) {}

  /** Old nodes that a folded kernel is computed from. */
  private record Source(Node kernel, Node bias, Node mean, Node scale, Node beta) {}

  private final class Work {
    private final Computation from;
    private final Rewrite rewrite;
    private final List<Application> live;
    private final Readers readers;
    private final Map<Source, Folded> known = new HashMap<>();
    private final Map<Node, Node> ahead = new IdentityHashMap<>(); // old nodes, computed ahead
    private long size; // floats that are prepared

    Work(Computation from) {
      this.from = from;
      this.rewrite = new Rewrite(from);
      this.live = from.live();
      this.readers = new Readers(from, live);
      this.size = Prepack.prepared(live);
    }

    Rewrite rewrite() {
      // The product moves to where its normalisation ends: what it is computed from is there.
      Map<Application, Norm> ends = new IdentityHashMap<>();
      Set<Application> gone = Computation.identitySet();
      if (!Prepack.changesVariables(from, live)) {
        for (Application a : live) {
          Norm norm = norm(a);
          if (norm != null) {
            ends.put(norm.end(), norm);
            gone.add(a);
            for (Application x = readers.only(a.output(0));
                x != norm.end();
                x = readers.only(x.output(0))) {
              gone.add(x);
            }
          }
        }
      }
      for (Application a : live) {
        Norm norm = ends.get(a);
        if (norm != null) {
          fold(norm);
        } else if (!gone.contains(a)) {
          rewrite.copy(a);
        }
      }
      return rewrite;
    }

    private Norm norm(Application product) {
      boolean linear =
          (product.op() instanceof Linear
                  || product.op() instanceof Conv2d
                  || product.op() instanceof Conv1d)
              && ((ActivatedOp) product.op()).activation() == FusedActivation.NONE
              && product.inputs().size() == BIAS + 1;
      if (!linear || !Prepack.isParameter(product.input(KERNEL)) || isKept(product)) {
        return null;
      }
      Node bias = product.input(BIAS);
      Node y = product.output(0);
      Application sub = readers.only(y);
      if (sub == null || !(sub.op() instanceof Sub) || sub.input(0) != y) {
        return null;
      }
      Application mul = readers.only(sub.output(0));
      if (mul == null || !(mul.op() instanceof Mul)) {
        return null;
      }
      Node mean = sub.input(1);
      Node scale = other(mul, sub.output(0));
      boolean fits =
          isOfChannels(mean, y)
              && isOfChannels(scale, y)
              && (bias == null || isOfChannels(bias, y));
      if (!fits) {
        return null;
      }
      Application add = readers.only(mul.output(0));
      if (add != null && add.op() instanceof Add) {
        Node beta = other(add, mul.output(0));
        if (isOfChannels(beta, y)) {
          return new Norm(product, mean, scale, beta, add);
        }
      }
      return new Norm(product, mean, scale, null, mul);
    }

    private static Node other(Application a, Node x) {
      return a.input(0) == x ? a.input(1) : a.input(0);
    }

    /** Whether it is a number for each of the last axis of y that is known before a run. */
    private boolean isOfChannels(Node x, Node y) {
      return x.type().dims().equals(List.of(y.type().dim(-1))) && isKnownAhead(x);
    }

    private boolean isKnownAhead(Node x) {
      if (x.op() instanceof Variable v) {
        return v.storage().equals(Storage.PARAMETERS) || v.storage().equals(Storage.STATE);
      }
      return x.op() instanceof ElementwiseOp
          && x.application().inputs().stream().allMatch(this::isKnownAhead);
    }

    private void fold(Norm norm) {
      Application product = norm.product();
      Node bias = product.input(BIAS);
      Source source =
          new Source(product.input(KERNEL), bias, norm.mean(), norm.scale(), norm.beta());
      Folded folded = known.computeIfAbsent(source, key -> fold(key, product));
      Node x = rewrite.map(product.input(0));
      Application now = rewrite.add(product.op(), product, x, folded.kernel(), folded.bias());
      rewrite.put(norm.end(), now);
    }

    private Folded fold(Source s, Application at) {
      Node scale = ahead(s.scale(), at);
      Node mean = ahead(s.mean(), at);
      Node centre = s.bias() == null ? null : add(new Sub(), at, ahead(s.bias(), at), mean);
      Node shift = add(new Mul(), at, centre == null ? mean : centre, scale);
      if (s.beta() == null) {
        shift = centre == null ? add(new Neg(), at, shift) : shift;
      } else {
        Node beta = ahead(s.beta(), at);
        shift = centre == null ? add(new Sub(), at, beta, shift) : add(new Add(), at, shift, beta);
      }
      Node kernel = add(new Mul(), at, rewrite.map(s.kernel()), scale);
      String name = ((Variable) s.kernel().op()).name() + ".folded";
      return new Folded(store(name, kernel, at), store(name + ".bias", shift, at));
    }

    /** An old node of {@link #isKnownAhead}. */
    private Node ahead(Node old, Application at) {
      if (old.op() instanceof Variable) {
        return rewrite.map(old);
      }
      Node done = ahead.get(old);
      if (done == null) {
        Node[] in = old.application().inputs().stream().map(x -> ahead(x, at)).toArray(Node[]::new);
        done = add(old.op(), at, in);
        ahead.put(old, done);
      }
      return done;
    }

    private Node add(Op op, Application at, Node... in) {
      return rewrite.add(op, at, Computation.PREPARE, in).output(0);
    }

    private Node store(String name, Node value, Application at) {
      TensorType type = value.type();
      Node memory = rewrite.add(new Variable(name, Storage.PREPARED, size, type), at).output(0);
      size += (type.elements().constant() + 15) / 16 * 16;
      rewrite.add(new Assign(false), at, Computation.PREPARE, memory, value);
      return memory;
    }
  }
}
