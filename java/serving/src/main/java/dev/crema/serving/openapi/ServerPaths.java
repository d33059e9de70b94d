package dev.crema.serving.openapi;

import com.fasterxml.jackson.databind.node.ObjectNode;

/** Operations that are of no single model. */
final class ServerPaths {
  private ServerPaths() {}

  static void add(ObjectNode paths) {
    Operations.get(
        paths, "/v2", "serverMetadata", "Name, version and extensions", "ServerMetadata");
    Operations.get(paths, "/v2/health/live", "serverLive", "Whether the server runs", "Live");
    Operations.get(paths, "/v2/health/ready", "serverReady", "Whether all models serve", "Ready");
    Operations.post(
        paths,
        "/v2/repository/index",
        "repositoryIndex",
        "All versions of all models and their states",
        "RepositoryIndexRequest",
        "RepositoryIndex");
    for (String change : new String[] {"load", "unload"}) {
      Operations.parameter(
          Operations.post(
              paths,
              "/v2/repository/models/{model}/" + change,
              change,
              "For administrators: " + change + "s a model",
              "RepositoryChange",
              "RepositoryChange"),
          "model",
          "string");
    }
  }
}
