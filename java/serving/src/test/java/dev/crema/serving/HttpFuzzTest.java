package dev.crema.serving;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.linecorp.armeria.client.WebClient;
import com.linecorp.armeria.common.AggregatedHttpResponse;
import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpMethod;
import com.linecorp.armeria.common.HttpRequest;
import com.linecorp.armeria.common.HttpRequestWriter;
import com.linecorp.armeria.common.RequestHeaders;
import com.linecorp.armeria.common.RequestHeadersBuilder;
import dev.crema.serving.protocols.inference.InferTensorContents;
import dev.crema.serving.protocols.inference.ModelInferRequest;
import dev.crema.serving.protocols.inference.ModelInferRequest.InferInputTensor;
import dev.crema.serving.protocols.inference.RepositoryIndexRequest;
import dev.crema.serving.protocols.tensorflow.DataType;
import dev.crema.serving.protocols.tensorflow.Example;
import dev.crema.serving.protocols.tensorflow.Feature;
import dev.crema.serving.protocols.tensorflow.Features;
import dev.crema.serving.protocols.tensorflow.FloatList;
import dev.crema.serving.protocols.tensorflow.TensorProto;
import dev.crema.serving.protocols.tensorflow.serving.ClassificationRequest;
import dev.crema.serving.protocols.tensorflow.serving.ExampleList;
import dev.crema.serving.protocols.tensorflow.serving.GetModelMetadataRequest;
import dev.crema.serving.protocols.tensorflow.serving.GetModelStatusRequest;
import dev.crema.serving.protocols.tensorflow.serving.Input;
import dev.crema.serving.protocols.tensorflow.serving.ModelSpec;
import dev.crema.serving.protocols.tensorflow.serving.PredictRequest;
import dev.crema.serving.protocols.tensorflow.serving.RegressionRequest;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import java.util.zip.DeflaterOutputStream;
import java.util.zip.GZIPOutputStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

/**
 * Broken messages in every way that they travel: HTTP/1.1 and HTTP/2, with a length or in chunks,
 * plain or compressed, JSON or with binary tensors, unary gRPC and streams. All are answered, and
 * none by blaming the server.
 */
class HttpFuzzTest extends FuzzedServer {
  /**
   * A body and where it is sent.
   *
   * @param binary what follows its JSON
   */
  private record Message(String path, String json, byte[] binary) {}

  private static final byte[] NUMBERS =
      ByteBuffer.allocate(12).order(ByteOrder.LITTLE_ENDIAN).putFloat(1).putFloat(2).array();
  private static final byte[] STRINGS = {4, 0, 0, 0, 'c', 'o', 'o', 'k', 0, 0, 0, 0};

  private static final List<Message> MESSAGES =
      List.of(
          json("/v1/models/pets:predict", "{'instances': [[1, 2, 3], [4, 5e0, 6]]}"),
          json("/v1/models/pair:predict", "{'inputs': {'a': [[1, 2]], 'b': [3]}}"),
          json("/v1/models/table:predict", "{'instances': [{'age': 39.5, 'job': 'cook'}, {}]}"),
          json("/v1/models/table:predict", "{'inputs': {'age': [1, null], 'job': ['a', 'b']}}"),
          json("/v1/models/pets:classify", "{'examples': [{'x': [1, 2, 3]}], 'context': {}}"),
          json("/v1/models/half_plus_three:regress", "{'examples': [{'x': 1}]}"),
          json(
              "/v2/models/pair/infer",
              "{'id': '7', 'inputs': [{'name': 'a', 'shape': [1, 2], 'datatype': 'FP32', 'data': [1, 2]},"
                  + " {'name': 'b', 'shape': [1], 'datatype': 'INT32', 'data': [3]}]}"),
          json(
              "/v2/models/table/infer",
              "{'inputs': [{'name': 'age', 'shape': [2], 'datatype': 'FP64', 'data': [1.5, null]},"
                  + " {'name': 'job', 'shape': [2, 1], 'datatype': 'BYTES', 'data': [['a'], ['b']]}]}"),
          new Message(
              "/v2/models/pets/infer",
              quoted(
                  "{'inputs': [{'name': 'x', 'shape': [1, 3], 'datatype': 'FP32', 'parameters':"
                      + " {'binary_data_size': 12}}], 'parameters': {'binary_data_output': true}}"),
              NUMBERS),
          new Message(
              "/v2/models/table/infer",
              quoted(
                  "{'inputs': [{'name': 'job', 'shape': [2], 'datatype': 'BYTES', 'parameters':"
                      + " {'binary_data_size': 12}}, {'name': 'age', 'shape': [2], 'datatype':"
                      + " 'INT8', 'data': [1, 2]}]}"),
              STRINGS),
          json("/v2/repository/index", "{'ready': true}"));

