package dev.crema.nn;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import com.fasterxml.jackson.databind.JsonNode;
import dev.crema.graph.ShapeException;

/**
 * Rows and columns of a window, of strides or of dilations. In JSON {@code 3} or {@code [3, 5]}.
 */
public record Size2d(int height, int width) {
  public Size2d {
    if (height < 1 || width < 1) {
      throw new ShapeException("a size must be at least 1 by 1, got " + height + " by " + width);
    }
  }

  static final Size2d ONE = square(1);

  public static Size2d of(int height, int width) {
    return new Size2d(height, width);
  }

  public static Size2d square(int side) {
    return new Size2d(side, side);
  }

  @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
  static Size2d fromJson(JsonNode json) {
    int[] values = JsonNumbers.of(json);
    return switch (values.length) {
      case 1 -> square(values[0]);
      case 2 -> of(values[0], values[1]);
      default ->
          throw new ShapeException("a size must be one number or [height, width], got " + json);
    };
  }

  @JsonValue
  Object toJson() {
    return height == width ? height : new int[] {height, width};
  }

  @Override
  public String toString() {
    return height + "×" + width;
  }
}
