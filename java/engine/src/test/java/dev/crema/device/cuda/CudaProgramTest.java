package dev.crema.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.CremaException;
import dev.crema.device.cuda.CudaBench.Convolving;
import dev.crema.device.cuda.CudaBench.Multiplying;
import dev.crema.device.cuda.CudaBench.Squaring;
import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.Op;
import dev.crema.graph.Storage;
import dev.crema.graph.TensorType;
import dev.crema.memory.Buffer;
import dev.crema.op.MatMul;
import dev.crema.plan.Plan;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Programs on a fake card: what is called in which order, and what comes of it. */
class CudaProgramTest {
  private final CudaBench bench = new CudaBench();
  private final FakeCard card = bench.card;

  @AfterEach
  void everythingIsGivenBack() {
    bench.close();
    assertThat(card.live).isEmpty();
    assertThat(card.misuses).isEmpty();
  }

  @Test
  void aRunCopiesInputsComputesAndCopiesResults() {
    try (Buffer w = CudaBench.floats(1, 2, 3, 4, 5, 6);
        Multiplying plan = CudaBench.product(bench.device, w, 4)) {
      plan.input(1, 10, 2, 20);
      plan.run(2);
      assertThat(plan.result(6)).containsExactly(41, 52, 63, 82, 104, 126);
    }
  }

  @Test
  void fromTheThirdRunOnAStepIsOneLaunchBetweenTheCopies() {
    try (Buffer w = CudaBench.floats(1, 2, 3, 4, 5, 6);
        Multiplying plan = CudaBench.product(bench.device, w, 4)) {
      plan.input(1, 10, 2, 20);
      plan.run(2); // one by one
      card.clearLog();
      plan.run(2); // recorded
      assertThat(card.log("cuStreamBegin", "cublasLtMatmul", "cuStreamEnd", "cuGraph"))
          .filteredOn(call -> !call.startsWith("cublasLtMatmulDesc"))
          .containsExactly(
              "cuStreamBeginCapture",
              "cublasLtMatmul",
              "cuStreamEndCapture",
              "cuGraphInstantiate",
              "cuGraphDestroy",
              "cuGraphLaunch");
      card.clearLog();
      plan.input(2, 20, 1, 10);
      plan.run(2);
      assertThat(card.log)
          .containsExactly(
              "cuCtxSetCurrent",
              "cuMemcpyHtoDAsync 16",
              "cuGraphLaunch",
              "cuMemcpyDtoHAsync 24",
              "cuStreamSynchronize");
      assertThat(plan.result(6)).containsExactly(82, 104, 126, 41, 52, 63);
    }
  }

  @Test
  void smallerBatchesHaveGraphsOfTheirOwnAndOnlySoManyAreKept() {
    try (Buffer w = CudaBench.floats(1, 2, 3, 4, 5, 6);
        Multiplying plan = CudaBench.product(bench.device, w, 40)) {
      plan.input(1, 10, 2, 20);
      for (int round = 0; round < 3; round++) {
        for (int batch = 1; batch <= 40; batch++) {
          plan.run(batch);
          plan.run(batch);
          assertThat(plan.result(3)).containsExactly(41, 52, 63);
        }
      }
      assertThat(card.live.get("executable")).hasSize(Recordings.MOST);
      assertThat(card.live).doesNotContainKey("graph");
    }
  }

  @Test
  void aBatchOfNothingDoesNothing() {
    try (Buffer w = CudaBench.floats(1, 2, 3, 4, 5, 6);
        Multiplying plan = CudaBench.product(bench.device, w, 4)) {
      plan.run(0);
      plan.run(0);
      plan.run(0);
      assertThat(card.log("cublasLtMatmul")).noneMatch(call -> call.equals("cublasLtMatmul"));
    }
  }

  @Test
  void whatTheHostChangesIsCopiedToTheCardOnce() {
    try (Buffer w = CudaBench.floats(1, 2, 3, 4, 5, 6);
        Multiplying plan = CudaBench.product(bench.device, w, 1)) {
      plan.input(1, 0);
      plan.run(1);
      assertThat(card.log("cuMemcpyHtoDAsync 24")).hasSize(1);
      plan.run(1);
      assertThat(card.log("cuMemcpyHtoDAsync 24")).hasSize(1);
      CudaBench.write(w, 7, 8, 9, 4, 5, 6);
      plan.run(1);
      assertThat(card.log("cuMemcpyHtoDAsync 24")).hasSize(2);
      assertThat(plan.result(3)).containsExactly(7, 8, 9);
    }
  }

