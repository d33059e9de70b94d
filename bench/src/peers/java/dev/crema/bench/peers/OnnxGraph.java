package dev.crema.bench.peers;

import java.util.Map;

/**
 * A graph of ONNX, opset 20, and of ONNX Runtime's own operations. Field numbers are those of
 * onnx.proto.
 */
final class OnnxGraph {
  static final int FLOAT = 1;
  static final int UINT8 = 2;
  static final int INT8 = 3;
  private static final int INT32 = 6;
  private static final int ATTRIBUTE_FLOAT = 1;
  private static final int ATTRIBUTE_INT = 2;
  private static final int ATTRIBUTE_INTS = 7;
  private static final int OPSET = 20;
  private static final int IR_VERSION = 9;
  private static final String MICROSOFT = "com.microsoft";

  private final Protobuf graph = new Protobuf();
  private int nodes;

  /**
   * Adds an operation.
   *
   * @param attributes Long, Float or long[]
   * @return the name of its output
   */
  String node(String operation, String output, Map<String, Object> attributes, String... inputs) {
    return node("", operation, output, attributes, inputs);
  }

  /** The same with an operation that only ONNX Runtime knows. */
  String own(String operation, String output, String... inputs) {
    return node(MICROSOFT, operation, output, Map.of(), inputs);
  }

  private String node(
      String domain,
      String operation,
      String output,
      Map<String, Object> attributes,
      String... inputs) {
    Protobuf node = new Protobuf();
    for (String input : inputs) {
      node.text(1, input);
    }
    node.text(2, output).text(3, "node" + nodes++).text(4, operation);
    attributes.forEach((name, value) -> node.message(5, attribute(name, value)));
    node.text(7, domain);
    graph.message(1, node);
    return output;
  }

  private static Protobuf attribute(String name, Object value) {
    Protobuf attribute = new Protobuf().text(1, name);
    if (value instanceof Long number) {
      return attribute.number(3, number).number(20, ATTRIBUTE_INT);
    }
    if (value instanceof Float number) {
      return attribute.single(2, number).number(20, ATTRIBUTE_FLOAT);
    }
    for (long number : (long[]) value) {
      attribute.number(8, number);
    }
    return attribute.number(20, ATTRIBUTE_INTS);
  }

  /** Adds a constant; gives its name. */
  String constant(String name, float[] values, long... dims) {
    return constant(name, FLOAT, Protobuf.little(values), dims);
  }

  /** Adds a constant of int32; gives its name. */
  String constant(String name, int[] values, long... dims) {
    return constant(name, INT32, Protobuf.little(values), dims);
  }

  /**
   * Adds a constant; gives its name.
   *
   * @param type as ONNX numbers them
   */
  String constant(String name, int type, byte[] values, long... dims) {
    Protobuf tensor = new Protobuf();
    for (long d : dims) {
      tensor.number(1, d);
    }
    tensor.number(2, type).text(8, name).bytes(9, values);
    graph.message(5, tensor);
    return name;
  }

  /** The model with one input x and one output y. */
  byte[] model(long[] inputDims, long[] outputDims) {
    return model(FLOAT, inputDims, outputDims);
  }

  /** The same with numbers of another type. */
  byte[] model(int type, long[] inputDims, long[] outputDims) {
    graph.text(2, "work");
    graph.message(11, value("x", type, inputDims));
    graph.message(12, value("y", type, outputDims));
    return new Protobuf()
        .number(1, IR_VERSION)
        .message(7, graph)
        .message(8, new Protobuf().text(1, "").number(2, OPSET))
        .message(8, new Protobuf().text(1, MICROSOFT).number(2, 1))
        .array();
  }

  private static Protobuf value(String name, int type, long[] dims) {
    Protobuf shape = new Protobuf();
    for (long d : dims) {
      shape.message(1, new Protobuf().number(1, d));
    }
    Protobuf tensor = new Protobuf().number(1, type).message(2, shape);
    return new Protobuf().text(1, name).message(2, new Protobuf().message(1, tensor));
  }
}
