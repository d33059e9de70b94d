package dev.crema.compress;

import dev.crema.CremaException;
import dev.crema.graph.Graph;
import dev.crema.graph.Input;
import dev.crema.graph.Node;
import dev.crema.graph.Storage;
import dev.crema.memory.Buffer;
import dev.crema.nn.BuiltIn;
import dev.crema.nn.Model;
import dev.crema.nn.ModelGraph;
import dev.crema.op.Add;
import dev.crema.op.Affine;
import dev.crema.train.LossTerm;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Knowledge distillation (Hinton, Vinyals and Dean 2015): a student learns from what a larger
 * teacher makes of each example.
 *
 * <pre>{@code
 * Trainer.of(student)
 *     .term(Distillation.from(teacher).temperature(4).alpha(0.1))
 *     .fit(train);
 * }</pre>
 *
 * <p>What is made small is α times the loss of the targets and (1 − α) times the distance from the
 * teacher; several teachers count as their mean. The distance of a classifier is T² times the mean
 * Kullback-Leibler divergence of softmax(z / T) of the student's logits from that of the teacher's;
 * of yes-or-no labels T² times that of sigmoid(z / T), averaged over the labels; of numbers the
 * mean squared difference, whatever the temperature. Hints add the distance of hidden layers.
 * Inputs and outputs of several belong together by their names, or by their order where those
 * differ.
 *
 * <p>Teachers run as they predict, in the same native call as the student's step. They do not
 * change, stay the caller's and must stay open while a training lasts. Immutable; of one training
 * at a time or of several.
 */
public final class Distillation implements LossTerm {
  private final List<Model> teachers;
  private final double temperature;
  private final double alpha;
  private final List<Hint> hints;

  private Distillation(List<Model> teachers, double temperature, double alpha, List<Hint> hints) {
    this.teachers = teachers;
    this.temperature = temperature;
    this.alpha = alpha;
    this.hints = hints;
  }

  /** From one or several teachers, with T = 4 and α = 0.1 unless set otherwise. */
  public static Distillation from(Model... teachers) {
    for (Model teacher : Objects.requireNonNull(teachers, "teachers")) {
      Objects.requireNonNull(teacher, "teacher");
    }
    List<Model> all = List.of(teachers);
    if (all.isEmpty()) {
      throw new IllegalArgumentException("Distillation needs a teacher");
    }
    return new Distillation(all, 4, 0.1, List.of());
  }

  /**
   * What logits are divided by: the larger, the more the classes count that the teacher thinks
   * unlikely.
   *
   * @param value finite, above 0
   */
  public Distillation temperature(double value) {
    if (!(value > 0) || Double.isInfinite(value)) {
      throw new IllegalArgumentException("The temperature must be above 0, got " + value);
    }
    return new Distillation(teachers, value, alpha, hints);
  }

  /**
   * What the loss of the targets counts; the distance from the teacher counts 1 minus that.
   *
   * @param value from 0 (only the teacher) to 1 (only the targets, and hints)
   */
  public Distillation alpha(double value) {
    if (!(value >= 0 && value <= 1)) {
      throw new IllegalArgumentException("Alpha lies in [0, 1], got " + value);
    }
    return new Distillation(teachers, temperature, value, hints);
  }

  /**
   * Adds {@code weight} times the distance of a hidden layer's output from one of the teacher's.
   * Outputs of one shape: the mean squared difference (Romero et al. 2015; there is no regressor
   * between them). Feature maps [n, ..., c] that differ only in their channels: that of their
   * attention, the mean square over the channels, divided by its norm (Zagoruyko and Komodakis
   * 2017).
   *
   * @param studentLayer its name
   * @param teacherLayer its name in each teacher
   * @param weight finite, above 0
   */
  public Distillation hint(String studentLayer, String teacherLayer, double weight) {
    Hint more = new Hint(studentLayer, teacherLayer, weight);
    List<Hint> all = new ArrayList<>(hints);
    all.add(more);
    return new Distillation(teachers, temperature, alpha, List.copyOf(all));
  }

