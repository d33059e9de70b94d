package dev.crema.bench;

/**
 * A row of the table.
 *
 * @param name for the command line, as {@code lenet.train.64}
 * @param description for people
 */
public record Work(String name, String description, Problem problem, Limit limit) {}
