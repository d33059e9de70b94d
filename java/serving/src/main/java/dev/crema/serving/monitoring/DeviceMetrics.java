package dev.crema.serving.monitoring;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.util.List;
import java.util.Objects;
import java.util.function.ToDoubleFunction;

/** Memory and load of devices other than the processor, as those who drive them tell it. */
public final class DeviceMetrics implements MeterBinder {
  /** One device. Thread-safe; asked at every scrape. */
  public interface Use {
    /** Such as {@code cuda:0}. */
    String device();

    long usedBytes();

    long totalBytes();

    /** Part of the time that it computed lately, from 0 to 1; NaN if it does not tell. */
    double utilization();
  }

  private final List<Use> devices;

  public DeviceMetrics(List<? extends Use> devices) {
    this.devices = List.copyOf(devices);
  }

  @Override
  public void bindTo(MeterRegistry registry) {
    Objects.requireNonNull(registry, "registry");
    for (Use each : devices) {
      gauge(registry, each, "crema.device.memory.used", "bytes", "In use", Use::usedBytes);
      gauge(registry, each, "crema.device.memory.total", "bytes", "Built in", Use::totalBytes);
      gauge(
          registry,
          each,
          "crema.device.utilization",
          "ratio",
          "Part of the time that it computes",
          Use::utilization);
    }
  }

  private static void gauge(
      MeterRegistry registry,
      Use use,
      String name,
      String unit,
      String description,
      ToDoubleFunction<Use> value) {
    Gauge.builder(name, () -> value.applyAsDouble(use))
        .description(description)
        .baseUnit(unit)
        .tag("device", use.device())
        .register(registry);
  }
}
