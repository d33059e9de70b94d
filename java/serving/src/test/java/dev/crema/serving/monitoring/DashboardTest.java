package dev.crema.serving.monitoring;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.crema.io.Json;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What Grafana needs of a dashboard that is imported, whichever source of data it is given. */
class DashboardTest {
  private static final int COLUMNS = 24;
  private static final Set<String> PANELS = Set.of("row", "stat", "timeseries", "table");
  private static final Set<String> UNITS =
      Set.of("short", "bytes", "s", "reqps", "cps", "percentunit");
  private static final Pattern VARIABLE = Pattern.compile("\\$\\{?(\\w+)");

  private JsonNode dashboard;
  private final List<JsonNode> panels = new ArrayList<>();

  @BeforeEach
  void read() throws IOException {
    dashboard = Json.mapper().readTree(MonitoringFiles.read(MonitoringFiles.DASHBOARD));
    dashboard.path("panels").forEach(panels::add);
    assertThat(panels).hasSizeGreaterThan(30);
  }

  @Test
  void itCanBeImportedBesideOthersAndAgain() {
    assertThat(dashboard.path("uid").textValue()).isNotBlank().hasSizeLessThanOrEqualTo(40);
    assertThat(dashboard.path("title").textValue()).isNotBlank();
    assertThat(dashboard.path("schemaVersion").intValue()).isGreaterThanOrEqualTo(36);
    assertThat(dashboard.has("id")).as("the number of another Grafana's database").isFalse();
    assertThat(dashboard.findValuesAsText("__inputs")).isEmpty();
  }

  /** As Grafana's own types have them: the whole file was checked against @grafana/schema 13. */
  @Test
  void optionsHaveWhatTheirTypesRequire() {
    for (JsonNode panel : panels) {
      JsonNode options = panel.path("options");
      List<String> required =
          switch (panel.path("type").textValue()) {
            case "stat" ->
                List.of(
                    "colorMode",
                    "graphMode",
                    "justifyMode",
                    "orientation",
                    "percentChangeColorMode",
                    "reduceOptions",
                    "showPercentChange",
                    "textMode",
                    "wideLayout");
            case "timeseries" -> List.of("legend", "tooltip");
            default -> List.of();
          };
      assertThat(options.fieldNames()).toIterable().as("" + panel).containsAll(required);
      if (options.has("legend")) {
        assertThat(options.path("legend").fieldNames())
            .toIterable()
            .contains("calcs", "displayMode", "placement", "showLegend");
      }
    }
  }

  @Test
  void panelsAreKnownNamedAndHaveUnitsOfGrafana() {
    Set<Integer> ids = new HashSet<>();
    for (JsonNode panel : panels) {
      String title = panel.path("title").textValue();
      assertThat(title).isNotBlank();
      assertThat(ids.add(panel.path("id").intValue())).as(title).isTrue();
      assertThat(panel.path("type").textValue()).as(title).isIn(PANELS);
      if (!panel.path("type").textValue().equals("row")) {
        assertThat(panel.at("/fieldConfig/defaults/unit").textValue()).as(title).isIn(UNITS);
        assertThat(panel.path("targets")).as(title).isNotEmpty();
      }
      Set<String> queries = new HashSet<>();
      for (JsonNode target : panel.path("targets")) {
        assertThat(queries.add(target.path("refId").textValue())).as(title).isTrue();
      }
    }
    assertThat(panels)
        .filteredOn(p -> p.path("type").textValue().equals("row"))
        .extracting(p -> p.path("title").textValue())
        .containsExactly("Overview", "Model", "Drift and quality", "Training");
  }

  @Test
  void noPanelLiesOnAnother() {
    Set<Integer> taken = new HashSet<>();
    for (JsonNode panel : panels) {
      JsonNode at = panel.path("gridPos");
      int left = at.path("x").intValue();
      int right = left + at.path("w").intValue();
      assertThat(right).as(panel.path("title").textValue()).isBetween(left + 1, COLUMNS);
      for (int y = 0; y < at.path("h").intValue(); y++) {
        for (int x = left; x < right; x++) {
          int cell = (at.path("y").intValue() + y) * COLUMNS + x;
          assertThat(taken.add(cell)).as(panel.path("title").textValue()).isTrue();
        }
      }
    }
  }

  @Test
  void everyQueryAsksTheSourceThatWasChosenAndUsesVariablesThatThereAre() {
    Set<String> variables = new HashSet<>(Set.of("__rate_interval"));
    for (JsonNode variable : dashboard.at("/templating/list")) {
      variables.add(variable.path("name").textValue());
    }
    assertThat(variables).contains("datasource", "instance", "model", "version", "run");
    for (JsonNode source : dashboard.findValues("datasource")) {
      if (source.path("type").asText().equals("prometheus")) {
        assertThat(source.path("uid").textValue()).isEqualTo("${datasource}");
      }
    }
    for (String name : List.of("expr", "legendFormat", "definition")) {
      for (String text : dashboard.findValuesAsText(name)) {
        Matcher used = VARIABLE.matcher(text);
        while (used.find()) {
          assertThat(variables).as(text).contains(used.group(1));
        }
      }
    }
  }
}
