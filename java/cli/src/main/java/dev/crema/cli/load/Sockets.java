package dev.crema.cli.load;

import dev.crema.CremaException;
import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** TCP connections to a server, plain or under TLS, all on one thread. Owns the thread. */
final class Sockets implements AutoCloseable {
  private final Target target;
  private final SslContext tls; // null: plain
  private final EventLoopGroup group;
  private final EventLoop eventLoop;
  private final Bootstrap bootstrap;

  /**
   * @param tls null for plain text
   */
  Sockets(Target target, SslContext tls) {
    this.target = target;
    this.tls = tls;
    boolean epoll = Epoll.isAvailable();
    this.group =
        new MultiThreadIoEventLoopGroup(
            1,
            new DefaultThreadFactory("crema-load", true),
            epoll ? EpollIoHandler.newFactory() : NioIoHandler.newFactory());
    this.eventLoop = group.next();
    this.bootstrap =
        new Bootstrap()
            .group(eventLoop)
            .channel(epoll ? EpollSocketChannel.class : NioSocketChannel.class)
            .option(ChannelOption.TCP_NODELAY, true)
            .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, 5000);
  }

  EventLoop eventLoop() {
    return eventLoop;
  }

  /** Connects; {@code initializer} gives the channel its handlers, that for TLS among them. */
  ChannelFuture connect(ChannelHandler initializer) {
    return bootstrap.clone().handler(initializer).connect(target.uri().getHost(), target.port());
  }

  /**
   * Waits until it is connected.
   *
   * @throws CremaException if the server can't be reached; these sockets stay the caller's to close
   */
  void await(ChannelFuture connecting) {
    ChannelFuture connected = connecting.awaitUninterruptibly();
    if (!connected.isSuccess()) {
      throw new CremaException(
          "Can't reach " + target.uri() + ": " + connected.cause().getMessage(), connected.cause());
    }
  }

  /** What decrypts, if anything does. */
  Optional<SslHandler> tls(Channel channel) {
    return Optional.ofNullable(tls)
        .map(t -> t.newHandler(channel.alloc(), target.uri().getHost(), target.port()));
  }

  @Override
  public void close() {
    group.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(2000);
  }
}
