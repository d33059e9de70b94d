package dev.crema.pass;

import dev.crema.graph.Node;
import dev.crema.graph.Precision;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/** Passes that every plan can go through. */
public final class Passes {
  private Passes() {}

  /** What plans use: they neither trade accuracy nor need a measurement. */
  public static List<Pass> standard() {
    return List.of(
        new DropIdentity(),
        new FoldTranspose(),
        new EliminateCommon(),
        new MaskPooledGradients(),
        new FuseActivation(),
        new FuseElementwise());
  }

  /** What plans of trainings use, whose gradients nobody reads but what the plan computes. */
  public static List<Pass> training() {
    List<Pass> passes = new ArrayList<>(standard());
    passes.add(new FuseUpdate());
    return List.copyOf(passes);
  }

  /** What plans for predictions use that pack kernels ahead: {@link Prepack} comes last. */
  public static List<Pass> prediction(Prepack prepack) {
    List<Pass> passes = new ArrayList<>(standard());
    passes.add(prepack);
    return List.copyOf(passes);
  }

  /** As {@link #prediction}, with quantized layers. */
  public static List<Pass> prediction(Quantize quantize, Prepack prepack) {
    List<Pass> passes = new ArrayList<>(standard());
    passes.add(passes.size() - 1, quantize); // sees ops before chains are joined
    passes.add(prepack);
    return List.copyOf(passes);
  }

  /** A list whose float32 products round their factors: {@link MixedPrecision} comes first. */
  public static List<Pass> rounded(List<Pass> passes, Precision precision) {
    List<Pass> all = new ArrayList<>(passes);
    all.add(0, new MixedPrecision(precision));
    return List.copyOf(all);
  }

  /** A list that stores values in 16 bits; casts then join the chains of element-wise ops. */
  public static List<Pass> stored(List<Pass> passes, StoreHalf half) {
    List<Pass> all = new ArrayList<>(passes);
    int chains = all.indexOf(new FuseElementwise());
    all.addAll(
        chains < 0 ? all.size() : chains,
        List.of(half, new WidenProducts(), new JoinCasts(half.kernels())));
    return List.copyOf(all);
  }

  /** A list for predictions with sparse kernels: they are chosen before the others are packed. */
  public static List<Pass> sparse(List<Pass> passes, Sparsify sparsify) {
    List<Pass> all = new ArrayList<>(passes);
    int last = all.size() - 1;
    all.add(last >= 0 && all.get(last) instanceof Prepack ? last : all.size(), sparsify);
    return List.copyOf(all);
  }

  /** A list for predictions where normalisations are folded, before activations are fused. */
  public static List<Pass> folded(List<Pass> passes, FoldBatchNorm fold) {
    List<Pass> all = new ArrayList<>(passes);
    all.add(Math.max(0, all.indexOf(new FuseActivation())), fold);
    return List.copyOf(all);
  }

  /**
   * Applies passes one after the other.
   *
   * @return what came of it, and where each old output is now
   */
  public static Result apply(List<Pass> passes, Computation from) {
    Map<Node, Node> where = new IdentityHashMap<>();
    from.outputs().forEach(output -> where.put(output, output));
    Computation now = from;
    for (Pass pass : passes) {
      Rewrite rewrite = pass.apply(now);
      where.replaceAll((old, node) -> rewrite.map(node));
      now = rewrite.result();
    }
    return new Result(now, where);
  }

  /** A rewritten computation; {@code outputs} maps the outputs of the first to those of this. */
  public record Result(Computation computation, Map<Node, Node> outputs) {}
}
