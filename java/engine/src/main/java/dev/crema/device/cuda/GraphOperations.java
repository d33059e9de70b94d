package dev.crema.device.cuda;

import dev.crema.device.cuda.kernel.OperationGraph;
import dev.crema.device.cuda.kernel.OperationGraph.Mode;
import dev.crema.device.cuda.kernel.OperationGraph.Operation;
import dev.crema.device.cuda.kernel.OperationGraph.Place;
import dev.crema.device.cuda.kernel.OperationGraph.Pointwise;
import dev.crema.device.cuda.kernel.OperationGraph.Product;
import dev.crema.device.cuda.kernel.OperationGraph.Reduction;
import dev.crema.device.cuda.kernel.OperationGraph.Tensor;
import dev.crema.device.cuda.kernel.OperationGraph.Type;
import dev.crema.device.cuda.kernel.OperationGraph.View;
import dev.crema.device.cuda.kernel.OperationGraph.Windows;
import java.util.List;

/**
 * The descriptors of a graph's tensors and operations, and of itself. Numbers are cudnn_graph.h's.
 */
final class GraphOperations {
  private static final int ALIGNMENT = 16;

  private static final int POINTWISE = 0; // CUDNN_BACKEND_..._DESCRIPTOR
  private static final int OPERATION_POINTWISE = 13;
  private static final int OPERATION_GRAPH = 15;
  private static final int TENSOR = 17;
  private static final int MATMUL = 18;
  private static final int OPERATION_MATMUL = 19;
  private static final int REDUCTION = 21;
  private static final int OPERATION_REDUCTION = 22;
  private static final int OPERATION_RESHAPE = 31;

  private static final int POINTWISE_MODE = 0; // CUDNN_ATTR_...
  private static final int POINTWISE_MATH_PREC = 1;
  private static final int POINTWISE_AXIS = 9;
  private static final int OPERATION_POINTWISE_PW_DESCRIPTOR = 750;
  private static final int OPERATION_POINTWISE_XDESC = 751;
  private static final int OPERATION_POINTWISE_BDESC = 752;
  private static final int OPERATION_POINTWISE_YDESC = 753;
  private static final int OPERATION_POINTWISE_ALPHA1 = 754;
  private static final int OPERATION_POINTWISE_ALPHA2 = 755;
  private static final int OPERATION_POINTWISE_TDESC = 758;
  private static final int OPERATIONGRAPH_HANDLE = 800;
  private static final int OPERATIONGRAPH_OPS = 801;
  private static final int TENSOR_BYTE_ALIGNMENT = 900;
  private static final int TENSOR_DATA_TYPE = 901;
  private static final int TENSOR_DIMENSIONS = 902;
  private static final int TENSOR_STRIDES = 903;
  private static final int TENSOR_UNIQUE_ID = 906;
  private static final int TENSOR_IS_VIRTUAL = 907;
  private static final int TENSOR_IS_BY_VALUE = 908;
  private static final int MATMUL_COMP_TYPE = 1500;
  private static final int OPERATION_MATMUL_ADESC = 1520;
  private static final int OPERATION_MATMUL_BDESC = 1521;
  private static final int OPERATION_MATMUL_CDESC = 1522;
  private static final int OPERATION_MATMUL_DESC = 1523;
  private static final int REDUCTION_OPERATOR = 1600;
  private static final int REDUCTION_COMP_TYPE = 1601;
  private static final int OPERATION_REDUCTION_XDESC = 1610;
  private static final int OPERATION_REDUCTION_YDESC = 1611;
  private static final int OPERATION_REDUCTION_DESC = 1612;
  private static final int OPERATION_RESHAPE_XDESC = 2200;
  private static final int OPERATION_RESHAPE_YDESC = 2201;

  private static final int SUM = 0; // CUDNN_REDUCE_TENSOR_...
  private static final int GREATEST = 3;

  private final GraphDescriptors all;
  private final long[] tensors;

  private GraphOperations(GraphDescriptors all, OperationGraph graph) {
    this.all = all;
    this.tensors = graph.tensors().stream().mapToLong(this::tensor).toArray();
  }

  /** The descriptor of a graph, with those of all that it is made of. */
  static long describe(GraphDescriptors all, long handle, OperationGraph graph) {
    GraphOperations made = new GraphOperations(all, graph);
    long[] operations = graph.operations().stream().mapToLong(made::operation).toArray();
    long descriptor = all.make(OPERATION_GRAPH);
    all.descriptors(descriptor, OPERATIONGRAPH_OPS, operations);
    all.handle(descriptor, OPERATIONGRAPH_HANDLE, handle);
    all.finish(descriptor, "the graph");
    return descriptor;
  }

  /** Its number as a tensor's unique id. */
  static long id(Tensor t) {
    return t.number() + 1;
  }

