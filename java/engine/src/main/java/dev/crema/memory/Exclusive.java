package dev.crema.memory;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * Guards something that one thread at a time may use and any thread may close: a close during a use
 * takes effect when the use ends, so that memory never goes away under running native code. Costs
 * two atomic operations a use and allocates nothing.
 */
public final class Exclusive {
  private static final int IDLE = 0;
  private static final int USED = 1;
  private static final int CLOSED = 2;
  private static final int CLOSE_AFTER_USE = 3;

  private final AtomicInteger state = new AtomicInteger(IDLE);
  private final String name;
  private final Runnable release;

  /**
   * @param name for messages: "This plan"
   * @param release gives back what is guarded; called once
   */
  public Exclusive(String name, Runnable release) {
    this.name = name;
    this.release = release;
  }

  /**
   * Begins a use; {@link #leave} must follow.
   *
   * @throws IllegalStateException if it is closed or another thread uses it
   */
  public void enter() {
    while (!state.compareAndSet(IDLE, USED)) {
      int now = state.get();
      if (now != IDLE) { // else the other thread has just left
        throw refused(now);
      }
    }
  }

  /**
   * For what needs no guard but makes no sense afterwards.
   *
   * @throws IllegalStateException if it is closed, or will be when the present use ends
   */
  public void requireOpen() {
    int now = state.get();
    if (now == CLOSED || now == CLOSE_AFTER_USE) {
      throw refused(now);
    }
  }

  private IllegalStateException refused(int now) {
    return new IllegalStateException(
        now == USED
            ? name
                + " is in use on another thread. Give each thread one of its own; they share the"
                + " weights."
            : name + " is closed");
  }

  public void leave() {
    if (!state.compareAndSet(USED, IDLE)) {
      state.set(CLOSED);
      release.run();
    }
  }

  /** Closes it now, or when the present use ends. May be called again. */
  public void close() {
    while (true) {
      int now = state.get();
      if (now == CLOSED || now == CLOSE_AFTER_USE) {
        return;
      }
      if (state.compareAndSet(now, now == IDLE ? CLOSED : CLOSE_AFTER_USE)) {
        if (now == IDLE) {
          release.run();
        }
        return;
      }
    }
  }
}
