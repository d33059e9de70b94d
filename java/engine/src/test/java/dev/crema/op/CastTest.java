package dev.crema.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.CremaException;
import dev.crema.device.Device;
import dev.crema.graph.Fused;
import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.Op;
import dev.crema.graph.ShapeException;
import dev.crema.graph.Storage;
import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import dev.crema.pass.Autodiff;
import dev.crema.pass.Computation;
import dev.crema.pass.FuseElementwise;
import dev.crema.pass.Passes;
import dev.crema.plan.Plan;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Tensors of 16-bit types in graphs; what devices compute of them is checked with each op. */
final class CastTest {
  private static final Cast HALF = new Cast(ElementType.BFLOAT16);
  private static final Cast FLOAT = new Cast(ElementType.FLOAT32);

  private final Graph graph = new Graph();
  private final Node x = graph.input("x", TensorType.batchOf(4));
  private final Node w = graph.variable("w", Storage.PARAMETERS, 0, TensorType.of(4, 4));

  @Test
  void anElementwiseOpIsOfTheNarrowTypeAsSoonAsOneInputIs() {
    Node half = x.then(HALF);
    assertThat(half.then(new Add(), x).type()).isEqualTo(half.type());
    assertThat(x.then(new Add(), half).type()).isEqualTo(half.type());
    assertThatThrownBy(() -> half.then(new Add(), x.then(new Cast(ElementType.FLOAT16))))
        .isInstanceOf(ShapeException.class)
        .hasMessageContaining("BFLOAT16 and FLOAT16");
    assertThatThrownBy(() -> new Cast(ElementType.INT32)).isInstanceOf(ShapeException.class);
  }

  @Test
  void sumsAreFloat32AndProductsOfOneType() {
    Node half = x.then(HALF);
    Node weights = w.then(HALF);
    assertThat(ReduceSum.all(half).type()).isEqualTo(TensorType.of());
    assertThat(half.then(new Linear(), weights, null).type()).isEqualTo(half.type());
    assertThat(half.then(new Linear().asWide(), weights, null).type()).isEqualTo(x.type());
    assertThat(half.then(new MatMul(false, false).asWide(), weights).type()).isEqualTo(x.type());
    assertThatThrownBy(() -> half.then(new Linear(), w, null))
        .isInstanceOf(ShapeException.class)
        .hasMessageContaining("kernel must be BFLOAT16");
  }

  @Test
  void whatFlowsBackHasTheTypeOfWhatItFlowsInto() {
    Node half = x.then(HALF);
    Node weights = w.then(HALF);
    Node loss = ReduceSum.all(half.then(new Linear(), weights, null).then(new Relu()));
    Map<Node, Node> flows = Autodiff.gradients(loss, List.of(x, half, w, weights));
    flows.forEach((node, flow) -> assertThat(flow.type()).isEqualTo(node.type()));
    assertThat(flows).hasSize(4);
  }

  @Test
  void aCastJoinsAChainAndIsNoStep() {
    Node half = x.then(HALF);
    Node y = half.then(FLOAT).then(new Exp()).then(HALF).then(new Neg());
    Fused fused = (Fused) fused(y).get(1);
    assertThat(fused.steps()).extracting(Fused.Step::operation).containsExactly("exp", "neg");
    assertThat(fused.types()).containsExactly(y.type());
  }

  @Test
  void aValueIsStoredInBothTypesWhereBothAreNeeded() {
    Node e = x.then(new Exp());
    Node half = e.then(HALF);
    Node narrow = half.then(new Linear(), w.then(HALF), null);
    Node wide = e.then(new Linear(), w, null);
    List<Op> ops = fused(narrow, wide);
    Fused fused = (Fused) ops.stream().filter(o -> o instanceof Fused).findFirst().orElseThrow();
    assertThat(fused.types()).containsExactly(e.type(), half.type());
    assertThat(fused.steps()).extracting(Fused.Step::operation).containsExactly("exp", "copy");
    assertThat(fused.steps().get(1).destination()).isEqualTo(2);
  }

  @Test
  void aValueThatOnlyItsCastNeedsIsComputedWhereThatIsStored() {
    Node half = x.then(new Exp()).then(HALF);
    Node y = half.then(new Linear(), w.then(HALF), null);
    Fused fused =
        (Fused) fused(y).stream().filter(o -> o instanceof Fused).findFirst().orElseThrow();
    assertThat(fused.types()).containsExactly(half.type());
    assertThat(fused.steps()).hasSize(1);
    assertThat(fused.steps().get(0).destination()).isEqualTo(1);
  }

  @Test
  void theCpuSaysThatItHasNoSuchKernels() {
    Node y = x.then(HALF).then(new Softmax());
    assertThatThrownBy(() -> Plan.of(graph).outputs(y).device(Device.cpu()).build())
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("cpu has no kernel")
        .hasMessageContaining("BFLOAT16")
        .hasMessageContaining("Cast them to FLOAT32");
  }

  private List<Op> fused(Node... outputs) {
    return Passes.apply(
            List.of(new FuseElementwise()), new Computation(graph, Set.of(outputs), a -> -1L))
        .computation()
        .live()
        .stream()
        .map(a -> a.op())
        .toList();
  }
}
