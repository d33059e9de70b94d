package dev.crema.cli.load;

import dev.crema.CremaException;
import io.grpc.Status;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.EventLoop;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.ssl.SslContext;
import java.util.ArrayDeque;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Streams of gRPC over a few HTTP/2 connections, on one thread. Headers and message are made once;
 * of an answer only its status is looked at, so that the client costs a fraction of what the server
 * does. A connection is one thread's in most servers, so there are as many as processors. Where the
 * server says goodbye to one, or it breaks, what is due on it waits for the next.
 */
public final class GrpcLanes implements Lanes {
  private static final long RECONNECT_MILLIS = 20;

  private final Sockets sockets;
  private final Http2Headers headers;
  private final ByteBuf framed;
  private final int count;
  private final Line[] lines;
  private Answered told;
  private boolean closed;

  /**
   * Connects.
   *
   * @param method {@code /package.Service/Method}
   * @param message of protobuf
   * @param count how many streams, over all connections
   * @param tls null for plain text
   * @throws CremaException if the server can't be reached
   */
  public GrpcLanes(
      Target target,
      String method,
      byte[] message,
      Map<String, String> more,
      int count,
      SslContext tls) {
    this.count = count;
    this.headers =
        new DefaultHttp2Headers()
            .method("POST")
            .scheme(target.uri().getScheme())
            .authority(target.uri().getRawAuthority())
            .path(method)
            .set("content-type", "application/grpc+proto")
            .set("te", "trailers");
    more.forEach((name, value) -> headers.set(name.toLowerCase(Locale.ROOT), value));
    this.framed =
        Unpooled.directBuffer()
            .writeByte(0) // not compressed
            .writeInt(message.length)
            .writeBytes(message);
    this.sockets = new Sockets(target, tls);
    this.lines = new Line[Math.min(count, Runtime.getRuntime().availableProcessors())];
    for (int i = 0; i < lines.length; i++) {
      lines[i] = new Line();
    }
    try {
      for (Line line : lines) {
        sockets.await(line.connect());
      }
    } catch (CremaException e) {
      close();
      throw e;
    }
  }

  @Override
  public int count() {
    return count;
  }

  @Override
  public EventLoop eventLoop() {
    return sockets.eventLoop();
  }

  @Override
  public void send(int lane, Answered answered) {
    told = answered;
    lines[lane % lines.length].send(lane);
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
    eventLoop()
        .submit(
            () -> {
              closed = true;
              for (Line line : lines) {
                line.close();
              }
            })
        .awaitUninterruptibly();
    sockets.close();
    framed.release();
  }

  /** A connection that is followed by another when it ends. */
  private final class Line implements GrpcConnection.Owner {
    private final ArrayDeque<Integer> due = new ArrayDeque<>();
    private GrpcConnection connection; // null before the first

    ChannelFuture connect() {
      GrpcConnection next = new GrpcConnection(sockets, headers, framed, count, this);
      connection = next;
      return sockets.connect(next);
    }

    void send(int lane) {
      if (connection.isOpen()) {
        connection.call(lane);
      } else {
        due.add(lane);
      }
    }

    @Override
    public void answered(int lane, int code) {
      told.answered(lane, code, true);
    }

    @Override
    public void opened(GrpcConnection opened) {
      while (opened.isOpen() && !due.isEmpty()) {
        opened.call(due.poll());
      }
    }

    @Override
    public void ended(GrpcConnection ended) {
      if (ended == connection) {
        reconnect();
      }
    }

    private void reconnect() {
      if (closed) {
        return;
      }
      connect()
          .addListener(
              connected -> {
                if (!connected.isSuccess()) {
                  eventLoop().schedule(this::reconnect, RECONNECT_MILLIS, TimeUnit.MILLISECONDS);
                }
              });
    }

    void close() {
      if (connection != null) {
        connection.close();
      }
    }
  }
}
