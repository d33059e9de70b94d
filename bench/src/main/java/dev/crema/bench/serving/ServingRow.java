package dev.crema.bench.serving;

/**
 * How a server did with a network.
 *
 * @param protocol REST, REST by wrk, or gRPC
 * @param most answers a second, when each connection sends as it has its answer
 * @param half at half of Crema's rate, for the limit, or else of its own, requests coming on their
 *     own
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
