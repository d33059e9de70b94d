package dev.crema.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.CremaException;
import dev.crema.graph.Application;
import dev.crema.graph.Assign;
import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.Storage;
import dev.crema.graph.TensorType;
import dev.crema.op.Add;
import dev.crema.op.Mul;
import dev.crema.op.Relu;
import dev.crema.op.Reshape;
import dev.crema.op.Transpose;
import dev.crema.pass.Computation;
import java.util.Set;
import java.util.function.ToLongFunction;
import org.junit.jupiter.api.Test;

class LivenessTest {
  private static final TensorType ROW = TensorType.of(4);

  private final Graph graph = new Graph();
  private final Node x = graph.input("x", TensorType.batchOf(4));
  private final Node v = graph.variable("v", Storage.PARAMETERS, 0, ROW);
  private final Node w = graph.variable("w", Storage.PARAMETERS, 4, ROW);
  private final Node both = graph.variable("both", Storage.PARAMETERS, 2, ROW); // of v and w

  @Test
  void elementWiseChainsAreComputedInOneBlock() {
    Node y = x.then(new Relu());
    Node z = y.then(new Relu());
    Node end = z.then(new Relu()).then(Transpose.of(1, 0));
    Liveness l = live(end);
    assertThat(l.block(z)).isSameAs(l.block(y));
    assertThat(l.arenaBlocks()).hasSize(2);
  }

  @Test
  void nothingIsWrittenOverWhatAnAliasStillNeeds() {
    Node y = x.then(new Relu());
    Node alias = y.then(new Reshape(TensorType.batchOf(2, 2)));
    Node z = y.then(new Relu());
    Node end = z.then(new Add(), alias.then(new Reshape(TensorType.batchOf(4))));
    Liveness l = live(end);
    assertThat(l.block(alias)).isSameAs(l.block(y));
    assertThat(l.block(z)).isNotSameAs(l.block(y));
  }

  @Test
  void nothingIsWrittenOverAnOutputOrAnInput() {
    Node y = x.then(new Relu());
    Node z = y.then(new Relu());
    Liveness l = live(y, z);
    assertThat(l.block(z)).isNotSameAs(l.block(y));
    assertThat(l.block(x).isArena()).isFalse();
  }

  @Test
  void aValueIsComputedWhereItIsStored() {
    Node value = w.then(new Relu());
    graph.apply(new Assign(false), v, value);
    Liveness l = live();
    assertThat(l.block(value).origin).isSameAs(v);
    assertThat(assigns(l)).isZero();
  }

  @Test
  void aValueOfTheVariableItselfIsComputedInPlaceElementByElement() {
    graph.apply(new Assign(false), v, v.then(new Mul(), w));
    assertThat(assigns(live())).isZero();
  }

  @Test
  void aVariableThatIsReadBeforeTheStoreIsStoredAfterwards() {
    Node value = w.then(new Relu());
    Node read = v.then(new Relu());
    graph.apply(new Assign(false), v, value);
    Liveness l = live(read);
    assertThat(assigns(l)).isOne();
    assertThat(l.block(value).isArena()).isTrue();
  }

  @Test
  void aVariableThatOverlapsIsReadBeforeTheStore() {
    graph.apply(new Assign(false), v, both.then(new Relu()));
    assertThat(assigns(live())).isOne();
  }

  @Test
  void aReshapedVariableIsTheVariable() {
    Node alias = v.then(new Reshape(TensorType.of(2, 2)));
    Node value = w.then(new Relu());
    Node read = alias.then(new Relu());
    graph.apply(new Assign(false), v, value);
    assertThat(assigns(live(read))).isOne();
  }

  @Test
  void aValueThatIsReadAfterwardsHasItsOwnMemory() {
    Node value = w.then(new Relu());
    graph.apply(new Assign(false), v, value);
    assertThat(assigns(live(value.then(new Relu())))).isOne();
    assertThat(assigns(live(value))).isOne();
  }

  @Test
  void sectionsThatRunApartStoreApart() {
    Node value = w.then(new Relu());
    Application assign = graph.apply(new Assign(false), v, value);
    Liveness l = live(a -> a == assign ? 2 : 1);
    assertThat(assigns(l)).isOne();
  }

  @Test
  void onlyVariablesAreWrittenTo() {
    graph.apply(new Assign(false), w.then(new Relu()), v);
    assertThatThrownBy(this::live)
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("Assign writes to Relu [4], which is not a variable");
  }

  @Test
  void whatNobodyNeedsDoesNotRun() {
    x.then(new Relu());
    Node y = x.then(new Relu());
    assertThat(live(y).order()).extracting(Application::op).containsExactly(x.op(), new Relu());
  }

  private Liveness live(Node... outputs) {
    return live(a -> 1, outputs);
  }

  private Liveness live(ToLongFunction<Application> sections, Node... outputs) {
    return Liveness.of(new Computation(graph, Set.of(outputs), sections), 8, true);
  }

  private static long assigns(Liveness l) {
    return l.order().stream().filter(a -> a.op() instanceof Assign).count();
  }
}
