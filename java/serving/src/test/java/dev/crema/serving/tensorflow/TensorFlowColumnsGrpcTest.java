package dev.crema.serving.tensorflow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.ByteString;
import dev.crema.serving.ProtocolServer;
import dev.crema.serving.protocol.ProtocolOptions;
import dev.crema.serving.protocols.tensorflow.DataType;
import dev.crema.serving.protocols.tensorflow.TensorProto;
import dev.crema.serving.protocols.tensorflow.TensorShapeProto;
import dev.crema.serving.protocols.tensorflow.serving.ModelSpec;
import dev.crema.serving.protocols.tensorflow.serving.PredictRequest;
import dev.crema.serving.protocols.tensorflow.serving.PredictionServiceGrpc;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Columns of a table as tensors of Predict, by the client that the published definitions make. The
 * model gives age + 100 for cooks, NaN without an age.
 */
class TensorFlowColumnsGrpcTest {
  private static ProtocolServer server;
  private static PredictionServiceGrpc.PredictionServiceBlockingStub client;

  @BeforeAll
  static void start() {
    server = new ProtocolServer(ProtocolOptions.DEFAULT);
    client = PredictionServiceGrpc.newBlockingStub(server.channel());
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private static PredictRequest.Builder table() {
    return PredictRequest.newBuilder().setModelSpec(ModelSpec.newBuilder().setName("table"));
  }

  private static TensorProto.Builder column(DataType type, long... shape) {
    TensorProto.Builder tensor = TensorProto.newBuilder().setDtype(type);
    TensorShapeProto.Builder extents = tensor.getTensorShapeBuilder();
    for (long extent : shape) {
      extents.addDimBuilder().setSize(extent);
    }
    return tensor;
  }

  private static TensorProto strings(String... values) {
    TensorProto.Builder tensor = column(DataType.DT_STRING, values.length);
    for (String value : values) {
      tensor.addStringVal(ByteString.copyFromUtf8(value));
    }
    return tensor.build();
  }

  private static List<Float> predict(PredictRequest.Builder request) {
    return client.predict(request.build()).getOutputsOrThrow("y").getFloatValList();
  }

  private static void refused(PredictRequest.Builder request, String... says) {
    StatusRuntimeException e =
        catchThrowableOfType(StatusRuntimeException.class, () -> client.predict(request.build()));
    assertThat(e).isNotNull();
    assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    assertThat(e.getStatus().getDescription()).contains(says);
  }

  @Test
  void stringsAndNumbersAreRows() {
    var ages = column(DataType.DT_DOUBLE, 3).addDoubleVal(39.5).addDoubleVal(7).addDoubleVal(-1e-9);
    assertThat(
            predict(
                table()
                    .putInputs("age", ages.build())
                    .putInputs("job", strings("cook", "clerk", "juggler"))
                    .putInputs("street", strings("passed", "over", ""))))
        .containsExactly(139.5f, 7f, -1e-9f);
  }

  @Test
  void everyTypeOfNumberAndTheContentOfATensorWill() {
    ByteBuffer bytes = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putFloat(2).putFloat(0.5f).flip();
    List<TensorProto.Builder> pairs =
        List.of(
            column(DataType.DT_FLOAT, 2).addFloatVal(2).addFloatVal(0.5f),
            column(DataType.DT_FLOAT, 2, 1).setTensorContent(ByteString.copyFrom(bytes)),
            column(DataType.DT_HALF, 2).addHalfVal(0x4000).addHalfVal(0x3800),
            column(DataType.DT_BFLOAT16, 2).addHalfVal(0x4000).addHalfVal(0x3f00),
            column(DataType.DT_STRING, 2, 1)
                .addStringVal(ByteString.copyFromUtf8("2"))
                .addStringVal(ByteString.copyFromUtf8("0.5")));
    for (TensorProto.Builder pair : pairs) {
      assertThat(predict(table().putInputs("age", pair.build())))
          .as(pair.toString())
          .containsExactly(2f, 0.5f);
    }
    List<TensorProto.Builder> ones =
        List.of(
            column(DataType.DT_INT8, 1).addIntVal(-2),
            column(DataType.DT_INT16, 1).addIntVal(-2),
            column(DataType.DT_INT32, 1).addIntVal(-2),
            column(DataType.DT_INT64, 1).addInt64Val(-2));
    for (TensorProto.Builder one : ones) {
      assertThat(predict(table().putInputs("age", one.build()))).containsExactly(-2f);
    }
    List<TensorProto.Builder> unsigned =
        List.of(
            column(DataType.DT_UINT8, 1).addIntVal(200),
            column(DataType.DT_UINT16, 1).addIntVal(200),
            column(DataType.DT_UINT32, 1).addUint32Val(200),
            column(DataType.DT_UINT64, 1).addUint64Val(200));
    for (TensorProto.Builder one : unsigned) {
      assertThat(predict(table().putInputs("age", one.build()))).containsExactly(200f);
    }
  }

  @Test
  void oneValueMayStandForAllRows() {
    var job = column(DataType.DT_STRING, 2).addStringVal(ByteString.copyFromUtf8("cook"));
    var age = column(DataType.DT_INT64, 2).addInt64Val(30);
    assertThat(predict(table().putInputs("job", job.build()).putInputs("age", age.build())))
        .containsExactly(130f, 130f);
  }

  @Test
  void nanAndAColumnThatIsNotThereAreMissing() {
    var nan = column(DataType.DT_DOUBLE, 1).addDoubleVal(Double.NaN);
    assertThat(predict(table().putInputs("age", nan.build()))).containsExactly(Float.NaN);
    assertThat(predict(table().putInputs("job", strings("cook")))).containsExactly(Float.NaN);
  }

  @Test
  void tensorsAreTakenAsBefore() {
    var x = column(DataType.DT_FLOAT, 1, 2).addFloatVal(5).addFloatVal(1);
    assertThat(predict(table().putInputs("x", x.build()))).containsExactly(105f);
    assertThat(predict(table().putInputs("x", x.build()).addOutputFilter("y")))
        .containsExactly(105f);
  }

  @Test
  void whatIsNoColumnIsRefusedByName() {
    TensorProto age = column(DataType.DT_INT64, 1).addInt64Val(1).build();
    refused(table().putInputs("age", age).putInputs("job", strings("a", "b")), "rows", "'age'");
    refused(
        table()
            .putInputs("age", age)
            .putInputs("x", column(DataType.DT_FLOAT, 1, 2).addFloatVal(1).build()),
        "inputs [x FLOAT32[-1, 2]] or the columns [age, job]",
        "age");
    refused(table(), "or the columns [age, job], got []");
    refused(
        table().putInputs("age", column(DataType.DT_INT64, 1, 2).build()),
        "Input 'age' has the shape [1, 2]; a column of the table takes [n] or [n, 1]");
    refused(table().putInputs("age", column(DataType.DT_INT64).build()), "shape []");
    refused(table().putInputs("age", column(DataType.DT_INT64, 0).build()), "no rows");
    refused(table().putInputs("age", column(DataType.DT_INT64, -1).build()), "extent -1");
    refused(table().putInputs("age", column(DataType.DT_INT64, 3).build()), "takes 3 values");
    refused(
        table().putInputs("job", column(DataType.DT_STRING, 2).build()),
        "Input 'job' of shape [2] takes 2 values of DT_STRING, got 0");
    refused(
        table().putInputs("age", column(DataType.DT_COMPLEX64, 1).build()),
        "Input 'age' is DT_COMPLEX64; a column of the table takes DT_STRING, numbers or DT_BOOL");
    refused(
        table()
            .putInputs(
                "job",
                column(DataType.DT_STRING, 1)
                    .addStringVal(ByteString.copyFrom(new byte[] {(byte) 0xff}))
                    .build()),
        "row 0 that is not UTF-8");
    refused(
        table()
            .putInputs(
                "job",
                column(DataType.DT_STRING, 1)
                    .setTensorContent(ByteString.copyFromUtf8("\u0004cook"))
                    .build()),
        "string_val holds them");
    refused(
        table()
            .putInputs(
                "job",
                column(DataType.DT_STRING, 1L << 60)
                    .addStringVal(ByteString.copyFromUtf8("a"))
                    .build()),
        "more than 8388608 rows");
    refused(
        PredictRequest.newBuilder()
            .setModelSpec(ModelSpec.newBuilder().setName("pets"))
            .putInputs("age", age),
        "takes the inputs [x FLOAT32[-1, 3]], got [age]");
  }
}
