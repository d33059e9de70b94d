package dev.crema.bench;

import dev.crema.CremaException;
import dev.crema.io.Json;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.ToDoubleFunction;

/**
 * A JVM that measures one work in one engine and takes turns with others: what it computes and what
 * it is compared with then meet the same moods of the machine.
 */
final class Contender implements AutoCloseable {
  private static final List<String> OPTIONS =
      List.of("-Xms512m", "-Xmx2g", "-XX:+UseParallelGC", "-Djmh.ignoreLock=true");
  private static final int LOOK_MILLIS = 100;
  private static final int MILLIS = 1000;

  private final Work work;
  private final Engine engine;
  private final int threads;
  private final ServerSocket door;
  private final Child child;
  private final List<Limit.Rates> rates = new ArrayList<>();
  private Socket socket;
  private DataInputStream in;

  private Contender(Work work, Engine engine, int threads, ServerSocket door, Child child) {
    this.work = work;
    this.engine = engine;
    this.threads = threads;
    this.door = door;
    this.child = child;
  }

  /** Starts the JVM, which makes itself ready meanwhile. The caller closes it. */
  static Contender start(Work work, Engine engine, int threads, Fork.Length length) {
    try {
      ServerSocket door = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
      List<String> arguments =
          List.of(
              work.name(),
              engine.name(),
              Integer.toString(threads),
              Integer.toString(length.warmupMillis()),
              Integer.toString(length.turns()),
              Integer.toString(length.turnMillis()),
              Integer.toString(door.getLocalPort()));
      Child child = Child.start(engine, threads, OPTIONS, Fork.class, arguments);
      return new Contender(work, engine, threads, door, child);
    } catch (IOException e) {
      throw new CremaException("Can't listen on the loopback interface: " + e.getMessage(), e);
    }
  }

  Engine engine() {
    return engine;
  }

  /**
   * Waits until its result is checked and it could begin.
   *
   * @throws CremaException with what it said if it failed; so do the others
   */
  void ready() {
    try {
      door.setSoTimeout(LOOK_MILLIS);
      long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(Child.TIMEOUT_SECONDS);
      while (socket == null) {
        try {
          socket = door.accept();
        } catch (SocketTimeoutException e) {
          if (!child.isAlive()) {
            throw new IOException("it ended", e);
          }
          if (System.nanoTime() - end > 0) {
            throw e;
          }
        }
      }
      socket.setSoTimeout(Child.TIMEOUT_SECONDS * MILLIS);
      in = new DataInputStream(socket.getInputStream());
      listen();
    } catch (IOException e) {
      throw failure(e);
    }
  }

  /** Runs its warm-up and forgets it. */
  void warmUp() {
    turn();
    rates.clear();
  }

  /** Lets it measure once and waits. */
  void turn() {
    try {
      socket.getOutputStream().write(Turns.READY);
      listen();
    } catch (IOException e) {
      throw failure(e);
    }
  }

  private void listen() throws IOException {
    while (in.readByte() == Turns.RATES) {
      rates.add(new Limit.Rates(in.readDouble(), in.readDouble()));
    }
  }

  /** After the last turn of all: what it measured. */
  Measurement end() {
    try {
      socket.getOutputStream().write(Turns.READY);
    } catch (IOException e) {
      throw failure(e);
    }
    Fork.Timed timed = child.end(file -> Json.mapper().readValue(file.toFile(), Fork.Timed.class));
    Limit.Rates usual = new Limit.Rates(median(Limit.Rates::flops), median(Limit.Rates::bytes));
    Limit limit = work.limit();
    return new Measurement(
        work.name(),
        engine.name(),
        threads,
        timed.nanos(),
        timed.heapBytes(),
        rates.stream().map(now -> 1e9 * limit.seconds(now)).toList(),
        limit.describe(usual),
        limit.isArithmetic(usual),
        timed.version());
  }

  private double median(ToDoubleFunction<Limit.Rates> rate) {
    return Medians.of(rates.stream().map(rate::applyAsDouble).toList());
  }

  /** A connection that breaks means that the JVM fails: it says why. */
  private CremaException failure(IOException e) {
    if (e instanceof SocketTimeoutException) {
      return new CremaException("no answer within " + Child.TIMEOUT_SECONDS + " s", e);
    }
    try {
      child.end(file -> file);
      return new CremaException("its connection broke: " + e.getMessage(), e);
    } catch (CremaException said) {
      return said;
    }
  }

  @Override
  public void close() {
    child.close();
    try {
      door.close();
      if (socket != null) {
        socket.close();
      }
    } catch (IOException e) {
      throw new CremaException("Can't close a connection: " + e.getMessage(), e);
    }
  }
}
