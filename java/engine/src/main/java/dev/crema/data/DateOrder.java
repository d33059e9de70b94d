package dev.crema.data;

/** In which order a date names its year, month and day. */
public enum DateOrder {
  YEAR_MONTH_DAY("year-month-day"),
  DAY_MONTH_YEAR("day-month-year"),
  MONTH_DAY_YEAR("month-day-year");

  private final String text;

  DateOrder(String text) {
    this.text = text;
  }

  /** As model files and messages name it. */
  @Override
  public String toString() {
    return text;
  }
}
