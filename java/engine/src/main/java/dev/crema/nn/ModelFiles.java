package dev.crema.nn;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.CremaException;
import dev.crema.io.Content;
import dev.crema.io.Json;
import dev.crema.io.ModelArchive;
import dev.crema.io.NamedTensor;
import dev.crema.io.Safetensors;
import dev.crema.memory.ElementType;
import java.io.IOException;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/**
 * A model as files: {@code model.json} (topology and metadata), {@code model.safetensors} (every
 * parameter and state by its path), {@link MaskFiles masks} where there are some, checksums, and
 * whatever more is given.
 */
final class ModelFiles {
  private static final String FORMAT = "crema-model";
  private static final int FORMAT_VERSION = 1;
  private static final int DENSE_INT8_VERSION = 2; // of models with int8 dense layers alone, once
  private static final int QUANTIZED_VERSION = 3; // of models with int8 tensors
  private static final int SPARSE_VERSION = 4; // of models with sparse tensors, int8 or not
  private static final int SCHEME_VERSION = 5; // of quantized models that are not all static
  private static final int FP8_VERSION = 6; // of those with layers of fp8
  private static final Map<String, String> MARK = Map.of("format", "crema");
  private static final List<String> RESERVED =
      List.of(
          "format", "version", "library", "topology", QuantizedTensors.FIELD, SparseTensors.FIELD);

  private ModelFiles() {}

  static void save(Model model, Path target, Map<String, Content> more) {
    ObjectNode json = Json.mapper().createObjectNode();
    Quantization quantization = model.quantization();
    ArrayNode sparse = SparseTensors.names();
    List<NamedTensor> tensors =
        SparseTensors.of(model.table(), QuantizedTensors.of(model, tensors(model)), sparse);
    json.put("format", FORMAT)
        .put("version", version(quantization, !sparse.isEmpty()))
        .put("library", Model.VERSION);
    json.set("topology", TopologyFormat.toJson(model.topology()));
    if (quantization != null) {
      json.set(QuantizedTensors.FIELD, quantization.toJson());
    }
    if (!sparse.isEmpty()) {
      json.set(SparseTensors.FIELD, sparse);
    }
    for (Map.Entry<String, JsonNode> e : model.metadata().properties()) {
      if (RESERVED.contains(e.getKey())) {
        throw new CremaException("'" + e.getKey() + "' in a model's metadata is reserved");
      }
      json.set(e.getKey(), e.getValue());
    }
    Map<String, Content> files = new LinkedHashMap<>();
    files.put(ModelArchive.MODEL, Content.of(Json.bytes(json)));
    files.put(ModelArchive.TENSORS, Safetensors.content(tensors, MARK));
    if (!model.masks().isEmpty()) {
      files.put(MaskFiles.NAME, MaskFiles.content(model.masks(), MARK));
    }
    for (Map.Entry<String, Content> e : more.entrySet()) {
      if (files.putIfAbsent(e.getKey(), e.getValue()) != null) {
        throw new CremaException(
            "'" + e.getKey() + "' is a file of the model itself; name the one beside it otherwise");
      }
    }
    ModelArchive.write(target, files);
  }

  private static int version(Quantization quantization, boolean sparse) {
    return quantization == null || quantization.isStatic()
        ? version(quantization != null, sparse)
        : schemeVersion(quantization);
  }

  /** Of one that is not all static. */
  private static int schemeVersion(Quantization quantization) {
    return quantization.hasFp8() ? FP8_VERSION : SCHEME_VERSION;
  }

  private static boolean isSchemeVersion(int version) {
    return version == SCHEME_VERSION || version == FP8_VERSION;
  }

  private static boolean fits(int version, Quantization quantization) {
    return quantization.isStatic()
        ? !isSchemeVersion(version)
        : version == schemeVersion(quantization);
  }

  private static int version(boolean quantized, boolean sparse) {
    return sparse ? SPARSE_VERSION : quantized ? QUANTIZED_VERSION : FORMAT_VERSION;
  }

  private static List<NamedTensor> tensors(Model model) {
    List<NamedTensor> tensors = new ArrayList<>();
    for (Parameter p : model.table().all()) {
      Content content = out -> write(model, p, out);
      tensors.add(new NamedTensor(p.path(), ElementType.FLOAT32, p.type().at(0), content));
    }
    return tensors;
  }

  static void export(Model model, Path file) {
    Safetensors.write(file, tensors(model), MARK);
  }

  static void importInto(Model model, Path file, UnaryOperator<String> nameOf) {
    try (Safetensors tensors = Safetensors.open(file)) {
      Map<Parameter, String> names = new LinkedHashMap<>();
      for (Parameter p : model.table().all()) {
        String name = nameOf.apply(p.path());
        if (name != null) {
          StoredTensors.requireFits(
              tensors, name, ElementType.FLOAT32, p.type().at(0), file.toString());
          names.put(p, name);
        }
      }
      names.forEach((p, name) -> model.overwrite(p, (from, to) -> tensors.read(name, from, to)));
    }
  }

  private static void write(Model model, Parameter p, WritableByteChannel out) throws IOException {
    model.chunks(
        p,
        (from, bytes) -> {
          while (bytes.hasRemaining()) {
            out.write(bytes);
          }
        });
  }

  static Model load(Path path) {
    try (ModelArchive archive = ModelArchive.open(path)) {
      return read(archive);
    }
  }

