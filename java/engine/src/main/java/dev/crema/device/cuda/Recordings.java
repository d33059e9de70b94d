package dev.crema.device.cuda;

import dev.crema.device.ProgramSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** The recordings of one program, of the batch sizes used last. Finding one allocates nothing. */
final class Recordings {
  /** Batches are full or the last of an epoch, sections three: a few each, with room. */
  static final int MOST = 16;

  private final ProgramSpec spec;
  private final long[] writtenBy;
  private final Consumer<Recording> drop;
  private final List<Recording> all = new ArrayList<>();
  private long uses;

  /**
   * @param drop gives back the graph of one that is forgotten
   */
  Recordings(ProgramSpec spec, Consumer<Recording> drop) {
    this.spec = spec;
    this.writtenBy = spec.writtenBy();
    this.drop = drop;
  }

  Recording get(long batch, long sections) {
    uses++;
    for (int i = 0; i < all.size(); i++) {
      Recording r = all.get(i);
      if (r.batch == batch && r.sections == sections) {
        r.lastUse = uses;
        return r;
      }
    }
    Recording made = new Recording(spec, writtenBy, batch, sections);
    made.lastUse = uses;
    if (all.size() == MOST) {
      int oldest = 0;
      for (int i = 1; i < MOST; i++) {
        oldest = all.get(i).lastUse < all.get(oldest).lastUse ? i : oldest;
      }
      drop.accept(all.remove(oldest));
    }
    all.add(made);
    return made;
  }

  /** Gives back all graphs: what they refer to has moved. */
  void dropGraphs() {
    all.forEach(drop);
  }
}
