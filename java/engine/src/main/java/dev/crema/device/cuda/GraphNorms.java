package dev.crema.device.cuda;

import dev.crema.device.cuda.kernel.OperationGraph.Norm;
import dev.crema.device.cuda.kernel.OperationGraph.NormGradient;
import dev.crema.device.cuda.kernel.OperationGraph.Operation;
import dev.crema.device.cuda.kernel.OperationGraph.Over;
import dev.crema.device.cuda.kernel.OperationGraph.Tensor;
import java.util.function.ToLongFunction;

/** The descriptors of normalisations. Numbers are cudnn_graph.h's. */
final class GraphNorms {
  private static final int OPERATION_NORM_FORWARD = 29; // CUDNN_BACKEND_..._DESCRIPTOR
  private static final int OPERATION_NORM_BACKWARD = 30;

  private static final int NORM_FWD_MODE = 2000; // CUDNN_ATTR_OPERATION_...
  private static final int NORM_FWD_PHASE = 2001;
  private static final int NORM_FWD_XDESC = 2002;
  private static final int NORM_FWD_MEAN_DESC = 2003;
  private static final int NORM_FWD_INV_VARIANCE_DESC = 2004;
  private static final int NORM_FWD_SCALE_DESC = 2005;
  private static final int NORM_FWD_BIAS_DESC = 2006;
  private static final int NORM_FWD_EPSILON_DESC = 2007;
  private static final int NORM_FWD_YDESC = 2013;
  private static final int NORM_BWD_MODE = 2100;
  private static final int NORM_BWD_XDESC = 2101;
  private static final int NORM_BWD_MEAN_DESC = 2102;
  private static final int NORM_BWD_INV_VARIANCE_DESC = 2103;
  private static final int NORM_BWD_DYDESC = 2104;
  private static final int NORM_BWD_SCALE_DESC = 2105;
  private static final int NORM_BWD_DSCALE_DESC = 2107;
  private static final int NORM_BWD_DBIAS_DESC = 2108;
  private static final int NORM_BWD_DXDESC = 2109;

  private static final int LAYER_NORM = 0; // CUDNN_...
  private static final int BATCH_NORM = 2;
  private static final int NORM_FWD_TRAINING = 1; // with statistics

  private GraphNorms() {}

  /**
   * @param of the descriptor of a tensor
   */
  static long describe(GraphDescriptors all, Operation operation, ToLongFunction<Tensor> of) {
    return operation instanceof Norm norm
        ? forward(all, norm, of)
        : backward(all, (NormGradient) operation, of);
  }

  private static int mode(Over over) {
    return over == Over.EXAMPLE ? LAYER_NORM : BATCH_NORM;
  }

  private static long forward(GraphDescriptors all, Norm norm, ToLongFunction<Tensor> of) {
    long d = all.make(OPERATION_NORM_FORWARD);
    all.normMode(d, NORM_FWD_MODE, mode(norm.over()));
    all.normPhase(d, NORM_FWD_PHASE, NORM_FWD_TRAINING);
    all.descriptors(d, NORM_FWD_XDESC, of.applyAsLong(norm.x()));
    all.descriptors(d, NORM_FWD_SCALE_DESC, of.applyAsLong(norm.gamma()));
    all.descriptors(d, NORM_FWD_BIAS_DESC, of.applyAsLong(norm.beta()));
    all.descriptors(d, NORM_FWD_EPSILON_DESC, of.applyAsLong(norm.epsilon()));
    all.descriptors(d, NORM_FWD_YDESC, of.applyAsLong(norm.y()));
    all.descriptors(d, NORM_FWD_MEAN_DESC, of.applyAsLong(norm.mean()));
    all.descriptors(d, NORM_FWD_INV_VARIANCE_DESC, of.applyAsLong(norm.inverse()));
    all.finish(d, "a norm");
    return d;
  }

  private static long backward(GraphDescriptors all, NormGradient norm, ToLongFunction<Tensor> of) {
    long d = all.make(OPERATION_NORM_BACKWARD);
    all.normMode(d, NORM_BWD_MODE, mode(norm.over()));
    all.descriptors(d, NORM_BWD_XDESC, of.applyAsLong(norm.x()));
    all.descriptors(d, NORM_BWD_DYDESC, of.applyAsLong(norm.dy()));
    all.descriptors(d, NORM_BWD_SCALE_DESC, of.applyAsLong(norm.gamma()));
    all.descriptors(d, NORM_BWD_MEAN_DESC, of.applyAsLong(norm.mean()));
    all.descriptors(d, NORM_BWD_INV_VARIANCE_DESC, of.applyAsLong(norm.inverse()));
    all.descriptors(d, NORM_BWD_DSCALE_DESC, of.applyAsLong(norm.dgamma()));
    all.descriptors(d, NORM_BWD_DBIAS_DESC, of.applyAsLong(norm.dbeta()));
    all.descriptors(d, NORM_BWD_DXDESC, of.applyAsLong(norm.dx()));
    all.finish(d, "a norm's gradient");
    return d;
  }
}
