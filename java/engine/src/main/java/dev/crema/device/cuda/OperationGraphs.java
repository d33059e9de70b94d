package dev.crema.device.cuda;

import dev.crema.CremaException;
import dev.crema.device.cuda.calls.CudaLibraries;
import dev.crema.device.cuda.calls.DnnCalls;
import dev.crema.device.cuda.calls.GraphCalls;
import dev.crema.device.cuda.kernel.Launches;
import dev.crema.device.cuda.kernel.OperationGraph;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Graphs of operations by cuDNN. Whether one of its engines computes a graph is asked once for each
 * graph; where none does, a debug log says why. A plan is kept as long as the device: a recorded
 * graph of the driver's may launch a kernel that cuDNN compiled for it. Thread-safe.
 */
final class OperationGraphs {
  private static final Logger LOG = LoggerFactory.getLogger(OperationGraphs.class);
  private static final int MOST_KEPT = 1024; // graphs beyond are not computed

  private final DnnCalls calls;
  private final GraphCalls graphs;
  private final long handle;
  private final Map<OperationGraph, Optional<GraphPlan>> plans = new HashMap<>();

  /**
   * The context is current.
   *
   * @throws CremaException if there is no cuDNN, or one for another CUDA
   */
  private OperationGraphs(CudaLibraries libraries) {
    this.calls = libraries.dnn();
    this.graphs = libraries.graphs();
    this.handle = DnnHandle.create(calls);
    loadCompiler(libraries);
  }

  /** Empty where there is no cuDNN, or one for another CUDA: a debug log says which. */
  static Optional<OperationGraphs> ifThere(CudaLibraries libraries) {
    try {
      return Optional.of(new OperationGraphs(libraries));
    } catch (CudaException e) {
      throw e; // it is there, and failed
    } catch (CremaException e) {
      LOG.debug("Nothing is computed by graphs of cuDNN: {}", e.getMessage());
      return Optional.empty();
    }
  }

  /** NVRTC, by which some engines compile; cuDNN finds it by its name once it is loaded. */
  private static void loadCompiler(CudaLibraries libraries) {
    try {
      libraries.compiler();
    } catch (CremaException e) {
      LOG.debug("Engines of cuDNN that compile may lack: {}", e.getMessage());
    }
  }

  /** Finds the engine and asks for its workspace; false if there is none. */
  boolean prepareIfThere(OperationGraph graph, Launches scratch) {
    Optional<GraphPlan> plan = plan(graph);
    plan.map(GraphPlan::workspace).filter(bytes -> bytes > 0).ifPresent(scratch::scratch);
    return plan.isPresent();
  }

  /** Queues it; false if there is no engine. */
  synchronized boolean runIfThere(
      OperationGraph graph, long[] addresses, Launches to, long stream) {
    Optional<GraphPlan> plan = plan(graph);
    plan.ifPresent(
        there -> {
          long workspace = there.workspace() == 0 ? 0 : to.scratch(there.workspace());
          DnnStatus.check(calls, calls.cudnnSetStream(handle, stream), "cudnnSetStream");
          there.run(handle, addresses, workspace);
        });
    return plan.isPresent();
  }

  private synchronized Optional<GraphPlan> plan(OperationGraph graph) {
    Optional<GraphPlan> known = plans.get(graph);
    if (known == null && plans.size() == MOST_KEPT) {
      LOG.debug("cuDNN is not asked to compute {}: there are {} graphs", graph.name(), MOST_KEPT);
      return Optional.empty();
    }
    if (known == null) {
      known = find(graph);
      plans.put(graph, known);
    }
    return known;
  }

  private Optional<GraphPlan> find(OperationGraph graph) {
    long version = calls.cudnnGetVersion();
    if (version < graph.least()) {
      LOG.debug(
          "cuDNN {} does not compute {}: that needs {}",
          CudaLibrary.version(version),
          graph.name(),
          CudaLibrary.version(graph.least()));
      return Optional.empty();
    }
    try {
      return Optional.of(GraphPlan.find(graphs, calls::statusName, handle, graph));
    } catch (CudaException e) {
      if (!GraphPlan.isRefusal(e)) {
        throw e;
      }
      LOG.debug(
          "cuDNN {} does not compute {}: {}",
          CudaLibrary.version(version),
          graph.name(),
          e.getMessage());
      return Optional.empty();
    }
  }

  synchronized void close() {
    plans.values().forEach(plan -> plan.ifPresent(GraphPlan::close));
    plans.clear();
    calls.cudnnDestroy(handle);
  }
}
