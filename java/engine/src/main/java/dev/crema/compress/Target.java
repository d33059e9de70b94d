package dev.crema.compress;

/** What a {@link Compression} is to make small. */
public enum Target {
  /** How long predictions take: the geometric mean of batch 1 and batch 32. */
  LATENCY,

  /** The bytes of the model's file. */
  SIZE;

  /** How much there is of it in figures: nanoseconds or bytes. */
  double cost(Figures figures) {
    return this == SIZE ? figures.fileBytes() : Math.sqrt(figures.nanosOf1() * figures.nanosOf32());
  }

  /** The other one. */
  Target other() {
    return this == SIZE ? LATENCY : SIZE;
  }

  /** What something is that has less of it. */
  String better() {
    return this == SIZE ? "smaller" : "faster";
  }
}
