package dev.crema.device.cuda.preset;

import dev.crema.device.cuda.calls.GraphCalls;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.bytedeco.cuda.cudnn.cudnnBackendDescriptor_t;
import org.bytedeco.cuda.cudnn.cudnnContext;
import org.bytedeco.cuda.global.cudnn;
import org.bytedeco.javacpp.Pointer;

/** cuDNN's graph API. */
final class PresetGraph implements GraphCalls {
  private static final int MOST_TEXT = 1024;

  private static cudnnBackendDescriptor_t descriptor(long at) {
    return new cudnnBackendDescriptor_t(new At(at));
  }

  @Override
  public int cudnnBackendCreateDescriptor(int type, long[] descriptor) {
    cudnnBackendDescriptor_t made = new cudnnBackendDescriptor_t();
    int status = cudnn.cudnnBackendCreateDescriptor(type, made);
    descriptor[0] = made.address();
    return status;
  }

  @Override
  public int cudnnBackendDestroyDescriptor(long descriptor) {
    return cudnn.cudnnBackendDestroyDescriptor(descriptor(descriptor));
  }

  @Override
  public int cudnnBackendSetAttribute(
      long descriptor, int attribute, int type, long count, ByteBuffer values) {
    return cudnn.cudnnBackendSetAttribute(
        descriptor(descriptor), attribute, type, count, new Pointer(values));
  }

  @Override
  public int cudnnBackendGetAttribute(
      long descriptor, int attribute, int type, long requested, long[] count, ByteBuffer values) {
    return cudnn.cudnnBackendGetAttribute(
        descriptor(descriptor),
        attribute,
        type,
        requested,
        count,
        values == null ? null : new Pointer(values));
  }

  @Override
  public int cudnnBackendFinalize(long descriptor) {
    return cudnn.cudnnBackendFinalize(descriptor(descriptor));
  }

  @Override
  public int cudnnBackendExecute(long handle, long plan, long variantPack) {
    return cudnn.cudnnBackendExecute(
        new cudnnContext(new At(handle)), descriptor(plan), descriptor(variantPack));
  }

  @Override
  public String cudnnGetLastErrorString() {
    byte[] text = new byte[MOST_TEXT];
    cudnn.cudnnGetLastErrorString(text, MOST_TEXT);
    return new String(text, StandardCharsets.UTF_8).split("\0", 2)[0].strip();
  }
}
