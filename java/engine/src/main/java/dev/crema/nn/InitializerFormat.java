package dev.crema.nn;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.JsonDeserializer;
import com.fasterxml.jackson.databind.JsonSerializer;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.jsontype.TypeDeserializer;
import com.fasterxml.jackson.databind.jsontype.TypeSerializer;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.graph.ShapeException;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Initialisers in JSON: the well-known ones by name ({@code "he_normal"}), others as objects with a
 * {@code "type"} ({@code {"type": "normal", "mean": 0, "deviation": 0.02}}).
 */
final class InitializerFormat {
  private static final Map<String, Initializer> NAMED = new LinkedHashMap<>();
  private static final Map<String, Class<? extends Initializer>> TYPES = new LinkedHashMap<>();

  static {
    NAMED.put("zeros", Initializer.ZEROS);
    NAMED.put("ones", Initializer.ONES);
    NAMED.put("glorot_uniform", Initializer.GLOROT_UNIFORM);
    NAMED.put("glorot_normal", Initializer.GLOROT_NORMAL);
    NAMED.put("he_uniform", Initializer.HE_UNIFORM);
    NAMED.put("he_normal", Initializer.HE_NORMAL);
    NAMED.put("lecun_uniform", Initializer.LECUN_UNIFORM);
    NAMED.put("lecun_normal", Initializer.LECUN_NORMAL);
    NAMED.put("torch_uniform", Initializer.TORCH_UNIFORM);
    NAMED.put("orthogonal", Initializer.ORTHOGONAL);
    NAMED.put("forget_gate_ones", Initializer.FORGET_GATE_ONES);
    TYPES.put("forget_gate", Initializer.ForgetGate.class);
    TYPES.put("constant", Initializer.Constant.class);
    TYPES.put("normal", Initializer.Normal.class);
    TYPES.put("uniform", Initializer.Uniform.class);
    TYPES.put("variance_scaling", Initializer.VarianceScaling.class);
    TYPES.put("orthogonal", Initializer.Orthogonal.class);
  }

  private InitializerFormat() {}

  static final class Reader extends JsonDeserializer<Initializer> {
    @Override
    public Initializer deserialize(JsonParser in, DeserializationContext context)
        throws IOException {
      if (in.currentToken() == JsonToken.VALUE_STRING) {
        Initializer named = NAMED.get(in.getText());
        if (named == null) {
          throw new ShapeException(
              "there is no initializer '" + in.getText() + "'. There are: " + NAMED.keySet());
        }
        return named;
      }
      if (!(context.readTree(in) instanceof ObjectNode object)) {
        throw new ShapeException("an initializer must be a name or an object with a \"type\"");
      }
      String type = object.path("type").asText();
      Class<? extends Initializer> wanted = TYPES.get(type);
      if (wanted == null) {
        throw new ShapeException(
            "there is no type of initializer '" + type + "'. There are: " + TYPES.keySet());
      }
      object.remove("type");
      return context.readTreeAsValue(object, wanted);
    }

    @Override
    public Object deserializeWithType(
        JsonParser in, DeserializationContext context, TypeDeserializer type) throws IOException {
      return deserialize(in, context);
    }
  }

  static final class Writer extends JsonSerializer<Initializer> {
    @Override
    public void serialize(Initializer value, JsonGenerator out, SerializerProvider provider)
        throws IOException {
      for (Map.Entry<String, Initializer> named : NAMED.entrySet()) {
        if (named.getValue().equals(value)) {
          out.writeString(named.getKey());
          return;
        }
      }
      out.writeStartObject();
      if (value instanceof Initializer.Constant c) {
        out.writeStringField("type", "constant");
        out.writeNumberField("value", c.value());
      } else if (value instanceof Initializer.ForgetGate f) {
        out.writeStringField("type", "forget_gate");
        out.writeNumberField("value", f.value());
      } else if (value instanceof Initializer.Normal n) {
        out.writeStringField("type", "normal");
        out.writeNumberField("mean", n.mean());
        out.writeNumberField("deviation", n.deviation());
      } else if (value instanceof Initializer.Uniform u) {
        out.writeStringField("type", "uniform");
        out.writeNumberField("low", u.low());
        out.writeNumberField("high", u.high());
      } else if (value instanceof Initializer.VarianceScaling v) {
        out.writeStringField("type", "variance_scaling");
        out.writeNumberField("scale", v.scale());
        out.writePOJOField("fan", v.fan());
        out.writeBooleanField("uniform", v.uniform());
      } else if (value instanceof Initializer.Orthogonal o) {
        out.writeStringField("type", "orthogonal");
        out.writeNumberField("gain", o.gain());
      } else {
        throw new IllegalStateException(value + " stands in no layer");
      }
      out.writeEndObject();
    }

    @Override
    public void serializeWithType(
        Initializer value, JsonGenerator out, SerializerProvider provider, TypeSerializer type)
        throws IOException {
      serialize(value, out, provider);
    }
  }
}
