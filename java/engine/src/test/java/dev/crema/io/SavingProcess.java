package dev.crema.io;

import java.nio.file.Path;

/** A process that saves a model again and again: FOLDER, FIRST VERSION, HOW MANY. */
final class SavingProcess {
  private SavingProcess() {}

  public static void main(String[] arguments) {
    Path target = Path.of(arguments[0]);
    int first = Integer.parseInt(arguments[1]);
    int count = Integer.parseInt(arguments[2]);
    for (int version = first; version < first + count; version++) {
      ModelArchive.write(target, ModelArchiveTest.model(version));
    }
  }
}
