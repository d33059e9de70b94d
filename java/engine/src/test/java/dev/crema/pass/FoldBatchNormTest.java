package dev.crema.pass;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crema.graph.Assign;
import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.Storage;
import dev.crema.graph.TensorType;
import dev.crema.graph.Variable;
import dev.crema.op.Add;
import dev.crema.op.BatchNorm;
import dev.crema.op.Conv2d;
import dev.crema.op.FusedActivation;
import dev.crema.op.Linear;
import dev.crema.op.Relu;
import dev.crema.op.Window2d;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Which normalisations are folded; what comes of it is FoldedBatchNormTest's. */
class FoldBatchNormTest {
  private static final int FEATURES = 8;

  private final Graph graph = new Graph();
  private final Node x = graph.input("x", TensorType.batchOf(FEATURES));

  private Node parameter(String name, long offset, long... dims) {
    return graph.variable(name, Storage.PARAMETERS, offset, TensorType.of(dims));
  }

  private Node state(String name, long offset) {
    return graph.variable(name, Storage.STATE, offset, TensorType.of(FEATURES));
  }

  private Node product(Node of, String kernel, long offset) {
    return of.then(new Linear(), parameter(kernel, offset, FEATURES, FEATURES), null);
  }

  private Node norm(Node of) {
    return BatchNorm.inference(
        of, parameter("gamma", 1000, FEATURES), null, state("mean", 0), state("variance", 8), 1e-5);
  }

  private static Computation apply(List<Pass> passes, Set<Node> outputs) {
    Graph of = outputs.iterator().next().graph();
    return Passes.apply(passes, new Computation(of, outputs, a -> 1L)).computation();
  }

  private static List<String> prepared(Computation of) {
    return of.live().stream()
        .filter(a -> a.op() instanceof Variable v && v.storage().equals(Storage.PREPARED))
        .map(a -> ((Variable) a.op()).name())
        .toList();
  }

  private static List<String> folded(FoldBatchNorm fold, Node... outputs) {
    return prepared(apply(List.of(fold), Set.of(outputs)));
  }

  @Test
  void theProductTakesTheNormalisationAndTheActivationBehindIt() {
    Node y = norm(product(x, "kernel", 0)).then(new Relu());
    Computation now =
        apply(List.of(new FoldBatchNorm(), new FuseActivation(), new Prepack()), Set.of(y));
    assertThat(prepared(now))
        .containsExactly("kernel.folded", "kernel.folded.bias", "kernel.folded.packed");
    List<String> run =
        now.live().stream()
            .filter(a -> now.sections().applyAsLong(a) != Computation.PREPARE)
            .filter(a -> !(a.op() instanceof Variable) && a.op() != x.op())
            .map(a -> a.op().toString())
            .toList();
    assertThat(run).containsExactly(new Linear(FusedActivation.RELU).toString());
  }

  @Test
  void oneKernelUnderTwoNormalisationsIsFoldedTwice() {
    Node kernel = parameter("kernel", 0, FEATURES, FEATURES);
    Node a = norm(x.then(new Linear(), kernel, null));
    Node b =
        BatchNorm.inference(
            a.then(new Linear(), kernel, null), null, null, state("m", 16), state("v", 24), 1e-3);
    Node c = norm(b.then(new Linear(), kernel, null)); // as the first one
    Computation now = apply(List.of(new EliminateCommon(), new FoldBatchNorm()), Set.of(c));
    List<Variable> memory =
        now.live().stream()
            .filter(v -> v.op() instanceof Variable u && u.storage().equals(Storage.PREPARED))
            .map(v -> (Variable) v.op())
            .toList();
    assertThat(memory)
        .extracting(Variable::name)
        .containsExactly(
            "kernel.folded", "kernel.folded.bias", "kernel.folded", "kernel.folded.bias");
    assertThat(memory).extracting(Variable::offset).containsExactly(0L, 64L, 80L, 144L);
  }

  @Test
  void whatElseReadsTheProductKeepsIt() {
    Node y = product(x, "kernel", 0);
    assertThat(folded(new FoldBatchNorm(), norm(y).then(new Add(), y))).isEmpty();
    assertThat(folded(new FoldBatchNorm(), norm(y), y)).isEmpty();
  }

  @Test
  void anActivationBetweenThemKeepsThemApart() {
    Node y = x.then(new Linear(), parameter("kernel", 0, FEATURES, FEATURES), null);
    assertThat(folded(new FoldBatchNorm(), norm(y.then(new Relu())))).isEmpty();
    Node z = x.then(new Linear(FusedActivation.RELU), y.application().input(1), null);
    assertThat(folded(new FoldBatchNorm(), norm(z))).isEmpty();
  }

  @Test
  void whatAPlanComputesIsNoStatistic() {
    Node y = product(x, "kernel", 0);
    Node mean = graph.input("mean", TensorType.of(FEATURES));
    Node norm = BatchNorm.inference(y, null, null, mean, state("variance", 8), 1e-5);
    assertThat(folded(new FoldBatchNorm(), norm)).isEmpty();
  }

  @Test
  void layersAndKernelsThatAreKeptStay() {
    graph.beginLayer("dense");
    Node y = norm(product(x, "kernel", 0));
    graph.endLayer();
    assertThat(folded(new FoldBatchNorm(), y)).hasSize(2);
    assertThat(folded(new FoldBatchNorm(Set.of("dense"), Set.of()), y)).isEmpty();
    assertThat(folded(new FoldBatchNorm(Set.of(), Set.of("kernel")), y)).isEmpty();
  }

  @Test
  void aPlanThatChangesParametersIsLeftAsItIs() {
    Node y = norm(product(x, "kernel", 0));
    graph.apply(new Assign(false), parameter("other", 500, 3), parameter("source", 510, 3));
    assertThat(folded(new FoldBatchNorm(), y)).isEmpty();
  }

  @Test
  void convolutionsAreProducts() {
    Node image = graph.input("image", TensorType.batchOf(4, 4, 3));
    Node kernel = parameter("kernel", 0, 3, 3, 3, FEATURES);
    Node bias = parameter("bias", 300, FEATURES);
    Node y = image.then(new Conv2d(Window2d.valid(1, 1)), kernel, bias);
    assertThat(folded(new FoldBatchNorm(), norm(y)))
        .containsExactly("kernel.folded", "kernel.folded.bias");
  }
}
