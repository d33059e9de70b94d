package dev.crema.cli.load;

import dev.crema.CremaException;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoop;
import io.netty.handler.ssl.SslContext;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * HTTP/1.1 connections that are kept alive, on one thread. The request is a buffer that was made
 * once; of an answer only the status is looked at, so that the client costs a fraction of what the
 * server does.
 */
public final class HttpLanes implements Lanes {
  private static final long RECONNECT_MILLIS = 20;

  private final ByteBuf request;
  private final Sockets sockets;
  private final Lane[] lanes;
  private boolean closed;

  /**
   * Connects all of them.
   *
   * @param tls null for plain text
   * @throws CremaException if the server can't be reached
   */
  public HttpLanes(
      Target target, byte[] body, Map<String, String> headers, int count, SslContext tls) {
    this.request = request(target.uri(), body, headers);
    this.sockets = new Sockets(target, tls);
    this.lanes = new Lane[count];
    for (int i = 0; i < count; i++) {
      lanes[i] = new Lane(i);
    }
    connectAll();
  }

  private void connectAll() {
    try {
      for (Lane lane : lanes) {
        sockets.await(lane.connect());
      }
    } catch (CremaException e) {
      close();
      throw e;
    }
  }

  private static ByteBuf request(URI uri, byte[] body, Map<String, String> headers) {
    StringBuilder head = new StringBuilder();
    head.append("POST " + uri.getRawPath() + " HTTP/1.1\r\n");
    head.append("Host: " + uri.getRawAuthority() + "\r\n");
    head.append("Content-Type: application/json\r\n");
    head.append("Content-Length: " + body.length + "\r\n");
    headers.forEach((name, value) -> head.append(name + ": " + value + "\r\n"));
    head.append("\r\n");
    return Unpooled.directBuffer()
        .writeBytes(head.toString().getBytes(StandardCharsets.ISO_8859_1))
        .writeBytes(body);
  }

  @Override
  public int count() {
    return lanes.length;
  }

  @Override
  public EventLoop eventLoop() {
    return sockets.eventLoop();
  }

  @Override
  public void send(int lane, Answered answered) {
    lanes[lane].send(answered);
  }

  @Override
  public boolean isGood(int code) {
    return code >= 200 && code < 300;
  }

  @Override
  public String name(int code) {
    return code == NO_CONNECTION ? "connection" : Integer.toString(code);
  }

  @Override
  public void close() {
    sockets
        .eventLoop()
        .submit(
            () -> {
              closed = true;
              for (Lane lane : lanes) {
                lane.end();
              }
            })
        .awaitUninterruptibly();
    sockets.close();
    request.release();
  }

  /** A connection that is opened again when it ends. */
  private final class Lane extends ChannelInitializer<Channel> {
    private final int number;
    private Channel channel;
    private Answered waiting; // null: no request on it
    private Answered last;

    Lane(int number) {
      this.number = number;
    }

    ChannelFuture connect() {
      ChannelFuture connecting = sockets.connect(this);
      channel = connecting.channel();
      return connecting;
    }

    @Override
    public boolean isSharable() {
      return true;
    }

    @Override
    protected void initChannel(Channel c) {
      sockets.tls(c).ifPresent(c.pipeline()::addLast);
      c.pipeline().addLast(new Reader());
    }

    void send(Answered answered) {
      waiting = answered;
      last = answered;
      channel.writeAndFlush(request.retainedDuplicate(), channel.voidPromise());
    }

    private void answer(int code, boolean ready) {
      Answered told = waiting;
      waiting = null;
      if (told != null) {
        told.answered(number, code, ready);
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
                  sockets
                      .eventLoop()
                      .schedule(this::reconnect, RECONNECT_MILLIS, TimeUnit.MILLISECONDS);
                } else if (last != null) {
                  last.ready(number);
                }
              });
    }

    void end() {
      waiting = null;
      last = null;
      channel.close();
    }

    private final class Reader extends ChannelInboundHandlerAdapter {
      private final Answers answers = new Answers();

      @Override
      public void channelRead(ChannelHandlerContext ctx, Object message) {
        ByteBuf bytes = (ByteBuf) message;
        try {
          while (answers.read(bytes)) {
            if (answers.closes()) {
              ctx.close(); // it is opened again when it is inactive
            }
            answer(answers.status(), !answers.closes());
          }
        } finally {
          bytes.release();
        }
      }

      @Override
      public void channelInactive(ChannelHandlerContext ctx) {
        answer(answers.endsWithConnection() ? answers.status() : NO_CONNECTION, false);
        reconnect();
      }

      @Override
      public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        ctx.close();
      }
    }
  }
}
