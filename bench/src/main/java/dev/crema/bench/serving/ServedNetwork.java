package dev.crema.bench.serving;

import dev.crema.bench.Network;

/**
 * What is served.
 *
 * @param name in the path of requests
 */
public record ServedNetwork(String name, Network network) {
  /** The small one, of which a request costs more than its arithmetic. */
  public static final ServedNetwork SEED = new ServedNetwork("seed", Network.SEED_MLP);

  /** One that costs about 1 ms: its weights are read from memory for each batch, however small. */
  public static final ServedNetwork HEAVY = new ServedNetwork("heavy", Network.HEAVY_MLP);

  /** One example, the body of a request. */
  String body() {
    StringBuilder text = new StringBuilder("{\"instances\": [[");
    float[] example = network.examples(1);
    for (int i = 0; i < example.length; i++) {
      text.append(i > 0 ? ", " : "").append(example[i]);
    }
    return text.append("]]}").toString();
  }
}
