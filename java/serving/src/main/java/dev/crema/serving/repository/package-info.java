/**
 * Which models there are, in which versions, and what state each is in.
 *
 * <pre>
 * models/                     ModelRepository.of(Path.of("models"))
 *   prices/                   a model: letters, digits, . _ -
 *     1/                      a version: what Model.save(models/prices/1) wrote
 *     2/
 *       model.json, model.safetensors, checksums.json
 *       warmup.json           optional: requests to answer before it serves, see WarmUp
 *       model.sig             optional: an Ed25519 signature, see SignedModels
 *     3.zip                   or a version in one file
 * </pre>
 *
 * <p>{@code ModelSettings} say which versions serve, which labels point to them, how requests are
 * put together and how traffic is split. A version is exchanged without a request being lost: the
 * new one is read, verified and warmed, then takes over in one step; whoever uses the old one holds
 * a lease of it, and the last lease gives its memory back. Meanwhile both are in memory.
 */
package dev.crema.serving.repository;
