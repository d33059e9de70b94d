package dev.crema.cli.load;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.protobuf.ByteString;
import dev.crema.CremaException;
import dev.crema.io.Json;
import dev.crema.serving.protocols.inference.ModelInferRequest;
import dev.crema.serving.protocols.tensorflow.DataType;
import dev.crema.serving.protocols.tensorflow.TensorProto;
import dev.crema.serving.protocols.tensorflow.TensorShapeProto;
import dev.crema.serving.protocols.tensorflow.serving.ModelSpec;
import dev.crema.serving.protocols.tensorflow.serving.PredictRequest;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * Requests that a model takes, made of random numbers from 0 to 1 by what it says of its inputs.
 */
public final class Inputs {
  /**
   * An input.
   *
   * @param shape of all examples together
   */
  private record Input(String name, String type, int[] shape) {
    int elements() {
      int n = 1;
      for (int extent : shape) {
        n *= extent;
      }
      return n;
    }
  }

  private final Target target;
  private final SplittableRandom random;
  private final int batch;
  private final List<Input> inputs;

  private Inputs(Target target, List<Input> inputs, int batch, long seed) {
    this.target = target;
    this.inputs = inputs;
    this.batch = batch;
    this.random = new SplittableRandom(seed);
  }

  /**
   * A request's body, or its message for gRPC, for a model of a server, which is asked what it
   * takes.
   *
   * @param headers for authentication
   * @param batch examples in it
   * @throws CremaException if the server does not say, or says what can't be made up
   */
  public static byte[] generate(
      Target target, HttpClient client, Map<String, String> headers, int batch, long seed) {
    URI metadata = target.uri().resolve("/v2/models/" + target.model());
    JsonNode answer = get(client, metadata, headers);
    List<Input> inputs = new ArrayList<>();
    for (JsonNode input : answer.path("inputs")) {
      inputs.add(
          new Input(
              input.path("name").asText(),
              input.path("datatype").asText(),
              shape(input.path("shape"), batch)));
    }
    if (inputs.isEmpty()) {
      throw new CremaException(metadata + " names no inputs; give a request with --body");
    }
    return new Inputs(target, inputs, batch, seed).bytes();
  }

  private static int[] shape(JsonNode extents, int batch) {
    int[] shape = new int[extents.size()];
    for (int i = 0; i < shape.length; i++) {
      int extent = extents.get(i).asInt();
      shape[i] = i == 0 ? batch : Math.max(1, extent); // -1: any
    }
    return shape;
  }

  private static JsonNode get(HttpClient client, URI uri, Map<String, String> headers) {
    HttpRequest.Builder request = HttpRequest.newBuilder(uri);
    headers.forEach(request::header);
    try {
      HttpResponse<String> response =
          client.send(request.build(), HttpResponse.BodyHandlers.ofString());
      if (response.statusCode() != 200) {
        throw new CremaException(
            uri
                + " answers "
                + response.statusCode()
                + ": "
                + response.body()
                + ". Without it, give a request with --body");
      }
      return Json.parse(response.body(), uri.toString());
    } catch (ConnectException e) {
      throw new CremaException("Can't connect to " + uri + "; is the server there?", e);
    } catch (IOException e) {
      throw new CremaException("Can't reach " + uri + ": " + e, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CremaException("Interrupted while asking " + uri, e);
    }
  }

  private byte[] bytes() {
    return switch (target.protocol()) {
      case TENSORFLOW -> Json.bytes(tensorflow());
      case OPEN_INFERENCE -> Json.bytes(openInference());
      case TENSORFLOW_GRPC -> tensorflowMessage();
      case OPEN_INFERENCE_GRPC -> openInferenceMessage();
    };
  }

  private ObjectNode tensorflow() {
    ObjectNode body = Json.mapper().createObjectNode();
    ArrayNode instances = body.putArray("instances");
    for (int row = 0; row < batch; row++) {
      Map<String, JsonNode> byName = new LinkedHashMap<>();
      for (Input input : inputs) {
        byName.put(input.name, nested(input, 1));
      }
      if (byName.size() == 1) {
        instances.add(byName.values().iterator().next());
      } else {
        instances.addObject().setAll(byName);
      }
    }
    return body;
  }

  private JsonNode nested(Input input, int axis) {
    if (axis >= input.shape.length) {
      return number(input);
    }
    ArrayNode array = Json.mapper().createArrayNode();
    for (int i = 0; i < input.shape[axis]; i++) {
      array.add(nested(input, axis + 1));
    }
    return array;
  }

  private JsonNode number(Input input) {
    return isInteger(input)
        ? Json.mapper().getNodeFactory().numberNode(0)
        : Json.mapper().getNodeFactory().numberNode(random.nextInt(10_000) / 10_000.0);
  }

  private static boolean isInteger(Input input) {
    return input.type.startsWith("INT") || input.type.startsWith("UINT");
  }

  private ObjectNode openInference() {
    ObjectNode body = Json.mapper().createObjectNode();
    ArrayNode all = body.putArray("inputs");
    for (Input input : inputs) {
      ObjectNode tensor = all.addObject();
      tensor.put("name", input.name);
      tensor.put("datatype", input.type);
      ArrayNode shape = tensor.putArray("shape");
      for (int extent : input.shape) {
        shape.add(extent);
      }
      ArrayNode data = tensor.putArray("data");
      for (int i = 0; i < input.elements(); i++) {
        data.add(number(input));
      }
    }
    return body;
  }

  private byte[] tensorflowMessage() {
    PredictRequest.Builder request =
        PredictRequest.newBuilder().setModelSpec(ModelSpec.newBuilder().setName(target.model()));
    for (Input input : inputs) {
      TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
      for (int extent : input.shape) {
        shape.addDim(TensorShapeProto.Dim.newBuilder().setSize(extent));
      }
      request.putInputs(
          input.name,
          TensorProto.newBuilder()
              .setDtype(DataType.DT_FLOAT)
              .setTensorShape(shape)
              .setTensorContent(raw(input))
              .build());
    }
    return request.build().toByteArray();
  }

  private byte[] openInferenceMessage() {
    ModelInferRequest.Builder request = ModelInferRequest.newBuilder().setModelName(target.model());
    for (Input input : inputs) {
      ModelInferRequest.InferInputTensor.Builder tensor =
          ModelInferRequest.InferInputTensor.newBuilder()
              .setName(input.name)
              .setDatatype(input.type);
      for (int extent : input.shape) {
        tensor.addShape(extent);
      }
      request.addInputs(tensor);
      request.addRawInputContents(raw(input));
    }
    return request.build().toByteArray();
  }

  private ByteString raw(Input input) {
    if (!input.type.equals("FP32")) {
      throw new CremaException(
          "Input '"
              + input.name
              + "' is "
              + input.type
              + "; over gRPC only FP32 is made up. Use REST");
    }
    ByteBuffer bytes = ByteBuffer.allocate(4 * input.elements()).order(ByteOrder.LITTLE_ENDIAN);
    while (bytes.hasRemaining()) {
      bytes.putFloat(random.nextInt(10_000) / 10_000f);
    }
    return ByteString.copyFrom(bytes.flip());
  }
}
