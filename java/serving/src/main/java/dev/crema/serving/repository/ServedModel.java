package dev.crema.serving.repository;

import dev.crema.serving.ServingListener;
import dev.crema.serving.inference.ServingException;
import dev.crema.serving.inference.ServingException.Code;
import dev.crema.serving.repository.VersionStatus.State;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One model: brings what is in memory to what its folder and its settings say, one change at a
 * time, while requests read a {@link View} without a lock.
 */
final class ServedModel {
  private static final Logger LOG = LoggerFactory.getLogger(ServedModel.class);

  private final String name;
  private final RepositoryFolder folder;
  private final VersionLoader loader;
  private final ServingListener listener;
  private final Duration settle;
  private final ReentrantLock changes = new ReentrantLock();
  private final TreeMap<Long, VersionSlot> slots = new TreeMap<>(Comparator.reverseOrder());
  private ModelSettings settings;
  private volatile boolean unloaded;
  private boolean closed;
  private volatile View view;

  ServedModel(
      String name,
      ModelSettings settings,
      RepositoryFolder folder,
      VersionLoader loader,
      ServingListener listener,
      Duration settle) {
    this.name = name;
    this.settings = settings;
    this.folder = folder;
    this.loader = loader;
    this.listener = listener;
    this.settle = settle;
    this.view = new View(name, settings, Map.of(), List.of());
  }

  String name() {
    return name;
  }

  View view() {
    return view;
  }

  /** Nothing of it is in memory or known any more. */
  boolean isEmpty() {
    return view.statuses().isEmpty();
  }

  /** It serves, or was asked not to. */
  boolean isSettled() {
    return unloaded || view.isAvailable();
  }

  void configure(ModelSettings other) {
    changes.lock();
    try {
      boolean reload = !other.batching().equals(settings.batching());
      settings = other;
      if (reload) {
        slots.values().forEach(slot -> slot.stamp = "");
      }
      publish();
    } finally {
      changes.unlock();
    }
  }

  /**
   * Looks at the files and loads and retires what must be.
   *
   * @param path of the model's folder
   * @param asked whether someone asked for this model now: then it serves again if it had been
   *     unloaded, and what failed is tried again
   */
  void refresh(Path path, boolean asked) throws IOException {
    changes.lock();
    try {
      if (closed) {
        return;
      }
      if (asked) {
        unloaded = false;
        slots.values().forEach(slot -> slot.failed = false);
      }
      Map<Long, VersionFiles> files = folder.versions(path);
      Set<Long> known = new TreeSet<>(files.keySet());
      for (Map.Entry<Long, VersionSlot> e : slots.entrySet()) {
        VersionSlot slot = e.getValue();
        if (slot.serving != null && RepositoryFolder.isBeingReplaced(slot.place)) {
          known.add(e.getKey());
        }
      }
      known.forEach(version -> slots.computeIfAbsent(version, v -> new VersionSlot()));
      Set<Long> wanted = unloaded ? Set.of() : bring(known, files, asked);
      retireAllBut(wanted);
      forget(known);
      publish();
    } finally {
      changes.unlock();
    }
  }

  /**
   * Loads what the policy asks for. Where the newest can't be loaded, the newest that can serve: a
   * server that starts again then gives what it gave before.
   *
   * @return those that shall serve, also if they can't
   */
  private Set<Long> bring(Set<Long> known, Map<Long, VersionFiles> files, boolean asked) {
    boolean latest = settings.policy() instanceof VersionPolicy.Latest;
    int most = settings.policy() instanceof VersionPolicy.Latest l ? l.count() : known.size();
    VersionPolicy candidates = latest ? VersionPolicy.all() : settings.policy();
    Set<Long> wanted = new TreeSet<>();
    int serving = 0;
    for (long version : candidates.choose(known)) {
      if (serving < most) {
        wanted.add(version);
        if (files.containsKey(version)) {
          loadIfChanged(version, files.get(version), asked);
        }
        serving += slots.get(version).serving != null ? 1 : 0;
      }
    }
    return wanted;
  }

  private void loadIfChanged(long version, VersionFiles files, boolean asked) {
    VersionSlot slot = slots.get(version);
    boolean same = slot.stamp.equals(files.stamp());
    if (same && (slot.serving != null || slot.failed)) {
      return;
    }
    long now = System.nanoTime();
    if (!slot.seen.equals(files.stamp())) {
      slot.seen = files.stamp();
      slot.seenSince = now;
    }
    if (slot.serving == null) {
      become(version, slot, State.LOADING, "");
    }
    try {
      LoadedVersion loaded = loader.load(name, files, settings.batching());
      LoadedVersion before = slot.serving;
      slot.serving = loaded;
      slot.place = files.place();
      slot.stamp = files.stamp();
      slot.failed = false;
      become(version, slot, State.AVAILABLE, "");
      LOG.info("{} serves after {} ms", loaded, loaded.loadTime().toMillis());
      if (before != null) {
        slot.draining.add(before);
        before.release();
      }
    } catch (RuntimeException | Error e) {
      failed(version, slot, files, e, !asked && now - slot.seenSince < settle.toNanos());
    }
  }

