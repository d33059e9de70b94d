package dev.crema.device.cuda;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.Consumer;

/** What was made so far, given back in reverse order unless all of it could be made. */
final class Undo implements AutoCloseable {
  private final Deque<Runnable> steps = new ArrayDeque<>();

  <T> T on(T made, Consumer<T> close) {
    steps.push(() -> close.accept(made));
    return made;
  }

  /** All is made. */
  void keep() {
    steps.clear();
  }

  @Override
  public void close() {
    steps.forEach(Runnable::run);
  }
}
