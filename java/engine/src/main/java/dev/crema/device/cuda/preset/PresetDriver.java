package dev.crema.device.cuda.preset;

import dev.crema.device.cuda.calls.DriverCalls;
import org.bytedeco.cuda.cudart.CUctx_st;
import org.bytedeco.cuda.cudart.CUevent_st;
import org.bytedeco.cuda.cudart.CUfunc_st;
import org.bytedeco.cuda.cudart.CUgraphExec_st;
import org.bytedeco.cuda.cudart.CUgraph_st;
import org.bytedeco.cuda.cudart.CUmod_st;
import org.bytedeco.cuda.cudart.CUstream_st;
import org.bytedeco.cuda.global.cudart;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;
import org.bytedeco.javacpp.SizeTPointer;

/** The CUDA driver. */
final class PresetDriver implements DriverCalls {
  @Override
  public int cuInit(int flags) {
    return cudart.cuInit(flags);
  }

  @Override
  public int cuDriverGetVersion(int[] version) {
    return cudart.cuDriverGetVersion(version);
  }

  @Override
  public int cuDeviceGetCount(int[] count) {
    return cudart.cuDeviceGetCount(count);
  }

  @Override
  public int cuDeviceGet(int[] device, int ordinal) {
    return cudart.cuDeviceGet(device, ordinal);
  }

  @Override
  public int cuDeviceGetName(byte[] name, int device) {
    return cudart.cuDeviceGetName(name, name.length, device);
  }

  @Override
  public int cuDeviceGetPCIBusId(byte[] id, int device) {
    return cudart.cuDeviceGetPCIBusId(id, id.length, device);
  }

  @Override
  public int cuDeviceTotalMem(long[] bytes, int device) {
    try (SizeTPointer size = new SizeTPointer(1)) {
      int status = cudart.cuDeviceTotalMem(size, device);
      bytes[0] = size.get();
      return status;
    }
  }

  @Override
  public int cuDeviceGetAttribute(int[] value, int attribute, int device) {
    return cudart.cuDeviceGetAttribute(value, attribute, device);
  }

  @Override
  public int cuDevicePrimaryCtxRetain(long[] context, int device) {
    CUctx_st made = new CUctx_st();
    int status = cudart.cuDevicePrimaryCtxRetain(made, device);
    context[0] = made.address();
    return status;
  }

  @Override
  public int cuDevicePrimaryCtxRelease(int device) {
    return cudart.cuDevicePrimaryCtxRelease(device);
  }

  @Override
  public int cuCtxSetCurrent(long context) {
    return cudart.cuCtxSetCurrent(CurrentContext.at(context));
  }

  /** A context that this thread makes current again and again. */
  private static final class CurrentContext extends CUctx_st {
    private static final ThreadLocal<CurrentContext> OF_THREAD =
        ThreadLocal.withInitial(CurrentContext::new);

    CurrentContext() {
      super((Pointer) null);
    }

    static CurrentContext at(long context) {
      CurrentContext of = OF_THREAD.get();
      of.address = context;
      return of;
    }
  }

  @Override
  public int cuCtxSynchronize() {
    return cudart.cuCtxSynchronize();
  }

  @Override
  public int cuMemGetInfo(long[] free, long[] total) {
    try (SizeTPointer f = new SizeTPointer(1);
        SizeTPointer t = new SizeTPointer(1)) {
      int status = cudart.cuMemGetInfo(f, t);
      free[0] = f.get();
      total[0] = t.get();
      return status;
    }
  }

  @Override
  public int cuMemAlloc(long[] address, long bytes) {
    return cudart.cuMemAlloc(address, bytes);
  }

  @Override
  public int cuMemFree(long address) {
    return cudart.cuMemFree(address);
  }

  @Override
  public int cuMemHostAlloc(long[] address, long bytes, int flags) {
    try (PointerPointer<Pointer> made = new PointerPointer<>(1L)) {
      made.put(0, (Pointer) null);
      int status = cudart.cuMemHostAlloc(made, bytes, flags);
      address[0] = address(made);
      return status;
    }
  }

  static long address(PointerPointer<Pointer> of) {
    Pointer pointer = of.get(Pointer.class, 0);
    return pointer == null ? 0 : pointer.address();
  }

  @Override
  public int cuMemFreeHost(long address) {
    return cudart.cuMemFreeHost(new At(address));
  }

  @Override
  public int cuMemcpyHtoDAsync(long to, long from, long bytes, long stream) {
    At.Step step = At.Step.get();
    return cudart.cuMemcpyHtoDAsync(to, step.host.set(from), bytes, step.stream.set(stream));
  }

  @Override
  public int cuMemcpyDtoHAsync(long to, long from, long bytes, long stream) {
    At.Step step = At.Step.get();
    return cudart.cuMemcpyDtoHAsync(step.host.set(to), from, bytes, step.stream.set(stream));
  }

  @Override
  public int cuMemcpyDtoDAsync(long to, long from, long bytes, long stream) {
    return cudart.cuMemcpyDtoDAsync(to, from, bytes, At.Step.get().stream.set(stream));
  }