  /** What no flipped bit makes: whole documents that are wrong as a whole. */
  private static final List<String> WHOLE =
      List.of(
          "",
          " ",
          "null",
          "[]",
          "\"instances\"",
          "[".repeat(100_000),
          "{\"a\":".repeat(50_000),
          "{\"instances\": " + "[".repeat(20_000) + "]".repeat(20_000) + "}",
          "{\"instances\": [[" + "9".repeat(5_000) + ", 1, 1]]}",
          "{\"instances\": [[1e" + "9".repeat(900) + ", 1, 1]]}",
          "{\"instances\": [[NaN, Infinity, -Infinity]]}",
          "{\"instances\": [[nan, +Infinity, 01]]}",
          "{\"instances\": [[1, 2, 3]], \"instances\": [[1, 2, 3]]}",
          "{\"inputs\": [], \"inputs\": []}",
          "{\"" + "n".repeat(100_000) + "\": 1}",
          "{\"instances\": [{\"x\": [1, 2, 3], \"x\": [1, 2, 3]}]}",
          "{\"inputs\": [{\"name\": \"x\", \"shape\": [9223372036854775807, 9223372036854775807],"
              + " \"datatype\": \"FP32\", \"parameters\": {\"binary_data_size\":"
              + " 9223372036854775807}}]}",
          "{\"inputs\": [{\"name\": \"x\", \"shape\": [99999999999999999999], \"datatype\":"
              + " \"FP32\", \"parameters\": {\"binary_data_size\": 99999999999999999999}}]}",
          "{\"inputs\": [{\"name\": \"x\", \"shape\": [0, 3], \"datatype\": \"FP32\","
              + " \"parameters\": {\"binary_data_size\": 0}}]}",
          "{\"inputs\": [{\"name\": \"x\", \"shape\": [1, 3], \"datatype\": \"FP32\","
              + " \"parameters\": {\"binary_data_size\": -12}}]}",
          "\u0000\u0000\u0000{\u0000\u0000\u0000}",
          "\ufeff{\"instances\": [[1, 2, 3]]}");

  private static Message json(String path, String json) {
    return new Message(path, quoted(json), new byte[0]);
  }

  private static String quoted(String json) {
    return json.replace('\'', '"');
  }

  @Property(tries = 300)
  void rest(@ForAll long seed) {
    Random random = new Random(seed);
    Message message = MESSAGES.get(random.nextInt(MESSAGES.size()));
    boolean whole = random.nextInt(8) == 0;
    byte[] json =
        (whole ? WHOLE.get(random.nextInt(WHOLE.size())) : message.json)
            .getBytes(StandardCharsets.UTF_8);
    byte[] body = join(json, message.binary);
    if (random.nextInt(6) > 0) {
      body = Mutations.of(body, random);
    }
    RequestHeadersBuilder headers =
        RequestHeaders.builder(HttpMethod.POST, message.path)
            .add("content-type", "application/json");
    if (message.binary.length > 0) {
      headers.add("inference-header-content-length", Integer.toString(json.length));
    }
    String coding = List.of("", "", "gzip", "deflate").get(random.nextInt(4));
    if (!coding.isEmpty()) {
      headers.add("content-encoding", coding);
      body = compressed(body, coding);
      body = random.nextBoolean() ? Mutations.of(body, random) : body;
    }
    WebClient client = random.nextBoolean() ? http1 : http2;
    AggregatedHttpResponse answer = client.execute(sent(headers, body, random)).aggregate().join();
    assertThat(answer.status().code())
        .as("%s %s: %s", message.path, coding, answer.contentUtf8())
        .isIn(200, 400, 413, 415);
    assertThat(answer.contentUtf8()).doesNotContain("Exception", "dev.crema", "\tat ");
  }

  /** With its length, or in chunks, the first of them empty. */
  private static HttpRequest sent(RequestHeadersBuilder headers, byte[] body, Random random) {
    if (random.nextBoolean()) {
      return HttpRequest.of(headers.contentLength(body.length).build(), HttpData.wrap(body));
    }
    HttpRequestWriter chunks = HttpRequest.streaming(headers.build());
    chunks.write(HttpData.empty());
    for (int at = 0; at < body.length; ) {
      int length = Math.min(body.length - at, 1 + random.nextInt(1 + body.length / 2));
      chunks.write(HttpData.wrap(body, at, length));
      at += length;
    }
    chunks.close();
    return chunks;
  }

  private static byte[] join(byte[] first, byte[] second) {
    return ByteBuffer.allocate(first.length + second.length).put(first).put(second).array();
  }

  private static byte[] compressed(byte[] body, String coding) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (DeflaterOutputStream to =
        coding.equals("gzip") ? new GZIPOutputStream(out) : new DeflaterOutputStream(out)) {
      to.write(body);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return out.toByteArray();
  }

