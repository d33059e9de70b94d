package dev.crema.device.cuda;

import dev.crema.device.cuda.calls.GraphCalls;
import dev.crema.device.cuda.kernel.OperationGraph;
import dev.crema.device.cuda.kernel.OperationGraph.Tensor;
import dev.crema.memory.Buffer;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/** A graph of operations with the engine that computes it. Numbers are cudnn_graph.h's. */
final class GraphPlan {
  /** More would be taken from those who need it: scores of a gradient may go there. */
  private static final long MOST_WORKSPACE = 2L << 30;

  private static final int MOST_ENGINES = 16;
  private static final int MOST_NOTES = 64;
  private static final int LEAST_REFUSAL = 1000; // a version or a sublibrary that lacks
  private static final int MOST_REFUSAL = 4002; // from 4000: internal errors; 4001: of a compiler
  private static final int NOT_SUPPORTED = 3000;

  private static final int ENGINE = 2; // CUDNN_BACKEND_..._DESCRIPTOR
  private static final int ENGINE_CONFIG = 3;
  private static final int ENGINE_HEURISTICS = 4;
  private static final int EXECUTION_PLAN = 5;
  private static final int VARIANT_PACK = 16;

  private static final int ENGINEHEUR_MODE = 200; // CUDNN_ATTR_...
  private static final int ENGINEHEUR_OPERATION_GRAPH = 201;
  private static final int ENGINEHEUR_RESULTS = 202;
  private static final int ENGINECFG_ENGINE = 300;
  private static final int EXECUTION_PLAN_HANDLE = 400;
  private static final int EXECUTION_PLAN_ENGINE_CONFIG = 401;
  private static final int EXECUTION_PLAN_WORKSPACE_SIZE = 402;
  private static final int VARIANT_PACK_UNIQUE_IDS = 1000;
  private static final int VARIANT_PACK_DATA_POINTERS = 1001;
  private static final int VARIANT_PACK_WORKSPACE = 1003;
  private static final int ENGINE_NUMERICAL_NOTE = 1303;

  private static final int MODE_FALLBACK = 2; // CUDNN_HEUR_...
  private static final int MODE_A = 3;
  private static final int REDUCED_PRECISION_REDUCTION = 2; // CUDNN_NUMERICAL_NOTE_...
  private static final int NONDETERMINISTIC = 4;

  private static final int APART = 16; // bytes from a number to the next: tensors are aligned so

  private final GraphCalls calls;
  private final IntFunction<String> statusName;
  private final OperationGraph graph;
  private final GraphDescriptors descriptors;
  private final long plan;
  private final long workspace;
  private final Buffer values; // of the graph's numbers, where the host reads them

  private GraphPlan(
      GraphCalls calls,
      IntFunction<String> statusName,
      OperationGraph graph,
      GraphDescriptors descriptors,
      long plan,
      long workspace,
      Buffer values) {
    this.calls = calls;
    this.statusName = statusName;
    this.graph = graph;
    this.descriptors = descriptors;
    this.plan = plan;
    this.workspace = workspace;
    this.values = values;
  }

  /**
   * The first engine, in cuDNN's order, whose sums come in a fixed order and are kept in float32.
   * Where its heuristics have none of those, its list of what always works is asked, where norms
   * may be alone.
   *
   * @throws CudaException with a status for which {@link #isRefusal} holds if there is none
   */
  static GraphPlan find(
      GraphCalls calls, IntFunction<String> statusName, long handle, OperationGraph graph) {
    try (Undo undo = new Undo()) {
      GraphDescriptors all =
          undo.on(new GraphDescriptors(calls, statusName), GraphDescriptors::close);
      long described = GraphOperations.describe(all, handle, graph);
      Buffer values = undo.on(values(graph), Buffer::close);
      List<String> reasons = new ArrayList<>();
      long plan = first(all, handle, described, MODE_A, reasons);
      if (plan == 0) {
        plan = first(all, handle, described, MODE_FALLBACK, reasons);
      }
      if (plan == 0) {
        throw new CudaException(
            "cudnnBackendGetAttribute", NOT_SUPPORTED, "no engine is left of " + reasons);
      }
      long workspace = all.int64(plan, EXECUTION_PLAN_WORKSPACE_SIZE);
      undo.keep();
      return new GraphPlan(calls, statusName, graph, all, plan, workspace, values);
    }
  }

