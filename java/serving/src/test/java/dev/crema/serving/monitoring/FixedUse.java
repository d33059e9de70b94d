package dev.crema.serving.monitoring;

/** A device of which half is used. */
final class FixedUse implements DeviceMetrics.Use {
  @Override
  public String device() {
    return "cuda:0";
  }

  @Override
  public long usedBytes() {
    return 1 << 20;
  }

  @Override
  public long totalBytes() {
    return 1 << 30;
  }

  @Override
  public long planBytes() {
    return 1 << 19;
  }

  @Override
  public double utilization() {
    return 0.5;
  }
}
