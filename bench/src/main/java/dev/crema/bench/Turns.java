package dev.crema.bench;

import java.io.Closeable;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;

/** A measuring JVM's end of its connection to the process that gives turns, a {@link Contender}. */
final class Turns implements Closeable {
  /** What a JVM sends when it waits, and what it gets for a turn. */
  static final int READY = 1;

  /** What a JVM sends before the rates that it measured. */
  static final int RATES = 2;

  private final Socket socket;
  private final DataOutputStream out;

  private Turns(Socket socket) throws IOException {
    this.socket = socket;
    this.out = new DataOutputStream(socket.getOutputStream());
  }

  static Turns of(int port) throws IOException {
    return new Turns(new Socket(InetAddress.getLoopbackAddress(), port));
  }

  /** Says that the turn before is over and waits for the next one. */
  void await() throws IOException {
    out.writeByte(READY);
    if (socket.getInputStream().read() != READY) {
      throw new IOException("The process that gives turns has ended");
    }
  }

  /** What the machine gives in this turn. */
  void tell(Limit.Rates rates) throws IOException {
    out.writeByte(RATES);
    out.writeDouble(rates.flops());
    out.writeDouble(rates.bytes());
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