  @Override
  public int cuMemsetD8Async(long to, int value, long bytes, long stream) {
    return cudart.cuMemsetD8Async(to, (byte) value, bytes, At.Step.get().stream.set(stream));
  }

  @Override
  public int cuStreamCreate(long[] stream, int flags) {
    CUstream_st made = new CUstream_st();
    int status = cudart.cuStreamCreate(made, flags);
    stream[0] = made.address();
    return status;
  }

  @Override
  public int cuStreamDestroy(long stream) {
    return cudart.cuStreamDestroy(At.Step.get().stream.set(stream));
  }

  @Override
  public int cuStreamSynchronize(long stream) {
    return cudart.cuStreamSynchronize(At.Step.get().stream.set(stream));
  }

  @Override
  public int cuStreamBeginCapture(long stream, int mode) {
    return cudart.cuStreamBeginCapture(At.Step.get().stream.set(stream), mode);
  }

  @Override
  public int cuStreamEndCapture(long stream, long[] graph) {
    CUgraph_st made = new CUgraph_st();
    int status = cudart.cuStreamEndCapture(At.Step.get().stream.set(stream), made);
    graph[0] = made.address();
    return status;
  }

  @Override
  public int cuGraphInstantiate(long[] executable, long graph, long flags) {
    CUgraphExec_st made = new CUgraphExec_st();
    int status = cudart.cuGraphInstantiate(made, new CUgraph_st(new At(graph)), flags);
    executable[0] = made.address();
    return status;
  }

  @Override
  public int cuGraphLaunch(long executable, long stream) {
    At.Step step = At.Step.get();
    return cudart.cuGraphLaunch(step.executable.set(executable), step.stream.set(stream));
  }

  @Override
  public int cuGraphExecDestroy(long executable) {
    return cudart.cuGraphExecDestroy(At.Step.get().executable.set(executable));
  }

  @Override
  public int cuGraphDestroy(long graph) {
    return cudart.cuGraphDestroy(new CUgraph_st(new At(graph)));
  }

  @Override
  public int cuEventCreate(long[] event, int flags) {
    CUevent_st made = new CUevent_st();
    int status = cudart.cuEventCreate(made, flags);
    event[0] = made.address();
    return status;
  }

  @Override
  public int cuEventRecord(long event, long stream) {
    return cudart.cuEventRecord(new CUevent_st(new At(event)), At.Step.get().stream.set(stream));
  }

  @Override
  public int cuEventSynchronize(long event) {
    return cudart.cuEventSynchronize(new CUevent_st(new At(event)));
  }

  @Override
  public int cuStreamWaitEvent(long stream, long event, int flags) {
    return cudart.cuStreamWaitEvent(
        At.Step.get().stream.set(stream), new CUevent_st(new At(event)), flags);
  }

  @Override
  public int cuEventElapsedTime(float[] milliseconds, long start, long end) {
    return cudart.cuEventElapsedTime(
        milliseconds, new CUevent_st(new At(start)), new CUevent_st(new At(end)));
  }

  @Override
  public int cuEventDestroy(long event) {
    return cudart.cuEventDestroy(new CUevent_st(new At(event)));
  }

  @Override
  public int cuModuleLoadData(long[] module, long image) {
    CUmod_st made = new CUmod_st();
    int status = cudart.cuModuleLoadData(made, new At(image));
    module[0] = made.address();
    return status;
  }

  @Override
  public int cuModuleUnload(long module) {
    return cudart.cuModuleUnload(new CUmod_st(new At(module)));
  }

  @Override
  public int cuModuleGetFunction(long[] function, long module, String name) {
    CUfunc_st made = new CUfunc_st();
    int status = cudart.cuModuleGetFunction(made, new CUmod_st(new At(module)), name);
    function[0] = made.address();
    return status;
  }

  @Override
  public int cuFuncSetAttribute(long function, int attribute, int value) {
    return cudart.cuFuncSetAttribute(new CUfunc_st(new At(function)), attribute, value);
  }

  @Override
  public int cuLaunchKernel(
      long function,
      int gridX,
      int gridY,
      int gridZ,
      int blockX,
      int blockY,
      int blockZ,
      int sharedBytes,
      long stream,
      long parameters) {
    return cudart.cuLaunchKernel(
        new CUfunc_st(new At(function)),
        gridX,
        gridY,
        gridZ,
        blockX,
        blockY,
        blockZ,
        sharedBytes,
        At.Step.get().stream.set(stream),
        new At.Array(parameters),
        (PointerPointer<?>) null);
  }

  @Override
  public String errorName(int status) {
    try (PointerPointer<BytePointer> text = new PointerPointer<>(1L)) {
      return cudart.cuGetErrorName(status, text) == 0
          ? text.get(BytePointer.class, 0).getString()
          : "CUDA error " + status;
    }
  }

  @Override
  public String errorText(int status) {
    try (PointerPointer<BytePointer> text = new PointerPointer<>(1L)) {
      return cudart.cuGetErrorString(status, text) == 0
          ? text.get(BytePointer.class, 0).getString()
          : "status " + status;
    }
  }
}
