package dev.crema.serving;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class ServingListenersTest {
  @Test
  void everyEventIsPassedOn() {
    for (Method event : ServingListener.class.getDeclaredMethods()) {
      if (!Modifier.isStatic(event.getModifiers()) && !event.isSynthetic()) {
        assertThat(Arrays.stream(ServingListeners.class.getDeclaredMethods()))
            .as(event.toString())
            .anyMatch(
                m ->
                    m.getName().equals(event.getName())
                        && Arrays.equals(m.getParameterTypes(), event.getParameterTypes()));
      }
    }
  }
}
