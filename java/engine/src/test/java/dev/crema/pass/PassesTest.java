package dev.crema.pass;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.graph.Application;
import dev.crema.graph.Assign;
import dev.crema.graph.Constant;
import dev.crema.graph.Fused;
import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.Op;
import dev.crema.graph.Precision;
import dev.crema.graph.Storage;
import dev.crema.graph.TensorType;
import dev.crema.op.Add;
import dev.crema.op.BroadcastTo;
import dev.crema.op.Conv1d;
import dev.crema.op.Conv2d;
import dev.crema.op.ConvTranspose2d;
import dev.crema.op.FusedActivation;
import dev.crema.op.Linear;
import dev.crema.op.MatMul;
import dev.crema.op.Mul;
import dev.crema.op.ReduceSum;
import dev.crema.op.Relu;
import dev.crema.op.Reshape;
import dev.crema.op.Transpose;
import dev.crema.op.Window2d;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class PassesTest {
  private static final TensorType ROWS = TensorType.batchOf(4);

  private final Graph graph = new Graph();
  private final Node x = graph.input("x", ROWS);
  private final Node b = graph.input("b", TensorType.of(4));
  private final Node v = graph.variable("v", Storage.PARAMETERS, 0, TensorType.of(4));

  @Test
  void aChainBecomesOneInstruction() {
    Node y = x.then(new Add(), b).then(new Relu()).then(new Mul(), x);
    Fused fused = onlyFused(new FuseElementwise(), y);
    assertThat(fused.types()).hasSize(1);
    assertThat(fused.steps()).hasSize(3);
    // x, b, the output and one temporary that the two intermediates share.
    assertThat(fused.steps()).extracting(Fused.Step::destination).containsExactly(3, 3, 2);
  }

  @Test
  void branchesThatMeetAreOneTree() {
    Node y = x.then(new Relu()).then(new Add(), x.then(new Mul(), b));
    assertThat(onlyFused(new FuseElementwise(), y).steps()).hasSize(3);
  }

  @Test
  void whatIsNeededOutsideIsAFurtherOutput() {
    Node a = x.then(new Add(), b);
    Node y = a.then(new Relu());
    Node z = a.then(Transpose.of(1, 0));
    List<Op> ops = computed(new FuseElementwise(), y, z);
    assertThat(ops).hasSize(2).last().isEqualTo(Transpose.of(1, 0));
    assertThat(((Fused) ops.get(0)).types()).hasSize(2);
  }

  @Test
  void aBroadcastIsReadWithoutACopy() {
    Node y = b.then(new BroadcastTo(ROWS)).then(new Mul(), x);
    assertThat(onlyFused(new FuseElementwise(), y).steps()).hasSize(1);
  }

  @Test
  void aChainEndsWhereSomethingElseNeedsItsValueFirst() {
    Node a = x.then(new Relu());
    Node turned = a.then(Transpose.of(1, 0)).then(Transpose.of(1, 0));
    Node y = a.then(new Add(), turned); // needs both: it cannot run before `turned`
    assertThat(computed(new FuseElementwise(), y)).hasSize(4);
  }

  @Test
  void anotherTypeOrAnotherSectionEndsAChain() {
    Node small = b.then(new Relu());
    assertThat(computed(new FuseElementwise(), x.then(new Add(), small))).hasSize(2);
    Node a = x.then(new Relu());
    Node y = a.then(new Relu());
    Computation apart = new Computation(graph, Set.of(y), p -> p == y.application() ? 2 : 1);
    assertThat(computed(new FuseElementwise().apply(apart).result())).hasSize(2);
  }

  @Test
  void aChainDoesNotReadAVariableAfterItIsWritten() {
    Node a = x.then(new Mul(), v);
    graph.apply(new Assign(false), v, b);
    Node y = a.then(new Relu());
    assertThat(computed(new FuseElementwise(), y)).hasSize(3);
  }

  @Test
  void aChainIsNoLongerThanAKernelTakes() {
    Node y = x;
    for (int i = 0; i < 100; i++) {
      y = y.then(new Add(), graph.input("in" + i, ROWS));
    }
    List<Op> ops = computed(new FuseElementwise(), y);
    assertThat(ops).hasSizeBetween(5, 12);
    for (Op op : ops.subList(0, ops.size() - 1)) { // the last one may be left alone
      Fused fused = (Fused) op;
      int most = fused.steps().stream().mapToInt(Fused.Step::destination).max().orElseThrow();
      assertThat(most).isLessThan(Fused.MAX_REGISTERS);
    }
  }

  @Test
  void whatIsComputedTwiceIsComputedOnce() {
    Node y = x.then(new Relu()).then(new Add(), x.then(new Relu()));
    assertThat(computed(new EliminateCommon(), y)).containsExactly(new Relu(), new Add());
  }

  @Test
  void readsOfAVariableAroundAWriteAreTwoValues() {
    Node before = v.then(new Relu());
    graph.apply(new Assign(false), v, b);
    Node after = v.then(new Relu());
    assertThat(computed(new EliminateCommon(), before.then(new Add(), after))).hasSize(4);
  }

  @Test
  void identitiesGo() {
    Node one = graph.constant(1);
    Node ones = graph.add(Constant.scalar(1)).then(new BroadcastTo(ROWS));
    Node y =
        x.then(new Relu())
            .then(new Mul(), one)
            .then(new Mul(), ones)
            .then(new Add(), graph.constant(0))
            .then(Transpose.of(1, 0))
            .then(Transpose.of(1, 0))
            .then(new Reshape(TensorType.batchOf(2, 2)))
            .then(new Reshape(ROWS))
            .then(new Relu());
    assertThat(computed(new DropIdentity(), y)).containsExactly(new Relu(), new Relu());
  }

  @Test
  void aCopyOfAVariableStaysACopy() {
    Node copy = v.then(new Mul(), graph.constant(1));
    graph.apply(new Assign(false), v, b);
    assertThat(computed(new DropIdentity(), copy.then(new Relu())))
        .containsExactly(new Mul(), new Assign(false), new Relu());
  }

  @Test
  void aTransposedOperandIsReadAsItLies() {
    Node a = graph.input("a", TensorType.batchOf(3, 5));
    Node c = graph.input("c", TensorType.batchOf(3, 5));
    Node y =
        a.then(Transpose.of(0, 2, 1)).then(new MatMul(false, true), c.then(Transpose.of(0, 2, 1)));
    assertThat(computed(new FoldTranspose(), y)).containsExactly(new MatMul(true, false));
    Node z = a.then(Transpose.of(0, 2, 1)).then(new MatMul(true, true), c);
    assertThat(computed(new FoldTranspose(), z)).containsExactly(new MatMul(false, true));
  }

  @Test
  void aProductTakesItsBiasAndItsActivation() {
    Node kernel = graph.input("kernel", TensorType.of(4, 4));
    Node y = x.then(new Linear(), kernel, null).then(new Add(), b).then(new Relu());
    assertThat(computed(new FuseActivation(), y)).containsExactly(new Linear(FusedActivation.RELU));
  }

  @Test
  void convolutionsTakeTheirBiasAndTheirActivation() {
    Node images = graph.input("images", TensorType.batchOf(6, 6, 2));
    Node kernel = graph.input("kernel", TensorType.of(3, 3, 2, 4));
    Window2d window = new Window2d(1, 1, 1, 1, 0, 0, 0, 0);
    Node y = images.then(new Conv2d(window), kernel, null).then(new Add(), b).then(new Relu());
    assertThat(computed(new FuseActivation(), y))
        .containsExactly(new Conv2d(window, 1, FusedActivation.RELU));
    Node up = graph.input("up", TensorType.of(3, 3, 4, 2));
    Node z = images.then(new ConvTranspose2d(window), up).then(new Relu());
    assertThat(computed(new FuseActivation(), z))
        .containsExactly(new ConvTranspose2d(window).withActivation(FusedActivation.RELU));
    Node sequences = graph.input("sequences", TensorType.batchOf(6, 2));
    Node line = graph.input("line", TensorType.of(3, 2, 4));
    Node w = sequences.then(new Conv1d(1, 1, 0, 0, 1), line).then(new Relu());
    assertThat(computed(new FuseActivation(), w))
        .containsExactly(new Conv1d(1, 1, 0, 0, 1, FusedActivation.RELU));
  }

  @Test
  void whatElseReadsThePreActivationKeepsItApart() {
    Node kernel = graph.input("kernel", TensorType.of(4, 4));
    Node product = x.then(new Linear(), kernel, b);
    Node y = product.then(new Relu());
    assertThat(computed(new FuseActivation(), y, product)).hasSize(2);
    assertThat(computed(new FuseActivation(), y.then(new Add(), product))).hasSize(3);
    Node late = product.then(new Relu());
    Computation apart = new Computation(graph, Set.of(late), p -> p == late.application() ? 2 : 1);
    assertThat(computed(new FuseActivation().apply(apart).result())).hasSize(2);
  }

  @Test
  void aBiasThatIsWrittenMeanwhileOrMadeLaterIsAddedLater() {
    Node kernel = graph.input("kernel", TensorType.of(4, 4));
    Node product = x.then(new Linear(), kernel, null);
    graph.apply(new Assign(false), v, b);
    assertThat(computed(new FuseActivation(), product.then(new Add(), v))).hasSize(3);
    Node later = b.then(new Relu());
    assertThat(computed(new FuseActivation(), product.then(new Add(), later))).hasSize(4);
  }

  @Test
  void aNodeInsideAChainIsNoLongerThere() {
    Node a = x.then(new Relu());
    Node y = a.then(new Relu());
    Rewrite rewrite = new FuseElementwise().apply(new Computation(graph, Set.of(y), p -> 1));
    assertThat(rewrite.map(y).op()).isInstanceOf(Fused.class);
    assertThatThrownBy(() -> rewrite.map(a))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("is not part of the rewritten graph");
  }

  @Test
  void layersKeepTheirNames() {
    graph.beginLayer("block");
    graph.beginLayer("dense");
    Node y = x.then(new Relu()).then(new Relu());
    Rewrite rewrite = new FuseElementwise().apply(new Computation(graph, Set.of(y), p -> 1));
    assertThat(rewrite.map(y).layer()).isEqualTo("block/dense");
  }

  private Fused onlyFused(Pass pass, Node... outputs) {
    List<Op> ops = computed(pass, outputs);
    assertThat(ops).hasSize(1).first().isInstanceOf(Fused.class);
    return (Fused) ops.get(0);
  }

  private List<Op> computed(Pass pass, Node... outputs) {
    return computed(pass.apply(new Computation(graph, Set.of(outputs), p -> 1)).result());
  }

  /** The ops that have inputs and move or compute something. */
  private static List<Op> computed(Computation c) {
    return c.live().stream()
        .filter(a -> !a.inputs().isEmpty() && a.op().alias() < 0)
        .map(Application::op)
        .toList();
  }

  @Test
  void mixedPrecisionReachesTheProductsOfGradientsAndNothingElse() {
    Node w = graph.variable("w", Storage.PARAMETERS, 0, TensorType.of(4, 6));
    Node y = x.then(new Linear(), w, null).then(new Relu());
    Node loss = y.then(new ReduceSum(List.of(0, 1), false));
    Node dw = Autodiff.gradients(loss, List.of(w)).get(w);
    Computation from = new Computation(graph, Set.of(loss, dw), a -> 1);
    Passes.Result result =
        Passes.apply(Passes.rounded(Passes.standard(), Precision.BFLOAT16), from);
    List<Op> ops = result.computation().live().stream().map(Application::op).toList();
    assertThat(ops).filteredOn(Linear.class::isInstance).hasSize(1);
    assertThat(ops)
        .filteredOn(op -> op instanceof Linear || op instanceof MatMul)
        .hasSize(2)
        .allMatch(
            op ->
                op instanceof Linear l
                    ? l.precision() == Precision.BFLOAT16
                    : ((MatMul) op).precision() == Precision.BFLOAT16);
  }
}
