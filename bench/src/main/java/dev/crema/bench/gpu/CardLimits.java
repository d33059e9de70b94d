package dev.crema.bench.gpu;

import dev.crema.device.Device;
import dev.crema.graph.Node;
import dev.crema.graph.Precision;
import dev.crema.op.MatMul;
import java.util.EnumMap;
import java.util.Map;

/**
 * What the device was measured to do, by Crema: bytes a second of a copy, each counted when it is
 * read and when it is written, and operations a second of a big square product. PyTorch measures
 * the same; the better counts as the card's.
 */
record CardLimits(double copy, Map<Arithmetic, Double> products) {
  private static final int MOVES = 2 * Float.BYTES;

  static CardLimits measure(Device device, Sizes sizes, CardTimer timer) {
    Map<Arithmetic, Double> rates = new EnumMap<>(Arithmetic.class);
    for (Arithmetic arithmetic : Arithmetic.values()) {
      rates.put(arithmetic, product(device, sizes.product(), arithmetic, timer));
    }
    return new CardLimits(copy(device, sizes, timer), rates);
  }

  private static double copy(Device device, Sizes sizes, CardTimer timer) {
    try (CardTask task =
        new StoredGraph(
            device,
            Precision.FLOAT32,
            tensors -> tensors.store(tensors.uniform(1, sizes.rows(), sizes.columns())))) {
      double bytes = (double) MOVES * sizes.rows() * sizes.columns();
      return bytes / CardTimer.median(timer.measure(task));
    }
  }

  private static double product(Device device, int n, Arithmetic arithmetic, CardTimer timer) {
    try (CardTask task =
        new StoredGraph(
            device,
            arithmetic.precision(),
            tensors -> {
              if (arithmetic == Arithmetic.INT8 || arithmetic == Arithmetic.FP8) {
                ByteLayers.of(tensors, arithmetic).product(n);
                return;
              }
              Node a = tensors.uniform(1, n, n);
              tensors.store(a.then(new MatMul(false, false), tensors.uniform(1, n, n)));
            })) {
      return 2.0 * n * n * n / CardTimer.median(timer.measure(task));
    }
  }

  /** The better of two measurements. */
  CardLimits max(CardLimits other) {
    Map<Arithmetic, Double> rates = new EnumMap<>(products);
    other.products.forEach((arithmetic, rate) -> rates.merge(arithmetic, rate, Math::max));
    return new CardLimits(Math.max(copy, other.copy), rates);
  }

  /** The least seconds that a work takes. */
  double seconds(CardWork work) {
    return work.bytes() > 0 ? work.bytes() / copy : work.flops() / products.get(work.arithmetic());
  }
}
