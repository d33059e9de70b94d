package dev.crema.data;

import dev.crema.CremaException;
import java.util.Map;

/** Turns rows of named values into the numbers that a model takes. Not thread-safe. */
public interface RowEncoder {
  /**
   * Encodes one row.
   *
   * @param row values by column; columns that the model doesn't know are passed over
   * @param out overwritten with the elements of {@link Preprocessing#inputShape}, from {@code at}
   * @throws CremaException if a column is missing or a value isn't what the column holds
   */
  void encode(Map<String, String> row, float[] out, int at);

  /** Encodes one row into an array of its own. */
  float[] encode(Map<String, String> row);

  /**
   * Values so far of categories that the model doesn't know, as the training set had none of them
   * or few; they were encoded as zeros.
   */
  long unseen();
}
