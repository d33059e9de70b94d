package dev.crema.serving.repository;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.CremaException;
import dev.crema.serving.ServingListener;
import dev.crema.serving.inference.ServingException;
import dev.crema.serving.inference.ServingException.Code;
import dev.crema.serving.inference.Signature;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Serves the models in a folder: {@code NAME/VERSION/} is one that {@code Model.save} wrote, {@code
 * NAME/VERSION.zip} likewise, VERSION a number. Looks for new, changed and removed versions from
 * time to time. A new version is read, verified by its sums (and its {@link SignedModels signature}
 * if that is required) and warmed before it takes over in one step; the old one answers what it has
 * begun and then gives its memory back. What can't be loaded shows in {@link #versions}, and what
 * served before serves on; it is tried again when its files change or {@link #load} asks.
 * Thread-safe.
 */
public final class ModelRepository implements Models, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ModelRepository.class);
  private static final int MOST_TURNS = 1000;

  private final RepositoryFolder folder;
  private final Path root;
  private final VersionLoader loader;
  private final ServingListener listener;
  private final Duration settle;
  private final Duration drain;
  private final ModelSettings byDefault;
  private final Map<String, ModelSettings> settings;
  private final ConcurrentHashMap<String, ServedModel> models = new ConcurrentHashMap<>();
  private final Map<String, String> complaints = new ConcurrentHashMap<>(); // by model; "": all
  private final CountDownLatch closing = new CountDownLatch(1);
  private final Thread poller; // null: none

  private ModelRepository(RepositoryBuilder b) {
    this.root = b.root;
    this.folder = new RepositoryFolder(b.root);
    this.loader = new VersionLoader(b.device, b.ready, b.keys, b.signed);
    this.listener = b.listener;
    this.settle = b.settle;
    this.drain = b.drain;
    this.byDefault = b.byDefault;
    this.settings = new ConcurrentHashMap<>(b.settings);
    this.poller = b.interval.isZero() ? null : new Thread(() -> poll(b.interval), "crema-models");
  }

  /** Begins one for the models in a folder. */
  public static RepositoryBuilder of(Path root) {
    return new RepositoryBuilder(root);
  }

  /** Loads what is there and begins to look at it from time to time. */
  static ModelRepository open(RepositoryBuilder b) {
    ModelRepository repository = new ModelRepository(b);
    try {
      repository.refreshAll();
    } catch (RuntimeException | Error e) {
      repository.close();
      throw e;
    }
    if (repository.poller != null) {
      repository.poller.setDaemon(true);
      repository.poller.start();
    }
    return repository;
  }

  private void poll(Duration interval) {
    try {
      while (!closing.await(interval.toNanos(), TimeUnit.NANOSECONDS)) {
        try {
          refreshAll();
          complaints.remove("");
        } catch (RuntimeException e) {
          complain("", root + " could not be looked at: " + e); // of some, the message is null
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Says it once, not with every look. */
  private void complain(String model, String message) {
    if (!message.equals(complaints.put(model, message))) {
      LOG.warn("{}", message);
    }
  }

  /** Looks at the folder now, as is done from time to time anyway. */
  public void refreshAll() {
    Map<String, Path> found = found();
    for (Map.Entry<String, ServedModel> e : models.entrySet()) {
      found.putIfAbsent(e.getKey(), root.resolve(e.getKey())); // gone: its versions go, too
    }
    for (Map.Entry<String, Path> e : found.entrySet()) {
      if (closing.getCount() == 0) {
        return;
      }
      try {
        ServedModel model = models.computeIfAbsent(e.getKey(), this::served);
        model.refresh(e.getValue(), false);
        if (model.isEmpty() && !Files.exists(e.getValue())) {
          models.remove(e.getKey(), model);
        }
        complaints.remove(e.getKey());
      } catch (IOException failure) {
        complain(e.getKey(), e.getValue() + " could not be looked at: " + failure);
      }
    }
  }

  private Map<String, Path> found() {
    try {
      return new TreeMap<>(folder.models());
    } catch (IOException e) {
      throw new CremaException("Cannot look at the models in " + root + ": " + e, e);
    }
  }

  private ServedModel served(String name) {
    return new ServedModel(
        name, settings.getOrDefault(name, byDefault), folder, loader, listener, settle);
  }

  /** Settings of a model, also of one that is not there yet. */
  public ModelSettings settings(String model) {
    Objects.requireNonNull(model, "model");
    ServedModel served = models.get(model);
    return served == null ? settings.getOrDefault(model, byDefault) : served.view().settings();
  }

  /**
   * Changes how a model is served: labels and traffic at once, policy and batching with the next
   * look at the folder, or {@link #load}.
   */
  public void configure(String model, ModelSettings changed) {
    Objects.requireNonNull(model, "model");
    Objects.requireNonNull(changed, "changed");
    settings.put(model, changed);
    ServedModel served = models.get(model);
    if (served != null) {
      served.configure(changed);
    }
  }

  private ServedModel model(String name) {
    ServedModel model = models.get(name);
    if (model == null) {
      throw ServingException.notFound("There is no model '" + name + "'");
    }
    return model;
  }

  /**
   * The version that shall answer a request, kept in memory until the caller calls {@link
   * LoadedVersion#release}.
   *
   * @param requestId decides whether the canary answers; "" leaves it to chance
   * @throws ServingException if there is none, or it is not available
   */
  public LoadedVersion acquire(ModelReference reference, String requestId) {
    ServedModel model = model(reference.name());
    for (int turn = 0; turn < MOST_TURNS; turn++) {
      LoadedVersion version = model.view().route(reference, requestId);
      if (version.retain()) {
        return version;
      }
      Thread.onSpinWait(); // swapped between the two steps: the next look sees the new one
    }
    throw new ServingException(Code.UNAVAILABLE, "Model " + reference + " is closed");
  }

  /**
   * The version that shall compute a copy of a request, kept as by {@link #acquire}; null for none.
   */
  public LoadedVersion acquireShadow(ModelReference reference, String requestId) {
    ServedModel model = models.get(reference.name());
    LoadedVersion shadow = model == null ? null : model.view().shadow(reference, requestId);
    return shadow != null && shadow.retain() ? shadow : null;
  }

  @Override
  public List<String> names() {
    return models.keySet().stream().sorted().toList();
  }

  @Override
  public List<VersionStatus> versions(String model) {
    Objects.requireNonNull(model, "model");
    return model(model).view().statuses();
  }

  @Override
  public boolean isSettled(String model) {
    Objects.requireNonNull(model, "model");
    return model(model).isSettled();
  }

  @Override
  public VersionStatus resolve(ModelReference reference) {
    Objects.requireNonNull(reference, "reference");
    View view = model(reference.name()).view();
    long version = view.choose(reference).version();
    return view.statuses().stream().filter(s -> s.version() == version).findFirst().orElseThrow();
  }

  @Override
  public Signature signature(ModelReference reference) {
    Objects.requireNonNull(reference, "reference");
    return model(reference.name()).view().choose(reference).signature();
  }

  @Override
  public ObjectNode metadata(ModelReference reference) {
    Objects.requireNonNull(reference, "reference");
    return model(reference.name()).view().choose(reference).metadata().deepCopy();
  }

  @Override
  public void load(String model) {
    Objects.requireNonNull(model, "model");
    Path path = found().get(model); // among those there are: a name is never made a path
    if (path == null) {
      throw ServingException.notFound("There is no model '" + model + "'");
    }
    if (closing.getCount() == 0) {
      throw new ServingException(Code.UNAVAILABLE, "The models are being closed");
    }
    ServedModel served = models.computeIfAbsent(model, this::served);
    try {
      served.refresh(path, true);
    } catch (IOException e) {
      throw new ServingException(
          Code.FAILED_PRECONDITION, "Model '" + model + "' can't be read: " + e, null, e);
    }
    served.requireServing();
  }

  @Override
  public void unload(String model) {
    Objects.requireNonNull(model, "model");
    model(model).unload(drain);
  }

  /** Ends polling and takes all models out of service; waits for running requests. */
  @Override
  public void close() {
    closing.countDown();
    if (poller != null) {
      try {
        poller.join();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt(); // it ends after the load it is at
      }
    }
    models.values().forEach(model -> model.close(drain));
  }
}
