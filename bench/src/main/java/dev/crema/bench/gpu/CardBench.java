package dev.crema.bench.gpu;

import dev.crema.CremaException;
import dev.crema.device.Device;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** Measures works on a device, the device's limits before and after them. */
final class CardBench {
  /** Steps whose losses are compared with PyTorch's. */
  private static final int STEPS = 5;

  private final Device device;
  private final Sizes sizes;
  private final CardTimer timer;
  private final Consumer<String> progress;

  CardBench(Device device, Sizes sizes, CardTimer timer, Consumer<String> progress) {
    this.device = device;
    this.sizes = sizes;
    this.timer = timer;
    this.progress = progress;
  }

  CardReport run(List<CardWork> works) {
    progress.accept("limits");
    CardLimits before = CardLimits.measure(device, sizes, timer);
    List<CardReport.Row> rows = new ArrayList<>();
    for (CardWork work : works) {
      progress.accept(work.name());
      rows.add(row(work));
    }
    progress.accept("limits");
    CardLimits limits = before.max(CardLimits.measure(device, sizes, timer));
    return new CardReport(device, sizes, limits, rows);
  }

  /** One work that fails must not hide the others. */
  private CardReport.Row row(CardWork work) {
    try (CardTask task = work.maker().make(device)) {
      double[] losses = task.losses(STEPS);
      List<Double> seconds = timer.measure(task);
      String complaint = complaint(task, losses);
      return new CardReport.Row(work, seconds, losses, task.ways(), complaint);
    } catch (CremaException e) {
      progress.accept("  " + e.getMessage());
      return new CardReport.Row(work, List.of(), new double[0], List.of(), e.getMessage());
    }
  }

  /** A figure of a wrong result is worth nothing. */
  private static String complaint(CardTask task, double[] losses) {
    for (double loss : losses) {
      if (!Double.isFinite(loss)) {
        return "a loss is " + loss;
      }
    }
    if (losses.length > 0) {
      double last = task.losses(1)[0]; // after all steps that were timed
      if (!(last < losses[0])) {
        return "the loss does not fall: from " + losses[0] + " to " + last;
      }
    }
    float[] result = task.result();
    if (result != null) {
      for (float value : result) {
        if (!Float.isFinite(value)) {
          return "a result is " + value;
        }
      }
    }
    return null;
  }
}
