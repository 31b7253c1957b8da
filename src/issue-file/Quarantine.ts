/**
 * Moves what cannot be read out of the issue file, into a directory where it stays (G17: it is never dropped).
 *
 * Under the lock: a copy of the whole file and the lines to be moved are durable in the quarantine before a line leaves
 * the file; then the file is replaced as by a publish (G12). A crash in between leaves copies, and the file as it was;
 * the names come from the content, so that doing it again adds nothing.
 */
import * as Crypto from "node:crypto"
import * as Path from "node:path"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import { type Disk, fsyncDirectory, newFileMode, nodeDisk, openToCreate, together } from "./Disk.ts"
import { writeAll } from "./FileBytes.ts"
import { IssueFile } from "./IssueFile.ts"
import { type IssueFileError, IssueFileRefused, mapDiskFailure } from "./IssueFileError.ts"
import * as IssueLines from "./IssueLines.ts"
import { IssueLock, type LockError } from "./IssueLock.ts"

/** What was moved. */
export interface Quarantined {
  readonly lines: ReadonlyArray<IssueLines.UnreadableText>
  /** The file with the lines, as they stood there. */
  readonly keptIn: string
  /** The issue file as it was. */
  readonly backup: string
}

/** How often the file may be changed by others under our hands. */
const mostTries = 20

/** Keeps bytes in a directory, durably, under a name made of their content. Gives the path. */
const keep = (disk: Disk, directory: string, name: (hash: string) => string, bytes: Uint8Array) =>
  Effect.gen(function* () {
    const hash = Crypto.createHash("sha256").update(bytes).digest("hex").slice(0, 12)
    const path = Path.join(directory, name(hash))
    // written anew if it is there: nobody knows whether that one is whole, and on disk
    const random = yield* Random.nextIntBetween(0, 2 ** 32)
    const temp = Path.join(directory, `.${name(hash)}.${process.pid}.${random.toString(16)}.tmp`)
    yield* Effect.acquireUseRelease(
      disk.open(temp, openToCreate, newFileMode),
      descriptor => Effect.zipRight(writeAll(disk, { path: temp, descriptor }, [bytes]), disk.fsync(temp, descriptor)),
      descriptor => Effect.ignore(disk.close(temp, descriptor))
    ).pipe(
      Effect.andThen(together(() => disk.rename(temp, path))),
      Effect.tapError(() => Effect.ignore(together(() => disk.unlink(temp))))
    )
    yield* fsyncDirectory(disk, directory)
    return path
  })

/** Makes the directory; a link might lead anywhere, and is refused. */
const makeDirectory = (disk: Disk, directory: string) =>
  Effect.gen(function* () {
    const found = yield* together(() => disk.stat(directory))
    if (found?.kind === "directory") return
    if (found !== undefined) return yield* new IssueFileRefused({ path: directory, reason: "it is not a directory" })
    yield* together(() => disk.makeDirectory(directory))
    yield* fsyncDirectory(disk, Path.dirname(directory))
  })

/**
 * Moves the lines that cannot be read into `directory`, which is made if there is none. None if every line can be read.
 * Over the given disk: tests put other programs and faults between two of its calls.
 */
export const run = (
  directory: string,
  disk: Disk = nodeDisk
): Effect.Effect<Option.Option<Quarantined>, IssueFileError | LockError, IssueFile | IssueLock> =>
  Effect.gen(function* () {
    const file = yield* IssueFile
    const lock = yield* IssueLock
    const name = Path.basename(file.path)
    return yield* lock.withLock(
      Effect.gen(function* () {
        if (Option.isSome(yield* file.recoverAside)) {
          return yield* new IssueFileRefused({
            path: file.path,
            reason: "what a crash left beside it has to be taken in first, by bd flush"
          })
        }
        let moved = Option.none<Quarantined>()
        for (let tries = 1; tries <= mostTries; tries++) {
          const snapshot = yield* file.read
          if (Option.isNone(snapshot)) return moved
          const { bytes } = snapshot.value
          const { unreadable } = IssueLines.read(bytes)
          if (unreadable.length === 0) return moved
          const numbers = new Set(unreadable.map(({ number }) => number))
          const parts = IssueLines.scan(bytes).map(({ start, terminatorEnd }, i) => ({
            bytes: bytes.subarray(start, terminatorEnd),
            stays: !numbers.has(i + 1)
          }))
          const joined = (stays: boolean) =>
            Buffer.concat(parts.filter(part => part.stays === stays).map(part => part.bytes))
          yield* makeDirectory(disk, directory)
          const backup = yield* keep(disk, directory, hash => `${name}.${hash}.backup`, bytes)
          const keptIn = yield* keep(disk, directory, hash => `${name}.${hash}.lines`, joined(false))
          yield* lock.verify
          const replaced = yield* file.replace(snapshot, joined(true)).pipe(
            Effect.asSome,
            Effect.catchTag("IssueFileChanged", () => Effect.succeedNone)
          )
          if (Option.isNone(replaced)) continue
          moved = Option.some({
            lines: [...Option.match(moved, { onNone: () => [], onSome: ({ lines }) => lines }), ...unreadable],
            keptIn,
            backup
          })
          const { contested, displaced } = replaced.value
          // it waits beside the file for the next command; where there are no links, it is nowhere else than here
          if (Option.isSome(displaced) && Option.isNone(yield* file.recoverAside)) {
            yield* file.quarantineAside(displaced.value)
          }
          if (!contested) return moved
        }
        return moved
      })
    )
  }).pipe(mapDiskFailure, Effect.withSpan("Quarantine.run"))
