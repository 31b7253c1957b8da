/**
 * The file system of the command line: Node's, with the questions that each start asks answered at once.
 *
 * Where the project lies and what its settings are takes a dozen looks at small files, most of which do not exist. The
 * way through Node's thread pool costs ten times each look. What may take long (large files, pipes), and what fails in
 * any other way than by being missing, goes that way nonetheless.
 */
import * as Fs from "node:fs"
import { SystemError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"

/** Bytes that are read while everything else waits. */
const small = 1 << 16

/** There is nothing of that name. `undefined` says that only Node's own way can tell. */
const missing = Symbol("missing")

/** What a name leads to. */
const look = (path: string): Fs.Stats | typeof missing | undefined => {
  try {
    return Fs.statSync(path, { throwIfNoEntry: false }) ?? missing
  } catch {
    return undefined
  }
}

const readSmall = (path: string): Buffer | typeof missing | undefined => {
  const found = look(path)
  if (found === undefined || found === missing) return found
  if (!found.isFile() || found.size > small) return undefined
  try {
    return Fs.readFileSync(path)
  } catch {
    return undefined
  }
}

const infoOf = (stat: Fs.Stats): FileSystem.File.Info => ({
  type: stat.isFile()
    ? "File"
    : stat.isDirectory()
      ? "Directory"
      : stat.isBlockDevice()
        ? "BlockDevice"
        : stat.isCharacterDevice()
          ? "CharacterDevice"
          : stat.isFIFO()
            ? "FIFO"
            : stat.isSocket()
              ? "Socket"
              : "Unknown",
  mtime: Option.some(stat.mtime),
  atime: Option.some(stat.atime),
  birthtime: Option.some(stat.birthtime),
  dev: stat.dev,
  ino: Option.some(stat.ino),
  mode: stat.mode,
  nlink: Option.some(stat.nlink),
  uid: Option.some(stat.uid),
  gid: Option.some(stat.gid),
  rdev: Option.some(stat.rdev),
  size: FileSystem.Size(stat.size),
  blksize: Option.some(FileSystem.Size(stat.blksize)),
  blocks: Option.some(stat.blocks)
})

/** Answers at once if it can, else by `slow`. */
const atOnce = <A, B, E>(
  method: string,
  path: string,
  quick: () => A | typeof missing | undefined,
  answer: (found: A) => B,
  slow: Effect.Effect<B, E>
): Effect.Effect<B, E | SystemError> =>
  Effect.suspend((): Effect.Effect<B, E | SystemError> => {
    const found = quick()
    if (found === undefined) return slow
    return found === missing
      ? Effect.fail(new SystemError({ reason: "NotFound", module: "FileSystem", method, pathOrDescriptor: path }))
      : Effect.succeed(answer(found))
  })

export const layer: Layer.Layer<FileSystem.FileSystem> = Layer.effect(
  FileSystem.FileSystem,
  Effect.map(FileSystem.FileSystem, fs =>
    FileSystem.FileSystem.of({
      ...fs,
      exists: path =>
        Effect.suspend(() => {
          const found = look(path)
          return found === undefined ? fs.exists(path) : Effect.succeed(found !== missing)
        }),
      stat: path => atOnce("stat", path, () => look(path), infoOf, fs.stat(path)),
      readFile: path =>
        atOnce(
          "readFile",
          path,
          () => readSmall(path),
          bytes => bytes,
          fs.readFile(path)
        ),
      readFileString: (path, encoding) =>
        atOnce(
          "readFile",
          path,
          () => (encoding === undefined ? readSmall(path) : undefined),
          bytes => new TextDecoder().decode(bytes),
          fs.readFileString(path, encoding)
        )
    })
  )
).pipe(Layer.provide(NodeFileSystem.layer))