  @Test
  void whatTheCardChangesIsCopiedBackWhenTheHostReadsIt() {
    try (Buffer w = CudaBench.floats(1, 1, 0, 1);
        Squaring s = CudaBench.squaring(bench.device, w, 1)) {
      CudaBench.input(s.plan(), 1, 0);
      s.plan().run(1);
      assertThat(card.log("cuMemcpyDtoHAsync")).hasSize(1); // the result
      assertThat(CudaBench.read(s.state(), 4)).containsExactly(1, 2, 0, 1);
      assertThat(card.log("cuMemcpyDtoHAsync")).hasSize(2);
      assertThat(CudaBench.read(s.state(), 4)).containsExactly(1, 2, 0, 1);
      assertThat(card.log("cuMemcpyDtoHAsync")).hasSize(2);
      s.plan().run(1);
      assertThat(card.log("cuMemcpyHtoDAsync 16")).as("the state is never copied there").hasSize(2);
    }
  }

  @Test
  void aViewThatTheUserHoldsShowsWhatTheCardChanged() {
    try (Buffer w = CudaBench.floats(1, 1, 0, 1);
        Squaring s = CudaBench.squaring(bench.device, w, 1)) {
      FloatBuffer before = s.state().floats();
      CudaBench.input(s.plan(), 1, 0);
      s.plan().run(1);
      assertThat(before.get(1)).isEqualTo(2);
      FloatBuffer parameters = w.floats();
      for (int i = 1; i < 5; i++) {
        parameters.put(1, i); // through a view, without a word
        s.plan().run(1);
        assertThat(before.get(1)).isEqualTo(2 * i);
      }
    }
  }

  @Test
  void aClosedPlanLeavesTheNewestContentsOnTheHost() {
    try (Buffer w = CudaBench.floats(1, 3, 0, 1)) {
      Squaring s = CudaBench.squaring(bench.device, w, 1);
      Buffer state = s.state().slice(0, 16);
      CudaBench.input(s.plan(), 1, 0);
      s.plan().run(1);
      s.close();
      assertThat(CudaBench.read(state, 4)).containsExactly(1, 6, 0, 1);
      state.close();
    }
  }

  @Test
  void plansOfOneModelShareTheCopyOfItsParameters() {
    try (Buffer w = CudaBench.floats(1, 2, 3, 4, 5, 6);
        Multiplying one = CudaBench.product(bench.device, w, 1);
        Multiplying two = CudaBench.product(bench.device, w, 2)) {
      one.input(1, 0);
      two.input(0, 1);
      one.run(1);
      two.run(1);
      assertThat(card.log("cuMemcpyHtoDAsync 24")).hasSize(1);
      assertThat(two.result(3)).containsExactly(4, 5, 6);
    }
  }

  @Test
  void theCpuReadsWhatTheCardHasChanged() {
    try (Buffer w = CudaBench.floats(1, 1, 0, 1);
        Squaring s = CudaBench.squaring(bench.device, w, 1)) {
      Graph graph = new Graph();
      Node x = graph.input("x", TensorType.batchOf(2));
      Node v = graph.variable("v", Storage.STATE, 0, TensorType.of(2, 2));
      Node y = x.then(new MatMul(false, false), v);
      try (Plan cpu =
          Plan.of(graph)
              .outputs(y)
              .device(dev.crema.device.Device.cpu())
              .storage(Storage.STATE, s.state())
              .build()) {
        CudaBench.input(s.plan(), 1, 0);
        s.plan().run(1);
        CudaBench.input(cpu, 1, 0);
        cpu.run(1);
        assertThat(cpu.output(y).asFloatBuffer().get(1)).isEqualTo(2);
      }
    }
  }

  /** An op that no device has. */
  private record Unheard() implements Op {
    @Override
    public List<TensorType> infer(List<TensorType> inputs) {
      return inputs;
    }
  }

  @Test
  void aKernelThatIsMissingIsNamedWithItsLayer() {
    Graph graph = new Graph();
    graph.beginLayer("head");
    Node y = graph.input("x", TensorType.batchOf(2)).then(new Unheard());
    graph.endLayer();
    assertThatThrownBy(() -> Plan.of(graph).outputs(y).device(bench.device).build())
        .isInstanceOf(CremaException.class)
        .hasMessage(
            "head (Unheard): cuda:0 has no kernel named unheard. Run this model on the CPU:"
                + " Device.cpu(), or CREMA_DEVICE=cpu.");
  }

