package dev.crema.device.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.CremaException;
import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.TensorType;
import dev.crema.memory.Buffer;
import dev.crema.natives.Crema;
import dev.crema.op.MatMul;
import dev.crema.plan.Plan;
import org.junit.jupiter.api.Test;

/** Memory that kernels work in counts like every other, and obeys the same limit. */
class ScratchMemoryTest {
  private static final int SIZE = 300;

  private static Plan.Builder product(int threads) {
    Graph graph = new Graph();
    Node a = graph.input("a", TensorType.of(SIZE, SIZE));
    Node b = graph.input("b", TensorType.of(SIZE, SIZE));
    return Plan.of(graph).outputs(a.then(new MatMul(false, false), b)).threads(threads);
  }

  /** What a plan for that many threads takes. */
  private static long bytes(int threads) {
    long before = Buffer.allocatedBytes();
    try (Plan plan = product(threads).build()) {
      assertThat(plan.inputs()).containsExactlyInAnyOrder("a", "b");
      return Buffer.allocatedBytes() - before;
    }
  }

  @Test
  void aPlanThatFitsButForItsScratchMemoryIsRefused() {
    long four = bytes(4);
    long scratch = four - 3L * 4 * SIZE * SIZE;
    assertThat(scratch).as("of a packed product").isGreaterThan(10_000);
    long before = Buffer.allocatedBytes();
    System.setProperty("crema.maxBytes", Long.toString(before + scratch / 2));
    try {
      assertThatThrownBy(() -> product(4).build())
          .isInstanceOf(CremaException.class)
          .hasMessageContaining("Out of native memory: Scratch memory of a plan asks for")
          .hasMessageContaining("crema.maxBytes");
      assertThat(Buffer.allocatedBytes()).as("nothing is left behind").isEqualTo(before);
    } finally {
      System.clearProperty("crema.maxBytes");
    }
  }

  @Test
  void threadsThatComeLaterGetTheirScratchMemoryAtTheNextRun() {
    int threads = Crema.crema_threads();
    Crema.crema_set_threads(1);
    long before = Buffer.allocatedBytes();
    try (Plan plan = product(0).build()) {
      long one = Buffer.allocatedBytes() - before;
      plan.run(1);
      assertThat(Buffer.allocatedBytes() - before).isEqualTo(one);
      Crema.crema_set_threads(4);
      System.setProperty("crema.maxBytes", Long.toString(before + one));
      assertThatThrownBy(() -> plan.run(1)).hasMessageContaining("Scratch memory of a plan");
      System.clearProperty("crema.maxBytes");
      plan.run(1);
      assertThat(Buffer.allocatedBytes() - before).isGreaterThan(one);
      plan.profile(1);
    } finally {
      System.clearProperty("crema.maxBytes");
      Crema.crema_set_threads(threads);
    }
    assertThat(Buffer.allocatedBytes()).isEqualTo(before);
  }
}
