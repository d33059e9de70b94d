package dev.crema.nn;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import com.fasterxml.jackson.databind.JsonNode;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import dev.crema.op.Window2d;

/**
 * Zeros around an image or a sequence. In JSON {@code "valid"}, {@code "same"}, a number for all
 * sides, {@code [vertical, horizontal]} or {@code [top, bottom, left, right]}; a sequence has only
 * left and right.
 *
 * @param mode when not {@link Mode#EXPLICIT}, the numbers are 0
 */
public record Padding(Mode mode, int top, int bottom, int left, int right) {
  /** How many zeros are told. */
  public enum Mode {
    /** None: every window lies wholly inside. */
    VALID,
    /**
     * As many as give ⌈extent / stride⌉ windows; an odd one goes to the end, as in TensorFlow and
     * Keras.
     */
    SAME,
    EXPLICIT
  }

  public static final Padding VALID = new Padding(Mode.VALID, 0, 0, 0, 0);
  public static final Padding SAME = new Padding(Mode.SAME, 0, 0, 0, 0);

  public Padding {
    if (top < 0 || bottom < 0 || left < 0 || right < 0) {
      throw new ShapeException(
          "padding must not be negative, got " + top + ", " + bottom + ", " + left + ", " + right);
    }
  }

  /** The same on all sides, as PyTorch's {@code padding=n}. */
  public static Padding of(int all) {
    return of(all, all, all, all);
  }

  public static Padding of(int top, int bottom, int left, int right) {
    return new Padding(Mode.EXPLICIT, top, bottom, left, right);
  }

  /** Of a sequence. */
  public static Padding of(int left, int right) {
    return of(0, 0, left, right);
  }

  @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
  static Padding fromJson(JsonNode json) {
    if (json.isTextual()) {
      return switch (json.asText()) {
        case "valid" -> VALID;
        case "same" -> SAME;
        default ->
            throw new ShapeException("padding must be \"valid\", \"same\" or numbers, got " + json);
      };
    }
    int[] v = JsonNumbers.of(json);
    return switch (v.length) {
      case 1 -> of(v[0]);
      case 2 -> of(v[0], v[0], v[1], v[1]);
      case 4 -> of(v[0], v[1], v[2], v[3]);
      default ->
          throw new ShapeException(
              "padding must be a number, [vertical, horizontal] or [top, bottom, left, right], got "
                  + json);
    };
  }

  @JsonValue
  Object toJson() {
    return switch (mode) {
      case VALID -> "valid";
      case SAME -> "same";
      case EXPLICIT -> new int[] {top, bottom, left, right};
    };
  }

  /** The windows that this gives over images [n, h, w, c] or sequences [n, l, c]. */
  Window2d window(TensorType x, Size2d taps, Size2d strides, Size2d dilation) {
    Window2d window =
        Window2d.valid(strides.height(), strides.width())
            .dilated(dilation.height(), dilation.width());
    return switch (mode) {
      case VALID -> window;
      case SAME -> window.same(x, taps.height(), taps.width());
      case EXPLICIT ->
          x.rank() == 4
              ? window.padded(top, bottom, left, right)
              : window.padded(0, 0, left, right);
    };
  }
}
