package dev.crema.compress;

import dev.crema.CremaException;
import dev.crema.data.Dataset;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * The examples of a {@link Compression}, by what they are for.
 *
 * @param train to fine-tune with
 * @param calibration some of those, every class among them, for ranges of activations
 * @param choice to judge candidates by
 * @param end to measure what is kept on; the same as {@code choice} where there are too few
 * @param notes what a user should know of that
 */
record Examples(
    Dataset train, Dataset calibration, Dataset choice, Dataset end, List<String> notes) {
  private static final int CALIBRATION = 1000;
  private static final int LEAST = 20; // below, one example is 5 points and more
  private static final int LEAST_OF_HALF = 100;

  static Examples of(
      Dataset data, Dataset validation, Dataset test, double fraction, long seed, double drop) {
    requireOthers(data, validation, "validation");
    requireOthers(data, test, "test");
    Dataset train = data;
    Dataset held = validation;
    if (held == null) {
      requireEnough(data.size());
      Dataset.Split split = data.split(fraction, seed);
      train = split.train();
      held = split.validation();
    }
    requireEnough(held.size());
    List<String> notes = new ArrayList<>();
    Dataset choice = held;
    Dataset end = held;
    if (test != null) {
      requireOthers(held, test, "test");
      requireEnough(test.size());
      end = test;
    } else if (held.size() < 0 || held.size() >= 2 * LEAST_OF_HALF) {
      Dataset.Split halves = held.split(0.5, seed + 1); // streams part by a hash
      choice = halves.train();
      end = halves.validation();
    }
    notes.add(
        choice == end
            ? "Only "
                + count(choice, "examples")
                + " are there to judge by: candidates are chosen by the same ones as before and"
                + " after are measured on, which flatters what is kept."
            : "Candidates are chosen by "
                + count(choice, "examples")
                + ", before and after are measured on "
                + count(end, "other examples")
                + ". None of them is trained or calibrated on.");
    if (choice.size() > 0 && 1.0 / choice.size() > drop && drop > 0) {
      notes.add(
          String.format(
              Locale.ROOT,
              "One example of %,d is more than the drop that is allowed: use more of them.",
              choice.size()));
    }
    return new Examples(train, train.sample(CALIBRATION, seed + 2), choice, end, notes);
  }

  private static void requireOthers(Dataset data, Dataset other, String name) {
    if (data == other) {
      throw new CremaException(
          "The "
              + name
              + " data are the same as other data of this compression. A loss of accuracy shows on"
              + " examples that nothing was trained, calibrated or chosen by.");
    }
  }

  /**
   * @param count of examples to judge by; -1 if that is not known yet
   */
  static void requireEnough(long count) {
    if (count >= 0 && count < LEAST) {
      throw new CremaException(
          "A loss of accuracy cannot be told on "
              + count
              + " examples; at least "
              + LEAST
              + " are needed, better some thousand.");
    }
  }

  private static String count(Dataset data, String what) {
    return data.size() < 0 ? what : String.format(Locale.ROOT, "%,d %s", data.size(), what);
  }
}
