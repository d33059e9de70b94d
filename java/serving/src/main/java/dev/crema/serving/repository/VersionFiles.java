package dev.crema.serving.repository;

import java.nio.file.Path;

/**
 * A version as it lies on the disk.
 *
 * @param archive the folder or zip that holds the model
 * @param folder in which files for serving it may stand beside the model's own; null for a zip that
 *     stands by itself
 * @param stamp changes when any of its files does
 * @param problem why it must not be loaded; "" if it may
 */
record VersionFiles(long version, Path archive, Path folder, String stamp, String problem) {
  /** What stands in the model's folder: VERSION or VERSION.zip. */
  Path place() {
    return folder == null ? archive : folder;
  }
}
