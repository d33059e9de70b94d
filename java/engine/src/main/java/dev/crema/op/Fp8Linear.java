package dev.crema.op;

import dev.crema.graph.Attributes;
import dev.crema.graph.Dim;
import dev.crema.graph.Op;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import java.util.List;

/**
 * A dense layer of {@link Fp8}: activation(x · kernel + bias), where each number of x stands for
 * itself times one scale and each weight for itself times its output's (Micikevicius et al. 2022).
 * Inputs: x [..., in] uint8 of {@link QuantizeFp8} with the same scale, packed by {@link PackFp8},
 * bias [units] (optional); output [..., units] float32.
 *
 * <p>Sums are float32. On the CPU the result differs from the exact one by no more than (in + 6) ·
 * 2⁻²³ · Σ |x| |kernel|, beside the bias's rounding. Tensor cores round sums in ways that NVIDIA
 * does not give, those of fp8 (compute capability 8.9 and 12.x, and big layers on 9.0 to 11.x, by
 * cuBLASLt) more than those of float16, by which other layers are multiplied. On a card the order
 * of additions depends on the number of rows.
 *
 * @param units outputs
 * @param activation NONE or RELU
 * @param scale of x, finite and more than 0
 */
public record Fp8Linear(int units, FusedActivation activation, float scale) implements Op {
  /**
   * @throws ShapeException if there is no such layer
   */
  public Fp8Linear {
    QuantizedLinear.requireFits(activation, null);
    QuantizeFp8.requireScale(scale);
    if (units < 0) {
      throw new ShapeException("there are no " + units + " units");
    }
  }

  @Override
  public boolean mayLack(int input) {
    return input == 2;
  }

  @Override
  public List<TensorType> infer(List<TensorType> in) {
    TensorType x = in.get(0).requireElement(ElementType.UINT8, "input");
    if (x.rank() < 2 || !x.dim(-1).isConstant()) {
      throw new ShapeException("expects [n, ..., features] but gets " + x);
    }
    TensorType packed = PackFp8.typeOf(x.extent(-1), units);
    DynamicQuantizedLinear.requireSame("packed", packed, in.get(1));
    if (in.size() > 2 && in.get(2) != null) {
      DynamicQuantizedLinear.requireSame("bias", TensorType.of(units), in.get(2));
    }
    return List.of(x.withDim(-1, Dim.of(units)).withElement(ElementType.FLOAT32));
  }

  @Override
  public void attributes(Attributes a) {
    a.bool(activation == FusedActivation.RELU).floats(scale);
  }
}
