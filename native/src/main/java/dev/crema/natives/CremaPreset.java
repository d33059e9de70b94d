package dev.crema.natives;

import org.bytedeco.javacpp.annotation.Platform;
import org.bytedeco.javacpp.annotation.Properties;
import org.bytedeco.javacpp.tools.Info;
import org.bytedeco.javacpp.tools.InfoMap;
import org.bytedeco.javacpp.tools.InfoMapper;

/**
 * Tells JavaCPP how to bind {@code crema.h}; the result is {@code dev.crema.natives.Crema}, which
 * extends this class. So this class's initialiser runs before JavaCPP looks for the library, and
 * has loaded it by then.
 */
@Properties(
    value = @Platform(include = "crema.h", library = "jnicrema"),
    target = "dev.crema.natives",
    global = "dev.crema.natives.Crema")
public class CremaPreset implements InfoMapper {
  static {
    if (NativeLibrary.CREMA.isPackaged()) {
      NativeLibrary.CREMA.load("jnicrema");
    }
  }

  @Override
  public void map(InfoMap infoMap) {
    infoMap.put(new Info("CREMA_API").cppTypes().annotations());
  }
}
