package dev.crema.nn;

import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import java.util.List;
import java.util.Map;

/**
 * A model as nodes of a graph.
 *
 * @param values the output of each input and each layer, by name, in order
 * @param outputs the model's outputs
 * @param variables parameters and states, by path
 * @param regularizers penalties, by path of the parameter
 */
public record ModelGraph(
    Graph graph,
    Map<String, Node> values,
    List<Node> outputs,
    Map<String, Node> variables,
    Map<String, Regularizer> regularizers) {}
