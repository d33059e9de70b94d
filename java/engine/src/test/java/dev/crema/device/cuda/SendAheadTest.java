package dev.crema.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.device.cuda.CudaBench.Multiplying;
import dev.crema.memory.Buffer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Inputs that are on their way to the card before the run that reads them. */
class SendAheadTest {
  private final CudaBench bench = new CudaBench();
  private final FakeCard card = bench.card;
  private final CudaDevice device = bench.device;
  private final Buffer w = CudaBench.floats(1, 2, 3, 4, 5, 6);
  private final Multiplying plan = CudaBench.product(device, w, 4);

  @AfterEach
  void everythingIsGivenBack() {
    plan.close();
    w.close();
    bench.close();
    assertThat(card.live).isEmpty();
    assertThat(card.misuses).isEmpty();
  }

  private Buffer memory(float... values) {
    Buffer memory = device.inputMemory(4L * 2 * 4, "x");
    CudaBench.write(memory, values);
    return memory;
  }

  private void run(Buffer memory, int rows) {
    plan.plan().bindInput("x", memory);
    plan.run(rows);
  }

  /** The first row of the result. */
  private float[] row() {
    return plan.result(3);
  }

  @Test
  void theRunWaitsOnTheCardAndTakesWhatWasSent() {
    try (Buffer a = memory(1, 10);
        Buffer b = memory(2, 20)) {
      for (int i = 0; i < 3; i++) { // one by one, recorded, launched
        run(a, 1);
      }
      card.clearLog();
      device.send(a, 8);
      device.send(b, 8);
      run(a, 1);
      assertThat(row()).containsExactly(41, 52, 63);
      run(b, 1);
      assertThat(row()).containsExactly(82, 104, 126);
      assertThat(card.log("cuMemcpy", "cuGraph", "cuEventRecord", "cuStreamWait", "cuStreamSync"))
          .containsExactly(
              "cuMemcpyHtoDAsync 8",
              "cuEventRecord",
              "cuMemcpyHtoDAsync 8",
              "cuEventRecord",
              "cuStreamWaitEvent",
              "cuMemcpyDtoDAsync 8",
              "cuGraphLaunch",
              "cuMemcpyDtoHAsync 12",
              "cuStreamSynchronize",
              "cuStreamWaitEvent",
              "cuMemcpyDtoDAsync 8",
              "cuGraphLaunch",
              "cuMemcpyDtoHAsync 12",
              "cuStreamSynchronize");
    }
  }

  @Test
  void theFirstAndTheRecordedRunTakeWhatWasSentToo() {
    try (Buffer a = memory()) {
      for (int i = 1; i < 5; i++) {
        CudaBench.write(a, i, 10 * i);
        device.send(a, 8);
        run(a, 1);
        assertThat(row()).containsExactly(41 * i, 52 * i, 63 * i);
      }
      assertThat(card.log("cuMemcpyHtoDAsync 8")).as("sent, never copied by a run").hasSize(4);
    }
  }

  @Test
  void whatWasSentCountsForOneRun() {
    try (Buffer a = memory(1, 10)) {
      device.send(a, 8);
      run(a, 1);
      CudaBench.write(a, 2, 20);
      run(a, 1);
      assertThat(row()).containsExactly(82, 104, 126);
    }
  }

  @Test
  void aBatchSentInPartIsCopiedByTheRun() {
    try (Buffer a = memory(9, 9, 1, 10)) {
      device.send(a, 8);
      run(a, 2);
      assertThat(plan.result(6)).containsExactly(45, 63, 81, 41, 52, 63);
    }
  }

  @Test
  void memoryThatIsNotForInputsIsNotSent() {
    try (Buffer other = device.hostMemory(32, "other")) {
      card.clearLog();
      device.send(other, 8);
      assertThat(card.log).isEmpty();
      CudaBench.write(other, 1, 10);
      run(other, 1);
      assertThat(row()).containsExactly(41, 52, 63);
      plan.plan().bindInput("x", other);
    }
    assertThatThrownBy(() -> device.send(null, 8)).hasMessageContaining("memory");
  }

  @Test
  void memoryThatIsClosedWhileItIsCopiedIsGivenBackAfterwards() {
    Buffer a = memory(1, 10);
    device.send(a, 32);
    a.close(); // the fake card complains of memory that is given back while work is in flight
    assertThat(a.isClosed()).isTrue();
    assertThatThrownBy(() -> device.send(a, 8)).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void aPlanKeepsWhatItIsBoundToThoughItIsClosed() {
    Buffer a = memory(1, 10);
    plan.plan().bindInput("x", a);
    device.send(a, 8);
    a.close();
    plan.run(1);
    assertThat(row()).containsExactly(41, 52, 63);
  }

  @Test
  void withoutRoomOnTheCardRunsCopyForThemselves() {
    try (Buffer a = memory(1, 10)) {
      card.fakeDriver().totalBytes = 1; // nothing more is there
      device.send(a, 8);
      run(a, 1);
      assertThat(row()).containsExactly(41, 52, 63);
    }
  }

  @Test
  void aCopyThatFailsSaysSoAndTheNextRunCopiesForItself() {
    try (Buffer a = memory(1, 10)) {
      device.send(a, 8);
      run(a, 1);
      CudaBench.write(a, 2, 20);
      card.failAt(2, 1); // after the context
      assertThatThrownBy(() -> device.send(a, 8))
          .isInstanceOf(CudaException.class)
          .hasMessageContaining("cuMemcpyHtoDAsync on cuda:0");
      run(a, 1);
      assertThat(row()).containsExactly(82, 104, 126);
    }
  }

  @Test
  void aRunThatFailsLeavesNothingBehind() {
    try (Buffer a = memory(1, 10)) {
      run(a, 1);
      device.send(a, 8);
      plan.plan().bindInput("x", a);
      card.failAt(2, 1); // the wait for what was sent
      assertThatThrownBy(() -> plan.run(1))
          .isInstanceOf(CudaException.class)
          .hasMessageContaining("cuStreamWaitEvent");
      CudaBench.write(a, 2, 20);
      plan.run(1);
      assertThat(row()).containsExactly(82, 104, 126);
    }
  }
}
