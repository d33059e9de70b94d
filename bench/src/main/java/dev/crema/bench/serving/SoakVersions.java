package dev.crema.bench.serving;

import dev.crema.bench.Network;
import dev.crema.nn.Model;
import dev.crema.nn.Topology;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * Versions of one model that come and go in a folder: each has other weights, and its answer to the
 * one request is known before it is there.
 */
final class SoakVersions {
  private static final int KEPT = 3; // folders; those before are deleted

  private final Path folder;
  private final Topology topology = Network.SEED_MLP.topology();
  private final float[] example = Network.SEED_MLP.examples(1);
  private final List<float[]> answers = new CopyOnWriteArrayList<>();
  private final Deque<Path> folders = new ArrayDeque<>();
  private volatile int last;

  /**
   * @param folder of the model, in which version 1, the network with its initial weights, is
   */
  SoakVersions(Path folder) {
    this.folder = folder;
    try (Model first = Network.SEED_MLP.model()) {
      answers.add(first.predict(example));
    }
    folders.add(folder.resolve("1"));
    last = 1;
  }

  /** Adds the next version, and takes away the oldest. One thread at a time. */
  void next() throws IOException {
    int number = last + 1;
    Path version = folder.resolve(Integer.toString(number));
    try (Model model = Model.of(topology, number)) {
      answers.add(model.predict(example));
      model.save(version);
    }
    last = number;
    folders.add(version);
    if (folders.size() > KEPT) {
      TemporaryFolder.delete(folders.remove());
    }
  }

  int count() {
    return last;
  }

  /** Whether that is the answer of one of the versions, whole. */
  boolean isRight(float[] got) {
    for (int i = answers.size() - 1; i >= 0; i--) {
      if (isSame(answers.get(i), got)) {
        return true;
      }
    }
    return false;
  }

  /** Text keeps every bit of a float; batches of another size may sum in another order. */
  private static boolean isSame(float[] expected, float[] got) {
    if (got.length != expected.length) {
      return false;
    }
    for (int i = 0; i < got.length; i++) {
      if (!(Math.abs(got[i] - expected[i]) <= 1e-6f)) {
        return false;
      }
    }
    return true;
  }
}
