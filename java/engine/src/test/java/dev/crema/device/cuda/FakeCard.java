package dev.crema.device.cuda;

import dev.crema.device.cuda.calls.BlasCalls;
import dev.crema.device.cuda.calls.CompilerCalls;
import dev.crema.device.cuda.calls.CudaLibraries;
import dev.crema.device.cuda.calls.DnnCalls;
import dev.crema.device.cuda.calls.DriverCalls;
import dev.crema.device.cuda.calls.GraphCalls;
import dev.crema.device.cuda.calls.MonitorCalls;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.IntStream;

/**
 * A card that is not there: it records every call, keeps account of everything that is made and
 * given back, and computes on the host. What is queued runs no earlier than somebody waits for it.
 */
final class FakeCard implements CudaLibraries {
  private static final int MOST_LOGGED = 100_000;

  /** Every call, in order. */
  final List<String> log = new ArrayList<>();

  /** What was made and not given back, by kind. */
  final Map<String, Set<Long>> live = new TreeMap<>();

  private final FakeDriver driver = new FakeDriver(this);
  private final FakeBlas blas = new FakeBlas(this);
  private final FakeDnn dnn = new FakeDnn(this);
  private final FakeGraphs graphs = new FakeGraphs(this);
  private final FakeCompiler compiler = new FakeCompiler(this);
  private final FakeMonitor monitor = new FakeMonitor(this);
  final FakeKernels kernels = new FakeKernels();
  private long nextHandle = 0x7000;
  private long calls;
  private long failAt;
  private int failStatus;

  /** The call that failed; null while none has. */
  String failedCall;

  /** Problems that a real card would punish in ways of its own. */
  final Set<String> misuses = ConcurrentHashMap.newKeySet();

  /** Has the {@code k}-th call from now on give that status. */
  synchronized void failAt(long k, int status) {
    failAt = calls + k;
    failStatus = status;
  }

  /** Whether the call that was to fail has been made. */
  synchronized boolean hasFailed() {
    return failAt > 0 && calls >= failAt;
  }

  /** cuDNN has no convolution that adds a bias. */
  volatile boolean refusesEpilogues;

  /** cuDNN has no engine for any graph of operations. */
  volatile boolean refusesGraphs;

  /** Its heuristics know no engine, though there are some. */
  volatile boolean lacksHeuristics;

  /** Algorithms that cuBLASLt has for products of fp8; less than 0: they are not supported. */
  volatile int fp8Products = 1;

  /** Likewise of products of signed bytes. */
  volatile int byteProducts = 1;

  /** Algorithms that cuDNN has for convolutions of signed bytes; less than 0: not supported. */
  volatile int byteConvolutions = 1;

  /** cuDNN has no recurrent layers. */
  volatile boolean refusesRecurrent;

  synchronized void succeed() {
    failAt = 0;
  }

  synchronized long calls() {
    return calls;
  }

  /** What a call gives. */
  synchronized int call(String name) {
    if (log.size() < MOST_LOGGED) {
      log.add(name);
    }
    calls++;
    if (calls != failAt) {
      return 0;
    }
    failedCall = name;
    return failStatus;
  }

  synchronized long make(String kind) {
    long handle = nextHandle++;
    adopt(kind, handle);
    return handle;
  }

  synchronized void adopt(String kind, long handle) {
    live.computeIfAbsent(kind, k -> new TreeSet<>()).add(handle);
  }

  synchronized void giveBack(String kind, long handle) {
    if (!live.getOrDefault(kind, Set.of()).remove(handle)) {
      misuses.add(kind + " " + handle + " given back but not there");
    }
    live.values().removeIf(Set::isEmpty);
  }

  synchronized void require(String kind, long handle) {
    if (!live.getOrDefault(kind, Set.of()).contains(handle)) {
      misuses.add(kind + " " + handle + " used but not there");
    }
  }

  /** The calls since the log was last cleared that begin with one of the words. */
  synchronized List<String> log(String... starts) {
    return log.stream()
        .filter(call -> List.of(starts).stream().anyMatch(call::startsWith))
        .toList();
  }

  /** Which of the calls since then those are: what {@link #failAt} takes. */
  synchronized List<Integer> places(String start) {
    return IntStream.range(0, log.size())
        .filter(i -> log.get(i).startsWith(start))
        .mapToObj(i -> i + 1)
        .toList();
  }

  synchronized void clearLog() {
    log.clear();
  }

  @Override
  public DriverCalls driver() {
    return driver;
  }

  @Override
  public BlasCalls blas() {
    return blas;
  }

  @Override
  public DnnCalls dnn() {
    return dnn;
  }

  @Override
  public GraphCalls graphs() {
    return graphs;
  }

  @Override
  public CompilerCalls compiler() {
    return compiler;
  }

  @Override
  public MonitorCalls monitor() {
    return monitor;
  }

  FakeMonitor fakeMonitor() {
    return monitor;
  }

  FakeDriver fakeDriver() {
    return driver;
  }

  FakeDnn fakeDnn() {
    return dnn;
  }

  FakeCompiler fakeCompiler() {
    return compiler;
  }
}