  /**
   * @param settling it may still be being written: the next look tries again
   */
  private void failed(
      long version, VersionSlot slot, VersionFiles files, Throwable why, boolean settling) {
    String message = why.getMessage() == null ? why.toString() : why.getMessage();
    if (settling) {
      become(version, slot, slot.serving == null ? State.START : State.AVAILABLE, "");
      LOG.debug("{} version {} is not whole yet: {}", name, version, message);
      return;
    }
    slot.failed = true;
    slot.stamp = files.stamp();
    become(version, slot, slot.serving == null ? State.END : State.AVAILABLE, message);
    LOG.warn("{} version {} could not be loaded: {}", name, version, message);
    LOG.debug("Because of", why);
  }

  /** While of those that were named some do not serve, as many others that do are kept. */
  private void retireAllBut(Set<Long> wanted) {
    boolean named = !(settings.policy() instanceof VersionPolicy.Latest);
    long missing = named ? wanted.stream().filter(v -> slots.get(v).serving == null).count() : 0;
    List<Long> retired = new ArrayList<>();
    for (Map.Entry<Long, VersionSlot> e : slots.entrySet()) {
      if (e.getValue().serving != null && !wanted.contains(e.getKey()) && --missing < 0) {
        retired.add(e.getKey());
      }
    }
    List<LoadedVersion> leaving = new ArrayList<>();
    for (long version : retired) {
      VersionSlot slot = slots.get(version);
      leaving.add(slot.serving);
      slot.draining.add(slot.serving);
      slot.serving = null;
      slot.stamp = "";
      become(version, slot, State.UNLOADING, "");
    }
    leaving.forEach(LoadedVersion::release); // nobody finds them any more
  }

  private void forget(Collection<Long> known) {
    for (Map.Entry<Long, VersionSlot> e : slots.entrySet()) {
      VersionSlot slot = e.getValue();
      slot.draining.removeIf(LoadedVersion::isClosed);
      if (slot.state == State.UNLOADING && slot.draining.isEmpty()) {
        become(e.getKey(), slot, State.END, "");
      }
    }
    slots
        .entrySet()
        .removeIf(
            e ->
                !known.contains(e.getKey())
                    && e.getValue().serving == null
                    && e.getValue().draining.isEmpty());
  }

  private void become(long version, VersionSlot slot, State state, String error) {
    boolean same = slot.state == state && slot.error.equals(error);
    slot.state = state;
    slot.error = error;
    publish();
    if (!same || state == State.AVAILABLE) {
      try {
        listener.changed(slot.status(name, version, settings));
      } catch (RuntimeException e) {
        LOG.warn("A listener failed", e);
      }
    }
  }

  private void publish() {
    Map<Long, LoadedVersion> available = new HashMap<>();
    List<VersionStatus> statuses = new ArrayList<>();
    slots.forEach(
        (version, slot) -> {
          statuses.add(slot.status(name, version, settings));
          if (slot.serving != null) {
            available.put(version, slot.serving);
          }
        });
    view = new View(name, settings, available, statuses);
  }

  /**
   * @throws ServingException if a version that its policy asks for does not serve
   */
  void requireServing() {
    List<VersionStatus> failed =
        view.statuses().stream().filter(status -> !status.error().isEmpty()).toList();
    if (!failed.isEmpty()) {
      VersionStatus status = failed.get(0);
      throw new ServingException(
          Code.FAILED_PRECONDITION,
          "Model '"
              + name
              + "' version "
              + status.version()
              + " could not be loaded"
              + (view.isAvailable() ? ", another version serves" : "")
              + ": "
              + status.error());
    }
    if (!view.isAvailable()) {
      throw new ServingException(
          Code.FAILED_PRECONDITION,
          "Model '"
              + name
              + "' has no version in its folder that its policy "
              + view.settings().policy()
              + " asks for");
    }
  }

  /** As {@link #unload}, for good. */
  void close(Duration most) {
    changes.lock();
    try {
      closed = true;
    } finally {
      changes.unlock();
    }
    unload(most);
  }

  /** Takes all versions out of service; returns when their last request is answered. */
  void unload(Duration most) {
    List<LoadedVersion> leaving = new ArrayList<>();
    changes.lock();
    try {
      unloaded = true;
      retireAllBut(Set.of());
      slots.values().forEach(slot -> leaving.addAll(slot.draining));
    } finally {
      changes.unlock();
    }
    long end = System.nanoTime() + most.toNanos();
    for (LoadedVersion version : leaving) {
      try {
        if (!version.awaitClosed(Duration.ofNanos(Math.max(0, end - System.nanoTime())))) {
          LOG.warn("{} still has {} requests; it goes after the last", version, version.inUse());
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        break; // it goes after its last request, whether or not anyone waits
      }
    }
    changes.lock();
    try {
      forget(slots.keySet());
      publish();
    } finally {
      changes.unlock();
    }
  }
}
