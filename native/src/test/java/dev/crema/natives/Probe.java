package dev.crema.natives;

import java.io.IOException;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
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
      case "blas" -> multiply();
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

  /** Loads OpenBLAS from several threads and prints its core and the corner of a product. */
  private static void multiply() throws InterruptedException {
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      threads.add(new Thread(OpenBlas::load));
    }
    threads.forEach(Thread::start);
    for (Thread thread : threads) {
      thread.join();
    }
    int n = 65;
    FloatBuffer a = floats(n * n);
    FloatBuffer b = floats(n * n);
    FloatBuffer c = floats(n * n);
    for (int i = 0; i < n * n; i++) {
      a.put(i, i % 7 - 3);
      b.put(i, i % 5 - 2);
    }
    System.out.println("core " + OpenBlas.load());
    OpenBlas.multiply(n, n, n, Memory.address(a), Memory.address(b), Memory.address(c));
    int wrong = 0;
    for (int i = 0; i < n * n; i++) {
      float sum = 0; // small integers: exact
      for (int k = 0; k < n; k++) {
        sum += a.get(i / n * n + k) * b.get(k * n + i % n);
      }
      wrong += sum == c.get(i) ? 0 : 1;
    }
    System.out.println(wrong + " of " + n * n + " elements are wrong");
  }

  private static FloatBuffer floats(int n) {
    return ByteBuffer.allocateDirect(4 * n).order(ByteOrder.nativeOrder()).asFloatBuffer();
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