  @Test
  void anErrorOfALibraryNamesTheCallAndTheLayer() {
    try (Buffer w = CudaBench.floats(1, 2, 3, 4, 5, 6);
        Multiplying plan = CudaBench.product(bench.device, w, 4)) {
      plan.input(1, 10);
      plan.run(4);
      card.clearLog();
      plan.run(1);
      int matmul = card.log.indexOf("cublasLtMatmul") + 1;
      card.failAt(matmul, 13); // the next batch size makes the same calls
      assertThatThrownBy(() -> plan.run(2))
          .isInstanceOf(CudaException.class)
          .hasMessage("head (MatMul): cublasLtMatmul gave CUBLAS_STATUS_13");
      plan.run(1);
      assertThat(plan.result(3)).containsExactly(41, 52, 63);
    }
  }

  @Test
  void anErrorOfAConvolutionNamesTheCallAndTheLayer() {
    CudaBench.transposes(card);
    try (Buffer ones = CudaBench.ones(17);
        Convolving c = CudaBench.convolution(bench.device, ones, 4)) {
      c.plan().run(4);
      card.clearLog();
      c.plan().run(1);
      card.failAt(card.log.indexOf("cudnnConvolutionBackwardData") + 1, 5000);
      assertThatThrownBy(() -> c.plan().run(2)) // the next batch size makes the same calls
          .isInstanceOf(CudaException.class)
          .hasMessageStartingWith("window (Conv2dInputGrad")
          .hasMessageEndingWith("cudnnConvolutionBackwardData gave CUDNN_STATUS_5000");
    }
  }

  @Test
  void afterAFatalErrorTheDeviceSaysSoAndLostContentsAreNotRead() {
    Buffer w = CudaBench.floats(1, 1, 0, 1);
    Squaring s = CudaBench.squaring(bench.device, w, 1);
    CudaBench.input(s.plan(), 1, 0);
    s.plan().run(1);
    s.plan().run(1);
    s.plan().run(1);
    card.clearLog();
    s.plan().run(1);
    card.failAt(card.log.size(), 700); // the wait at the end of the next run
    assertThatThrownBy(() -> s.plan().run(1))
        .isInstanceOf(CudaException.class)
        .hasMessageContaining("cuStreamSynchronize on cuda:0 gave CUDA_ERROR_700")
        .hasMessageContaining("start it again")
        .hasMessageContaining("CREMA_CUDA_CHECK");
    assertThatThrownBy(() -> s.plan().run(1)).hasMessageContaining("cuda:0 failed earlier");
    assertThatThrownBy(() -> CudaBench.read(s.state(), 4)).isInstanceOf(CudaException.class);
    assertThat(CudaBench.read(w, 4)).containsExactly(1, 1, 0, 1);
    s.plan().close();
    assertThatThrownBy(() -> CudaBench.read(s.state(), 4)).hasMessageContaining("has failed");
    s.close();
    w.close();
  }

  @Test
  void whereEachIsWaitedForAFatalErrorNamesItsLayer() {
    CudaOptions waiting =
        new CudaOptions(true, Measuring.NOTHING, new KernelCache(null), operation -> -1);
    try (CudaBench each = new CudaBench(waiting);
        Buffer w = CudaBench.floats(1, 2, 3, 4, 5, 6);
        Multiplying plan = CudaBench.product(each.device, w, 4)) {
      for (int i = 0; i < 3; i++) {
        plan.input(1, 10);
        plan.run(1);
        assertThat(plan.result(3)).containsExactly(41, 52, 63);
      }
      assertThat(each.card.log("cuGraph", "cuStreamBeginCapture")).isEmpty();
      each.card.clearLog();
      plan.run(1);
      int product = each.card.log.indexOf("cublasLtMatmul") + 1;
      each.card.failAt(product + 1, 700); // the wait for it
      assertThatThrownBy(() -> plan.run(1))
          .isInstanceOf(CudaException.class)
          .hasMessageStartingWith("head (MatMul): cuStreamSynchronize on cuda:0 gave CUDA_ERROR_7");
    }
  }

  @Test
  void withoutGraphsItRunsOneByOne() {
    card.fakeDriver().captureStatus = 901;
    try (Buffer w = CudaBench.floats(1, 2, 3, 4, 5, 6);
        Multiplying plan = CudaBench.product(bench.device, w, 4)) {
      plan.input(1, 10);
      for (int i = 0; i < 4; i++) {
        plan.run(1);
        assertThat(plan.result(3)).containsExactly(41, 52, 63);
      }
      assertThat(card.log("cuStreamBeginCapture")).hasSize(1);
    }
  }

