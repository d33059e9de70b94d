package dev.crema.serving;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.serving.inference.ServingException;
import dev.crema.serving.inference.Signature;
import dev.crema.serving.repository.ModelReference;
import dev.crema.serving.repository.Models;
import dev.crema.serving.repository.VersionStatus;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Models that have a state and nothing else; for what of a server is above models. */
public record NoModels(Map<String, VersionStatus.State> states) implements Models {
  public NoModels() {
    this(Map.of());
  }

  @Override
  public List<String> names() {
    return new ArrayList<>(states.keySet());
  }

  @Override
  public List<VersionStatus> versions(String model) {
    return List.of(new VersionStatus(model, 1, states.get(model), List.of(), "", Duration.ZERO, 0));
  }

  @Override
  public VersionStatus resolve(ModelReference reference) {
    throw ServingException.notFound(reference.name());
  }

  @Override
  public Signature signature(ModelReference reference) {
    throw ServingException.notFound(reference.name());
  }

  @Override
  public ObjectNode metadata(ModelReference reference) {
    throw ServingException.notFound(reference.name());
  }

  @Override
  public void load(String model) {}

  @Override
  public void unload(String model) {}
}