  /**
   * Whether cuDNN has nothing for what it was asked, or its own parts do not work for it (an engine
   * whose kernel does not compile), rather than that memory or the card failed.
   */
  static boolean isRefusal(CudaException e) {
    return e.status() >= LEAST_REFUSAL && e.status() <= MOST_REFUSAL;
  }

  /** The plan of the first engine that will do; 0 if there is none, for those reasons. */
  private static long first(
      GraphDescriptors all, long handle, long described, int mode, List<String> reasons) {
    try {
      for (long config : engines(all, described, mode)) {
        long plan = planIfGood(all, handle, config, reasons);
        if (plan != 0) {
          return plan;
        }
      }
    } catch (CudaException e) {
      bear(e, reasons);
    }
    return 0;
  }

  private static long planIfGood(
      GraphDescriptors all, long handle, long config, List<String> reasons) {
    if (!repeats(all, config)) {
      reasons.add("its results do not repeat, or its sums are not float32");
      return 0;
    }
    try {
      long plan = plan(all, handle, config);
      long workspace = all.int64(plan, EXECUTION_PLAN_WORKSPACE_SIZE);
      if (workspace <= MOST_WORKSPACE) {
        return plan;
      }
      reasons.add("it needs a workspace of " + (workspace >> 20) + " MiB");
    } catch (CudaException e) {
      bear(e, reasons);
    }
    return 0;
  }

  private static void bear(CudaException e, List<String> reasons) {
    if (!isRefusal(e)) {
      throw e;
    }
    reasons.add(e.getMessage());
  }

  private static long[] engines(GraphDescriptors all, long described, int mode) {
    long heuristics = all.make(ENGINE_HEURISTICS);
    all.descriptors(heuristics, ENGINEHEUR_OPERATION_GRAPH, described);
    all.heuristic(heuristics, ENGINEHEUR_MODE, mode);
    all.finish(heuristics, "heuristics");
    int count = Math.min(MOST_ENGINES, all.count(heuristics, ENGINEHEUR_RESULTS));
    return all.descriptors(heuristics, ENGINEHEUR_RESULTS, ENGINE_CONFIG, count);
  }

  private static boolean repeats(GraphDescriptors all, long config) {
    long[] engine = all.descriptors(config, ENGINECFG_ENGINE, ENGINE, 1);
    int[] notes =
        engine.length == 0 ? null : all.notes(engine[0], ENGINE_NUMERICAL_NOTE, MOST_NOTES);
    return notes != null
        && IntStream.of(notes)
            .noneMatch(note -> note == NONDETERMINISTIC || note == REDUCED_PRECISION_REDUCTION);
  }

  private static long plan(GraphDescriptors all, long handle, long config) {
    long plan = all.make(EXECUTION_PLAN);
    all.handle(plan, EXECUTION_PLAN_HANDLE, handle);
    all.descriptors(plan, EXECUTION_PLAN_ENGINE_CONFIG, config);
    all.finish(plan, "a plan");
    return plan;
  }

  private static Buffer values(OperationGraph graph) {
    List<Tensor> values = graph.values();
    int bytes = APART * Math.max(1, values.size());
    Buffer memory = Buffer.allocate(bytes, "A graph's numbers");
    ByteBuffer view = memory.borrow(0, bytes);
    for (int i = 0; i < values.size(); i++) {
      view.putFloat(APART * i, values.get(i).value());
    }
    return memory;
  }

  long workspace() {
    return workspace;
  }

  /** On the handle's stream. */
  void run(long handle, long[] addresses, long scratch) {
    long[] numbers =
        IntStream.range(0, graph.values().size())
            .mapToLong(i -> values.address() + (long) APART * i)
            .toArray();
    try (GraphDescriptors own = new GraphDescriptors(calls, statusName)) {
      long pack = own.make(VARIANT_PACK);
      own.addresses(pack, VARIANT_PACK_WORKSPACE, scratch);
      own.addresses(
          pack,
          VARIANT_PACK_DATA_POINTERS,
          LongStream.concat(LongStream.of(addresses), LongStream.of(numbers)).toArray());
      own.int64s(
          pack,
          VARIANT_PACK_UNIQUE_IDS,
          Stream.concat(graph.inMemory().stream(), graph.values().stream())
              .mapToLong(GraphOperations::id)
              .toArray());
      own.finish(pack, "addresses");
      own.execute(handle, plan, pack, graph.name());
    }
  }

  void close() {
    descriptors.close();
    values.close();
  }
}
