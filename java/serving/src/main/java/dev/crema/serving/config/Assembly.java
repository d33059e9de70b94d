package dev.crema.serving.config;

import dev.crema.CremaException;
import dev.crema.device.Device;
import dev.crema.serving.ModelServer;
import dev.crema.serving.Protocols;
import dev.crema.serving.ServingListener;
import dev.crema.serving.batching.BatchingInference;
import dev.crema.serving.monitoring.DeviceMetrics;
import dev.crema.serving.monitoring.Monitoring;
import dev.crema.serving.page.OperationsPage;
import dev.crema.serving.protocol.ProtocolOptions;
import dev.crema.serving.repository.ModelRepository;
import dev.crema.serving.repository.RepositoryBuilder;
import dev.crema.serving.repository.SignedModels;
import dev.crema.serving.security.Guard;
import dev.crema.serving.tracing.SpanFacts;
import dev.crema.serving.tracing.Spans;
import io.opentelemetry.api.OpenTelemetry;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Puts a server together as a {@link ServerConfig} says: models, batching, protocols, metrics. */
public final class Assembly {
  private static final Logger LOG = LoggerFactory.getLogger(Assembly.class);

  private final ServerConfig config;
  private final List<AutoCloseable> opened = new ArrayList<>();
  private volatile ModelServer built; // null: not yet

  private Assembly(ServerConfig config) {
    this.config = config;
  }

  /**
   * A server that is not started yet, with its models loaded and warm. Closing it closes all that
   * was made for it.
   *
   * @param telemetry where spans go: that of {@link Spans} by {@link ServerConfig#tracing}, or one
   *     of the caller's; {@link OpenTelemetry#noop} for nowhere
   * @throws CremaException if there is no folder of models, or no such host
   */
  public static ModelServer build(ServerConfig config, OpenTelemetry telemetry) {
    Assembly assembly = new Assembly(config);
    try {
      return assembly.build(telemetry);
    } catch (RuntimeException | Error e) {
      assembly.closeOpened(e);
      throw e;
    }
  }

  private ModelServer build(OpenTelemetry telemetry) {
    InetAddress address = address(config.server().host());
    Monitoring monitoring = opened(Monitoring.prometheus());
    List<ServingListener> listeners = new ArrayList<>();
    if (config.monitoring().metrics()) {
      listeners.add(monitoring.listener());
    }
    if (telemetry != OpenTelemetry.noop()) {
      listeners.add(new SpanFacts());
    }
    ServingListener listener = ServingListener.all(listeners);
    Device device = Device.best();
    DeviceMetrics.of(List.of(device)).bindTo(monitoring.registry());
    ModelRepository models = opened(repository(device, listener));
    monitoring.watch(models);
    BatchingInference inference =
        opened(
            new BatchingInference(
                models,
                listener,
                Runtime.getRuntime().availableProcessors(),
                config.server().drain()));
    Guard guard = new Guard(config.security().access());
    ModelServer.Builder server =
        ModelServer.builder(models)
            .address(address)
            .port(config.server().port())
            .threads(config.server().threads())
            .notice(config.server().notice())
            .drain(config.server().drain())
            .accessLog(config.server().accessLog())
            .limits(config.limits())
            .guard(guard)
            .telemetry(telemetry);
    config.security().tls().ifPresent(server::tls);
    if (config.monitoring().metrics()) { // before the protocols: :feedback is below their paths
      server.endpoint(monitoring.endpoint());
    }
    if (config.monitoring().metrics() && config.monitoring().page()) {
      server.endpoint(new OperationsPage(monitoring));
    }
    server.endpoint(new Protocols(models, inference, protocols(guard, listener)));
    opened.forEach(server::closing);
    warnOfOpenDoors(address);
    built = server.build();
    return built;
  }

  private ProtocolOptions protocols(Guard guard, ServingListener listener) {
    return ProtocolOptions.DEFAULT
        .withAdmin(config.security().admin())
        .withLimits(config.limits())
        .withReady(() -> built != null && built.notReady().isEmpty())
        .withAccess(guard::mayUse)
        .withListener(listener);
  }

  private ModelRepository repository(Device device, ServingListener listener) {
    ModelsConfig models = config.models();
    RepositoryBuilder repository =
        ModelRepository.of(models.root())
            .settings(models.byDefault())
            .device(device)
            .pollInterval(models.poll())
            .drainTime(config.server().drain())
            .listener(listener);
    models.named().forEach(repository::settings);
    if (!models.trustedKeys().isEmpty()) {
      repository.requireSignatures(
          models.trustedKeys().stream().map(SignedModels::readKey).toList());
    }
    return repository.open();
  }

  private static InetAddress address(String host) {
    try {
      return InetAddress.getByName(host);
    } catch (UnknownHostException e) {
      throw new CremaException(
          "There is no host '" + host + "'; use an address of this machine, or 0.0.0.0 for all", e);
    }
  }

  private void warnOfOpenDoors(InetAddress address) {
    if (!address.isLoopbackAddress() && config.security().tls().isEmpty()) {
      LOG.warn(
          "Serving to other machines in plain text: keys and data can be read on the way. See"
              + " security.tls");
    }
  }

  private <T extends AutoCloseable> T opened(T part) {
    opened.add(part);
    return part;
  }

  private void closeOpened(Throwable why) {
    for (int i = opened.size() - 1; i >= 0; i--) {
      try {
        opened.get(i).close();
      } catch (Exception e) {
        why.addSuppressed(e);
      }
    }
  }
}
