package dev.crema.pass;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crema.graph.Assign;
import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.Op;
import dev.crema.graph.Precision;
import dev.crema.graph.Storage;
import dev.crema.graph.TensorType;
import dev.crema.graph.Variable;
import dev.crema.op.Conv2d;
import dev.crema.op.FusedActivation;
import dev.crema.op.Linear;
import dev.crema.op.PackSparse;
import dev.crema.op.SparseLinear;
import dev.crema.op.Window2d;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class SparsifyTest {
  private static final NonZeros FIVE = new NonZeros(5, 4);
  private static final Sparsify.Choice ALWAYS = (product, nonZeros) -> true;

  private static List<Op> ops(Node y, Pass... passes) {
    Computation from = new Computation(y.graph(), Set.of(y), a -> 1L);
    return Passes.apply(List.of(passes), from).computation().live().stream()
        .map(a -> a.op())
        .toList();
  }

  private static Node dense(Graph graph, Node x, String kernel, long offset, Op op) {
    TensorType type = TensorType.of(x.type().extent(-1), 8);
    Node w = graph.variable(kernel, Storage.PARAMETERS, offset, type);
    return graph.apply(op, x, w, null).output(0);
  }

  private static long sparse(List<Op> ops) {
    return ops.stream().filter(op -> op instanceof SparseLinear).count();
  }

  @Test
  void onlyKernelsThatAreMostlyZeroAndPayAreRewritten() {
    Graph graph = new Graph();
    Node x = graph.input("x", TensorType.batchOf(8));
    Node a = dense(graph, x, "a", 0, new Linear(FusedActivation.TANH));
    Node b = dense(graph, a, "b", 64, new Linear());
    Node y = dense(graph, b, "c", 128, new Linear());
    List<String> asked = new ArrayList<>();
    Sparsify some =
        new Sparsify(
            Map.of("a", FIVE, "b", new NonZeros(6, 2)),
            4,
            (product, nonZeros) -> {
              asked.add(((Variable) product.input(1).op()).name() + " " + nonZeros.weights());
              return nonZeros.equals(FIVE);
            });
    List<Op> ops = ops(y, some, new Prepack());
    assertThat(asked).containsExactly("a 5", "b 6");
    assertThat(ops).contains(new SparseLinear(FusedActivation.TANH));
    assertThat(sparse(ops)).isEqualTo(1);
    assertThat(ops.stream().filter(op -> op instanceof Linear).count()).isEqualTo(2);
  }

  @Test
  void whatIsPackedLiesBesideWhatOtherPassesPack() {
    Graph graph = new Graph();
    Node x = graph.input("x", TensorType.batchOf(8));
    Node y = dense(graph, dense(graph, x, "a", 0, new Linear()), "b", 64, new Linear());
    List<Variable> prepared =
        ops(y, new Sparsify(Map.of("a", FIVE), 5, ALWAYS), new Prepack()).stream()
            .filter(op -> op instanceof Variable v && v.storage().equals(Storage.PREPARED))
            .map(op -> (Variable) op)
            .toList();
    assertThat(prepared).extracting(Variable::name).containsExactly("a.sparse", "b.packed");
    assertThat(prepared.get(1).offset())
        .isGreaterThanOrEqualTo(prepared.get(0).type().elements().constant());
  }

  @Test
  void fewExamplesArePackedOtherwiseThanMany() {
    assertThat(packedFor(1)).isEqualTo("a.sparse1");
    assertThat(packedFor(PackSparse.FEW)).isEqualTo("a.sparse" + PackSparse.FEW);
    assertThat(packedFor(PackSparse.FEW + 1)).isEqualTo("a.sparse");
    assertThat(packedFor(100)).isEqualTo("a.sparse");
    assertThat(new PackSparse(PackSparse.FEW + 1)).isEqualTo(new PackSparse(100));
  }

  private static String packedFor(long capacity) {
    Graph graph = new Graph();
    Node y = dense(graph, graph.input("x", TensorType.batchOf(8)), "a", 0, new Linear());
    return ops(y, new Sparsify(Map.of("a", FIVE), capacity, ALWAYS)).stream()
        .filter(op -> op instanceof Variable v && v.storage().equals(Storage.PREPARED))
        .map(op -> ((Variable) op).name())
        .findFirst()
        .orElseThrow();
  }

  @Test
  void convolutionsOfSinglePixelsAreRewrittenOthersAreNot() {
    Window2d pixels = Window2d.valid(1, 1);
    assertThat(convolution(1, 8, new Conv2d(pixels))).isEqualTo(1);
    assertThat(convolution(3, 8, new Conv2d(pixels))).isZero();
    assertThat(convolution(1, 8, new Conv2d(Window2d.valid(2, 2)))).isZero();
    assertThat(convolution(1, 8, new Conv2d(pixels.padded(1, 0, 0, 0)))).isZero();
    assertThat(convolution(1, 4, new Conv2d(pixels, 2))).isZero();
  }

  private static long convolution(long side, long in, Conv2d op) {
    Graph graph = new Graph();
    Node x = graph.input("x", TensorType.batchOf(5, 5, 8));
    Node w = graph.variable("a", Storage.PARAMETERS, 0, TensorType.of(side, side, in, 6));
    return sparse(
        ops(graph.apply(op, x, w, null).output(0), new Sparsify(Map.of("a", FIVE), 2, ALWAYS)));
  }

  @Test
  void bfloat16ProductsAndPlansThatChangeParametersAreLeftAsTheyAre() {
    Sparsify all = new Sparsify(Map.of("a", FIVE), 2, ALWAYS);
    Graph graph = new Graph();
    Node x = graph.input("x", TensorType.batchOf(8));
    assertThat(
            sparse(
                ops(dense(graph, x, "a", 0, new Linear().withPrecision(Precision.BFLOAT16)), all)))
        .isZero();
    Graph training = new Graph();
    Node y = dense(training, training.input("x", TensorType.batchOf(8)), "a", 0, new Linear());
    Node state = training.variable("state", Storage.STATE, 0, TensorType.of(8));
    Node other = training.variable("other", Storage.PARAMETERS, 64, TensorType.of(8));
    training.apply(new Assign(false), state, other);
    assertThat(sparse(ops(y, all))).isZero();
  }
}
