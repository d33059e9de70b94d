package dev.crema.plan;

import dev.crema.device.Program;
import dev.crema.memory.Buffer;
import dev.crema.pass.Computation;
import java.util.HashMap;
import java.util.Map;

/**
 * What plans of one model compute from its parameters and state ahead of their runs and share:
 * packed weights, once for each device, for as long as a plan uses them. Computed again when those
 * have changed; a run that goes on meanwhile may see some old and some new ones, as it may of the
 * parameters. Thread-safe.
 */
public final class Prepared {
  /** The memory of one device, while plans use it. */
  final class Share implements AutoCloseable {
    private final String key;
    private final Buffer memory;
    private int users;
    private volatile long version = -1; // of the parameters that it was computed from
    private volatile long stateVersion; // and of the state

    private Share(String key, long bytes) {
      this.key = key;
      this.memory = Buffer.allocate(bytes, "The model's packed weights");
    }

    Buffer memory() {
      return memory;
    }

    /**
     * Has the program compute it if the parameters or the state may have changed since.
     *
     * @param state null: the plan reads none
     */
    void refresh(Program program, Buffer parameters, Buffer state) {
      if (!isCurrent(parameters.version(), version(state))) {
        compute(program, parameters, state);
      }
    }

    private static long version(Buffer state) {
      return state == null ? 0 : state.version();
    }

    private boolean isCurrent(long now, long stateNow) {
      return now >= 0 && stateNow >= 0 && now == version && stateNow == stateVersion;
    }

    private synchronized void compute(Program program, Buffer parameters, Buffer state) {
      long now = parameters.version();
      long stateNow = version(state);
      if (!isCurrent(now, stateNow)) {
        version = -1; // nobody takes a part of the new versions for all
        program.run(0, Computation.PREPARE);
        stateVersion = stateNow;
        version = now;
      }
    }

    /** For one of its users, once. */
    @Override
    public void close() {
      leave(this);
    }
  }

  private final Map<String, Share> shares = new HashMap<>();

  /**
   * The memory for some contents on a device; the plan closes it.
   *
   * @param contents names the device and everything that stands in the memory, and where
   */
  synchronized Share share(String contents, long bytes) {
    Share share = shares.computeIfAbsent(contents, key -> new Share(key, bytes));
    share.users++;
    return share;
  }

  private synchronized void leave(Share share) {
    if (--share.users == 0) {
      shares.remove(share.key);
      share.memory.close();
    }
  }
}
