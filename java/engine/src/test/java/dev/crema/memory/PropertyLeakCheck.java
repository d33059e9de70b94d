package dev.crema.memory;

import net.jqwik.api.lifecycle.AroundContainerHook;
import net.jqwik.api.lifecycle.ContainerLifecycleContext;
import net.jqwik.api.lifecycle.Lifespan;
import net.jqwik.api.lifecycle.PropagationMode;
import net.jqwik.api.lifecycle.Store;

/** {@link LeakCheck} for the properties, which JUnit's extensions do not reach. */
public final class PropertyLeakCheck implements AroundContainerHook {
  /** Registered once, for the whole engine. */
  @Override
  public PropagationMode propagateTo() {
    return PropagationMode.ALL_DESCENDANTS;
  }

  @Override
  public void beforeContainer(ContainerLifecycleContext context) {
    context.optionalContainerClass().ifPresent(c -> start(c).update(none -> LeakCheck.Start.now()));
  }

  @Override
  public void afterContainer(ContainerLifecycleContext context) {
    context.optionalContainerClass().ifPresent(c -> start(c).get().check());
  }

  /** Outermost: what the class's own methods allocate before and free after belongs to it. */
  @Override
  public int proximity() {
    return Integer.MIN_VALUE;
  }

  private static Store<LeakCheck.Start> start(Class<?> container) {
    return Store.getOrCreate(container, Lifespan.RUN, LeakCheck.Start::now);
  }
}