  /** A gRPC method and a message for it. */
  private record Call(String method, byte[] message) {}

  private static final ModelSpec PETS = ModelSpec.newBuilder().setName("pets").build();
  private static final Input EXAMPLES =
      Input.newBuilder()
          .setExampleList(
              ExampleList.newBuilder()
                  .addExamples(
                      Example.newBuilder()
                          .setFeatures(
                              Features.newBuilder()
                                  .putFeature(
                                      "x",
                                      Feature.newBuilder()
                                          .setFloatList(
                                              FloatList.newBuilder()
                                                  .addValue(1)
                                                  .addValue(2)
                                                  .addValue(3))
                                          .build()))))
          .build();
  private static final PredictRequest PREDICT =
      PredictRequest.newBuilder()
          .setModelSpec(ModelSpec.newBuilder().setName("table"))
          .putInputs(
              "job",
              column(DataType.DT_STRING).addStringVal(ByteString.copyFromUtf8("cook")).build())
          .putInputs("age", column(DataType.DT_DOUBLE).addDoubleVal(1).addDoubleVal(2).build())
          .build();

  private static TensorProto.Builder column(DataType type) {
    TensorProto.Builder column = TensorProto.newBuilder().setDtype(type);
    column.getTensorShapeBuilder().addDimBuilder().setSize(2);
    return column;
  }

  private static final ModelInferRequest INFER =
      ModelInferRequest.newBuilder()
          .setModelName("table")
          .addInputs(column("job", "BYTES"))
          .addInputs(column("age", "FP32"))
          .build();
  private static final ModelInferRequest RAW =
      INFER.toBuilder()
          .clearInputs()
          .addInputs(column("job", "BYTES").clearContents())
          .addInputs(column("age", "FP32").clearContents())
          .addRawInputContents(ByteString.copyFrom(STRINGS))
          .addRawInputContents(ByteString.copyFrom(NUMBERS, 0, 8))
          .build();

  private static InferInputTensor.Builder column(String name, String datatype) {
    InferTensorContents.Builder contents = InferTensorContents.newBuilder();
    for (int i = 0; i < 2; i++) {
      if (datatype.equals("BYTES")) {
        contents.addBytesContents(ByteString.copyFromUtf8("cook"));
      } else {
        contents.addFp32Contents(i);
      }
    }
    return InferInputTensor.newBuilder()
        .setName(name)
        .setDatatype(datatype)
        .addShape(2)
        .setContents(contents);
  }

  private static final List<Call> CALLS =
      List.of(
          new Call(
              "tensorflow.serving.PredictionService/Classify",
              ClassificationRequest.newBuilder()
                  .setModelSpec(PETS)
                  .setInput(EXAMPLES)
                  .build()
                  .toByteArray()),
          new Call(
              "tensorflow.serving.PredictionService/Regress",
              RegressionRequest.newBuilder()
                  .setModelSpec(PETS)
                  .setInput(EXAMPLES)
                  .build()
                  .toByteArray()),
          new Call(
              "tensorflow.serving.PredictionService/GetModelMetadata",
              GetModelMetadataRequest.newBuilder()
                  .setModelSpec(PETS)
                  .addMetadataField("signature_def")
                  .build()
                  .toByteArray()),
          new Call(
              "tensorflow.serving.ModelService/GetModelStatus",
              GetModelStatusRequest.newBuilder().setModelSpec(PETS).build().toByteArray()),
          new Call("tensorflow.serving.PredictionService/Predict", PREDICT.toByteArray()),
          new Call("inference.GRPCInferenceService/ModelInfer", INFER.toByteArray()),
          new Call("inference.GRPCInferenceService/ModelInfer", RAW.toByteArray()),
          new Call("inference.GRPCInferenceService/ModelStreamInfer", RAW.toByteArray()),
          new Call(
              "inference.GRPCInferenceService/RepositoryIndex",
              RepositoryIndexRequest.newBuilder().setReady(true).build().toByteArray()));

  @Property(tries = 200)
  void grpc(@ForAll long seed) {
    Random random = new Random(seed);
    Call call = CALLS.get(random.nextInt(CALLS.size()));
    ByteArrayOutputStream frames = new ByteArrayOutputStream();
    boolean stream = call.method.contains("Stream");
    for (int n = stream ? random.nextInt(4) : 1; n > 0; n--) {
      byte[] message = random.nextInt(8) == 0 ? call.message : Mutations.of(call.message, random);
      boolean gzip = random.nextInt(4) == 0;
      byte[] sent = gzip ? compressed(message, "gzip") : message;
      frames.writeBytes(frame(gzip, sent.length, sent).array());
    }
    AggregatedHttpResponse answer = call(call.method, frames.toByteArray());
    assertThat(List.of("0", "3", "5", "8", "12")).as(call.method + answer).contains(code(answer));
  }
}
