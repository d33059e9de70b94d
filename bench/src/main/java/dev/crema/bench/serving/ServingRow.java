package dev.crema.bench.serving;

/**
 * How a server did with a network.
 *
 * @param protocol REST, REST by wrk, or gRPC
 * @param most answers a second, when each connection sends as it has its answer
 * @param half requests coming on their own: half as many as the most, by wrk where it is there, or
 *     as the bar if that is fewer; for the limit as many as Crema had
 * @param residentBytes of its process, behind the loads
 */
record ServingRow(
    Server server,
    ServedNetwork network,
    String protocol,
    LoadTest.Outcome most,
    LoadTest.Outcome half,
    long residentBytes) {
  static final String REST = "REST";
  static final String WRK = "REST by wrk";
  static final String GRPC = "gRPC";

  private static final double BYTES_IN_MEGABYTE = 1 << 20;

  double megabytes() {
    return residentBytes / BYTES_IN_MEGABYTE;
  }

  long errors() {
    return most.errors() + half.errors();
  }
}
