package dev.crema.serving.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.CodedOutputStream;
import com.linecorp.armeria.client.WebClient;
import com.linecorp.armeria.common.AggregatedHttpResponse;
import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpMethod;
import com.linecorp.armeria.common.HttpRequest;
import com.linecorp.armeria.common.RequestHeaders;
import dev.crema.serving.ProtocolServer;
import dev.crema.serving.protocol.ProtocolOptions;
import dev.crema.serving.protocols.inference.GRPCInferenceServiceGrpc;
import dev.crema.serving.protocols.inference.ModelInferRequest;
import dev.crema.serving.protocols.inference.ModelInferResponse;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ClientStreamTracer;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Collections;
import java.util.concurrent.atomic.AtomicLong;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Messages that are compressed: requests, and the answers to them, as grpc-java's client sees. */
@Timeout(120)
class CompressedMessagesTest {
  private static final int ROWS = 4000;
  private static ProtocolServer server;

  @BeforeAll
  static void start() {
    server = new ProtocolServer(ProtocolOptions.DEFAULT);
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  /** What came over the wire, and as what it was announced. */
  private static final class Wire extends ClientStreamTracer.Factory implements ClientInterceptor {
    private final AtomicLong compressed = new AtomicLong();
    private final AtomicLong inflated = new AtomicLong();
    private volatile String encoding;

    @Override
    public <Q, A> ClientCall<Q, A> interceptCall(
        MethodDescriptor<Q, A> method, CallOptions options, Channel next) {
      return next.newCall(method, options.withStreamTracerFactory(this));
    }

    @Override
    public ClientStreamTracer newClientStreamTracer(
        ClientStreamTracer.StreamInfo info, Metadata sent) {
      return new ClientStreamTracer() {
        @Override
        public void inboundHeaders(Metadata headers) {
          encoding =
              headers.get(Metadata.Key.of("grpc-encoding", Metadata.ASCII_STRING_MARSHALLER));
        }

        @Override
        public void inboundWireSize(long bytes) {
          compressed.addAndGet(bytes);
        }

        @Override
        public void inboundUncompressedSize(long bytes) {
          inflated.addAndGet(bytes);
        }
      };
    }
  }

  private static ModelInferResponse infer(Wire wire, String compression) {
    ModelInferRequest.Builder request = ModelInferRequest.newBuilder().setModelName("pets");
    request
        .addInputsBuilder()
        .setName("x")
        .setDatatype("FP32")
        .addShape(ROWS)
        .addShape(3)
        .getContentsBuilder()
        .addAllFp32Contents(Collections.nCopies(3 * ROWS, 1f));
    var stub = GRPCInferenceServiceGrpc.newBlockingStub(server.channel()).withInterceptors(wire);
    return (compression == null ? stub : stub.withCompression(compression))
        .modelInfer(request.build());
  }

  @Test
  void anAnswerIsCompressedAsItsRequestWas() {
    Wire plain = new Wire();
    ModelInferResponse expected = infer(plain, null);
    assertThat(plain.encoding).isIn(null, "identity");
    assertThat(plain.compressed.get()).isGreaterThan(8L * ROWS);

    Wire zipped = new Wire();
    assertThat(infer(zipped, "gzip")).isEqualTo(expected);
    assertThat(zipped.encoding).isEqualTo("gzip");
    assertThat(zipped.inflated.get()).isEqualTo(plain.inflated.get());
    assertThat(zipped.compressed.get()).isLessThan(plain.compressed.get() / 10);
  }

  @Test
  void whoDoesNotReadACompressionGetsNone() throws IOException {
    ModelInferRequest request = ModelInferRequest.newBuilder().setModelName("pets").build();
    for (String accepted : new String[] {"", "identity", "snappy"}) {
      AggregatedHttpResponse answer = post("gzip", accepted, gzip(request.toByteArray()));
      assertThat(answer.headers().get("grpc-encoding", "identity")).isEqualTo("identity");
      assertThat(status(answer)).as("it has no input").isEqualTo("3");
    }
  }

  @Test
  void aBombIsRefusedAtTheLimitOfABody() throws IOException {
    int length = 65 << 20; // ProtocolServer takes 64
    ByteArrayOutputStream message = new ByteArrayOutputStream();
    CodedOutputStream head = CodedOutputStream.newInstance(message);
    head.writeTag(99, 2); // bytes in a field that nobody knows
    head.writeUInt32NoTag(length);
    head.flush();
    message.write(new byte[length]);
    byte[] bomb = gzip(message.toByteArray());
    AggregatedHttpResponse answer = post("gzip", "gzip", bomb);
    assertThat(bomb.length).isLessThan(100_000);
    assertThat(status(answer)).as("RESOURCE_EXHAUSTED").isEqualTo("8");
  }

  @Test
  void aCompressionThatIsUnknownOrWrongIsTheClientsFault() throws IOException {
    byte[] plain = ModelInferRequest.newBuilder().setModelName("pets").build().toByteArray();
    assertThat(status(post("zip", "gzip", plain))).as("UNIMPLEMENTED").isEqualTo("12");
    assertThat(status(post("gzip", "gzip", plain))).as("INVALID_ARGUMENT").isEqualTo("3");
  }

  private static String status(AggregatedHttpResponse answer) {
    String after = answer.trailers().get("grpc-status");
    return after != null ? after : answer.headers().get("grpc-status");
  }

  private static byte[] gzip(byte[] bytes) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
      gzip.write(bytes);
    }
    return out.toByteArray();
  }

  private static AggregatedHttpResponse post(String encoding, String accepted, byte[] message) {
    ByteBuffer body = ByteBuffer.allocate(5 + message.length);
    body.put((byte) 1).putInt(message.length).put(message);
    RequestHeaders headers =
        RequestHeaders.builder(HttpMethod.POST, "/inference.GRPCInferenceService/ModelInfer")
            .add("content-type", "application/grpc")
            .add("te", "trailers")
            .add("grpc-encoding", encoding)
            .add("grpc-accept-encoding", accepted)
            .build();
    return WebClient.of("h2c://127.0.0.1:" + server.port())
        .execute(HttpRequest.of(headers, HttpData.wrap(body.array())))
        .aggregate()
        .join();
  }
}
