package dev.crema.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crema.CremaException;
import dev.crema.device.cuda.DeviceMemory.Piece;
import dev.crema.device.cuda.kernel.OperationGraph;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Plans of cuDNN's graphs: how they are found and kept, and what becomes of failures. */
class OperationGraphsTest {
  private static final long SCRATCH = 1 << 12;

  /** A card with three tensors and a stream. */
  private static final class Bench implements AutoCloseable {
    final FakeCard card;
    final CudaDevice device;
    private Piece memory;
    private long stream;

    Bench(FakeCard card) {
      this.card = card;
      this.device =
          new CudaDevice(
              card,
              CudaBench.CARD,
              new CudaOptions(false, Measuring.NOTHING, new KernelCache(null), o -> -1));
    }

    /** Whether there was an engine. */
    boolean run(OperationGraph graph) {
      device.context().enter();
      if (memory == null) {
        memory = device.memory().allocate(SCRATCH + 3 * 64, "tensors");
        long[] made = new long[1];
        device.context().check(card.driver().cuStreamCreate(made, 1), "cuStreamCreate");
        stream = made[0];
      }
      ScratchSize size = new ScratchSize(device, false);
      size.begin();
      if (!size.graphIfThere(graph, 0, 0, 0)) {
        return false;
      }
      assertThat(size.most()).isPositive();
      ByteBuffer tensors = FakeKernels.view(at(0), 3 * 64);
      for (int i = 0; i < 6; i++) {
        tensors.putFloat(4 * i, i + 1);
        tensors.putFloat(64 + 4 * i, 6 - i);
      }
      Recorder to = new Recorder(device, false, stream, memory.address(), size.most());
      to.begin(null, null);
      boolean there = to.graphIfThere(graph, at(0), at(1), at(2));
      device.context().check(card.driver().cuStreamSynchronize(stream), "cuStreamSynchronize");
      return there;
    }

    private long at(int tensor) {
      return memory.address() + SCRATCH + 64L * tensor;
    }

    float[] result() {
      float[] all = new float[4];
      FakeKernels.view(at(2), 16).asFloatBuffer().get(all);
      return all;
    }

    @Override
    public void close() {
      device.context().enterToClose();
      if (stream != 0) {
        card.driver().cuStreamDestroy(stream);
      }
      if (memory != null) {
        memory.close();
      }
      device.close();
    }
  }

  @Test
  void theEngineIsAskedForOnce() {
    FakeCard card = new FakeCard();
    try (Bench bench = new Bench(card)) {
      assertThat(bench.run(SampleGraphs.scaledProduct(2, 0))).isTrue();
      assertThat(bench.result()).containsExactly(40, 28, 112, 82);
      card.clearLog();
      assertThat(bench.run(SampleGraphs.scaledProduct(2, 0))).isTrue();
      assertThat(card.log("cudnnBackendFinalize")).as("of the addresses alone").hasSize(1);
      assertThat(bench.run(SampleGraphs.scaledProduct(-1, 0))).isTrue();
      assertThat(bench.result()).containsExactly(-20, -14, -56, -41);
    }
    assertThat(card.live).isEmpty();
    assertThat(card.misuses).isEmpty();
  }

  /** Recorded graphs of the driver's may launch what was compiled for a plan. */
  @Test
  void plansAreKeptAndTooManyAreNotMade() {
    FakeCard card = new FakeCard();
    try (Bench bench = new Bench(card)) {
      bench.run(SampleGraphs.scaledProduct(0, 0));
      int one = card.live.get("backend descriptor").size();
      for (int i = 1; i < 1024; i++) {
        assertThat(bench.run(SampleGraphs.scaledProduct(i, 0))).isTrue();
      }
      assertThat(bench.run(SampleGraphs.scaledProduct(1024, 0))).isFalse();
      card.clearLog();
      assertThat(bench.run(SampleGraphs.scaledProduct(0, 0))).isTrue();
      assertThat(card.log("cudnnBackendFinalize")).as("of the addresses alone").hasSize(1);
      assertThat(card.live.get("backend descriptor")).hasSize(1024 * one);
    }
    assertThat(card.live).isEmpty();
    assertThat(card.misuses).isEmpty();
  }

  @Test
  void whereHeuristicsKnowNoEngineTheListOfWhatAlwaysWorksIsAsked() {
    FakeCard card = new FakeCard();
    card.lacksHeuristics = true;
    try (Bench bench = new Bench(card)) {
      assertThat(bench.run(SampleGraphs.scaledProduct(2, 0))).isTrue();
      assertThat(bench.result()).containsExactly(40, 28, 112, 82);
    }
    assertThat(card.live).isEmpty();
    assertThat(card.misuses).isEmpty();
  }

  @Test
  void whereThereIsNoEngineNothingIsDoneAndNobodyAsksAgain() {
    FakeCard card = new FakeCard();
    card.refusesGraphs = true;
    try (Bench bench = new Bench(card)) {
      assertThat(bench.run(SampleGraphs.scaledProduct(1, 0))).isFalse();
      assertThat(card.live).doesNotContainKey("backend descriptor");
      card.clearLog();
      assertThat(bench.run(SampleGraphs.scaledProduct(1, 0))).isFalse();
      assertThat(card.log("cudnn")).isEmpty();
      assertThat(bench.run(SampleGraphs.scaledProduct(1, 92000))).as("a newer version's").isFalse();
      assertThat(card.log("cudnnBackend")).isEmpty();
    }
    assertThat(card.live).isEmpty();
    assertThat(card.misuses).isEmpty();
  }

  /**
   * 3000: something is not supported, 4001: a kernel does not compile, which while a plan is sought
   * only say that there is none. 4004: there is no memory.
   */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3000, 4001, 4004, 5000})
  void everythingIsGivenBackWhicheverCallFails(int status) {
    boolean failed = true;
    int threw = 0;
    int refused = 0;
    for (int k = 1; failed; k++) {
      FakeCard card = new FakeCard();
      boolean there = true;
      card.failAt(k, status);
      try (Bench bench = new Bench(card)) {
        there = bench.run(SampleGraphs.scaledProduct(2, 0));
        assertThat(!there || bench.result()[0] == 40).isTrue();
      } catch (CremaException e) {
        threw++;
        assertThat(e.getMessage()).isNotBlank();
        if (card.failedCall.startsWith("cudnn")) {
          assertThat(e.getMessage()).contains(card.failedCall.split(" ", 2)[0]);
        }
      }
      failed = card.hasFailed();
      refused += there ? 0 : 1;
      assertThat(card.live).as("after the failure of call %s", k).isEmpty();
      assertThat(card.misuses).as("after the failure of call %s", k).isEmpty();
    }
    assertThat(threw).isGreaterThan(10);
    assertThat(refused > 0).isEqualTo(status == 3000 || status == 4001);
  }
}
