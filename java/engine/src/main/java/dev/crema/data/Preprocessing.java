package dev.crema.data;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.CremaException;
import dev.crema.memory.Shape;
import java.util.List;

/**
 * What must be done with raw values before a model sees them, learnt from the training set and
 * saved with the model. Immutable.
 */
public sealed interface Preprocessing permits TablePreprocessing, ArrayPreprocessing {
  /** Shape of one encoded example. */
  Shape inputShape();

  /** Names of the classes in order of class number; empty when this is not classification. */
  List<String> classNames();

  /** An encoder for rows of named values. */
  RowEncoder encoder();

  /** Everything of it, as JSON; {@link #fromJson} makes an equal object of it. */
  ObjectNode toJson();

  /**
   * Reads what {@link #toJson} wrote, trusting nothing.
   *
   * @throws CremaException naming the member that is missing or wrong
   */
  static Preprocessing fromJson(JsonNode json) {
    JsonReader reader = new JsonReader(json, "preprocessing");
    String kind = reader.text("kind");
    return switch (kind) {
      case TablePreprocessing.KIND -> TablePreprocessing.read(reader);
      case ArrayPreprocessing.KIND -> ArrayPreprocessing.read(reader);
      default ->
          throw reader.wrong(
              "kind", "\"table\" or \"array\"", kind + "; was it written by a newer version?");
    };
  }
}
