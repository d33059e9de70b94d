package dev.crema.device.cuda;

import dev.crema.memory.Buffer;
import java.util.HashMap;
import java.util.Map;

/** The mirrors of one card, each for all the memory behind some buffers. Thread-safe. */
final class Mirrors {
  private final Context context;
  private final CopyStream copies;
  private final DeviceMemory memory;
  private final Map<Long, Mirror> byHost = new HashMap<>(); // held, so addresses are unique

  Mirrors(Context context, CopyStream copies, DeviceMemory memory) {
    this.context = context;
    this.copies = copies;
    this.memory = memory;
  }

  /** The mirror of a buffer's memory for one more user, who gives it to {@link #drop}. */
  synchronized Mirror use(Buffer buffer) {
    Buffer whole = buffer.whole();
    Mirror mirror = null;
    try {
      mirror = byHost.get(whole.address());
      if (mirror == null) {
        mirror = new Mirror(context, copies, memory, whole);
        byHost.put(mirror.host(), mirror);
        whole = null; // it is the mirror's now
      } else {
        // What another program has queued must be there for this one, too.
        synchronized (context.recording()) {
          context.check(context.calls().cuCtxSynchronize(), "cuCtxSynchronize");
        }
      }
      mirror.addUser();
      return mirror;
    } finally {
      if (whole != null) {
        whole.close();
      }
    }
  }

  synchronized void drop(Mirror mirror) {
    if (mirror.dropUser()) {
      byHost.remove(mirror.host());
      mirror.close();
    }
  }
}
