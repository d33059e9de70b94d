package dev.crema.data;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.CremaException;
import dev.crema.memory.Shape;
import java.util.List;
import java.util.Map;

/**
 * Preprocessing of images and arrays: a shape, and a scale for whole numbers.
 *
 * @param inputShape of one example; images are [height, width, channels]
 * @param scale what raw values in rows of text are multiplied by, 1/255 for pixels
 */
public record ArrayPreprocessing(Shape inputShape, double scale, List<String> classNames)
    implements Preprocessing {
  static final String KIND = "array";

  /** From a byte to [0, 1]. */
  static final double PIXEL = 1.0 / 255;

  private static final int MOST_ELEMENTS = 1 << 28;

  public ArrayPreprocessing {
    classNames = List.copyOf(classNames);
    if (!(scale > 0) || Double.isInfinite(scale)) {
      throw new CremaException("A scale is a number above 0, got " + scale);
    }
    if (inputShape.elements() < 1 || inputShape.elements() > MOST_ELEMENTS) {
      throw new CremaException("An example of shape " + inputShape + " can't be encoded");
    }
  }

  /** The numbers of a row in its own order, however they are named; as many as the shape has. */
  @Override
  public RowEncoder encoder() {
    return new RowEncoder() {
      @Override
      public void encode(Map<String, String> row, float[] out, int at) {
        if (row.size() != inputShape.elements()) {
          throw new CremaException(
              "A row has "
                  + row.size()
                  + " values; the model takes "
                  + inputShape.elements()
                  + ", shape "
                  + inputShape);
        }
        int i = at;
        for (Map.Entry<String, String> value : row.entrySet()) {
          out[i++] = (float) (number(value) * scale);
        }
      }

      @Override
      public float[] encode(Map<String, String> row) {
        float[] out = new float[(int) inputShape.elements()];
        encode(row, out, 0);
        return out;
      }

      @Override
      public long unseen() {
        return 0;
      }
    };
  }

  private static double number(Map.Entry<String, String> value) {
    double number = Numbers.parse(value.getValue());
    if (Double.isNaN(number)) {
      throw new CremaException(
          "Column " + value.getKey() + ": expected a number, found \"" + value.getValue() + '"');
    }
    return number;
  }

  @Override
  public ObjectNode toJson() {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("kind", KIND).put("scale", scale);
    ArrayNode shape = json.putArray("shape");
    for (long extent : inputShape.dims()) {
      shape.add(extent);
    }
    classNames.forEach(json.putArray("classNames")::add);
    return json;
  }

  static ArrayPreprocessing read(JsonReader json) {
    return new ArrayPreprocessing(
        Shape.of(json.extents("shape")), json.positive("scale"), json.names("classNames"));
  }
}
