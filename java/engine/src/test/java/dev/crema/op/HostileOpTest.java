package dev.crema.op;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crema.CremaException;
import dev.crema.device.cpu.CpuDevice;
import dev.crema.graph.Application;
import dev.crema.graph.Dim;
import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.Op;
import dev.crema.graph.Storage;
import dev.crema.graph.TensorType;
import dev.crema.memory.Buffer;
import dev.crema.memory.ElementType;
import dev.crema.pass.Autodiff;
import dev.crema.plan.Plan;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.ShrinkingMode;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;

/**
 * Whatever somebody asks of an op ends in an exception of ours before anything runs, or in a plan
 * that runs to its end: forward, and backward where the op has a gradient. No other exception, no
 * end of the JVM.
 */
class HostileOpTest {
  private static final int CAPACITY = 3;
  private static final long MOST_ELEMENTS = 100_000;

  private static long planned;
  private static long refused;

  @BeforeContainer
  static void limitMemory() {
    System.setProperty("crema.maxBytes", "16m");
  }

  @AfterContainer
  static void unlimitMemory() {
    System.clearProperty("crema.maxBytes");
    // Else the property would say little.
    assertThat(planned).isGreaterThan(500);
    assertThat(refused).isGreaterThan(500);
  }

  @Property(tries = 4_000, shrinking = ShrinkingMode.OFF)
  void isRefusedWithAnExceptionOfOursOrRuns(@ForAll long seed) throws Throwable {
    RandomOp random = new RandomOp(seed);
    Op op = null;
    try {
      op = random.draw();
      if (planAndRun(op, random.inputs(), random.random())) {
        planned++;
      }
    } catch (CremaException | IllegalArgumentException e) {
      assertThat(e).message().isNotBlank();
      refused++;
    } catch (RuntimeException | Error e) {
      throw new AssertionError(op + " over " + random.inputs() + ": " + e, e);
    }
  }

  /** Whether it was small enough to run. */
  private static boolean planAndRun(Op op, List<TensorType> types, SplittableRandom random) {
    Graph graph = new Graph();
    List<Node> inputs = new ArrayList<>();
    long offset = 0;
    for (int i = 0; i < types.size(); i++) {
      TensorType type = types.get(i);
      if (type == null) {
        inputs.add(null);
      } else if (isWritten(op, i)) {
        inputs.add(graph.variable("v" + i, Storage.PARAMETERS, offset, type));
        offset += type.at(1).elements();
      } else {
        inputs.add(graph.input("x" + i, type));
      }
    }
    Application y = graph.apply(op, inputs.toArray(new Node[0]));
    List<Node> results = new ArrayList<>(y.outputs());
    if (random.nextBoolean() && y.outputs().stream().anyMatch(HostileOpTest::isFloat)) {
      results.addAll(gradients(y, inputs));
    }
    long elements = offset;
    for (Application a : graph.applications()) {
      for (Node node : a.outputs()) {
        elements = Math.max(elements, node.type().at(CAPACITY).elements());
        for (Dim d : node.type().dims()) { // rows without columns take their time, too
          elements = Math.max(elements, d.at(CAPACITY));
        }
      }
    }
    boolean small = elements <= MOST_ELEMENTS;
    List<CpuDevice> levels = CpuDevice.levels();
    try (Buffer storage = Buffer.allocate(small ? 4 * offset + 4 : 4);
        Plan plan =
            Plan.of(graph)
                .outputs(results.toArray(new Node[0]))
                .storage(Storage.PARAMETERS, storage)
                .capacity(CAPACITY)
                .threads(1 + random.nextInt(3))
                .device(levels.get(random.nextInt(levels.size())))
                .build()) {
      if (small) {
        plan.inputs().forEach(name -> fill(plan.input(name), plan.inputType(name), random));
        plan.run(random.nextInt(CAPACITY + 1));
      }
    }
    return small;
  }

  private static boolean isWritten(Op op, int input) {
    for (int written : op.writes()) {
      if (written == input) {
        return true;
      }
    }
    return false;
  }

  private static List<Node> gradients(Application y, List<Node> inputs) {
    List<Node> of = y.outputs().stream().filter(HostileOpTest::isFloat).toList();
    List<Node> seeds = new ArrayList<>();
    for (Node node : of) {
      seeds.add(y.graph().input("dy" + seeds.size(), node.type()));
    }
    List<Node> wrt = inputs.stream().filter(x -> x != null && isFloat(x)).toList();
    List<Node> all = new ArrayList<>();
    Autodiff.gradients(of, seeds, wrt)
        .forEach(
            (x, dx) -> {
              assertThat(dx.type()).as("gradient of %s in %s", y, x).isEqualTo(x.type());
              all.add(dx);
            });
    return all;
  }

  private static boolean isFloat(Node node) {
    return node.type().element() == ElementType.FLOAT32;
  }

  /** Numbers near 0; as indices mostly good ones. */
  private static void fill(Buffer memory, TensorType type, SplittableRandom random) {
    ByteBuffer bytes = memory.borrow(0, (int) memory.byteSize());
    long elements = type.at(CAPACITY).elements();
    for (int i = 0; i < elements; i++) {
      int index = random.nextInt(200) == 0 ? -7 : random.nextInt(3) / 2;
      switch (type.element()) {
        case FLOAT32 ->
            bytes.putFloat(4 * i, random.nextInt(50) == 0 ? Float.NaN : random.nextInt(9) - 4);
        case INT32 -> bytes.putInt(4 * i, index);
        case INT64 -> bytes.putLong(8 * i, index);
        default -> bytes.put(i, (byte) index);
      }
    }
  }
}
