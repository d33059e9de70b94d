package dev.crema.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.ServiceLoader;

/** All engines that are on the class path, Crema first. */
final class Engines {
  static final String CREMA = "crema";
  static final String CREMA_OPENBLAS = "crema-openblas";

  private Engines() {}

  static List<Engine> all() {
    List<Engine> engines = new ArrayList<>();
    engines.add(new CremaEngine(false));
    engines.add(new CremaEngine(true));
    ServiceLoader.load(Engine.class).forEach(engines::add);
    return engines;
  }

  static Engine named(String name) {
    return all().stream()
        .filter(e -> e.name().equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "There is no engine '"
                        + name
                        + "'; there are "
                        + all().stream().map(Engine::name).toList()
                        + ". Peers need the profile: ./crema bench --peers"));
  }
}
