package dev.crema.natives;

import java.io.IOException;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;

/** A JVM that loads the library when its standard input says so, and prints what it got. */
public final class Probe {
  private Probe() {}

  public static void main(String[] arguments) throws Exception {
    System.out.println("ready");
    if (System.in.read() < 0) {
      return;
    }
    switch (arguments[0]) {
      case "load" -> print();
      case "threads" -> loadFromManyThreads();
      case "loaders" -> loadFromTwoClassLoaders();
      default -> throw new IllegalArgumentException(arguments[0]);
    }
  }

  /** Also called through other class loaders. */
  public static void print() {
    System.out.println(
        "isa "
            + Crema.crema_isa_name(Crema.crema_isa_active())
            + ", threads "
            + Crema.crema_threads());
  }

  private static void loadFromManyThreads() throws InterruptedException {
    CountDownLatch go = new CountDownLatch(1);
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < 9; i++) {
      int way = i % 3;
      threads.add(
          new Thread(
              () -> {
                try {
                  go.await();
                } catch (InterruptedException e) {
                  throw new IllegalStateException(e);
                }
                if (way == 0) {
                  Crema.crema_threads();
                } else if (way == 1) {
                  Memory.address(ByteBuffer.allocateDirect(1));
                } else {
                  NativeLibrary.CREMA.load();
                }
              }));
    }
    threads.forEach(Thread::start);
    go.countDown();
    for (Thread thread : threads) {
      thread.join();
    }
    print();
  }

  private static void loadFromTwoClassLoaders() throws Exception {
    List<URL> urls = new ArrayList<>();
    for (String entry : System.getProperty("java.class.path").split(java.io.File.pathSeparator)) {
      urls.add(url(entry));
    }
    for (int i = 0; i < 2; i++) {
      try (URLClassLoader loader =
          new URLClassLoader(urls.toArray(URL[]::new), ClassLoader.getPlatformClassLoader())) {
        Class.forName(Probe.class.getName(), true, loader).getMethod("print").invoke(null);
      } catch (IOException e) {
        throw new IllegalStateException(e);
      }
    }
  }

  private static URL url(String entry) throws MalformedURLException {
    return Path.of(entry).toUri().toURL();
  }
}
