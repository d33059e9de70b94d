package dev.crema.data;

import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.LocalDate;
import java.util.List;
import java.util.Locale;

/**
 * Dates and times as days since 1970-01-01, UTC: {@code 2024-12-31}, {@code 2024-12}, {@code
 * 31/12/2024}, {@code 31.12.24}, {@code 12/31/2024}, {@code 31 Dec 2024}, {@code Dec 31, 2024},
 * each alone or before a time, {@code 08:15}, {@code T08:15:00.250}, {@code 8:15 PM}, and that
 * before a zone, {@code Z}, {@code UTC} or {@code +02:00}. A time without a zone counts as UTC. Of
 * years with two digits, 00 to 68 are of this century (as POSIX has it). Names of months are
 * English.
 *
 * @param order of the parts where all are numbers; a date that begins with a year of four digits is
 *     read as year, month, day whatever the order
 */
public record Dates(DateOrder order) implements Reading {
  private static final int LONGEST = 40;
  private static final double SECONDS = 86_400;
  private static final List<String> MONTHS =
      List.of("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec");
  private static final List<String> LONG_MONTHS =
      List.of(
          "january",
          "february",
          "march",
          "april",
          "may",
          "june",
          "july",
          "august",
          "september",
          "october",
          "november",
          "december");

  @Override
  public double parse(byte[] b, int from, int to) {
    boolean may = to - from >= 6 && to - from <= LONGEST;
    return may ? new Cursor(b, from, to, order).days() : Double.NaN;
  }

  double parse(String text) {
    byte[] b = text.getBytes(StandardCharsets.UTF_8);
    return parse(b, 0, b.length);
  }

  @Override
  public String expected() {
    return "a date (" + order + ")";
  }

  /** Reads a date from left to right; a method that doesn't find its part says so by -1 or NaN. */
  private static final class Cursor {
    private final byte[] b;
    private final int to;
    private final DateOrder order;
    private int at;

    /** Digits of the last number. */
    private int width;

    Cursor(byte[] b, int from, int to, DateOrder order) {
      this.b = b;
      this.at = from;
      this.to = to;
      this.order = order;
    }

    double days() {
      long date = date();
      if (date == Long.MIN_VALUE || at == to) {
        return date == Long.MIN_VALUE ? Double.NaN : date;
      }
      if (!take('T') && !take('t')) {
        take(',');
        if (!take(' ')) {
          return Double.NaN;
        }
        spaces();
      }
      double seconds = time();
      double offset = zone();
      return at == to ? date + (seconds - offset) / SECONDS : Double.NaN;
    }

    /** The day, or Long.MIN_VALUE. */
    private long date() {
      int month = month();
      if (month > 0) { // Dec 31, 2024
        separator();
        int day = number(2);
        if (!take('-')) {
          take(',');
        }
        spaces();
        return of(year(), month, day);
      }
      int first = number(4);
      if (first < 0) {
        return Long.MIN_VALUE;
      }
      int firstWidth = width;
      byte separator = separator();
      if (separator == 0) {
        return Long.MIN_VALUE;
      }
      spaces();
      month = month();
      if (month > 0) { // 31 Dec 2024, 31-Dec-24
        separator();
        return of(year(), month, first);
      }
      int second = number(2);
      if (second < 0 || separator == ' ') {
        return Long.MIN_VALUE;
      }
      if (firstWidth == 4) {
        return of(first, second, take(separator) ? number(2) : at == to ? 1 : -1);
      }
      if (order == DateOrder.YEAR_MONTH_DAY || firstWidth > 2 || !take(separator)) {
        return Long.MIN_VALUE;
      }
      boolean dayFirst = order == DateOrder.DAY_MONTH_YEAR;
      return of(year(), dayFirst ? second : first, dayFirst ? first : second);
    }

