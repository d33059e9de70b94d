package dev.crema.plan;

import dev.crema.device.Program;
import dev.crema.memory.Buffer;
import dev.crema.pass.Computation;
import java.util.HashMap;
import java.util.Map;

/**
 * What plans of one model compute from its parameters ahead of their runs and share: packed
 * weights, once for each device. Computed again when the parameters have changed; a run that goes
 * on meanwhile may see some old and some new ones, as it may of the parameters. Thread-safe; the
 * model closes it, plans keep what they use.
 */
public final class Prepared implements AutoCloseable {
  /** The memory of one device. */
  static final class Share {
    private final Buffer memory;
    private volatile long version = -1; // of the parameters that it was computed from

    Share(Buffer memory) {
      this.memory = memory;
    }

    Buffer memory() {
      return memory;
    }

    /** Has the program compute it if the parameters may have changed since. */
    void refresh(Program program, Buffer parameters) {
      if (!isCurrent(parameters.version())) {
        compute(program, parameters);
      }
    }

    private boolean isCurrent(long now) {
      return now >= 0 && now == version;
    }

    private synchronized void compute(Program program, Buffer parameters) {
      long now = parameters.version();
      if (!isCurrent(now)) {
        program.run(0, Computation.PREPARE);
        version = now;
      }
    }
  }

  private final Map<String, Share> shares = new HashMap<>();
  private boolean closed;

  /** The memory of a device and of this size, allocated by whoever asks first. */
  synchronized Share share(String device, long bytes) {
    if (closed) {
      throw new IllegalStateException("This model is closed");
    }
    return shares.computeIfAbsent(
        device + " " + bytes, k -> new Share(Buffer.allocate(bytes, "The model's packed weights")));
  }

  @Override
  public synchronized void close() {
    closed = true;
    shares.values().forEach(share -> share.memory().close());
    shares.clear();
  }
}
