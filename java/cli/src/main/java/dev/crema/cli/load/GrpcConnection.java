package dev.crema.cli.load;

import io.grpc.Status;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.handler.codec.http2.DefaultHttp2Connection;
import io.netty.handler.codec.http2.Http2Connection;
import io.netty.handler.codec.http2.Http2ConnectionHandler;
import io.netty.handler.codec.http2.Http2ConnectionHandlerBuilder;
import io.netty.handler.codec.http2.Http2EventAdapter;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2Settings;
import io.netty.handler.codec.http2.Http2Stream;
import io.netty.util.collection.IntObjectHashMap;
import io.netty.util.collection.IntObjectMap;
import java.util.List;

/**
 * One HTTP/2 connection, on which the same unary call is made again and again. All of it happens on
 * the connection's event loop.
 */
final class GrpcConnection extends ChannelInitializer<Channel> {
  /** Who makes the calls. */
  interface Owner {
    /**
     * @param code of gRPC
     */
    void answered(int lane, int code);

    /** Calls can be made. */
    void opened(GrpcConnection connection);

    /** No more calls can be made; those that were may still be answered. */
    void ended(GrpcConnection connection);
  }

  private static final String STATUS = "grpc-status";
  private static final int WINDOW = 1 << 20;

  private final Sockets sockets;
  private final Http2Headers headers;
  private final ByteBuf message;
  private final Owner owner;
  private final Http2Connection streams = new DefaultHttp2Connection(false);
  private final Http2ConnectionHandler http2;
  private final IntObjectMap<Integer> lanes; // by their streams
  private ChannelHandlerContext context; // of http2; null: not yet connected
  private boolean reading;
  private boolean ended;

  /**
   * @param message with its prefix; stays the caller's, and as it is
   * @param count how many calls at most are under way
   */
  GrpcConnection(Sockets sockets, Http2Headers headers, ByteBuf message, int count, Owner owner) {
    this.sockets = sockets;
    this.headers = headers;
    this.message = message;
    this.owner = owner;
    this.lanes = new IntObjectHashMap<>(2 * count);
    Answers answers = new Answers();
    this.http2 =
        new Http2ConnectionHandlerBuilder()
            .connection(streams)
            .frameListener(answers)
            .initialSettings(new Http2Settings().pushEnabled(false).initialWindowSize(WINDOW))
            .gracefulShutdownTimeoutMillis(0)
            .encoderEnforceMaxConcurrentStreams(true) // more of them wait for their turn
            .build();
    streams.addListener(answers);
  }

  @Override
  protected void initChannel(Channel channel) {
    sockets.tls(channel).ifPresent(channel.pipeline()::addLast);
    channel.pipeline().addLast(new Reading(), http2, new Ends());
  }

  boolean isOpen() {
    return context != null && !ended;
  }

  /** Makes the call; while others' answers are read, it is sent behind the last of them. */
  void call(int lane) {
    int stream = streams.local().incrementAndGetNextStreamId();
    if (stream < 0) { // all numbers were used
      owner.answered(lane, Status.Code.UNAVAILABLE.value());
      end();
      return;
    }
    lanes.put(stream, Integer.valueOf(lane));
    http2
        .encoder()
        .writeHeaders(context, stream, headers, 0, false, context.newPromise())
        .addListener(
            written -> {
              if (!written.isSuccess()) {
                answer(stream, Status.Code.UNAVAILABLE);
              }
            });
    http2
        .encoder()
        .writeData(context, stream, message.retainedDuplicate(), 0, true, context.newPromise());
    if (!reading) {
      http2.flush(context);
    }
  }

  void close() {
    ended = true;
    if (context != null) {
      context.close();
    }
  }

  private void end() {
    if (!ended) {
      ended = true;
      owner.ended(this);
      closeIfDone();
    }
  }

  private void answer(int stream, Status.Code code) {
    answer(stream, code.value());
  }

  private void answer(int stream, int code) {
    Integer lane = lanes.remove(stream);
    if (lane != null) {
      owner.answered(lane, code);
      closeIfDone();
    }
  }

  private void closeIfDone() {
    if (ended && lanes.isEmpty() && context != null) {
      context.close();
    }
  }

  /** Knows when bytes are read: what is sent meanwhile is flushed by http2 behind the last. */
  private final class Reading extends ChannelInboundHandlerAdapter {
    @Override
    public void channelRead(ChannelHandlerContext ctx, Object bytes) {
      reading = true;
      ctx.fireChannelRead(bytes);
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
      reading = false;
      ctx.fireChannelReadComplete();
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
      end(); // before http2 ends the streams, so that no more are begun
      ctx.fireChannelInactive();
    }
  }

  /** Statuses come in trailers, or in headers behind which nothing comes. */
  private final class Answers extends Http2EventAdapter {
    @Override
    public int onDataRead(
        ChannelHandlerContext ctx, int stream, ByteBuf data, int padding, boolean last) {
      if (last) {
        answer(stream, Status.Code.UNKNOWN);
      }
      return data.readableBytes() + padding;
    }

    @Override
    public void onHeadersRead(
        ChannelHandlerContext ctx, int stream, Http2Headers read, int padding, boolean last) {
      if (last) {
        CharSequence status = read.get(STATUS);
        answer(
            stream,
            status == null ? Status.Code.UNKNOWN.value() : Integer.parseInt(status.toString()));
      }
    }

    @Override
    public void onHeadersRead(
        ChannelHandlerContext ctx,
        int stream,
        Http2Headers read,
        int dependency,
        short weight,
        boolean exclusive,
        int padding,
        boolean last) {
      onHeadersRead(ctx, stream, read, padding, last);
    }

    @Override
    public void onStreamClosed(Http2Stream stream) {
      answer(stream.id(), Status.Code.UNAVAILABLE);
    }

    @Override
    public void onGoAwayReceived(int lastStream, long error, ByteBuf debug) {
      end();
    }
  }

  private final class Ends extends ChannelInboundHandlerAdapter {
    @Override
    public void channelActive(ChannelHandlerContext ctx) {
      context = ctx.pipeline().context(http2);
      owner.opened(GrpcConnection.this);
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
      for (int stream : List.copyOf(lanes.keySet())) {
        answer(stream, Status.Code.UNAVAILABLE);
      }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
      ctx.close();
    }
  }
}
