package dev.crema.serving.monitoring;

import dev.crema.data.ArrayPreprocessing;
import dev.crema.data.Dataset;
import dev.crema.data.Mnist;
import dev.crema.data.Order;
import dev.crema.device.Device;
import dev.crema.memory.Shape;
import dev.crema.nn.BuiltIn;
import dev.crema.nn.Model;
import dev.crema.train.Trainer;
import dev.crema.train.TrainingReference;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** The shipped digits, 10 by 10, and a network that knows them a little. */
public final class Digits {
  public static final Mnist ALL = Mnist.sample10x10();

  private Digits() {}

  /** Trained for an epoch, with its reference; the caller closes it. */
  public static Model trained() {
    Model model =
        Model.of(BuiltIn.topology("mlp:32", new long[] {100}, BuiltIn.Output.CLASSES, 10), 1);
    Trainer.of(model).epochs(2).batchSize(64).seed(1).threads(1).fit(ALL.train());
    model
        .metadata()
        .set(
            "preprocessing",
            new ArrayPreprocessing(Shape.of(100), 1.0 / 255, ALL.train().classNames()).toJson());
    TrainingReference.store(model, ALL.train(), 1, 1, Device.cpu());
    return model;
  }

  /** Images with their labels. */
  public record Labelled(float[] pixels, int label) {}

  public static List<Labelled> test(int most) {
    List<Labelled> all = new ArrayList<>();
    Dataset some = ALL.test().take(most);
    ByteBuffer pixels = OneModel.memory(400);
    ByteBuffer label = OneModel.memory(4);
    try (Dataset.Reader reader = some.reader(Order.sequential())) {
      while (reader.read(List.of(pixels, label), 1) == 1) {
        all.add(new Labelled(OneModel.row(pixels.asFloatBuffer(), 100), label.getInt(0)));
      }
    }
    return all;
  }
}
