package dev.crema.device.cuda;

import dev.crema.device.cuda.kernel.OperationGraph.Tensor;
import dev.crema.device.cuda.kernel.OperationGraph.Windows;
import java.util.function.ToLongFunction;

/** The descriptors of convolutions of bytes in a graph. Numbers are cudnn_graph.h's. */
final class GraphConvolutions {
  private static final int CONVOLUTION = 1; // CUDNN_BACKEND_..._DESCRIPTOR
  private static final int OPERATION_CONVOLUTION_FORWARD = 10;

  private static final int CONVOLUTION_COMP_TYPE = 100; // CUDNN_ATTR_...
  private static final int CONVOLUTION_CONV_MODE = 101;
  private static final int CONVOLUTION_DILATIONS = 102;
  private static final int CONVOLUTION_FILTER_STRIDES = 103;
  private static final int CONVOLUTION_POST_PADDINGS = 104;
  private static final int CONVOLUTION_PRE_PADDINGS = 105;
  private static final int CONVOLUTION_SPATIAL_DIMS = 106;
  private static final int FORWARD_ALPHA = 700; // CUDNN_ATTR_OPERATION_CONVOLUTION_...
  private static final int FORWARD_BETA = 701;
  private static final int FORWARD_CONV_DESC = 702;
  private static final int FORWARD_W = 703;
  private static final int FORWARD_X = 704;
  private static final int FORWARD_Y = 705;

  private static final int INT32 = 4;
  private static final int CROSS_CORRELATION = 1;

  private GraphConvolutions() {}

  /**
   * The descriptor of a convolution.
   *
   * @param tensors gives the descriptor of each
   */
  static long describe(GraphDescriptors all, Windows w, ToLongFunction<Tensor> tensors) {
    long how = all.make(CONVOLUTION);
    all.int64s(how, CONVOLUTION_SPATIAL_DIMS, 2);
    all.dataType(how, CONVOLUTION_COMP_TYPE, INT32);
    all.convolutionMode(how, CONVOLUTION_CONV_MODE, CROSS_CORRELATION);
    all.int64s(how, CONVOLUTION_PRE_PADDINGS, 0, 0);
    all.int64s(how, CONVOLUTION_POST_PADDINGS, 0, 0);
    all.int64s(how, CONVOLUTION_DILATIONS, w.dilationHeight(), w.dilationWidth());
    all.int64s(how, CONVOLUTION_FILTER_STRIDES, w.strideHeight(), w.strideWidth());
    all.finish(how, "a convolution's descriptor");
    long d = all.make(OPERATION_CONVOLUTION_FORWARD);
    all.descriptors(d, FORWARD_X, tensors.applyAsLong(w.x()));
    all.descriptors(d, FORWARD_W, tensors.applyAsLong(w.filter()));
    all.descriptors(d, FORWARD_Y, tensors.applyAsLong(w.y()));
    all.descriptors(d, FORWARD_CONV_DESC, how);
    all.float32(d, FORWARD_ALPHA, 1);
    all.float32(d, FORWARD_BETA, 0);
    all.finish(d, "a convolution");
    return d;
  }
}
