package dev.crema.train;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.nn.Activation;
import dev.crema.nn.Model;
import java.util.LinkedHashMap;
import java.util.Map;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

/** A null where training needs something is refused at once, and the exception names it. */
class TrainerNullsTest {
  @Test
  void areRefusedByName() {
    try (Model model = Model.sequential(2).dense(1, Activation.LINEAR).build(1)) {
      Trainer trainer = Trainer.of(model);
      Map<String, ThrowingCallable> calls = new LinkedHashMap<>();
      calls.put("model", () -> Trainer.of(null));
      calls.put("optimizer", () -> trainer.optimizer(null));
      calls.put("precision", () -> trainer.precision(null));
      calls.put("weights", () -> trainer.classWeights((float[]) null));
      calls.put("layers", () -> trainer.freeze((String[]) null));
      calls.put("layer", () -> trainer.freeze("dense_1", null));
      calls.put("group", () -> trainer.group(null));
      calls.put("callback", () -> trainer.callback(null));
      calls.put("data", () -> trainer.fit(null));
      calls.forEach(
          (name, call) ->
              assertThatThrownBy(call).isInstanceOf(NullPointerException.class).hasMessage(name));
    }
  }
}