  @Override
  public Node build(ModelGraph student, Node targets, Map<Integer, BuiltIn.Output> answers) {
    List<ModelGraph> taught = new ArrayList<>();
    for (int t = 0; t < teachers.size(); t++) {
      taught.add(teacher(t, student, answers));
    }
    Node total = alpha == 0 ? null : scaled(targets, alpha);
    if (alpha < 1) {
      for (Map.Entry<Integer, BuiltIn.Output> output : answers.entrySet()) {
        Node own = student.outputs().get(output.getKey());
        List<Node> theirs = new ArrayList<>();
        for (int t = 0; t < taught.size(); t++) {
          theirs.add(taught.get(t).outputs().get(place(t, student, answers, output.getKey())));
        }
        Node distance = SoftTargets.distance(own, theirs, output.getValue(), temperature);
        total = sum(total, scaled(distance, 1 - alpha));
      }
    }
    for (Hint hint : hints) {
      total = sum(total, hint.build(student, taught));
    }
    return total;
  }

  private static Node scaled(Node x, double factor) {
    return factor == 1 ? x : x.then(new Affine(factor, 0));
  }

  private static Node sum(Node a, Node b) {
    return a == null ? b : a.then(new Add(), b);
  }

  /** A teacher as it predicts, in the student's graph. */
  private ModelGraph teacher(int number, ModelGraph student, Map<Integer, BuiltIn.Output> answers) {
    Model model = teachers.get(number);
    ModelGraph alone = model.build(new Graph(), false);
    List<String> own = model.topology().inputs().stream().map(i -> i.name()).toList();
    List<String> given = inputs(student);
    boolean named = new HashSet<>(own).equals(new HashSet<>(given));
    if (own.size() != given.size()) {
      throw new CremaException(
          what(number) + " takes the inputs " + own + ", the student " + given);
    }
    Map<Node, Node> inputs = new LinkedHashMap<>();
    for (int i = 0; i < own.size(); i++) {
      Node theirs = alone.values().get(own.get(i));
      Node ours = student.values().get(named ? own.get(i) : given.get(i));
      if (!theirs.type().equals(ours.type())) {
        throw new CremaException(
            what(number)
                + " takes '"
                + own.get(i)
                + "' of "
                + theirs.type()
                + ", the student of "
                + ours.type()
                + ". Both see the same examples.");
      }
      inputs.put(theirs, ours);
    }
    for (int i : answers.keySet()) {
      int place = place(number, student, answers, i);
      if (place >= alone.outputs().size()
          || !alone.outputs().get(place).type().equals(student.outputs().get(i).type())) {
        throw new CremaException(
            what(number)
                + " gives "
                + alone.outputs().stream().map(Node::type).toList()
                + ", the student "
                + student.outputs().stream().map(Node::type).toList()
                + ". Both answer the same.");
      }
    }
    return Subgraph.copy(
        alone, student.graph(), inputs, s -> storage(number, s), "teacher" + number);
  }

  /**
   * Which of a teacher's outputs answers what one of the student's does: the one of its name, if
   * the teacher has all names that the student is taught, else the one at its place.
   */
  private int place(
      int number, ModelGraph student, Map<Integer, BuiltIn.Output> answers, int output) {
    List<String> theirs = teachers.get(number).topology().outputs();
    boolean named = answers.keySet().stream().allMatch(i -> theirs.contains(name(student, i)));
    return named ? theirs.indexOf(name(student, output)) : output;
  }

  private static String name(ModelGraph student, int output) {
    Node node = student.outputs().get(output);
    return student.values().entrySet().stream()
        .filter(e -> e.getValue() == node)
        .map(Map.Entry::getKey)
        .findFirst()
        .orElse("");
  }

  private static List<String> inputs(ModelGraph student) {
    return student.values().entrySet().stream()
        .filter(e -> e.getValue().op() instanceof Input in && in.name().equals(e.getKey()))
        .map(Map.Entry::getKey)
        .toList();
  }

  private String what(int number) {
    return teachers.size() == 1 ? "The teacher" : "Teacher " + (number + 1);
  }

  private static Storage storage(int number, Storage of) {
    return new Storage("teacher" + number + "." + of.name(), of.element());
  }

  @Override
  public Map<Storage, Buffer> storages() {
    Map<Storage, Buffer> all = new LinkedHashMap<>();
    for (int t = 0; t < teachers.size(); t++) {
      all.put(storage(t, Storage.PARAMETERS), teachers.get(t).parameters());
      all.put(storage(t, Storage.STATE), teachers.get(t).state());
    }
    return all;
  }

  @Override
  public String description() {
    return teachers.size()
        + " teacher(s), temperature "
        + temperature
        + ", alpha "
        + alpha
        + (hints.isEmpty() ? "" : ", hints " + hints);
  }
}
