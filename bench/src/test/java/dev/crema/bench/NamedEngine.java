package dev.crema.bench;

/** An engine with a name that no JVM which is started knows; computes nothing. */
record NamedEngine(String name) implements Engine {
  @Override
  public String version() {
    return name;
  }

  @Override
  public boolean supports(Problem problem) {
    return true;
  }

  @Override
  public Task prepare(Problem problem, int threads) {
    throw new IllegalStateException("The engine " + name + " only has a name");
  }
}
