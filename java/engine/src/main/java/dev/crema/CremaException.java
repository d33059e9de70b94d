package dev.crema;

/**
 * Something that Crema refuses or cannot do. The message says what, where, what was expected, what
 * was found and what to do about it. Every exception that Crema itself throws is one of these, or
 * an {@link IllegalArgumentException}/{@link IllegalStateException} for a wrong call.
 */
public class CremaException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public CremaException(String message) {
    super(message);
  }

  public CremaException(String message, Throwable cause) {
    super(message, cause);
  }
}
