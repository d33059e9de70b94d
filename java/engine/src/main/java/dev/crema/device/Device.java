package dev.crema.device;

import dev.crema.device.cuda.CudaCards;
import dev.crema.memory.Buffer;
import dev.crema.memory.ElementType;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;

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

  /**
   * How much of its own memory is used; empty where it works in the host's ({@link
   * Buffer#allocatedBytes}). Asks the driver, which takes some microseconds.
   *
   * @throws dev.crema.CremaException if the device has failed
   */
  default Optional<MemoryUse> memoryUse() {
    return Optional.empty();
  }

  /**
   * Part of the time in which it computed lately, for whomever, from 0 to 1; empty if it does not
   * tell. Asks the driver, which takes some microseconds.
   */
  default OptionalDouble utilization() {
    return OptionalDouble.empty();
  }

  /** Whether it multiplies by weights that were packed ahead, and leaves out the zeros of some. */
  default boolean packsWeights() {
    return !hasOwnMemory();
  }

  /**
   * Whether its kernel of that name reads and writes tensors of a 16-bit floating type: then plans
   * keep there what stands between ops in that type when they are asked to.
   *
   * @param type {@link ElementType#BFLOAT16} or {@link ElementType#FLOAT16}
   */
  default boolean has(String kernel, ElementType type) {
    return false;
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
   * As {@link #hostMemory}, for inputs of programs that are sent ahead.
   *
   * @param name what errors and leak reports call it
   */
  default Buffer inputMemory(long bytes, String name) {
    return hostMemory(bytes, name);
  }

  /**
   * Says that the first bytes of {@link #inputMemory} are what the next run reads that it is bound
   * to: a device with memory of its own begins to copy them, while other runs go on. Nobody may
   * change them, or send anew, until that run has ended. Thread-safe.
   */
  default void send(Buffer memory, long bytes) {}

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

  /**
   * An NVIDIA card. The CUDA device of this version has been tested against a recording of the
   * calls it makes, not on hardware.
   *
   * @param ordinal N of {@code cuda:N}
   * @throws dev.crema.CremaException saying why it cannot be used: no driver, a library that was
   *     not found, a driver or card that is too old
   */
  static Device cuda(int ordinal) {
    return cudaCards().device(ordinal);
  }

  /** The NVIDIA cards of this machine, usable or not, and why. */
  static CudaCards cudaCards() {
    return Devices.Cuda.CARDS;
  }

  /**
   * The device of that name: {@code cpu} or {@code cuda:N}.
   *
   * @throws dev.crema.CremaException saying why it cannot be used
   */
  static Device named(String name) {
    Objects.requireNonNull(name, "name");
    return Devices.named(name);
  }

  /** The devices of this machine that can be used: cards, then the CPU. */
  static List<Device> available() {
    return Devices.available();
  }

  /**
   * The device that the environment variable {@code CREMA_DEVICE} names ({@code cpu} or {@code
   * cuda:N}), else the CPU: cards are used by those who ask for them until they have been tested on
   * hardware. Where there is an NVIDIA driver, why the CPU serves is logged once.
   *
   * @throws dev.crema.CremaException saying why the named device cannot be used
   */
  static Device best() {
    return Devices.best();
  }
}
