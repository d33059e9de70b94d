package dev.crema.cli.load;

import io.netty.channel.EventLoop;

/**
 * Ways to a server, each with at most one request on it. All methods are called, and all answers
 * come, on one thread: that of {@link #eventLoop}.
 */
public interface Lanes extends AutoCloseable {
  /** The code of a request that got no answer at all; 0 is OK in gRPC. */
  int NO_CONNECTION = -1;

  int count();

  EventLoop eventLoop();

  /** Sends the request; {@code answered} gets its code, as HTTP or gRPC has it, later. */
  void send(int lane, Answered answered);

  /** Whether a code means that the request was answered as it should be. */
  boolean isGood(int code);

  /** How a code is written: {@code 503}, {@code RESOURCE_EXHAUSTED}, {@code connection}. */
  String name(int code);

  @Override
  void close();

  /** Is told of an answer. */
  @FunctionalInterface
  interface Answered {
    /**
     * @param ready whether the lane can take another request now; it says so later if not, with
     *     {@link #ready}
     */
    void answered(int lane, int code, boolean ready);

    /** A lane that was not ready is. */
    default void ready(int lane) {}
  }
}
