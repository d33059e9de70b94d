package dev.crema.bench;

import dev.crema.graph.Node;
import dev.crema.op.Add;
import dev.crema.op.ArgMax;
import dev.crema.op.Dropout;
import dev.crema.op.Exp;
import dev.crema.op.Huber;
import dev.crema.op.LogSoftmax;
import dev.crema.op.Mul;
import dev.crema.op.ReduceMax;
import dev.crema.op.ReduceSum;
import dev.crema.op.Sigmoid;
import dev.crema.op.Silu;
import dev.crema.op.SoftmaxCrossEntropy;
import dev.crema.op.SoftmaxGrad;
import dev.crema.op.Sub;
import dev.crema.op.Tanh;
import dev.crema.op.TopK;
import java.util.List;

/** Element by element and along rows: activations, broadcasts, reductions, losses. */
final class ElementwiseKernels {
  private ElementwiseKernels() {}

  static void addTo(KernelList list) {
    elementwise(list);
    rows(list);
    losses(list);
  }

  private static void elementwise(KernelList list) {
    list.matrix("exp", new Exp());
    list.matrix("tanh", new Tanh());
    list.matrix("sigmoid", new Sigmoid());
    list.matrix("silu", new Silu());
    list.add(
        "add",
        "Add of two [4096, 1024]",
        Limit.triad(3 * KernelList.MATRIX),
        in -> List.of(KernelList.matrix(in, 1).then(new Add(), KernelList.matrix(in, 2))));
    list.add(
        "fused",
        "tanh(a·b + b)·a, one fused kernel",
        Limit.triad(3 * KernelList.MATRIX),
        in -> {
          Node a = KernelList.matrix(in, 1);
          Node b = KernelList.matrix(in, 2);
          Node y = a.then(new Mul(), b).then(new Add(), b).then(new Tanh()).then(new Mul(), a);
          return List.of(y);
        });
    list.add(
        "broadcast",
        "[4096, 1024] + [1024]",
        Limit.copy(2 * KernelList.MATRIX),
        in -> List.of(KernelList.matrix(in, 1).then(new Add(), in.uniform(2, KernelList.COLUMNS))));
    list.add(
        "dropout",
        "Dropout of [4096, 1024]",
        Limit.copy(2 * KernelList.MATRIX),
        in -> List.of(KernelList.matrix(in, 1).then(new Dropout(0.5, 1), in.uniform(2, 4))));
  }

  private static void rows(KernelList list) {
    list.matrix("log-softmax", new LogSoftmax());
    list.add(
        "softmax-grad",
        "Gradient of softmax of [4096, 1024]",
        Limit.triad(3 * KernelList.MATRIX),
        in -> List.of(KernelList.matrix(in, 1).then(new SoftmaxGrad(), KernelList.matrix(in, 2))));
    list.add(
        "arg-max",
        "ArgMax of [4096, 1024]",
        Limit.read(KernelList.MATRIX),
        in -> List.of(KernelList.matrix(in, 1).then(new ArgMax(1))));
    list.add(
        "top-k",
        "The 5 largest of each row of [4096, 1024]",
        Limit.read(KernelList.MATRIX),
        in -> List.of(KernelList.matrix(in, 1).then(new TopK(5))));
    list.add(
        "reduce-sum.rows",
        "Sums of the rows of [4096, 1024]",
        Limit.read(KernelList.MATRIX),
        in -> List.of(KernelList.matrix(in, 1).then(new ReduceSum(List.of(1), false))));
    list.add(
        "reduce-sum.columns",
        "Sums of the columns of [4096, 1024]",
        Limit.read(KernelList.MATRIX),
        in -> List.of(KernelList.matrix(in, 1).then(new ReduceSum(List.of(0), false))));
    list.add(
        "reduce-max.rows",
        "Maxima of the rows of [4096, 1024]",
        Limit.read(KernelList.MATRIX),
        in -> List.of(KernelList.matrix(in, 1).then(new ReduceMax(List.of(1), false))));
  }

  private static void losses(KernelList list) {
    list.add(
        "softmax-cross-entropy",
        "Loss and gradient of [4096, 1024] against classes",
        Limit.copy(2 * KernelList.MATRIX),
        in -> {
          Node logits = KernelList.matrix(in, 1);
          Node loss =
              logits.then(
                  new SoftmaxCrossEntropy(0),
                  in.indices(2, KernelList.COLUMNS, KernelList.ROWS),
                  (Node) null);
          return List.of(loss, loss.application().output(1));
        });
    list.add(
        "huber",
        "Huber loss of each difference of two [4096, 1024]",
        Limit.triad(3 * KernelList.MATRIX),
        in ->
            List.of(
                KernelList.matrix(in, 1)
                    .then(new Sub(), KernelList.matrix(in, 2))
                    .then(new Huber(0.5))));
  }
}
