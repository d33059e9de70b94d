package dev.crema.device;

/**
 * Memory of a device that has its own, in bytes.
 *
 * @param plans in plans and copies of parameters of this process
 * @param used by all processes, what they keep for later included
 * @param total built in
 */
public record MemoryUse(long plans, long used, long total) {}
