package dev.crema.serving.openinference;

import com.fasterxml.jackson.core.JsonGenerator;
import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpHeaderNames;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.common.MediaType;
import com.linecorp.armeria.common.ResponseHeaders;
import com.linecorp.armeria.common.ResponseHeadersBuilder;
import dev.crema.serving.inference.InferenceResponse;
import dev.crema.serving.inference.Signature;
import dev.crema.serving.inference.TensorValue;
import dev.crema.serving.protocol.Rest;
import dev.crema.serving.tensor.JsonFormat;
import dev.crema.serving.tensor.JsonTensorWriter;
import dev.crema.serving.tensor.NumberType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** An answer to an {@code /infer}: JSON, and after it what was asked for as binary data. */
final class InferAnswer {
  private final InferenceResponse response;
  private final Signature signature;
  private final Map<String, RequestedOutput> requested;
  private final boolean allBinary;
  private final List<ByteBuffer> binary = new ArrayList<>();

  InferAnswer(
      InferenceResponse response,
      Signature signature,
      Map<String, RequestedOutput> requested,
      boolean allBinary) {
    this.response = response;
    this.signature = signature;
    this.requested = requested;
    this.allBinary = allBinary;
  }

  HttpResponse http(JsonFormat format, ResponseHeaders jsonHeaders) {
    Rest.Body body = new Rest.Body();
    try (JsonGenerator json = format.generator(body)) {
      write(json);
    } catch (IOException e) {
      throw new IllegalStateException("JSON could not be written to memory", e);
    }
    if (binary.isEmpty()) {
      return HttpResponse.of(jsonHeaders, body.data());
    }
    int jsonLength = body.size();
    for (ByteBuffer data : binary) {
      byte[] bytes = new byte[data.remaining()];
      data.get(bytes);
      body.write(bytes, 0, bytes.length);
    }
    ResponseHeadersBuilder headers =
        ResponseHeaders.builder(HttpStatus.OK)
            .contentType(MediaType.OCTET_STREAM)
            .set(OpenInferenceRest.JSON_LENGTH, Integer.toString(jsonLength));
    HttpData data = body.data();
    headers.setInt(HttpHeaderNames.CONTENT_LENGTH, data.length());
    return HttpResponse.of(headers.build(), data);
  }

  private void write(JsonGenerator json) throws IOException {
    json.writeStartObject();
    json.writeStringField("model_name", response.model());
    json.writeStringField("model_version", Long.toString(response.version()));
    if (!response.id().isEmpty()) {
      json.writeStringField("id", response.id());
    }
    json.writeArrayFieldStart("outputs");
    for (Map.Entry<String, TensorValue> output : response.outputs().entrySet()) {
      RequestedOutput asked =
          requested.getOrDefault(output.getKey(), new RequestedOutput(output.getKey(), 0, null));
      boolean asBinary = asked.binary() == null ? allBinary : asked.binary();
      json.writeStartObject();
      json.writeStringField("name", output.getKey());
      if (asked.classes() > 0) {
        writeClasses(json, TopClasses.of(asked, output.getValue(), signature), asBinary);
      } else {
        writeTensor(json, output.getValue(), asBinary);
      }
      json.writeEndObject();
    }
    json.writeEndArray();
    json.writeEndObject();
  }

  private void writeTensor(JsonGenerator json, TensorValue value, boolean asBinary)
      throws IOException {
    json.writeStringField("datatype", NumberType.of(value.type()).name());
    writeShape(json, value.shape());
    if (asBinary) {
      writeBinary(json, value.data());
    } else {
      json.writeFieldName("data");
      new JsonTensorWriter(value).writeFlat(json);
    }
  }

  private void writeClasses(JsonGenerator json, TopClasses classes, boolean asBinary)
      throws IOException {
    json.writeStringField("datatype", "BYTES");
    writeShape(json, classes.shape());
    if (asBinary) {
      writeBinary(json, bytes(classes.strings()));
      return;
    }
    json.writeArrayFieldStart("data");
    for (String s : classes.strings()) {
      json.writeString(s);
    }
    json.writeEndArray();
  }

  /** Each with its length in four bytes before it. */
  static ByteBuffer bytes(List<String> strings) {
    List<byte[]> encoded = strings.stream().map(s -> s.getBytes(StandardCharsets.UTF_8)).toList();
    ByteBuffer data =
        ByteBuffer.allocate(encoded.stream().mapToInt(b -> 4 + b.length).sum())
            .order(ByteOrder.LITTLE_ENDIAN);
    encoded.forEach(b -> data.putInt(b.length).put(b));
    return data.flip();
  }

  private void writeBinary(JsonGenerator json, ByteBuffer data) throws IOException {
    json.writeObjectFieldStart("parameters");
    json.writeNumberField("binary_data_size", data.remaining());
    json.writeEndObject();
    binary.add(data);
  }

  private static void writeShape(JsonGenerator json, long[] shape) throws IOException {
    json.writeFieldName("shape");
    json.writeArray(shape, 0, shape.length);
  }
}
