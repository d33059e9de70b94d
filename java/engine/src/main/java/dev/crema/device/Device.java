package dev.crema.device;

import java.util.List;

/** Something that runs programs: a processor with its kernels. Thread-safe. */
public interface Device {
  /** {@code cpu} or {@code cuda:N}. */
  String name();

  /** The processor, its instruction set, its threads: one line for people. */
  String description();

  /**
   * Number of an element-wise operation.
   *
   * @throws dev.crema.CremaException if this device has none of that name
   */
  int elementwise(String operation);

  /**
   * Makes a program ready to run. Memory regions are bound afterwards.
   *
   * @throws dev.crema.CremaException if the device lacks a kernel or memory
   */
  Program load(ProgramSpec spec);

  /** The CPU with its best instruction set, or the one CREMA_ISA names, and all its threads. */
  static Device cpu() {
    return Devices.CPU;
  }

  /** The devices of this machine that can be used, the best first. */
  static List<Device> available() {
    return List.of(cpu());
  }

  /** The first of {@link #available}. */
  static Device best() {
    return available().get(0);
  }
}
