package dev.crema.serving.monitoring;

import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.common.MediaType;
import com.linecorp.armeria.server.ServerBuilder;
import dev.crema.serving.Endpoint;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;

/**
 * What Prometheus and Grafana are to be given, as files: {@code GET /monitoring/crema-rules.yml}
 * (recording and alerting rules), {@code /monitoring/crema-dashboard.json} and {@code
 * /monitoring/prometheus.yml} (an example).
 */
public final class MonitoringFiles implements Endpoint {
  /** Recording and alerting rules for Prometheus. */
  public static final String RULES = "crema-rules.yml";

  /** A dashboard for Grafana. */
  public static final String DASHBOARD = "crema-dashboard.json";

  /** A configuration of Prometheus that scrapes a server on this machine. */
  public static final String PROMETHEUS = "prometheus.yml";

  private static final MediaType YAML = MediaType.create("application", "yaml");

  @Override
  public void addTo(ServerBuilder server) {
    add(server, RULES, YAML);
    add(server, DASHBOARD, MediaType.JSON);
    add(server, PROMETHEUS, YAML);
  }

  private static void add(ServerBuilder server, String file, MediaType type) {
    byte[] content = read(file);
    server
        .route()
        .get("/monitoring/" + file)
        .build((c, r) -> HttpResponse.of(HttpStatus.OK, type, HttpData.wrap(content)));
  }

  /** The content of one of them. */
  public static byte[] read(String file) {
    try (InputStream in = MonitoringFiles.class.getResourceAsStream(file)) {
      if (in == null) {
        throw new IllegalStateException("Crema's jar lacks " + file);
      }
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
