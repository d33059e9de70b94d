package dev.crema.serving.repository;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.CremaException;
import dev.crema.io.Checksums;
import dev.crema.io.Content;
import dev.crema.io.ModelArchive;
import dev.crema.nn.Model;
import dev.crema.serving.Served;
import dev.crema.serving.ServingListener;
import dev.crema.serving.inference.ServingException;
import dev.crema.serving.inference.ServingException.Code;
import dev.crema.serving.repository.VersionStatus.State;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelRepositoryTest {
  @TempDir Path folder;
  private ModelRepository repository;

  private ModelRepository open(ModelSettings settings) {
    return open(ModelRepository.of(models()).settings(settings));
  }

  private ModelRepository open(RepositoryBuilder builder) {
    repository = builder.pollInterval(Duration.ZERO).settleTime(Duration.ZERO).open();
    return repository;
  }

  private Path models() {
    return folder.resolve("models");
  }

  @AfterEach
  void close() {
    if (repository != null) {
      repository.close();
    }
  }

  private List<State> states(String model) {
    return repository.versions(model).stream().map(VersionStatus::state).toList();
  }

  private long byDefault(String model) {
    return repository.resolve(ModelReference.of(model)).version();
  }

  @Test
  void servesTheNewestVersion() {
    Served.adder(models(), "adder", 2);
    Served.adder(models(), "adder", 10);
    open(ModelSettings.DEFAULT);
    assertThat(repository.names()).containsExactly("adder");
    assertThat(byDefault("adder")).isEqualTo(10);
    assertThat(states("adder")).containsExactly(State.AVAILABLE, State.START);
    VersionStatus status = repository.versions("adder").get(0);
    assertThat(status.bytes()).isGreaterThanOrEqualTo(4 * (Served.FEATURES + 1));
    assertThat(status.loadTime()).isPositive();
    assertThat(repository.signature(ModelReference.of("adder")).inputs())
        .hasToString("[x FLOAT32[-1, 4]]");
    assertThat(repository.signature(ModelReference.of("adder")).outputs())
        .hasToString("[dense_1 FLOAT32[-1, 1]]");
  }

  @Test
  void servesWhatThePolicyAsksFor() {
    for (int version = 1; version <= 4; version++) {
      Served.adder(models(), "adder", version);
    }
    open(ModelSettings.DEFAULT.withPolicy(VersionPolicy.specific(2L, 3L)));
    assertThat(states("adder"))
        .containsExactly(State.START, State.AVAILABLE, State.AVAILABLE, State.START);
    repository.configure("adder", ModelSettings.DEFAULT.withPolicy(VersionPolicy.all()));
    repository.refreshAll();
    assertThat(states("adder")).containsOnly(State.AVAILABLE);
    repository.configure("adder", ModelSettings.DEFAULT.withPolicy(VersionPolicy.latest(2)));
    repository.refreshAll();
    assertThat(states("adder"))
        .containsExactly(State.AVAILABLE, State.AVAILABLE, State.END, State.END);
  }

  @Test
  void labelsPointToVersionsAndStableIsTheDefault() {
    Served.adder(models(), "adder", 1);
    Served.adder(models(), "adder", 2);
    ModelSettings settings = ModelSettings.DEFAULT.withPolicy(VersionPolicy.all());
    open(settings.withLabels(Map.of("stable", 1L, "canary", 2L)));
    assertThat(byDefault("adder")).isEqualTo(1);
    assertThat(repository.resolve(ModelReference.label("adder", "canary")).version()).isEqualTo(2);
    assertThat(repository.versions("adder").get(0).labels()).containsExactly("canary");
    repository.configure("adder", settings.withLabels(Map.of("stable", 2L)));
    assertThat(byDefault("adder")).isEqualTo(2);
    refused(ModelReference.label("adder", "canary"), Code.NOT_FOUND);
  }

  private void refused(ModelReference reference, Code code) {
    assertThatThrownBy(() -> repository.resolve(reference))
        .isInstanceOfSatisfying(ServingException.class, e -> assertThat(e.code()).isEqualTo(code));
  }

  @Test
  void aVersionThatComesTakesOverAndTheOldOneGoes() {
    Served.adder(models(), "adder", 1);
    open(ModelSettings.DEFAULT);
    LoadedVersion old = repository.acquire(ModelReference.of("adder"), "");
    Served.adder(models(), "adder", 2);
    repository.refreshAll();
    assertThat(byDefault("adder")).isEqualTo(2);
    assertThat(states("adder")).containsExactly(State.AVAILABLE, State.UNLOADING);
    assertThat(old.isClosed()).isFalse();
    old.release();
    assertThat(old.isClosed()).isTrue();
    repository.refreshAll();
    assertThat(states("adder")).containsExactly(State.AVAILABLE, State.END);
  }

  @Test
  void aVersionThatIsReplacedIsReadAnew() {
    Served.adder(models(), "adder", 1);
    open(ModelSettings.DEFAULT);
    LoadedVersion old = repository.acquire(ModelReference.of("adder"), "");
    old.release();
    repository.refreshAll();
    assertThat(old.isClosed()).as("nothing changed").isFalse();
    Served.adder(models(), "adder", 1);
    repository.refreshAll();
    assertThat(old.isClosed()).isTrue();
    assertThat(states("adder")).containsExactly(State.AVAILABLE);
  }

  @Test
  void whatCannotBeLoadedShowsWhileTheOldOneServesOn() throws IOException {
    Served.adder(models(), "adder", 1);
    open(ModelSettings.DEFAULT);
    Served.adder(models(), "adder", 2);
    Path tensors = models().resolve("adder/2").resolve(ModelArchive.TENSORS);
    byte[] bytes = Files.readAllBytes(tensors);
    bytes[bytes.length - 1] ^= 1;
    Files.write(tensors, bytes);
    repository.refreshAll();
    assertThat(byDefault("adder")).isEqualTo(1);
    assertThat(states("adder")).containsExactly(State.END, State.AVAILABLE);
    assertThat(repository.versions("adder").get(0).error()).contains("is damaged");
    assertThatThrownBy(() -> repository.load("adder"))
        .isInstanceOf(ServingException.class)
        .hasMessageContaining("version 2 could not be loaded, another version serves");
    refused(ModelReference.version("adder", 2), Code.UNAVAILABLE);
    bytes[bytes.length - 1] ^= 1;
    Files.write(tensors, bytes);
    repository.refreshAll();
    assertThat(byDefault("adder")).isEqualTo(2);
  }

  @Test
  void aServerThatStartsWithABrokenNewestVersionServesTheOneBefore() throws IOException {
    Served.adder(models(), "adder", 1);
    Served.adder(models(), "adder", 2);
    Served.adder(models(), "adder", 3);
    Files.delete(models().resolve("adder/3").resolve(ModelArchive.TENSORS));
    open(ModelSettings.DEFAULT);
    assertThat(byDefault("adder")).isEqualTo(2);
    assertThat(states("adder")).containsExactly(State.END, State.AVAILABLE, State.START);
    assertThat(repository.versions("adder").get(0).error()).contains("lacks model.safetensors");
    Served.adder(models(), "adder", 3);
    repository.refreshAll();
    assertThat(states("adder")).containsExactly(State.AVAILABLE, State.END, State.START);
  }

  @Test
  void aNamedVersionThatCannotBeLoadedLeavesThePreviousOne() throws IOException {
    Served.adder(models(), "adder", 1);
    Files.createDirectories(models().resolve("adder/2"));
    open(ModelSettings.DEFAULT.withPolicy(VersionPolicy.specific(1L)));
    repository.configure("adder", ModelSettings.DEFAULT.withPolicy(VersionPolicy.specific(2L)));
    repository.refreshAll();
    assertThat(states("adder")).containsExactly(State.END, State.AVAILABLE);
    Served.adder(models(), "other", 2);
    Files.delete(models().resolve("adder/2"));
    Files.move(models().resolve("other/2"), models().resolve("adder/2"));
    repository.refreshAll();
    assertThat(states("adder")).containsExactly(State.AVAILABLE, State.END);
  }

  @Test
  void whatFailedIsTriedAgainOnlyWhenItsFilesChange() throws IOException {
    Path version = Files.createDirectories(models().resolve("adder/1"));
    Files.writeString(version.resolve("model.json"), "{}");
    List<State> seen = new CopyOnWriteArrayList<>();
    var listener =
        new ServingListener() {
          @Override
          public void changed(VersionStatus status) {
            seen.add(status.state());
          }
        };
    open(ModelRepository.of(models()).listener(listener));
    repository.refreshAll();
    repository.refreshAll();
    assertThat(seen).containsExactly(State.LOADING, State.END);
    refused(ModelReference.of("adder"), Code.UNAVAILABLE);
    Files.writeString(version.resolve("model.json"), "{ }");
    repository.refreshAll();
    assertThat(seen).containsExactly(State.LOADING, State.END, State.LOADING, State.END);
  }

  @Test
  void aFolderThatIsBeingWrittenIsNoFailure() throws IOException {
    Served.adder(folder, "adder", 1);
    Path version = Files.createDirectories(models().resolve("adder/1"));
    copy(ModelArchive.MODEL, version);
    repository =
        ModelRepository.of(models())
            .pollInterval(Duration.ZERO)
            .settleTime(Duration.ofMinutes(10))
            .open();
    assertThat(repository.versions("adder").get(0).error()).isEmpty();
    assertThat(states("adder")).containsExactly(State.START);
    copy(ModelArchive.TENSORS, version);
    repository.refreshAll();
    assertThat(states("adder")).containsExactly(State.START);
    copy(ModelArchive.CHECKSUMS, version);
    repository.refreshAll();
    assertThat(states("adder")).containsExactly(State.AVAILABLE);
  }

  private void copy(String file, Path version) throws IOException {
    Files.copy(
        folder.resolve("adder/1").resolve(file),
        version.resolve(file),
        StandardCopyOption.REPLACE_EXISTING);
  }

  @Test
  void anUnloadedModelComesBackWhenAskedFor() {
    Served.adder(models(), "adder", 1);
    open(ModelSettings.DEFAULT);
    repository.unload("adder");
    assertThat(states("adder")).containsExactly(State.END);
    refused(ModelReference.of("adder"), Code.NOT_FOUND);
    refused(ModelReference.version("adder", 1), Code.NOT_FOUND);
    repository.refreshAll();
    refused(ModelReference.of("adder"), Code.NOT_FOUND);
    assertThat(repository.isSettled("adder")).as("nobody waits for it").isTrue();
    repository.load("adder");
    assertThat(byDefault("adder")).isEqualTo(1);
  }

  @Test
  void whatCouldNotBeLoadedIsUnavailableAndWhatNobodyAskedForIsNotFound() throws IOException {
    Served.adder(models(), "adder", 1);
    Served.adder(models(), "adder", 2);
    open(ModelSettings.DEFAULT);
    refused(ModelReference.version("adder", 1), Code.NOT_FOUND);
    assertThat(repository.isSettled("adder")).isTrue();
    Files.createDirectories(models().resolve("adder/3"));
    Files.createDirectories(models().resolve("broken/1"));
    repository.refreshAll();
    refused(ModelReference.version("adder", 3), Code.UNAVAILABLE);
    refused(ModelReference.of("broken"), Code.UNAVAILABLE);
    assertThat(repository.isSettled("broken")).isFalse();
    repository.unload("broken");
    assertThat(repository.isSettled("broken")).isTrue();
  }

  @Test
  void aVersionThatCannotBeReadHoldsUpNoOther() throws IOException {
    Served.adder(models(), "adder", 1);
    open(ModelSettings.DEFAULT);
    Path second = Files.createDirectories(models().resolve("adder/2"));
    Files.createSymbolicLink(second.resolve("model.json"), second.resolve("model.json")); // a loop
    Path third = models().resolve("adder/3.zip");
    Files.createSymbolicLink(third, third);
    Path fourth = Files.createDirectories(models().resolve("adder/4"));
    Files.createSymbolicLink(fourth.resolve("a"), folder.resolve("nothing"));
    repository.refreshAll();
    assertThat(byDefault("adder")).isEqualTo(1);
    assertThat(repository.versions("adder").get(0).error()).contains("leads out of the folder");
    assertThat(repository.versions("adder").get(1).error()).contains("can't be read");
    assertThat(repository.versions("adder").get(2).error()).contains("leads out of the folder");
    Served.adder(models(), "adder", 5);
    repository.refreshAll();
    assertThat(byDefault("adder")).isEqualTo(5);
  }

  @Test
  void aModelWhoseFolderIsGoneGoes() throws IOException {
    Served.adder(models(), "adder", 1);
    Served.adder(models(), "other", 1);
    open(ModelSettings.DEFAULT);
    try (Stream<Path> files = Files.walk(models().resolve("adder"))) {
      for (Path file : files.sorted(java.util.Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
    repository.refreshAll();
    assertThat(repository.names()).containsExactly("other");
    refused(ModelReference.of("adder"), Code.NOT_FOUND);
  }

  @Test
  void zipsAreVersionsToo() throws IOException {
    try (Model model = Served.mlp(1)) {
      Files.createDirectories(models().resolve("zip/4"));
      model.save(models().resolve("zip/3.zip"));
      model.save(models().resolve("zip/4/anything.zip"));
    }
    open(ModelSettings.DEFAULT.withPolicy(VersionPolicy.all()));
    assertThat(states("zip")).containsExactly(State.AVAILABLE, State.AVAILABLE);
  }

  @Test
  void oneVersionInTwoPlacesIsAFailure() {
    Served.adder(models(), "adder", 1);
    try (Model model = Served.mlp(1)) {
      model.save(models().resolve("adder/1.zip"));
    }
    open(ModelSettings.DEFAULT);
    assertThat(repository.versions("adder").get(0).error())
        .isEqualTo("Version 1 stands there twice: [1, 1.zip]. Remove one of them.");
  }

  @Test
  void onlyPlainNamesAndNumbersAreModelsAndVersions() throws IOException {
    Served.adder(models(), "adder", 1);
    Files.createDirectories(models().resolve(".hidden/1"));
    Files.createDirectories(models().resolve("with space/1"));
    Files.createDirectories(models().resolve("adder/latest"));
    Files.createDirectories(models().resolve("adder/-3"));
    open(ModelSettings.DEFAULT.withPolicy(VersionPolicy.all()));
    assertThat(repository.names()).containsExactly("adder");
    assertThat(repository.versions("adder")).hasSize(1);
    for (String name : List.of("..", "../models/adder", "adder/1", "/etc", "", "adder\0")) {
      refused(ModelReference.of(name), Code.NOT_FOUND);
      assertThatThrownBy(() -> repository.load(name)).isInstanceOf(ServingException.class);
      assertThatThrownBy(() -> repository.unload(name)).isInstanceOf(ServingException.class);
    }
  }

  @Test
  void linksOutOfTheFolderAreNotFollowed() throws IOException {
    Served.adder(folder, "outside", 1);
    Served.adder(models(), "adder", 1);
    Files.createSymbolicLink(models().resolve("link"), folder.resolve("outside"));
    Files.createSymbolicLink(models().resolve("adder/2"), folder.resolve("outside/1"));
    Served.adder(models(), "adder", 3);
    Path tensors = models().resolve("adder/3").resolve(ModelArchive.TENSORS);
    Files.delete(tensors);
    Files.createSymbolicLink(tensors, folder.resolve("outside/1").resolve(ModelArchive.TENSORS));
    Files.createSymbolicLink(models().resolve("adder/4"), models().resolve("adder/1"));
    open(ModelSettings.DEFAULT.withPolicy(VersionPolicy.all()));
    assertThat(repository.names()).containsExactly("adder");
    assertThat(states("adder"))
        .as("4 stays within, 3 and 2 lead out")
        .containsExactly(State.AVAILABLE, State.END, State.END, State.AVAILABLE);
    assertThat(repository.versions("adder").get(1).error()).contains("leads out of the folder");
  }

  @Test
  void signaturesAreRequiredIfAskedFor() throws Exception {
    KeyPair pair = KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
    KeyPair stranger = KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
    Served.adder(models(), "adder", 1);
    open(
        ModelRepository.of(models())
            .requireSignatures(List.of(stranger.getPublic(), pair.getPublic())));
    assertThat(repository.versions("adder").get(0).error()).contains("is not signed");
    Path version = models().resolve("adder/1");
    sign(version, stranger, false);
    repository.refreshAll();
    assertThat(states("adder")).containsExactly(State.AVAILABLE);
    Served.adder(models(), "adder", 2);
    Files.copy(
        version.resolve(SignedModels.NAME), models().resolve("adder/2").resolve(SignedModels.NAME));
    repository.refreshAll();
    assertThat(byDefault("adder")).isEqualTo(1);
    assertThat(repository.versions("adder").get(0).error()).contains("any of the trusted keys");
    sign(models().resolve("adder/2"), pair, true);
    repository.refreshAll();
    assertThat(byDefault("adder")).isEqualTo(2);
  }

  private static void sign(Path version, KeyPair pair, boolean base64) throws IOException {
    try (ModelArchive archive = ModelArchive.open(version)) {
      byte[] signature = SignedModels.sign(archive.checksums(), pair.getPrivate());
      Files.write(
          version.resolve(SignedModels.NAME),
          base64 ? Base64.getMimeEncoder().encode(signature) : signature);
    }
  }

  @Test
  void aKeyIsReadFromPem() throws Exception {
    KeyPair pair = KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
    Path pem = folder.resolve("key.pem");
    Files.writeString(
        pem,
        "-----BEGIN PUBLIC KEY-----\n"
            + Base64.getMimeEncoder().encodeToString(pair.getPublic().getEncoded())
            + "\n-----END PUBLIC KEY-----\n");
    assertThat(SignedModels.readKey(pem)).isEqualTo(pair.getPublic());
    Files.writeString(pem, "no key");
    assertThatThrownBy(() -> SignedModels.readKey(pem))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("expected an Ed25519 public key in PEM");
    assertThatThrownBy(() -> SignedModels.readKey(folder.resolve("none.pem")))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("There is no key " + folder.resolve("none.pem"));
  }

  @Test
  void theSignedMessageIsWhatSha256sumPrints() {
    Checksums sums = new Checksums(Map.of("b", "22", "a", "11"));
    assertThat(new String(SignedModels.message(sums), java.nio.charset.StandardCharsets.UTF_8))
        .isEqualTo("11  a\n22  b\n");
  }

  @Test
  void warmUpRequestsMustSucceed() throws IOException {
    Served.adder(models(), "adder", 1);
    Path file = models().resolve("adder/1").resolve(WarmUp.FILE);
    Files.writeString(
        file,
        "{\"requests\": [{\"inputs\": {\"x\": [[1, 2, 3, 4], [5, 6, 7, 8]]}, \"repeat\": 3}]}");
    open(ModelSettings.DEFAULT);
    assertThat(states("adder")).containsExactly(State.AVAILABLE);
    Files.writeString(file, "{\"requests\": [{\"inputs\": {\"x\": [[1, 2, 3]]}}]}");
    repository.refreshAll();
    assertThat(repository.versions("adder").get(0).error())
        .contains(
            "warmup.json, request 0: input x FLOAT32[-1, 4] has 4 values along axis 1, got 3");
    assertThat(byDefault("adder")).as("the one before serves on").isEqualTo(1);
  }

  @Test
  void warmUpRequestsMayComeWithTheModel() {
    try (Model model = Served.mlp(1)) {
      model.save(
          models().resolve("mlp/1.zip"),
          Map.of(
              WarmUp.FILE, Content.of("{\"requests\": [{\"inputs\": {\"y\": []}}]}".getBytes())));
    }
    open(ModelSettings.DEFAULT);
    assertThat(repository.versions("mlp").get(0).error())
        .contains("expected an array of examples for input 'x'");
  }

  @Test
  void aFolderThatIsNotThereIsAnError() {
    assertThatThrownBy(() -> ModelRepository.of(folder.resolve("none")).open())
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("is no folder");
  }

  @Test
  void looksAtTheFolderFromTimeToTime() throws InterruptedException {
    Served.adder(models(), "adder", 1);
    repository = ModelRepository.of(models()).pollInterval(Duration.ofMillis(5)).open();
    Served.adder(models(), "adder", 2);
    long end = System.nanoTime() + Duration.ofSeconds(60).toNanos();
    while (byDefault("adder") != 2 && System.nanoTime() < end) {
      Thread.sleep(5);
    }
    assertThat(byDefault("adder")).isEqualTo(2);
  }
}
