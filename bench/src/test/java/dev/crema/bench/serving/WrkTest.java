package dev.crema.bench.serving;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.CremaException;
import org.junit.jupiter.api.Test;

final class WrkTest {
  private static final String GOOD =
      """
      Running 10s test @ http://127.0.0.1:9104/v1/models/seed:predict
        1 threads and 32 connections
        Thread Stats   Avg      Stdev     Max   +/- Stdev
          Latency     1.93ms    1.63ms  23.47ms   86.07%
          Req/Sec    16.69k     3.84k   23.41k    63.00%
        166137 requests in 10.01s, 41.35MB read
      Requests/sec:  16594.29
      Transfer/sec:      4.13MB
      """;

  @Test
  void rateAndErrorsAreRead() {
    assertThat(Wrk.outcome(GOOD).rate()).isEqualTo(16594.29);
    assertThat(Wrk.outcome(GOOD).errors()).isZero();
    String bad =
        "  Socket errors: connect 1, read 2, write 0, timeout 4\n"
            + "  Non-2xx or 3xx responses: 10\nRequests/sec:     0.50\n";
    assertThat(Wrk.outcome(bad).errors()).isEqualTo(17);
    assertThatThrownBy(() -> Wrk.outcome("unable to connect"))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("unable to connect");
  }
}
