package dev.crema.bench.peers;

import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Dispatcher;
import org.bytedeco.pytorch.GenericList;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.IValueVector;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.OperatorHandle;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorType;
import org.bytedeco.pytorch.Type;
import org.bytedeco.pytorch.global.torch;

/**
 * libtorch's fused Adam: one pass over the parameters, as {@code torch.optim.Adam(fused=True)} of
 * Python. torch::optim has none and the preset binds no function of it, but the dispatcher finds
 * the operator by its name and calls it with boxed arguments.
 */
@SuppressWarnings("try") // a scope frees what is made in it
final class TorchAdam implements AutoCloseable {
  private static final double RATE = 0.001;
  private static final double BETA_1 = 0.9;
  private static final double BETA_2 = 0.999;
  private static final double EPSILON = 1e-8;

  private final OperatorHandle operator =
      Dispatcher.singleton().findSchemaOrThrow("aten::_fused_adam_", "");
  private final Type.TypePtr type = new Type.TypePtr(TensorType.get());
  private final List<Tensor> parameters;
  private final Tensor step = torch.zeros(new long[0]); // shared: all have made as many
  private final Scalar one = new Scalar(1f);
  private final GenericList weights = new GenericList(type);
  private final GenericList m = new GenericList(type);
  private final GenericList v = new GenericList(type);
  private final GenericList steps = new GenericList(type);
  private final GenericList none = new GenericList(type);

  /** For parameters that ask for gradients; they stay the caller's. */
  TorchAdam(List<Tensor> parameters) {
    this.parameters = List.copyOf(parameters);
    try (PointerScope ignored = new PointerScope()) {
      for (Tensor p : parameters) {
        weights.push_back(new IValue(p));
        m.push_back(new IValue(torch.zeros_like(p.detach())));
        v.push_back(new IValue(torch.zeros_like(p.detach())));
        steps.push_back(new IValue(step));
      }
    }
  }

  /** Forgets the gradients, so that the next backward pass sets them and adds nothing. */
  void zeroGrad() {
    parameters.forEach(p -> p.mutable_grad().reset());
  }

  /** Updates the parameters by their gradients. */
  void step() {
    try (PointerScope ignored = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      GenericList gradients = new GenericList(type);
      parameters.forEach(p -> gradients.push_back(new IValue(p.grad())));
      step.add_(one);
      IValueVector arguments = new IValueVector();
      for (GenericList list : List.of(weights, gradients, m, v, none, steps)) {
        arguments.push_back(new IValue(list));
      }
      for (double number : new double[] {RATE, BETA_1, BETA_2, 0, EPSILON}) { // 0: no decay
        arguments.push_back(new IValue(number));
      }
      arguments.push_back(new IValue(false)); // amsgrad
      arguments.push_back(new IValue(false)); // maximize
      arguments.push_back(new IValue()); // gradient scale
      arguments.push_back(new IValue()); // where infinities are noted
      operator.callBoxed(arguments);
    }
  }

  @Override
  public void close() {
    List.of(weights, m, v, steps, none).forEach(GenericList::close);
    one.close();
    step.close();
  }
}
