package dev.crema.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.device.KernelException;
import dev.crema.graph.Constant;
import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.Storage;
import dev.crema.graph.TensorType;
import dev.crema.memory.Buffer;
import dev.crema.memory.ElementType;
import dev.crema.plan.Plan;
import java.nio.ByteBuffer;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Rows of bytes by id, bit for bit at every instruction set. */
class QuantizedEmbeddingTest {
  private static final QuantizationParameters Y = new QuantizationParameters(0.013f, 90);
  private static final int VOCABULARY = 11;
  private static final int PADDING = 4;

  @ParameterizedTest
  @CsvSource({
    "1, INT32, true",
    "1, INT64, false",
    "3, INT32, false",
    "16, INT64, true",
    "37, INT32, true",
    "37, INT32, false",
    "64, INT64, false"
  })
  void rowsOfBytesStandForIds(int units, ElementType type, boolean toBytes) {
    QuantizationParameters qy = toBytes ? Y : null;
    Random random = new Random(units);
    float[] table = new float[VOCABULARY * units];
    float[] scales = new float[VOCABULARY];
    for (int i = 0; i < table.length; i++) {
      table[i] = (float) random.nextGaussian() * (1 + i / units); // some beyond 127 steps
    }
    for (int r = 0; r < VOCABULARY; r++) {
      scales[r] = 0.01f * (1 + r);
    }
    table[units] = Float.NaN; // of id 1; becomes 0
    table[2 * units] = Float.NEGATIVE_INFINITY; // of id 2; becomes -127 steps
    int[] ids = {0, 10, 1, 1, 2, PADDING, 9, 3, 5, 6, 7, 8};

    Graph graph = new Graph();
    Node x = graph.input("ids", TensorType.batchOf(type, 2));
    TensorType packed = PackQuantizedTable.typeOf(VOCABULARY, units, qy);
    Node memory = graph.variable("packed", Storage.STATE, 0, packed);
    Node t = graph.add(new Constant(table, TensorType.of(VOCABULARY, units)));
    Node s = graph.add(new Constant(scales, TensorType.of(VOCABULARY)));
    graph.apply(new PackQuantizedTable(PADDING, qy), memory, t, s);
    Node y = x.then(new QuantizedEmbedding(units, qy), memory);
    EveryDevice.check(
        device -> {
          for (int threads : new int[] {1, 3}) {
            try (Buffer storage = Buffer.allocate(4 * packed.elements().constant());
                Plan plan =
                    Plan.of(graph)
                        .outputs(y)
                        .capacity(ids.length / 2)
                        .threads(threads)
                        .storage(Storage.STATE, storage)
                        .device(device)
                        .build()) {
              put(plan, type, ids);
              plan.run(ids.length / 2);
              ByteBuffer actual = plan.output(y);
              for (int i = 0; i < ids.length * units; i++) {
                int id = ids[i / units];
                float v = table[id * units + i % units];
                double steps = Math.max(-127, Math.min(127, Math.rint(v / scales[id])));
                steps = id == PADDING || Float.isNaN(v) ? 0 : steps;
                float number = (float) steps * scales[id];
                if (toBytes) {
                  double whole = Math.rint(number / Y.scale()) + Y.zeroPoint();
                  int expected = (int) Math.max(0, Math.min(255, whole));
                  assertThat(actual.get(i) & 255).as("%s: %s", device, i).isEqualTo(expected);
                } else {
                  assertThat(actual.getFloat(4 * i)).as("%s: %s", device, i).isEqualTo(number);
                }
              }
            }
          }
        });
  }

  private static void put(Plan plan, ElementType type, int... ids) {
    for (int i = 0; i < ids.length; i++) {
      if (type == ElementType.INT64) {
        plan.input("ids").borrow(0, 8 * ids.length).asLongBuffer().put(i, ids[i]);
      } else {
        plan.input("ids").borrow(0, 4 * ids.length).asIntBuffer().put(i, ids[i]);
      }
    }
  }

  @Test
  void anIdOutsideTheTableIsNamed() {
    Graph graph = new Graph();
    Node ids = graph.input("ids", TensorType.batchOf(ElementType.INT32, 2));
    Node table = graph.input("table", PackQuantizedTable.typeOf(10, 3, null));
    Node y = ids.then(new QuantizedEmbedding(3, null), table);
    try (Plan plan = Plan.of(graph).outputs(y).capacity(2).build()) {
      for (int bad : new int[] {10, -1, Integer.MAX_VALUE}) {
        put(plan, ElementType.INT32, 0, 9, bad, 3);
        assertThatThrownBy(() -> plan.run(2))
            .isInstanceOf(KernelException.class)
            .hasMessageContaining("index " + bad + " at position 2 is outside [0, 10)");
      }
    }
  }

  @Test
  void whatDoesNotFitIsRefused() {
    Graph graph = new Graph();
    Node ids = graph.input("ids", TensorType.batchOf(ElementType.INT32, 2));
    Node floats = graph.input("x", TensorType.batchOf(2));
    Node table = graph.input("table", TensorType.of(10, 8));
    Node packed = graph.input("packed", PackQuantizedTable.typeOf(10, 8, null));
    Node scales = graph.input("scales", TensorType.of(8));
    assertThatThrownBy(() -> floats.then(new QuantizedEmbedding(8, null), packed))
        .hasMessageContaining("ids must be int32 or int64");
    assertThatThrownBy(() -> ids.then(new QuantizedEmbedding(8, Y), packed))
        .hasMessageContaining("[10, 2]");
    assertThatThrownBy(() -> graph.apply(new PackQuantizedTable(-1, Y), packed, table, scales))
        .hasMessageContaining("packed must be");
    assertThatThrownBy(() -> graph.apply(new PackQuantizedTable(-1, null), packed, table, scales))
        .hasMessageContaining("scales must be");
    QuantizationParameters signed = new QuantizationParameters(1, -3);
    assertThatThrownBy(() -> new PackQuantizedTable(-1, signed)).hasMessageContaining("-3");
  }
}
