package dev.crema.bench.serving;

/**
 * How a server did with a network.
 *
 * @param protocol REST or gRPC
 * @param most answers a second, when each connection sends as it has its answer
 * @param half microseconds at half of that rate, requests coming on their own
 * @param residentBytes of its process, behind the loads
 */
record ServingRow(
    Server server,
    ServedNetwork network,
    String protocol,
    LoadTest.Outcome most,
    LoadTest.Outcome half,
    long residentBytes) {
  private static final double BYTES_IN_MEGABYTE = 1 << 20;

  double megabytes() {
    return residentBytes / BYTES_IN_MEGABYTE;
  }

  long errors() {
    return most.errors() + half.errors();
  }
}
