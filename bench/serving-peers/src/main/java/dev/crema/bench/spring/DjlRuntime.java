package dev.crema.bench.spring;

import ai.djl.inference.Predictor;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.repository.zoo.Criteria;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.translate.Batchifier;
import ai.djl.translate.Translator;
import ai.djl.translate.TranslatorContext;
import java.nio.FloatBuffer;
import java.nio.file.Path;

/** DJL over ONNX Runtime: one model, a predictor a thread, as its documentation asks. */
final class DjlRuntime implements PredictService.Runtime {
  private final ZooModel<float[][], float[][]> model;
  private final ThreadLocal<Predictor<float[][], float[][]>> predictors;

  DjlRuntime(Path file) throws Exception {
    Criteria<float[][], float[][]> criteria =
        Criteria.builder()
            .setTypes(float[][].class, float[][].class)
            .optModelPath(file)
            .optEngine("OnnxRuntime")
            .optOption("intraOpNumThreads", "1")
            .optOption("interOpNumThreads", "1")
            .optTranslator(new Rows())
            .build();
    this.model = criteria.loadModel();
    this.predictors = ThreadLocal.withInitial(model::newPredictor);
  }

  @Override
  public float[][] predict(float[][] examples) throws Exception {
    return predictors.get().predict(examples);
  }

  @Override
  public void close() {
    model.close();
  }

  /** Rows of floats to one tensor and back. */
  private static final class Rows implements Translator<float[][], float[][]> {
    @Override
    public NDList processInput(TranslatorContext context, float[][] rows) {
      int columns = rows[0].length;
      FloatBuffer values = FloatBuffer.allocate(rows.length * columns);
      for (float[] row : rows) {
        values.put(row);
      }
      values.flip();
      return new NDList(context.getNDManager().create(values, new Shape(rows.length, columns)));
    }

    @Override
    public float[][] processOutput(TranslatorContext context, NDList list) {
      NDArray y = list.singletonOrThrow();
      float[] values = y.toFloatArray();
      int rows = (int) y.getShape().get(0);
      int columns = (int) y.getShape().get(1);
      float[][] result = new float[rows][columns];
      for (int r = 0; r < rows; r++) {
        System.arraycopy(values, r * columns, result[r], 0, columns);
      }
      return result;
    }

    @Override
    public Batchifier getBatchifier() {
      return null; // the rows are a batch already
    }
  }
}
