package dev.crema.op;

import dev.crema.graph.Attributes;
import dev.crema.graph.Dim;
import dev.crema.graph.Op;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import java.util.List;

/**
 * activation(x · kernel + bias) for a kernel of int8 or int4 with a scale for each group of inputs
 * and each output, and x in float32, for predictions: the weights become float32 where they are
 * multiplied, so that less is read from memory (as in GPTQ, Frantar et al. 2023, and AWQ, Lin et
 * al. 2024). Inputs: x [..., in], packed by {@link PackWeightOnly} of the same format, bias [units]
 * (optional); output [..., units].
 *
 * <p>Of up to 16 rows, products are summed over a group before its scale multiplies them; more rows
 * are multiplied by weights that have been scaled and rounded to float32. Either differs from the
 * exact result by no more than (in + 4) · 2⁻²³ · Σ |x| |kernel|, beside the bias's rounding. The
 * number of threads changes no bit.
 *
 * @param units outputs
 * @param bits of a weight: 8 or 4
 * @param groupSize inputs that share a scale; 0: all
 */
public record WeightOnlyLinear(int units, FusedActivation activation, int bits, int groupSize)
    implements Op {
  /**
   * @throws ShapeException if there is no such format
   */
  public WeightOnlyLinear {
    PackWeightOnly.requireFormat(bits, groupSize);
  }

  @Override
  public boolean mayLack(int input) {
    return input == 2;
  }

  @Override
  public List<TensorType> infer(List<TensorType> in) {
    TensorType x = in.get(0).requireElement(ElementType.FLOAT32, "input");
    if (x.rank() < 2 || !x.dim(-1).isConstant()) {
      throw new ShapeException("expects [n, ..., features] but gets " + x);
    }
    if (units < 0) {
      throw new ShapeException("there are no " + units + " units");
    }
    TensorType packed = PackWeightOnly.typeOf(x.extent(-1), units, bits, groupSize);
    DynamicQuantizedLinear.requireSame("packed", packed, in.get(1));
    if (in.size() > 2 && in.get(2) != null) {
      DynamicQuantizedLinear.requireSame("bias", TensorType.of(units), in.get(2));
    }
    return List.of(x.withDim(-1, Dim.of(units)));
  }

  @Override
  public void attributes(Attributes a) {
    a.ints(activation.id(), bits, groupSize);
  }
}
