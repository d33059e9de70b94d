package dev.crema.device;

import dev.crema.device.cpu.CpuDevice;

/** Made on first use, so that a class path without a device's library can still name the others. */
final class Devices {
  static final Device CPU = CpuDevice.best();

  private Devices() {}
}
