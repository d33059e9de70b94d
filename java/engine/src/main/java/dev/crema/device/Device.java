package dev.crema.device;

import dev.crema.memory.Buffer;
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
   * Whether its kernels work in memory of its own: then programs keep their arena there, and what
   * is read after a run lies in a region for results.
   */
  default boolean hasOwnMemory() {
    return false;
  }

  /** Whether it multiplies by weights that were packed ahead, and leaves out the zeros of some. */
  default boolean packsWeights() {
    return !hasOwnMemory();
  }

  /**
   * Memory of the host that this device copies from and to fastest, all zero bytes; the caller
   * closes it.
   *
   * @param name what errors and leak reports call it
   */
  default Buffer hostMemory(long bytes, String name) {
    return Buffer.allocate(bytes, name);
  }

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
