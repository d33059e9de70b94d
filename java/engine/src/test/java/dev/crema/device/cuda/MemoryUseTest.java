package dev.crema.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.CremaException;
import dev.crema.device.Device;
import dev.crema.device.MemoryUse;
import dev.crema.device.cuda.CudaBench.Multiplying;
import dev.crema.memory.Buffer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a card's memory is used for, as monitors ask. */
class MemoryUseTest {
  private static final int ILLEGAL_ADDRESS = 700;
  private static final int NOT_SUPPORTED = 3; // of NVML
  private static final int NOT_LOADED = 9;
  private static final long TOTAL = 8L << 30; // of FakeDriver

  private final CudaBench bench = new CudaBench();

  @AfterEach
  void close() {
    bench.close();
  }

  @Test
  void plansUseMemoryUntilTheyAreClosedAndTheDeviceKeepsItForTheNext() {
    MemoryUse before = bench.device.memoryUse().orElseThrow();
    assertThat(before).isEqualTo(new MemoryUse(0, 0, TOTAL));
    MemoryUse during;
    try (Buffer w = CudaBench.floats(1, 2, 3, 4, 5, 6);
        Multiplying plan = CudaBench.product(bench.device, w, 4)) {
      plan.input(1, 10);
      plan.run(1);
      during = bench.device.memoryUse().orElseThrow();
      assertThat(during.plans()).isPositive().isEqualTo(bench.device.usedBytes());
      assertThat(during.used()).isBetween(during.plans(), TOTAL);
    }
    MemoryUse after = bench.device.memoryUse().orElseThrow();
    assertThat(after.plans()).isLessThan(during.plans());
    assertThat(after.used()).isEqualTo(during.used());
  }

  @Test
  void aDeviceThatHasFailedSaysSo() {
    bench.card.failAt(2, ILLEGAL_ADDRESS); // after the context was made current
    assertThatThrownBy(() -> bench.device.memoryUse())
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("cuMemGetInfo");
    bench.card.succeed();
  }

  @Test
  void howBusyItIsComesFromTheCardOfThatBus() {
    bench.card.fakeMonitor().percent = 42;
    assertThat(bench.device.utilization()).hasValue(0.42);
    bench.card.fakeMonitor().percent = 100;
    assertThat(bench.device.utilization()).hasValue(1);
    assertThat(bench.card.log("nvmlInit", "nvmlDeviceGetHandle")).hasSize(2);
    bench.card.failAt(1, NOT_SUPPORTED); // a part of a card
    assertThat(bench.device.utilization()).isEmpty();
    bench.card.succeed();
    bench.card.clearLog();
    assertThat(bench.device.utilization()).isEmpty();
    assertThat(bench.card.log("nvml")).isEmpty();
  }

  @Test
  void aCardWithoutNvmlDoesNotTellHowBusyItIs() {
    bench.card.failAt(2, NOT_LOADED); // after its bus was asked for
    assertThat(bench.device.utilization()).isEmpty();
    bench.card.succeed();
    assertThat(bench.device.utilization()).isEmpty();
    assertThat(Device.cpu().utilization()).isEmpty();
  }

  @Test
  void theProcessorHasNoMemoryOfItsOwn() {
    assertThat(Device.cpu().memoryUse()).isEmpty();
  }
}
