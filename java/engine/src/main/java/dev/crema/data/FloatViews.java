package dev.crema.data;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;

/**
 * Remembers the float views of the few buffers that a reader meets again and again, so that bulk
 * copies need no new view for each batch. Not thread-safe.
 */
final class FloatViews {
  private static final int REMEMBERED = 16;

  private final ByteBuffer[] buffers = new ByteBuffer[REMEMBERED];
  private final FloatBuffer[] views = new FloatBuffer[REMEMBERED];
  private int last;
  private int oldest;

  FloatBuffer of(ByteBuffer buffer) {
    if (buffers[last] == buffer) {
      return views[last];
    }
    for (int i = 0; i < REMEMBERED; i++) {
      if (buffers[i] == buffer) {
        last = i;
        return views[i];
      }
    }
    last = oldest;
    oldest = (oldest + 1) % REMEMBERED;
    buffers[last] = buffer;
    views[last] = buffer.duplicate().clear().order(ByteOrder.nativeOrder()).asFloatBuffer();
    return views[last];
  }
}
