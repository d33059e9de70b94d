package dev.crema.device.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.CremaException;
import dev.crema.natives.Crema;
import org.junit.jupiter.api.Test;

class MatrixProductsTest {
  @Test
  void cremasOwnKernelsNeedNothing() {
    assertThatCode(() -> MatrixProducts.prepare("own")).doesNotThrowAnyException();
    assertThatCode(() -> MatrixProducts.prepare(null)).doesNotThrowAnyException();
  }

  @Test
  void openBlasIsLoadedWhenItIsAskedFor() {
    MatrixProducts.prepare("openblas");
    assertThat(Crema.crema_blas_loaded()).isOne();
  }

  @Test
  void anUnknownChoiceIsRefused() {
    assertThatThrownBy(() -> MatrixProducts.prepare("mkl"))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("mkl")
        .hasMessageContaining("own")
        .hasMessageContaining("openblas");
  }
}