    private static long of(int year, int month, int day) {
      if (year < 0 || month < 1 || month > 12 || day < 1 || day > 31) {
        return Long.MIN_VALUE;
      }
      try {
        return LocalDate.of(year, month, day).toEpochDay();
      } catch (DateTimeException e) { // 31 April
        return Long.MIN_VALUE;
      }
    }

    private int year() {
      int year = number(4);
      return switch (width) {
        case 4 -> year;
        case 2 -> year + (year <= 68 ? 2000 : 1900);
        default -> -1;
      };
    }

    /** Seconds since midnight, or NaN: hours and minutes, seconds and a fraction if they follow. */
    private double time() {
      int hours = number(2);
      int minutes = take(':') ? number(2) : -1;
      double seconds = take(':') ? number(2) : 0;
      if (hours < 0 || minutes < 0 || minutes > 59 || seconds < 0 || seconds > 60) {
        return Double.NaN;
      }
      if (take('.') || take(',')) {
        double place = 0.1;
        for (; at < to && isDigit(b[at]); at++, place /= 10) {
          seconds += place * (b[at] - '0');
        }
      }
      return 3600.0 * halfDay(hours) + 60 * minutes + seconds;
    }

    /** Hours of the day, with what AM or PM says; NaN if there is no such hour. */
    private double halfDay(int hours) {
      int before = at;
      spaces();
      boolean pm = word("PM");
      if (!pm && !word("AM")) {
        at = before;
        return hours > 24 ? Double.NaN : hours;
      }
      return hours < 1 || hours > 12 ? Double.NaN : hours % 12 + (pm ? 12 : 0);
    }

    /** Seconds that the zone is ahead of UTC; NaN if what stands there is none. */
    private double zone() {
      spaces();
      if (at == to || word("Z") || word("UTC") || word("GMT")) {
        return 0;
      }
      boolean west = take('-');
      if (!west && !take('+')) {
        return Double.NaN;
      }
      int hours = number(2);
      boolean hoursAlone = at == to;
      take(':');
      int minutes = hoursAlone ? 0 : number(2);
      double seconds = hours < 0 || minutes < 0 ? Double.NaN : 3600.0 * hours + 60 * minutes;
      return west ? -seconds : seconds;
    }

    /** 1 to 12 if the name of a month stands here, else -1. */
    private int month() {
      int end = at;
      while (end < to && Character.isLetter(b[end])) {
        end++;
      }
      if (end - at < 3) {
        return -1;
      }
      String word = new String(b, at, end - at, StandardCharsets.US_ASCII).toLowerCase(Locale.ROOT);
      int found = Math.max(MONTHS.indexOf(word), LONG_MONTHS.indexOf(word));
      if (found < 0 && word.equals("sept")) {
        found = 8;
      }
      at = found < 0 ? at : end;
      return found < 0 ? -1 : found + 1;
    }

    /** A number of at most that many digits, or -1. */
    private int number(int most) {
      int value = 0;
      for (width = 0; width < most && at < to && isDigit(b[at]); width++) {
        value = 10 * value + b[at++] - '0';
      }
      return width == 0 ? -1 : value;
    }

    /** What parts the day from the month, or 0. */
    private byte separator() {
      boolean is = at < to && (b[at] == '-' || b[at] == '/' || b[at] == '.' || b[at] == ' ');
      return is ? b[at++] : 0;
    }

    private boolean take(int c) {
      boolean is = at < to && b[at] == c;
      at += is ? 1 : 0;
      return is;
    }

    private void spaces() {
      while (at < to && b[at] == ' ') {
        at++;
      }
    }

    private boolean word(String upperCase) {
      int end = at + upperCase.length();
      boolean is =
          end <= to
              && new String(b, at, upperCase.length(), StandardCharsets.US_ASCII)
                  .equalsIgnoreCase(upperCase);
      at = is ? end : at;
      return is;
    }

    private static boolean isDigit(byte c) {
      return c >= '0' && c <= '9';
    }
  }
}