  @Test
  void aSecondThreadIsRefusedAndACloseWaits() throws InterruptedException {
    Buffer w = CudaBench.floats(1, 2, 3, 4, 5, 6);
    Multiplying plan = CudaBench.product(bench.device, w, 4);
    plan.run(1);
    plan.close();
    plan.close();
    assertThatThrownBy(() -> plan.run(1)).isInstanceOf(IllegalStateException.class);
    w.close();
    CountDownLatch both = new CountDownLatch(2);
    AtomicReference<Throwable> failure = new AtomicReference<>();
    try (Buffer v = CudaBench.floats(1, 2, 3, 4, 5, 6)) {
      Runnable work =
          () -> {
            try (Multiplying own = CudaBench.product(bench.device, v, 4)) {
              for (int i = 0; i < 50; i++) {
                int rows = 1 + i % 4;
                own.input(1, 10, 1, 10, 1, 10, 1, 10);
                own.run(rows);
                assertThat(own.result(3)).containsExactly(41, 52, 63);
              }
            } catch (Throwable e) {
              failure.set(e);
            } finally {
              both.countDown();
            }
          };
      new Thread(work).start();
      new Thread(work).start();
      both.await();
    }
    assertThat(failure.get()).isNull();
  }

  @Test
  void outOfMemorySaysWhatWasAskedUsedAndFreeAndTheProcessGoesOn() {
    card.fakeDriver().totalBytes = 64 << 20;
    try (Buffer w = CudaBench.floats(1, 2, 3, 4, 5, 6);
        Multiplying small = CudaBench.product(bench.device, w, 4)) {
      assertThatThrownBy(() -> CudaBench.product(bench.device, w, 4 << 20))
          .isInstanceOf(CremaException.class)
          .hasMessageContaining("Out of memory on cuda:0")
          .hasMessageContaining("The arena of a plan for 4194304 examples asks for")
          .hasMessageContaining("Crema uses")
          .hasMessageContaining("are free");
      small.input(1, 10);
      small.run(1);
      assertThat(small.result(3)).containsExactly(41, 52, 63);
    }
  }

  @Test
  void aGraphThatFindsNoMemoryGetsWhatIsKept() {
    try (Buffer w = CudaBench.floats(1, 2, 3, 4, 5, 6);
        Multiplying plan = CudaBench.product(bench.device, w, 4)) {
      bench.device.memory().allocate(1, "a piece").close();
      plan.input(1, 10);
      plan.run(4);
      card.clearLog();
      plan.run(4);
      plan.run(1);
      card.failAt(card.log.indexOf("cuGraphInstantiate") + 1, DriverStatus.OUT_OF_MEMORY);
      plan.run(1); // records as the other batch size did
      assertThat(card.failedCall).isEqualTo("cuGraphInstantiate");
      assertThat(plan.result(3)).containsExactly(41, 52, 63);
      assertThat(bench.device.memory().kept()).isZero();
    }
  }

  @Test
  void aGraphThatFindsNoMemoryAtAllSaysWhatIsUsedAndFree() {
    try (Buffer w = CudaBench.floats(1, 2, 3, 4, 5, 6);
        Multiplying plan = CudaBench.product(bench.device, w, 4)) {
      plan.input(1, 10);
      plan.run(4);
      bench.device.memory().trim();
      card.clearLog();
      plan.run(4);
      plan.run(1);
      card.failAt(card.log.indexOf("cuGraphInstantiate") + 1, DriverStatus.OUT_OF_MEMORY);
      assertThatThrownBy(() -> plan.run(1))
          .isInstanceOf(CudaException.class)
          .hasMessageContaining("Out of memory on cuda:0: cuGraphInstantiate asks for")
          .hasMessageContaining("Crema uses")
          .hasMessageContaining("are free");
      plan.run(1);
      assertThat(plan.result(3)).containsExactly(41, 52, 63);
    }
  }

  @Test
  void profilesHaveATimeForEachInstruction() {
    try (Buffer w = CudaBench.floats(1, 1, 0, 1);
        Squaring s = CudaBench.squaring(bench.device, w, 1)) {
      assertThat(s.plan().profile(1)).containsExactly(250_000, 250_000);
      assertThat(CudaBench.read(s.state(), 4)).containsExactly(1, 2, 0, 1);
    }
  }
}
