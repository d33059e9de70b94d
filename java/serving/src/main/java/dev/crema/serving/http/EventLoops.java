package dev.crema.serving.http;

import io.netty.channel.EventLoopGroup;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.nio.NioIoHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/**
 * A server's threads, which end when they are told to: Netty's default is to idle for 2 seconds.
 */
public final class EventLoops extends MultiThreadIoEventLoopGroup {
  private EventLoops(int threads, String name, IoHandlerFactory io) {
    super(threads, new DefaultThreadFactory(name, true), io);
  }

  /** On epoll where it is there, else on Java's selectors. */
  public static EventLoopGroup of(int threads, String name) {
    return new EventLoops(
        threads,
        name,
        Epoll.isAvailable() ? EpollIoHandler.newFactory() : NioIoHandler.newFactory());
  }

  @Override
  public Future<?> shutdownGracefully() {
    return shutdownGracefully(0, 1, TimeUnit.SECONDS);
  }
}
