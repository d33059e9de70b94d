package dev.crema.serving.openapi;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.memory.ElementType;
import java.util.List;

/** JSON schemas, written into an empty object. */
final class Schemas {
  private Schemas() {}

  static ObjectNode object(ObjectNode schema, String... required) {
    schema.put("type", "object");
    if (required.length > 0) {
      ArrayNode names = schema.putArray("required");
      for (String name : required) {
        names.add(name);
      }
    }
    return schema.putObject("properties");
  }

  static void type(ObjectNode schema, String type) {
    schema.put("type", type);
  }

  /** The schema of a list's items. */
  static ObjectNode list(ObjectNode schema) {
    schema.put("type", "array");
    return schema.putObject("items");
  }

  static void reference(ObjectNode schema, String name) {
    schema.put("$ref", "#/components/schemas/" + name);
  }

  /** Lists in lists of numbers. */
  static void tensor(ObjectNode schema, ElementType type, List<Long> extents) {
    ObjectNode inner = schema;
    for (long extent : extents) {
      ObjectNode outer = inner;
      inner = list(outer);
      if (extent >= 0) {
        outer.put("minItems", extent);
        outer.put("maxItems", extent);
      }
    }
    number(inner, type);
  }

  static void number(ObjectNode schema, ElementType type) {
    switch (type) {
      case BOOL -> schema.put("type", "boolean");
      case FLOAT32, FLOAT16, BFLOAT16 -> schema.put("type", "number").put("format", "float");
      case INT8 -> schema.put("type", "integer").put("minimum", -128).put("maximum", 127);
      case UINT8 -> schema.put("type", "integer").put("minimum", 0).put("maximum", 255);
      case INT32 -> schema.put("type", "integer").put("format", "int32");
      case INT64 -> schema.put("type", "integer").put("format", "int64");
    }
  }
}
