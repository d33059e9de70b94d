package dev.crema.pass;

import static java.util.Map.entry;

import dev.crema.graph.Op;
import dev.crema.op.Attention;
import dev.crema.op.AttentionGrad;
import dev.crema.op.AveragePool2d;
import dev.crema.op.AveragePool2dGrad;
import dev.crema.op.BatchNorm;
import dev.crema.op.BatchNormGrad;
import dev.crema.op.Concat;
import dev.crema.op.Conv1d;
import dev.crema.op.Conv2d;
import dev.crema.op.Conv2dInputGrad;
import dev.crema.op.Conv2dWeightGrad;
import dev.crema.op.ConvTranspose2d;
import dev.crema.op.Dropout;
import dev.crema.op.EmbeddingGrad;
import dev.crema.op.Gather;
import dev.crema.op.GatherGrad;
import dev.crema.op.GlobalAveragePool;
import dev.crema.op.GlobalAveragePoolGrad;
import dev.crema.op.GlobalMaxPool;
import dev.crema.op.GlobalMaxPoolGrad;
import dev.crema.op.Gru;
import dev.crema.op.GruGrad;
import dev.crema.op.LayerNorm;
import dev.crema.op.LayerNormGrad;
import dev.crema.op.Linear;
import dev.crema.op.Lstm;
import dev.crema.op.LstmGrad;
import dev.crema.op.MatMul;
import dev.crema.op.MaxPool2d;
import dev.crema.op.MaxPool2dGrad;
import dev.crema.op.MeanScale;
import dev.crema.op.Pad;
import dev.crema.op.PadGrad;
import dev.crema.op.ReduceMean;
import dev.crema.op.ReduceSum;
import dev.crema.op.ReduceSumSquares;
import dev.crema.op.Reshape;
import dev.crema.op.RmsNorm;
import dev.crema.op.RmsNormGrad;
import dev.crema.op.Slice;
import dev.crema.op.SliceGrad;
import dev.crema.op.Softmax;
import dev.crema.op.SoftmaxCrossEntropy;
import dev.crema.op.SoftmaxGrad;
import dev.crema.op.Split;
import dev.crema.op.Transpose;
import java.util.Map;
import java.util.Set;

/**
 * Which inputs of which ops are 16-bit where values are stored so. Ops that are not here, updates
 * among them, read and write float32.
 */
final class HalfRules {
  /** Always: they are what 16 bits make faster. */
  private static final Map<Class<? extends Op>, Set<Integer>> PRODUCTS =
      Map.ofEntries(
          entry(Linear.class, Set.of(0, 1, 2)),
          entry(MatMul.class, Set.of(0, 1)),
          entry(Attention.class, Set.of(0, 1, 2)),
          entry(AttentionGrad.class, Set.of(0, 1, 2, 3, 5)),
          entry(Conv1d.class, Set.of(0, 1, 2)),
          entry(Conv2d.class, Set.of(0, 1, 2)),
          entry(Conv2dInputGrad.class, Set.of(0, 1)),
          entry(Conv2dWeightGrad.class, Set.of(0, 1)),
          entry(ConvTranspose2d.class, Set.of(0, 1, 2)),
          entry(Lstm.class, Set.of(0, 1, 2, 4)),
          entry(LstmGrad.class, Set.of(0, 1, 2, 3, 5, 8, 9)),
          entry(Gru.class, Set.of(0, 1, 2, 5)),
          entry(GruGrad.class, Set.of(0, 1, 2, 3, 4, 7, 8)));

  /** Where one of these inputs is 16-bit already. */
  private static final Map<Class<? extends Op>, Set<Integer>> FOLLOWERS =
      Map.ofEntries(
          entry(LayerNorm.class, Set.of(0)),
          entry(LayerNormGrad.class, Set.of(0, 4)),
          entry(RmsNorm.class, Set.of(0)),
          entry(RmsNormGrad.class, Set.of(0, 3)),
          entry(BatchNorm.class, Set.of(0)),
          entry(BatchNormGrad.class, Set.of(0, 4)),
          entry(Softmax.class, Set.of(0)),
          entry(SoftmaxGrad.class, Set.of(0, 1)),
          entry(SoftmaxCrossEntropy.class, Set.of(0)),
          entry(MaxPool2d.class, Set.of(0)),
          entry(MaxPool2dGrad.class, Set.of(0, 1, 2)),
          entry(AveragePool2d.class, Set.of(0)),
          entry(AveragePool2dGrad.class, Set.of(0)),
          entry(GlobalAveragePool.class, Set.of(0)),
          entry(GlobalAveragePoolGrad.class, Set.of(0)),
          entry(GlobalMaxPool.class, Set.of(0)),
          entry(GlobalMaxPoolGrad.class, Set.of(0, 1, 2)),
          entry(Dropout.class, Set.of(0)),
          entry(Transpose.class, Set.of(0)),
          entry(Reshape.class, Set.of(0)),
          entry(Concat.class, Set.of()), // of all
          entry(Split.class, Set.of(0)),
          entry(Slice.class, Set.of(0)),
          entry(SliceGrad.class, Set.of(0)),
          entry(Pad.class, Set.of(0)),
          entry(PadGrad.class, Set.of(0)),
          entry(Gather.class, Set.of(0)),
          entry(GatherGrad.class, Set.of(1)),
          entry(EmbeddingGrad.class, Set.of(1)),
          entry(MeanScale.class, Set.of(0)),
          entry(ReduceSum.class, Set.of(0)),
          entry(ReduceMean.class, Set.of(0)),
          entry(ReduceSumSquares.class, Set.of(0)));

  /**
   * Element-wise operations whose results reach beyond float16's range or lose what their readers
   * need, and losses.
   */
  private static final Set<String> WIDE =
      Set.of(
          "exp",
          "log",
          "pow",
          "square",
          "sqrt",
          "rsqrt",
          "reciprocal",
          "clip_scale",
          "sigmoid_cross_entropy",
          "sigmoid_cross_entropy_grad",
          "binary_cross_entropy",
          "binary_cross_entropy_grad",
          "huber",
          "kl_divergence",
          "fake_quantize",
          "fake_quantize_grad");

  private HalfRules() {}

  static boolean isProduct(Op op) {
    return PRODUCTS.containsKey(op.getClass());
  }

  static boolean isFollower(Op op) {
    return FOLLOWERS.containsKey(op.getClass());
  }

  /** Whether that input is one of those that are 16-bit together. */
  static boolean isNarrow(Op op, int input) {
    Set<Integer> inputs = isProduct(op) ? PRODUCTS.get(op.getClass()) : null;
    inputs = inputs == null ? FOLLOWERS.get(op.getClass()) : inputs;
    return inputs.isEmpty() || inputs.contains(input);
  }

  static boolean isWide(String operation) {
    return WIDE.contains(operation);
  }
}
