package dev.crema.cli.load;

import com.linecorp.armeria.client.ClientFactory;
import com.linecorp.armeria.client.WebClient;
import com.linecorp.armeria.common.AggregatedHttpResponse;
import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpMethod;
import com.linecorp.armeria.common.HttpRequest;
import com.linecorp.armeria.common.RequestHeaders;
import com.linecorp.armeria.common.RequestHeadersBuilder;
import com.linecorp.armeria.common.util.EventLoopGroups;
import io.grpc.Status;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Streams of gRPC over one HTTP/2 connection, on one thread. The message is encoded once; of an
 * answer only its status is looked at.
 */
public final class GrpcLanes implements Lanes {
  private static final int PREFIX = 5;
  private static final String STATUS = "grpc-status";

  private final EventLoopGroup group;
  private final EventLoop eventLoop;
  private final ClientFactory factory;
  private final WebClient client;
  private final RequestHeaders headers;
  private final byte[] framed;
  private final int count;

  /**
   * @param method {@code /package.Service/Method}
   * @param message of protobuf
   */
  public GrpcLanes(
      Target target, String method, byte[] message, Map<String, String> more, int count) {
    this.count = count;
    this.group = EventLoopGroups.newEventLoopGroup(1, "crema-load", true);
    this.eventLoop = group.next();
    this.factory = ClientFactory.builder().workerGroup(group, false).build();
    this.client =
        WebClient.builder(
                (target.uri().getScheme().equals("https") ? "h2://" : "h2c://")
                    + target.uri().getHost()
                    + ":"
                    + target.port())
            .factory(factory)
            .responseTimeoutMillis(0)
            .maxResponseLength(0)
            .build();
    RequestHeadersBuilder builder =
        RequestHeaders.builder(HttpMethod.POST, method)
            .set("content-type", "application/grpc+proto")
            .set("te", "trailers");
    more.forEach((name, value) -> builder.set(name.toLowerCase(java.util.Locale.ROOT), value));
    this.headers = builder.build();
    this.framed =
        ByteBuffer.allocate(PREFIX + message.length)
            .put((byte) 0)
            .putInt(message.length)
            .put(message)
            .array();
  }

  @Override
  public int count() {
    return count;
  }

  @Override
  public EventLoop eventLoop() {
    return eventLoop;
  }

  @Override
  public void send(int lane, Answered answered) {
    client
        .execute(HttpRequest.of(headers, HttpData.wrap(framed)))
        .aggregate(eventLoop)
        .handle(
            (response, failure) -> {
              int code = failure == null ? code(response) : Status.Code.UNAVAILABLE.value();
              // Not at once: a failure may come within send.
              eventLoop.execute(() -> answered.answered(lane, code, true));
              return null;
            });
  }

  private static int code(AggregatedHttpResponse response) {
    String code = response.trailers().get(STATUS);
    if (code == null) {
      code = response.headers().get(STATUS); // there is no message
    }
    return code == null ? Status.Code.UNKNOWN.value() : Integer.parseInt(code);
  }

  @Override
  public boolean isGood(int code) {
    return code == Status.Code.OK.value();
  }

  @Override
  public String name(int code) {
    return code == NO_CONNECTION ? "no answer" : Status.fromCodeValue(code).getCode().name();
  }

  @Override
  public void close() {
    factory.close();
    group.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(2000);
  }
}
