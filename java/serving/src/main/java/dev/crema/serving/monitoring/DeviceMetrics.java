package dev.crema.serving.monitoring;

import dev.crema.device.Device;
import dev.crema.device.MemoryUse;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.util.List;
import java.util.Objects;
import java.util.function.ToDoubleFunction;

/**
 * Memory of devices that have their own, and how busy they are, where the driver tells it; who asks
 * DCGM for it can tell it by {@link Use}.
 */
public final class DeviceMetrics implements MeterBinder {
  /** One device. Thread-safe; asked at every scrape. */
  public interface Use {
    /** Such as {@code cuda:0}. */
    String device();

    long usedBytes();

    long totalBytes();

    /** Of {@link #usedBytes}, what plans of this process have. */
    long planBytes();

    /** Part of the time that it computed lately, from 0 to 1; NaN if it never tells. */
    default double utilization() {
      return Double.NaN;
    }
  }

  /** A device of Crema's. */
  private record Own(Device of) implements Use {
    private MemoryUse use() {
      return of.memoryUse().orElseThrow();
    }

    @Override
    public String device() {
      return of.name();
    }

    @Override
    public long usedBytes() {
      return use().used();
    }

    @Override
    public long totalBytes() {
      return use().total();
    }

    @Override
    public long planBytes() {
      return use().plans();
    }

    @Override
    public double utilization() {
      return of.utilization().orElse(Double.NaN);
    }
  }

  private final List<Use> devices;

  public DeviceMetrics(List<? extends Use> devices) {
    this.devices = List.copyOf(devices);
  }

  /** Of those that have memory of their own; what the processor uses is among other meters. */
  public static DeviceMetrics of(List<Device> devices) {
    return new DeviceMetrics(
        devices.stream().filter(d -> d.memoryUse().isPresent()).map(Own::new).toList());
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
          "crema.device.memory.plans",
          "bytes",
          "In plans of this process",
          Use::planBytes);
      if (!Double.isNaN(each.utilization())) {
        gauge(
            registry,
            each,
            "crema.device.utilization",
            "ratio",
            "Part of the time that it computes",
            Use::utilization);
      }
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
