package dev.crema.device.cuda.kernel;

/** How the instructions of one name become launches. Stateless. */
@FunctionalInterface
public interface Kernel {
  /**
   * Gives the launches that compute an instruction for one batch size. Called while a program is
   * recorded, never while it runs: once to see what scratch memory it asks for, then once to record
   * it, so it must give the same launches both times.
   */
  void launch(Call call, Launches to);

  /**
   * What is wrong with the data, after a launch has said so in {@link Call#errors}.
   *
   * @param call with the shapes of that batch
   * @param position which element was bad, as the kernel counts them
   * @param value what stood there
   */
  default String message(Call call, long position, int value) {
    return "bad value " + value + " at position " + position;
  }
}
