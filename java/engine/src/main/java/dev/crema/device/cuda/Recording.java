package dev.crema.device.cuda;

import dev.crema.device.ProgramSpec;
import dev.crema.device.ProgramSpec.PlacedTensor;
import dev.crema.device.ProgramSpec.Use;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a run of one batch size and some sections does: what is copied to the card and back, and,
 * once it has run, the graph of everything between.
 */
final class Recording {
  private static final long[] NONE = {};

  final long batch;
  final long sections;

  /** Bytes of each region that are copied to the card; 0 for those that are not inputs. */
  final long[] uploads;

  /** For each region, pairs of offset and bytes that are copied back. */
  final long[][] downloads;

  /** Whether each region is a storage that the run changes. */
  final boolean[] written;

  /** The executable graph; 0 while there is none. */
  long graph;

  /** Whether it ran before and can be recorded now. */
  boolean isWarm;

  /** Whether the device does not allow to record it. */
  boolean isUnrecordable;

  /** Whether an instruction may find bad data. */
  boolean canFail;

  /** When it was last used, in runs of its program. */
  long lastUse;

  Recording(ProgramSpec spec, long[] writtenBy, long batch, long sections) {
    int regions = spec.regions().size();
    this.batch = batch;
    this.sections = sections;
    this.uploads = new long[regions];
    this.downloads = new long[regions][];
    this.written = new boolean[regions];
    for (int r = 0; r < regions; r++) {
      Use use = spec.regions().get(r).use();
      boolean changes = (writtenBy[r] & sections) != 0;
      uploads[r] = use == Use.INPUT ? end(spec, r, batch) : 0;
      written[r] = use == Use.STORAGE && changes;
      boolean isRead = use == Use.RESULTS || use == Use.INPUT;
      downloads[r] = isRead && changes ? ranges(spec, r, batch) : NONE;
    }
  }

  private static long end(ProgramSpec spec, int region, long batch) {
    long end = 0;
    for (PlacedTensor t : spec.tensors()) {
      if (t.region() == region) {
        end = Math.max(end, t.offset() + t.bytes(batch));
      }
    }
    return end;
  }

  /** Tensors that share memory begin at the same offset: the biggest counts. */
  private static long[] ranges(ProgramSpec spec, int region, long batch) {
    Map<Long, Long> bytes = new TreeMap<>();
    for (PlacedTensor t : spec.tensors()) {
      if (t.region() == region && t.bytes(batch) > 0) {
        bytes.merge(t.offset(), t.bytes(batch), Math::max);
      }
    }
    long[] pairs = new long[2 * bytes.size()];
    int at = 0;
    for (Map.Entry<Long, Long> range : bytes.entrySet()) {
      pairs[at++] = range.getKey();
      pairs[at++] = range.getValue();
    }
    return pairs;
  }
}
