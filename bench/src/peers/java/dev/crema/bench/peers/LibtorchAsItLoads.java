package dev.crema.bench.peers;

/** {@link Libtorch} as who does not know its settings gets it. */
public final class LibtorchAsItLoads extends Libtorch {
  public LibtorchAsItLoads() {
    super(false);
  }

  @Override
  public String name() {
    return "libtorch-default";
  }
}
