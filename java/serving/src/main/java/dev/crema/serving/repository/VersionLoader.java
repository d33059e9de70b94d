package dev.crema.serving.repository;

import com.fasterxml.jackson.databind.JsonNode;
import dev.crema.CremaException;
import dev.crema.data.Preprocessing;
import dev.crema.device.Device;
import dev.crema.io.Json;
import dev.crema.io.ModelArchive;
import dev.crema.nn.Model;
import dev.crema.serving.execution.BatchSettings;
import dev.crema.serving.execution.Predictors;
import dev.crema.serving.inference.Signature;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.PublicKey;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** Brings a version from the disk to where it can serve: read, verified, warm. */
final class VersionLoader {
  private final Device device;
  private final int ready;
  private final List<PublicKey> keys;
  private final boolean signed;

  /**
   * @param ready predictors of each capacity that are made ahead
   * @param keys that may sign; only asked where signatures are required
   */
  VersionLoader(Device device, int ready, List<PublicKey> keys, boolean signed) {
    this.device = device;
    this.ready = ready;
    this.keys = List.copyOf(keys);
    this.signed = signed;
  }

  /**
   * @throws CremaException saying what is wrong; nothing stays in memory then
   */
  LoadedVersion load(String name, VersionFiles files, BatchSettings batching) {
    long start = System.nanoTime();
    if (!files.problem().isEmpty()) {
      throw new CremaException(files.problem());
    }
    try (ModelArchive archive = ModelArchive.open(files.archive())) {
      if (signed) {
        SignedModels.verify(archive.checksums(), signature(files), keys);
      }
      Model model = Model.read(archive);
      LoadedVersion version;
      try {
        version = prepare(name, files, batching, model);
      } catch (RuntimeException | Error e) {
        model.close();
        throw e;
      }
      try {
        warm(version, archive, files);
      } catch (RuntimeException | Error e) {
        version.release();
        throw e;
      }
      version.loaded(Duration.ofNanos(System.nanoTime() - start));
      return version;
    }
  }

  private static Path signature(VersionFiles files) {
    boolean alone = files.folder() == null;
    return alone
        ? files.archive().resolveSibling(files.archive().getFileName() + SignedModels.SUFFIX)
        : files.folder().resolve(SignedModels.NAME);
  }

  private LoadedVersion prepare(
      String name, VersionFiles files, BatchSettings batching, Model model) {
    Optional<Preprocessing> preprocessing = ModelSignature.preprocessing(model.metadata());
    Signature signature = ModelSignature.of(model, preprocessing);
    Predictors predictors =
        new Predictors(model, device, batching.threads(), batching.maximumBatch(), ready);
    return new LoadedVersion(
        name, files.version(), model, signature, preprocessing, batching, predictors);
  }

  private static void warm(LoadedVersion version, ModelArchive archive, VersionFiles files) {
    WarmUp.zeros(version);
    Path beside = files.folder() == null ? null : files.folder().resolve(WarmUp.FILE);
    if (archive.names().contains(WarmUp.FILE)) {
      WarmUp.requests(version, archive.json(WarmUp.FILE), files.archive() + ", " + WarmUp.FILE);
    } else if (beside != null && Files.exists(beside)) {
      WarmUp.requests(version, Json.read(beside, JsonNode.class), beside.toString());
    }
  }
}
