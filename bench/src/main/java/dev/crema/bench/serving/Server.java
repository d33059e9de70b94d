package dev.crema.bench.serving;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * A server that is measured, in a process of its own. It answers {@code POST
 * /v1/models/NAME:predict} in TensorFlow Serving's row format.
 */
public interface Server {
  String name();

  /** What it is, with its version, for reports. */
  String version();

  /**
   * Writes what it needs into a folder of its own and gives the command that starts it on a port of
   * loopback.
   *
   * @throws IOException if the folder can't be written
   */
  List<String> command(ServedNetwork network, Path folder, int port) throws IOException;

  /** Other servers, found where they are on the class path. */
  interface Peers {
    List<Server> servers();
  }
}
