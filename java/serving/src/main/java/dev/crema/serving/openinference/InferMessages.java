package dev.crema.serving.openinference;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import com.linecorp.armeria.server.ServiceRequestContext;
import dev.crema.serving.inference.InferenceRequest;
import dev.crema.serving.inference.InferenceResponse;
import dev.crema.serving.inference.ServingException;
import dev.crema.serving.inference.Signature;
import dev.crema.serving.inference.TensorSpec;
import dev.crema.serving.inference.TensorValue;
import dev.crema.serving.protocol.Calls;
import dev.crema.serving.protocols.inference.InferParameter;
import dev.crema.serving.protocols.inference.InferTensorContents;
import dev.crema.serving.protocols.inference.ModelInferRequest;
import dev.crema.serving.protocols.inference.ModelInferRequest.InferInputTensor;
import dev.crema.serving.protocols.inference.ModelInferRequest.InferRequestedOutputTensor;
import dev.crema.serving.protocols.inference.ModelInferResponse;
import dev.crema.serving.protocols.inference.ModelInferResponse.InferOutputTensor;
import dev.crema.serving.repository.ModelReference;
import dev.crema.serving.tensor.JsonFormat;
import dev.crema.serving.tensor.NumberType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Requests for inference and their answers as gRPC messages. */
final class InferMessages {
  static final String PROTOCOL = "oip-grpc";

  private InferMessages() {}

  static InferenceRequest request(
      ServiceRequestContext context,
      ModelReference model,
      ModelInferRequest message,
      InferInputs inputs,
      List<RequestedOutput> outputs) {
    Map<String, Object> parameters = parameters(message.getParametersMap());
    String id = Calls.checkId(message.getId());
    return new InferenceRequest(
        id.isEmpty() ? Calls.requestId(context) : id,
        model,
        inputs(message, inputs),
        inputs.rows(),
        RequestedOutput.names(outputs),
        RequestParameters.deadline(parameters, Calls.deadlineNanos(context)),
        RequestParameters.priority(parameters),
        PROTOCOL);
  }

  static List<RequestedOutput> outputs(ModelInferRequest message) {
    List<RequestedOutput> outputs = new ArrayList<>();
    for (InferRequestedOutputTensor output : message.getOutputsList()) {
      outputs.add(RequestedOutput.of(output.getName(), parameters(output.getParametersMap())));
    }
    return outputs;
  }

  private static Map<String, TensorValue> inputs(ModelInferRequest message, InferInputs inputs) {
    boolean raw = message.getRawInputContentsCount() > 0;
    if (raw && message.getRawInputContentsCount() != message.getInputsCount()) {
      throw ServingException.invalidArgument(
          "raw_input_contents has "
              + message.getRawInputContentsCount()
              + " tensors for "
              + message.getInputsCount()
              + " inputs; there must be one for each, in their order");
    }
    for (int i = 0; i < message.getInputsCount(); i++) {
      InferInputTensor input = message.getInputs(i);
      if (raw && input.hasContents()) {
        throw ServingException.invalidArgument(
            "contents field must not be specified when using raw_input_contents for '"
                + JsonFormat.shortened(input.getName())
                + "'");
      }
      ByteBuffer data =
          raw
              ? message.getRawInputContents(i).asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN)
              : null;
      long[] shape = input.getShapeList().stream().mapToLong(Long::longValue).toArray();
      if (inputs.columns().has(input.getName())) {
        column(inputs.columns(), input, shape, data);
      } else {
        TensorSpec spec = inputs.spec(input.getName());
        NumberType type = inputs.type(spec, input.getDatatype());
        inputs.add(
            spec,
            type,
            shape,
            raw ? data : TypedContents.read(spec.name(), type, input.getContents()));
      }
    }
    return inputs.complete();
  }

  /**
   * @param raw null if the values are in the message's contents
   */
  private static void column(
      ColumnInputs columns, InferInputTensor input, long[] shape, ByteBuffer raw) {
    String name = input.getName();
    String datatype = input.getDatatype();
    columns.add(
        name,
        shape,
        raw == null
            ? columns.read(name, datatype, input.getContents())
            : columns.read(name, datatype, shape, raw));
  }

  private static Map<String, Object> parameters(Map<String, InferParameter> message) {
    if (message.isEmpty()) {
      return Map.of();
    }
    Map<String, Object> parameters = new HashMap<>();
    message.forEach(
        (name, value) -> {
          Object plain =
              switch (value.getParameterChoiceCase()) {
                case BOOL_PARAM -> value.getBoolParam();
                case INT64_PARAM -> value.getInt64Param();
                case STRING_PARAM -> JsonFormat.shortened(value.getStringParam());
                case DOUBLE_PARAM -> value.getDoubleParam();
                case UINT64_PARAM -> value.getUint64Param();
                case PARAMETERCHOICE_NOT_SET -> null;
              };
          if (plain != null) {
            parameters.put(name, plain);
          }
        });
    return parameters;
  }

  /** Raw if the request was, or an output's type has no other form: all outputs in one form. */
  static ModelInferResponse response(
      ModelInferRequest asked,
      List<RequestedOutput> outputs,
      Signature signature,
      InferenceResponse answer) {
    ModelInferResponse.Builder message =
        ModelInferResponse.newBuilder()
            .setModelName(answer.model())
            .setModelVersion(Long.toString(answer.version()))
            .setId(asked.getId());
    boolean raw =
        asked.getRawInputContentsCount() > 0
            || answer.outputs().values().stream()
                .anyMatch(v -> !TypedContents.holds(NumberType.of(v.type())));
    answer
        .outputs()
        .forEach(
            (name, value) -> {
              RequestedOutput wanted =
                  outputs.stream()
                      .filter(o -> o.name().equals(name))
                      .findFirst()
                      .orElse(new RequestedOutput(name, 0, null));
              InferOutputTensor.Builder output = message.addOutputsBuilder().setName(name);
              if (wanted.classes() > 0) {
                classes(TopClasses.of(wanted, value, signature), output, raw, message);
              } else {
                tensor(value, output, raw, message);
              }
            });
    return message.build();
  }

  private static void tensor(
      TensorValue value,
      InferOutputTensor.Builder output,
      boolean raw,
      ModelInferResponse.Builder message) {
    output.setDatatype(NumberType.of(value.type()).name());
    for (long extent : value.shape()) {
      output.addShape(extent);
    }
    if (raw) {
      // The answer is the caller's own: nobody changes it while it is sent.
      message.addRawOutputContents(UnsafeByteOperations.unsafeWrap(value.data()));
    } else {
      output.setContents(TypedContents.write(value));
    }
  }

  private static void classes(
      TopClasses classes,
      InferOutputTensor.Builder output,
      boolean raw,
      ModelInferResponse.Builder message) {
    output.setDatatype("BYTES");
    for (long extent : classes.shape()) {
      output.addShape(extent);
    }
    if (raw) {
      message.addRawOutputContents(
          UnsafeByteOperations.unsafeWrap(InferAnswer.bytes(classes.strings())));
    } else {
      InferTensorContents.Builder contents = output.getContentsBuilder();
      classes.strings().forEach(s -> contents.addBytesContents(ByteString.copyFromUtf8(s)));
    }
  }
}
