package dev.crema.serving.repository;

import dev.crema.CremaException;
import dev.crema.device.Device;
import dev.crema.serving.ServingListener;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.PublicKey;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** What a {@link ModelRepository} goes by. Not thread-safe. */
public final class RepositoryBuilder {
  final Path root;
  final Map<String, ModelSettings> settings = new HashMap<>();
  ModelSettings byDefault = ModelSettings.DEFAULT;
  Device device = Device.best();
  int ready = Runtime.getRuntime().availableProcessors();
  List<PublicKey> keys = List.of();
  boolean signed;
  ServingListener listener = new ServingListener() {};
  Duration interval = Duration.ofSeconds(2);
  Duration settle = Duration.ofSeconds(5);
  Duration drain = Duration.ofSeconds(30);

  RepositoryBuilder(Path root) {
    this.root = Objects.requireNonNull(root, "root");
  }

  /** For all models that have no settings of their own. */
  public RepositoryBuilder settings(ModelSettings all) {
    this.byDefault = Objects.requireNonNull(all, "all");
    return this;
  }

  public RepositoryBuilder settings(String model, ModelSettings own) {
    settings.put(Objects.requireNonNull(model, "model"), Objects.requireNonNull(own, "own"));
    return this;
  }

  /** What computes; {@link Device#best} unless said. */
  public RepositoryBuilder device(Device device) {
    this.device = Objects.requireNonNull(device, "device");
    return this;
  }

  /**
   * How many predictors of each size are made for a version before it serves: as many as are used
   * at once. The number of processors unless said.
   */
  public RepositoryBuilder predictors(int count) {
    if (count < 1) {
      throw new IllegalArgumentException("At least one predictor is needed, got " + count);
    }
    this.ready = count;
    return this;
  }

  /** Only models that one of these Ed25519 keys has signed are loaded. */
  public RepositoryBuilder requireSignatures(List<PublicKey> keys) {
    this.keys = List.copyOf(keys);
    this.signed = true;
    return this;
  }

  /** Is told of versions that change. */
  public RepositoryBuilder listener(ServingListener listener) {
    this.listener = Objects.requireNonNull(listener, "listener");
    return this;
  }

  /** How often the folder is looked at: 2 s unless said; zero for only when asked to. */
  public RepositoryBuilder pollInterval(Duration interval) {
    this.interval = Objects.requireNonNull(interval, "interval");
    return this;
  }

  /**
   * For how long after its last change a version that can't be loaded counts as not whole yet: 5 s
   * unless said.
   */
  public RepositoryBuilder settleTime(Duration settle) {
    this.settle = Objects.requireNonNull(settle, "settle");
    return this;
  }

  /** For how long unloading and closing wait for running requests: 30 s unless said. */
  public RepositoryBuilder drainTime(Duration drain) {
    this.drain = Objects.requireNonNull(drain, "drain");
    return this;
  }

  /**
   * Loads what is there; whoever calls this closes the repository. Models that can't be loaded do
   * not keep it from opening.
   *
   * @throws CremaException if there is no such folder
   */
  public ModelRepository open() {
    if (!Files.isDirectory(root)) {
      throw new CremaException(root + " is no folder; expected one with models, as NAME/VERSION/");
    }
    return ModelRepository.open(this);
  }
}
