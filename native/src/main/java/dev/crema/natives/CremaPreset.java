package dev.crema.natives;

import org.bytedeco.javacpp.annotation.Platform;
import org.bytedeco.javacpp.annotation.Properties;
import org.bytedeco.javacpp.tools.Info;
import org.bytedeco.javacpp.tools.InfoMap;
import org.bytedeco.javacpp.tools.InfoMapper;

/**
 * Tells JavaCPP how to bind {@code crema.h}; the result is {@code dev.crema.natives.Crema}, which
 * extends this class. Functions take and give numbers and strings only, so that the binding needs
 * nothing of JavaCPP at run time: its loader and its {@code Pointer} cost a quarter of a second at
 * a JVM's start. The build puts {@link NativeLibrary} in the loader's place.
 */
@Properties(
    value = @Platform(include = "crema.h", library = "jnicrema"),
    target = "dev.crema.natives",
    global = "dev.crema.natives.Crema")
public class CremaPreset implements InfoMapper {
  @Override
  public void map(InfoMap infoMap) {
    infoMap
        .put(new Info("CREMA_API").cppTypes().annotations())
        .put(new Info("const char").valueTypes("byte").pointerTypes("String"));
  }
}
