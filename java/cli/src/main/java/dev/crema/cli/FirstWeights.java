package dev.crema.cli;

import dev.crema.CremaException;
import dev.crema.nn.Model;
import dev.crema.nn.Parameter;
import dev.crema.train.Callback;
import dev.crema.train.CallbackState;
import dev.crema.train.Training;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.zip.CRC32;

/**
 * Knows by a checksum which weights a training began with, so that what is left of one goes on for
 * the same models only.
 */
final class FirstWeights implements Callback {
  private static final String CHECKSUM = "crc32";

  private final Path checkpoint;
  private final double checksum;

  /**
   * @param checkpoint to name where they do not fit
   * @param models before the training
   */
  FirstWeights(Path checkpoint, Model... models) {
    this.checkpoint = checkpoint;
    CRC32 crc = new CRC32();
    for (Model model : models) {
      for (Parameter p : model.table().all()) {
        float[] weights = model.get(p.path());
        ByteBuffer bytes = ByteBuffer.allocate(Float.BYTES * weights.length);
        bytes.asFloatBuffer().put(weights);
        crc.update(bytes);
      }
    }
    this.checksum = crc.getValue();
  }

  @Override
  public void save(CallbackState state) {
    state.put(CHECKSUM, checksum);
  }

  @Override
  public void restore(Training training, CallbackState state) {
    if (state.number(CHECKSUM) != checksum) {
      throw new CremaException(
          "The interrupted training in "
              + checkpoint
              + " began with other weights. Name the model that it was started with, and the same"
              + " teachers, or go without --resume to begin anew.");
    }
  }
}