  private long tensor(Tensor t) {
    long d = all.make(TENSOR);
    all.dataType(d, TENSOR_DATA_TYPE, number(t.type()));
    all.int64s(d, TENSOR_DIMENSIONS, array(t.dims()));
    all.int64s(d, TENSOR_STRIDES, array(t.strides()));
    all.int64s(d, TENSOR_UNIQUE_ID, id(t));
    all.int64s(d, TENSOR_BYTE_ALIGNMENT, ALIGNMENT);
    if (t.place() != Place.MEMORY) {
      all.yes(d, t.place() == Place.NOWHERE ? TENSOR_IS_VIRTUAL : TENSOR_IS_BY_VALUE);
    }
    all.finish(d, "tensor " + t.number());
    return d;
  }

  private static long[] array(List<Long> values) {
    return values.stream().mapToLong(Long::longValue).toArray();
  }

  private long of(Tensor t) {
    return tensors[t.number()];
  }

  private long operation(Operation operation) {
    if (operation instanceof Product p) {
      return product(p);
    }
    if (operation instanceof Pointwise p) {
      return pointwise(p);
    }
    if (operation instanceof Reduction r) {
      return reduction(r);
    }
    if (operation instanceof View v) {
      return view(v);
    }
    if (operation instanceof Windows w) {
      return GraphConvolutions.describe(all, w, this::of);
    }
    return GraphNorms.describe(all, operation, this::of);
  }

  private long product(Product p) {
    long how = all.make(MATMUL);
    all.dataType(how, MATMUL_COMP_TYPE, number(Type.FLOAT32));
    all.finish(how, "a product's descriptor");
    long d = all.make(OPERATION_MATMUL);
    all.descriptors(d, OPERATION_MATMUL_ADESC, of(p.a()));
    all.descriptors(d, OPERATION_MATMUL_BDESC, of(p.b()));
    all.descriptors(d, OPERATION_MATMUL_CDESC, of(p.c()));
    all.descriptors(d, OPERATION_MATMUL_DESC, how);
    all.finish(d, "a product");
    return d;
  }

  private long pointwise(Pointwise p) {
    long how = all.make(POINTWISE);
    all.pointwiseMode(how, POINTWISE_MODE, number(p.mode()));
    all.dataType(how, POINTWISE_MATH_PREC, number(p.computed()));
    if (p.mode() == Mode.INDEX) {
      all.int64s(how, POINTWISE_AXIS, p.axis());
    }
    all.finish(how, p.mode() + "'s descriptor");
    long d = all.make(OPERATION_POINTWISE);
    all.descriptors(d, OPERATION_POINTWISE_PW_DESCRIPTOR, how);
    all.descriptors(d, OPERATION_POINTWISE_XDESC, of(p.x()));
    all.descriptors(d, OPERATION_POINTWISE_YDESC, of(p.y()));
    if (p.b() != null) {
      all.descriptors(d, OPERATION_POINTWISE_BDESC, of(p.b()));
    }
    if (p.mask() != null) {
      all.descriptors(d, OPERATION_POINTWISE_TDESC, of(p.mask()));
    }
    all.float32(d, OPERATION_POINTWISE_ALPHA1, 1);
    all.float32(d, OPERATION_POINTWISE_ALPHA2, 1);
    all.finish(d, p.mode().toString());
    return d;
  }

  private long reduction(Reduction r) {
    long how = all.make(REDUCTION);
    all.dataType(how, REDUCTION_COMP_TYPE, number(Type.FLOAT32));
    all.reduction(how, REDUCTION_OPERATOR, r.greatest() ? GREATEST : SUM);
    all.finish(how, "a reduction's descriptor");
    long d = all.make(OPERATION_REDUCTION);
    all.descriptors(d, OPERATION_REDUCTION_DESC, how);
    all.descriptors(d, OPERATION_REDUCTION_XDESC, of(r.x()));
    all.descriptors(d, OPERATION_REDUCTION_YDESC, of(r.y()));
    all.finish(d, "a reduction");
    return d;
  }

  private long view(View v) {
    long d = all.make(OPERATION_RESHAPE);
    all.descriptors(d, OPERATION_RESHAPE_XDESC, of(v.x()));
    all.descriptors(d, OPERATION_RESHAPE_YDESC, of(v.y()));
    all.finish(d, "a view");
    return d;
  }

  private static int number(Type type) {
    return switch (type) {
      case FLOAT32 -> 0;
      case FLOAT16 -> 2;
      case INT8 -> 3;
      case INT32 -> 4;
      case BFLOAT16 -> 9;
      case BOOLEAN -> 11;
    };
  }

  private static int number(Mode mode) {
    return switch (mode) {
      case ADD -> 0;
      case MULTIPLY -> 1;
      case DIVIDE -> 6;
      case SUBTRACT -> 9;
      case EXP -> 13;
      case LOG -> 15;
      case IDENTITY -> 21;
      case NOT_LESS -> 303;
      case INDEX -> 501;
      case SELECT -> 601;
    };
  }
}