  /** A new model of the archive's topology; memory is taken only for what the archive holds. */
  static Model read(ModelArchive archive) {
    ObjectNode json = document(archive);
    Topology topology = TopologyFormat.fromJson(json.path("topology"), where(archive));
    Safetensors tensors = archive.tensors();
    ParameterTable table = topology.table();
    Quantization quantization =
        json.has(QuantizedTensors.FIELD)
            ? QuantizedTensors.read(
                json.path(QuantizedTensors.FIELD), topology, table, tensors, where(archive))
            : null;
    if (quantization != null && !fits(json.path("version").asInt(), quantization)) {
      throw new CremaException(
          where(archive)
              + " has format version "
              + json.path("version")
              + ", but its quantization belongs to another. The file is damaged.");
    }
    StoredTensors stored = stored(json, archive);
    json.remove(RESERVED);
    Map<String, QuantizedKernel> kernels =
        quantization == null ? Map.of() : quantization.kernels(topology, table);
    check(tensors, stored, table, kernels, archive);
    Map<String, boolean[]> masks = MaskFiles.read(archive, table);
    Model model = Model.uninitialized(topology, table, json, quantization);
    try {
      fill(model, stored, kernels, archive.path().toString());
      masks.forEach(model.masks()::set);
      return model;
    } catch (RuntimeException | Error e) {
      model.close();
      throw e;
    }
  }

  /** Overwrites the tensors of {@code model}, once everything about the archive is found right. */
  static void readInto(Model model, ModelArchive archive) {
    ObjectNode document = document(archive);
    if (document.has(QuantizedTensors.FIELD) || model.quantization() != null) {
      throw new CremaException(
          where(archive)
              + " or this model is quantized: the scales of one do not fit the weights of the"
              + " other. Load it as a model of its own.");
    }
    JsonNode saved = document.path("topology");
    JsonNode other = TopologyFormat.toJson(TopologyFormat.fromJson(saved, where(archive)));
    if (!other.equals(TopologyFormat.toJson(model.topology()))) {
      throw new CremaException(
          where(archive)
              + " is of another topology than this model. Load it as a model of its own, or copy"
              + " single tensors with set(path, values).");
    }
    Safetensors tensors = archive.tensors();
    StoredTensors stored = stored(document, archive);
    check(tensors, stored, model.table(), Map.of(), archive);
    Map<String, boolean[]> masks = MaskFiles.read(archive, model.table());
    model.masks().clear();
    fill(model, stored, Map.of(), archive.path().toString());
    masks.forEach(model.masks()::set);
  }

  private static StoredTensors stored(ObjectNode document, ModelArchive archive) {
    return new StoredTensors(
        archive.tensors(), document.path(SparseTensors.FIELD), archive.path().toString());
  }

  private static String where(ModelArchive archive) {
    return archive.path() + ", " + ModelArchive.MODEL;
  }

  private static ObjectNode document(ModelArchive archive) {
    JsonNode json = archive.json(ModelArchive.MODEL);
    if (!(json instanceof ObjectNode object) || !FORMAT.equals(json.path("format").asText())) {
      throw new CremaException(where(archive) + " is not a Crema model");
    }
    int version = json.path("version").asInt();
    boolean quantized = json.has(QuantizedTensors.FIELD);
    boolean sparse = json.has(SparseTensors.FIELD);
    boolean known =
        version == version(quantized, sparse)
            || quantized && !sparse && version == DENSE_INT8_VERSION
            || quantized && isSchemeVersion(version);
    if (!known) {
      throw new CremaException(
          where(archive)
              + " has format version "
              + json.path("version")
              + "; this library reads version "
              + FORMAT_VERSION
              + ", of quantized models versions "
              + DENSE_INT8_VERSION
              + ", "
              + QUANTIZED_VERSION
              + ", "
              + SCHEME_VERSION
              + " and "
              + FP8_VERSION
              + ", and of models with sparse tensors version "
              + SPARSE_VERSION
              + ". Save it again with a library of this version.");
    }
    return object;
  }

  private static void check(
      Safetensors tensors,
      StoredTensors stored,
      ParameterTable table,
      Map<String, QuantizedKernel> kernels,
      ModelArchive archive) {
    stored.requireKnown(table);
    for (Parameter p : table.all()) {
      QuantizedKernel kernel = kernels.get(p.path());
      if (kernel == null) {
        stored.require(p, ElementType.FLOAT32);
      } else {
        QuantizedTensors.require(p, kernel, stored, tensors, archive.path().toString());
      }
    }
    for (String name : tensors.tensors().keySet()) {
      boolean known =
          table.get(name) != null
                  && !(kernels.containsKey(name) && !kernels.get(name).suffix().isEmpty())
              || QuantizedTensors.isPart(name, kernels)
              || stored.isPart(name);
      if (!known) {
        throw new CremaException(
            archive.path()
                + ": no layer of the topology has the tensor '"
                + name
                + "' that the file holds. The topology and the tensors do not belong together.");
      }
    }
  }

  private static void fill(
      Model model, TensorSource tensors, Map<String, QuantizedKernel> kernels, String where) {
    for (Parameter p : model.table().all()) {
      QuantizedKernel kernel = kernels.get(p.path());
      if (kernel == null) {
        model.overwrite(p, (from, bytes) -> tensors.read(p.path(), from, bytes));
      } else {
        QuantizedTensors.fill(model, p, kernel, tensors, where);
      }
    }
  }
}
