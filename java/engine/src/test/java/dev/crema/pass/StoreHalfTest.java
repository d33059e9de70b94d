package dev.crema.pass;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crema.graph.Application;
import dev.crema.graph.Assign;
import dev.crema.graph.Fused;
import dev.crema.graph.Graph;
import dev.crema.graph.Input;
import dev.crema.graph.Node;
import dev.crema.graph.Op;
import dev.crema.graph.Storage;
import dev.crema.graph.TensorType;
import dev.crema.graph.Variable;
import dev.crema.memory.ElementType;
import dev.crema.op.Add;
import dev.crema.op.CastAll;
import dev.crema.op.Embedding;
import dev.crema.op.LayerNorm;
import dev.crema.op.Linear;
import dev.crema.op.MatMul;
import dev.crema.op.MeanScale;
import dev.crema.op.Mul;
import dev.crema.op.ReduceMean;
import dev.crema.op.ReduceSum;
import dev.crema.op.Relu;
import dev.crema.op.SoftmaxCrossEntropy;
import dev.crema.op.Square;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class StoreHalfTest {
  private static final ElementType HALF = ElementType.BFLOAT16;

  private final Graph graph = new Graph();
  private final Node x = graph.input("x", TensorType.batchOf(6));
  private final Node labels = graph.input("labels", TensorType.batchOf(ElementType.INT32));
  private final Node w1 = weight("w1", 0, 6, 8);
  private final Node b1 = weight("b1", 48, 8);
  private final Node w2 = weight("w2", 64, 8, 3);
  private final Node b2 = weight("b2", 96, 3);

  private Node weight(String name, long offset, long... extents) {
    return graph.variable(name, Storage.PARAMETERS, offset, TensorType.of(extents));
  }

  /** Two dense layers, their loss and their gradients, each stored. */
  private List<Application> network() {
    Node h = x.then(new Linear(), w1, null).then(new Add(), b1).then(new Relu());
    Node logits = h.then(new Linear(), w2, null).then(new Add(), b2);
    Node loss = logits.then(new SoftmaxCrossEntropy(0), labels, null);
    Node total = ReduceMean.all(loss);
    Map<Node, Node> flows = Autodiff.gradients(total, List.of(w1, b1, w2, b2));
    for (Map.Entry<Node, Node> f : flows.entrySet()) {
      Variable v = (Variable) f.getKey().op();
      Node place = graph.variable("g", Storage.GRADIENTS, v.offset(), v.type());
      graph.apply(new Assign(false), place, f.getValue());
    }
    return live(total, logits);
  }

  private List<Application> live(Node... outputs) {
    List<Pass> passes =
        Passes.stored(Passes.standard(), new StoreHalf(HALF, kernel -> true, false));
    Passes.Result result = Passes.apply(passes, new Computation(graph, Set.of(outputs), a -> -1L));
    for (Node y : outputs) {
      assertThat(result.outputs().get(y).type()).isEqualTo(y.type());
    }
    return result.computation().live();
  }

  @Test
  void productsReadHalfAndEveryWeightIsCastOnce() {
    List<Application> all = network();
    List<Application> products =
        all.stream().filter(a -> a.op() instanceof Linear || a.op() instanceof MatMul).toList();
    assertThat(products).hasSize(5);
    for (Application p : products) {
      assertThat(p.input(0).type().element()).isEqualTo(HALF);
      assertThat(p.input(1).type().element()).isEqualTo(HALF);
    }
    assertThat(all.stream().filter(StoreHalfTest::isCastOfSource).map(a -> a.input(0).op()))
        .as("the input")
        .singleElement()
        .isInstanceOf(Input.class);
    List<Application> joined = all.stream().filter(a -> a.op() instanceof CastAll).toList();
    assertThat(joined).as("all parameters by one launch").hasSize(1);
    assertThat(joined.get(0).inputs()).doesNotHaveDuplicates().hasSize(4);
    assertThat(joined.get(0).inputs()).allMatch(w -> w.op() instanceof Variable);
  }

  @Test
  void parametersAreCastAnewWhereTheyHaveChanged() {
    Node before = x.then(new Linear(), w1, null).then(new Linear(), w2, null);
    graph.apply(new Assign(false), w1, x.graph().variable("g", Storage.GRADIENTS, 0, w1.type()));
    Node after = x.then(new Linear(), w1, null).then(new Linear(), w2, null);
    List<Application> all = live(before, after);
    List<Node> read = new ArrayList<>();
    for (Application a : all) {
      if (a.op() instanceof CastAll) {
        read.addAll(a.inputs());
      } else if (isCastOfSource(a)) {
        read.add(a.input(0));
      }
    }
    assertThat(read)
        .filteredOn(w -> w.op() instanceof Variable v && v.name().equals("w1"))
        .hasSize(2);
    assertThat(all.stream().filter(a -> a.op() instanceof CastAll)).hasSize(1);
  }

  private static boolean isCastOfSource(Application a) {
    boolean source = !a.inputs().isEmpty() && a.input(0).application().inputs().isEmpty();
    return source
        && a.outputs().size() == 1
        && a.output(0).type().element() == HALF
        && a.output(0).type().sameDims(a.input(0).type())
        && a.inputs().size() == 1;
  }

  @Test
  void logitsAndTheirGradientAreHalfAndLossesAndGradientsOfWeightsFloat32() {
    for (Application a : network()) {
      if (a.op() instanceof SoftmaxCrossEntropy) {
        assertThat(a.input(0).type().element()).as("logits").isEqualTo(HALF);
        assertThat(a.input(0).op()).as("read as they were stored").isInstanceOf(Linear.class);
        assertThat(a.output(0).type().element()).isEqualTo(ElementType.FLOAT32);
        assertThat(a.output(1).type().element()).as("dlogits").isEqualTo(HALF);
      }
      if (a.op() instanceof Assign) {
        assertThat(a.input(1).type().element()).isEqualTo(ElementType.FLOAT32);
      }
      if (a.op() instanceof MatMul product && product.transposeA()) {
        assertThat(product.wide()).as("gradients of kernels").isTrue();
      }
    }
  }

  @Test
  void resultsThatAreReadInFloat32AreStoredSo() {
    Node y = x.then(new Linear(), w1, b1).then(new Linear(), w2, b2);
    for (Application a : live(y)) {
      if (a.op() instanceof Linear linear && a.output(0).type().dim(-1).constant() == 3) {
        assertThat(linear.wide()).as("they are stored as they are summed").isTrue();
        assertThat(a.input(2).op()).as("their bias is not cast").isInstanceOf(Variable.class);
      }
    }
  }

  @Test
  void nothingIsCastBackAndForth() {
    for (Application a : network()) {
      for (Node in : a.inputs()) {
        if (in != null && isCopy(a) && isCopy(in.application())) {
          assertThat(in.application().input(0).type().element())
              .as("%s of %s", a, in)
              .isNotEqualTo(a.output(0).type().element());
        }
      }
    }
  }

  private static boolean isCopy(Application a) {
    return a.op() instanceof dev.crema.op.Cast
        || a.op() instanceof Fused f
            && f.steps().stream().allMatch(s -> s.operation().equals("copy"));
  }

  @Test
  void aResidualStreamIsHalfFromTheEmbeddingOn() {
    Node ids = graph.input("ids", TensorType.batchOf(ElementType.INT32, 5));
    Node table = weight("table", 200, 10, 8);
    Node gamma = weight("gamma", 300, 8);
    Node w = weight("w", 400, 8, 8);
    Node e = ids.then(new Embedding(), table);
    Node n = e.then(new LayerNorm(1e-5), gamma, null);
    Node y = e.then(new Add(), n.then(new Linear(), w, null));
    Node z = y.then(new LayerNorm(1e-5), gamma, null).then(new Linear(), w, null);
    for (Application a : live(z)) {
      if (a.op() instanceof LayerNorm) {
        assertThat(a.input(0).type().element()).isEqualTo(HALF);
        assertThat(a.input(1).type().element()).isEqualTo(ElementType.FLOAT32);
        assertThat(a.output(1).type().element()).isEqualTo(ElementType.FLOAT32);
      }
      if (a.op() instanceof Embedding) {
        assertThat(a.input(1).op()).as("the table is not cast").isInstanceOf(Variable.class);
      }
    }
  }

  @Test
  void squaresAreTakenInFloat32AndOfTwoTypesTheWiderIsKept() {
    Node y = x.then(new Linear(), w1, null);
    Node target = graph.input("target", TensorType.batchOf(8));
    Node d = y.then(new dev.crema.op.Sub(), target);
    Node loss = ReduceMean.all(d.then(new Square()));
    for (Application a : live(loss)) {
      if (a.op() instanceof Fused || a.op() instanceof ReduceMean) {
        a.outputs()
            .forEach(
                out -> {
                  if (out.type().sameDims(d.type()) || out.type().rank() == 0) {
                    assertThat(out.type().element()).isEqualTo(ElementType.FLOAT32);
                  }
                });
      }
    }
  }

  @Test
  void whatTheDeviceLacksIsComputedInFloat32() {
    Node y = x.then(new Linear(), w1, null).then(new LayerNorm(1e-5), null, null);
    Set<String> has = new HashSet<>(Set.of("linear", "elementwise"));
    List<Pass> passes = Passes.stored(List.of(), new StoreHalf(HALF, has::contains, true));
    List<Application> all =
        Passes.apply(passes, new Computation(graph, Set.of(y), a -> -1L)).computation().live();
    List<Op> ops = new ArrayList<>();
    all.forEach(a -> ops.add(a.op()));
    Application norm = all.get(ops.indexOf(new LayerNorm(1e-5)));
    assertThat(norm.input(0).type().element()).isEqualTo(ElementType.FLOAT32);
  }

  @Test
  void onlyTheExtentsOfWhatAMeanIsOfCount() {
    Node y = x.then(new Linear(), w1, null).then(new Relu());
    Node flow = Autodiff.gradients(ReduceMean.all(y.then(new Mul(), y)), List.of(w1)).get(w1);
    for (Application a : live(flow)) {
      assertThat(a.op() instanceof MeanScale && a.input(1).op() instanceof dev.crema.op.Cast)
          .as("cast for its extents")
          .isFalse();
    }
  }

  @Test
  void aWrittenVariableIsCastAgain() {
    Node first = x.then(new Linear(), w1, null);
    graph.apply(new Assign(false), w1, w1.then(new Mul(), graph.constant(2)));
    Node second = x.then(new Linear(), w1, null);
    long casts =
        live(ReduceSum.all(first), ReduceSum.all(second)).stream()
            .filter(StoreHalfTest::isCastOfSource)
            .filter(a -> a.input(0).op() instanceof Variable)
            .count();
    assertThat(casts).isEqualTo(2);
  }

  @Test
  void parametersThatNoRunChangesAreCastAhead() {
    Node b3 = weight("b3", 160, 5);
    Node h = x.then(new Linear(), w1, null).then(new Add(), b1).then(new Relu());
    Node y = h.then(new Linear(), w2, null).then(new Linear(), w3(), b3);
    List<Pass> passes = Passes.stored(Passes.standard(), new StoreHalf(HALF, k -> true, true));
    Computation all =
        Passes.apply(passes, new Computation(graph, Set.of(y), a -> -1L)).computation();
    long end = 0;
    int products = 0;
    for (Application a : all.live()) {
      if (a.op() instanceof Linear) {
        Variable v = (Variable) a.input(1).op();
        assertThat(v.storage()).isEqualTo(Storage.PREPARED);
        assertThat(v.offset()).as("no two in one place").isGreaterThanOrEqualTo(end);
        end = v.offset() + v.type().elements().constant();
        products++;
        if (a.output(0).type().element() == ElementType.FLOAT32) {
          assertThat(((Variable) a.input(2).op()).name()).as("not rounded").isEqualTo("b3");
        }
      }
      if (a.op() instanceof Assign) {
        assertThat(all.sections().applyAsLong(a)).isEqualTo(Computation.PREPARE);
      }
    }
    assertThat(products).isEqualTo(3);
  }

  private Node w3() {
    return weight("w3", 128, 3, 5);
  }
}
