package dev.crema.serving.monitoring;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crema.CremaException;
import dev.crema.device.Device;
import dev.crema.device.MemoryUse;
import dev.crema.device.Program;
import dev.crema.device.ProgramSpec;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;

class DeviceMetricsTest {
  /** What asks it gets what it says at that time. */
  private static final class Card implements Device {
    private MemoryUse use = new MemoryUse(100, 300, 1000);
    private OptionalDouble busy = OptionalDouble.empty();

    @Override
    public String name() {
      return "cuda:0";
    }

    @Override
    public Optional<MemoryUse> memoryUse() {
      if (use == null) {
        throw new CremaException("cuda:0 failed earlier");
      }
      return Optional.of(use);
    }

    @Override
    public OptionalDouble utilization() {
      return busy;
    }

    @Override
    public String description() {
      return "a card that is not there";
    }

    @Override
    public int elementwise(String operation) {
      throw new CremaException("computes nothing");
    }

    @Override
    public Program load(ProgramSpec spec) {
      throw new CremaException("computes nothing");
    }
  }

  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();

  private double value(String name) {
    return registry.get(name).tag("device", "cuda:0").gauge().value();
  }

  @Test
  void aCardsMemoryIsAskedForAtEachScrape() {
    Card card = new Card();
    DeviceMetrics.of(List.of(card)).bindTo(registry);
    assertThat(value("crema.device.memory.used")).isEqualTo(300);
    assertThat(value("crema.device.memory.total")).isEqualTo(1000);
    assertThat(value("crema.device.memory.plans")).isEqualTo(100);
    card.use = new MemoryUse(200, 500, 1000);
    assertThat(value("crema.device.memory.used")).isEqualTo(500);
    card.use = null;
    assertThat(value("crema.device.memory.used")).as("it failed").isNaN();
    assertThat(registry.find("crema.device.utilization").gauge()).as("it never tells").isNull();
  }

  @Test
  void aCardThatTellsHowBusyItIsHasAGauge() {
    Card card = new Card();
    card.busy = OptionalDouble.of(0.25);
    DeviceMetrics.of(List.of(card)).bindTo(registry);
    assertThat(value("crema.device.utilization")).isEqualTo(0.25);
    card.busy = OptionalDouble.empty();
    assertThat(value("crema.device.utilization")).as("not any more").isNaN();
  }

  @Test
  void theProcessorHasNone() {
    DeviceMetrics.of(List.of(Device.cpu())).bindTo(registry);
    assertThat(registry.getMeters()).isEmpty();
  }

  @Test
  void whoTellsHowBusyADeviceIsHasAGauge() {
    new DeviceMetrics(List.of(new FixedUse())).bindTo(registry);
    assertThat(value("crema.device.utilization")).isEqualTo(0.5);
  }
}
