package dev.crema.device;

import dev.crema.memory.Buffer;
import java.util.List;

/**
 * A {@link ProgramSpec} made ready on a device. One run at a time: a second thread that calls
 * {@link #run} meanwhile gets an {@link IllegalStateException}. {@link #close} during a run takes
 * effect when the run ends.
 */
public interface Program extends AutoCloseable {
  /**
   * Binds a region to memory of the host and holds a lease on it until another is bound or the
   * program is closed. Where the device has memory of its own, inputs are copied there at each run,
   * constants and storages when they have changed, and results are copied back; its arena is not
   * bound.
   *
   * @throws dev.crema.CremaException if the buffer is smaller than the region
   */
  void bind(int region, Buffer buffer);

  /**
   * Runs the instructions whose sections meet {@code sections}, and says {@link Buffer#changed} of
   * every storage that they change.
   *
   * @param batch number of examples, from 0 to the capacity
   * @throws KernelException if values in the data are not what an op allows
   */
  void run(long batch, long sections);

  /** As {@link #run}; gives the nanoseconds that each instruction took. */
  long[] profile(long batch, long sections);

  /**
   * Which of several ways it takes to compute instructions, where the device chose among some for
   * the batch size that it was last made ready for: {@code head (QuantizedLinear): imma}. Not while
   * it runs.
   */
  default List<String> ways() {
    return List.of();
  }

  @Override
  void close();
}
