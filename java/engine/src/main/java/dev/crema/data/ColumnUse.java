package dev.crema.data;

/**
 * What was done with a column of a table.
 *
 * @param use what it is used as, or why it isn't used, for people
 * @param inputs elements that it takes in an encoded row; 0 for a label and a column not used
 */
public record ColumnUse(String column, String use, int inputs) {}
