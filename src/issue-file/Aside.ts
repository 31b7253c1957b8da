/**
 * The aside: the replaced file, kept by a hard link beside the new one until what it held has been compared with what
 * was read of it (G16). A crash leaves it to the next holder of the lock (G28). Where links cannot be made, the replaced
 * file is held by a descriptor instead, and is lost with the process.
 */
import * as Crypto from "node:crypto"
import * as Path from "node:path"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import {
  type Disk,
  DiskFailure,
  fsyncDirectory,
  isWithoutLinks,
  newFileMode,
  openToCreate,
  openToRead,
  quietly,
  together
} from "./Disk.ts"
import { readAll, writeAll } from "./FileBytes.ts"
import { type GitWatch, polling } from "./GitWatch.ts"
import { IssueFileRefused } from "./IssueFileError.ts"
import { type FileStamp, isSameContent, toStamp } from "./Stamps.ts"

/** The replaced file, held until it has been compared: by its aside name or, where links cannot be made, open. */
export type Replaced = { readonly aside: true } | { readonly aside: false; readonly descriptor: number }

/** What is known of the file before it was replaced; if `settled`, an equal stamp means equal bytes. */
export interface Known {
  readonly hash: string
  readonly stamp: FileStamp
  readonly settled: boolean
}

export interface Aside {
  /** Keeps hold of the file that is about to be replaced; none if it is gone. Synchronous, throws `DiskFailure`. */
  readonly keep: () => Replaced | undefined
  /** Synchronous. An aside that stays, since it cannot be removed, is met by the next holder of the lock. */
  readonly letGo: (replaced: Replaced) => void
  /** Puts the aside back into its place. Synchronous, throws `DiskFailure`. */
  readonly putBack: () => void
  /** What the replaced file held other than what is known of it, if anything. Closes it, but leaves an aside. */
  readonly findDisplaced: (replaced: Replaced, known: Known) => Effect.Effect<Option.Option<Uint8Array>, DiskFailure>
  /** What a crash between rename and comparison left: the bytes of the replaced file. */
  readonly recover: Effect.Effect<Option.Option<Uint8Array>, DiskFailure | IssueFileRefused>
  /** Removes the aside, and makes last what replaced it. */
  readonly discard: Effect.Effect<void, DiskFailure>
  /** Keeps `bytes` of the replaced file for good, under a name made of their content. Gives the path. */
  readonly quarantine: (bytes: Uint8Array) => Effect.Effect<string, DiskFailure>
}

const sha256 = (bytes: Uint8Array): string => Crypto.createHash("sha256").update(bytes).digest("hex")

/** How often a file that keeps changing after it was replaced is read before the last reading has to do. */
const quietTries = 20

/** Of the issue file at `path`. */
export const make = (disk: Disk, path: string, git: GitWatch): Aside => {
  const directory = Path.dirname(path)
  const name = Path.basename(path)
  const aside = Path.join(directory, `.${name}.aside`)

  const keep = (): Replaced | undefined => {
    try {
      disk.link(path, aside)
      return { aside: true }
    } catch (cause) {
      if (cause instanceof DiskFailure && cause.code === "ENOENT") return undefined
      if (!isWithoutLinks(cause)) throw cause
      return { aside: false, descriptor: disk.openNow(path, openToRead) }
    }
  }

  const letGo = (replaced: Replaced): void =>
    quietly(() => (replaced.aside ? disk.unlink(aside) : disk.closeNow(path, replaced.descriptor)))

  /** A file that another program, git perhaps, may still be writing to, read until it is quiet. */
  const readQuiet = Effect.fnUntraced(function* (descriptor: number) {
    const pauses = yield* Schedule.driver(polling)
    let bytes: Uint8Array = new Uint8Array()
    for (let tries = 1; tries <= quietTries; tries++) {
      const before = yield* together(() => toStamp(disk.statOpen(aside, descriptor)))
      const content = yield* readAll(disk, { path: aside, descriptor }, before.size)
      if (Option.isSome(content)) bytes = content.value.bytes
      const after = yield* together(() => toStamp(disk.statOpen(aside, descriptor)))
      if (Option.isSome(content) && isSameContent(before, after) && !(yield* together(git.isAtWork))) break
      yield* Effect.ignore(pauses.next(undefined))
    }
    return bytes
  })

  const findDisplaced = (replaced: Replaced, known: Known) =>
    Effect.acquireUseRelease(
      replaced.aside ? disk.open(aside, openToRead) : Effect.succeed(replaced.descriptor),
      Effect.fnUntraced(function* (descriptor) {
        const stamp = yield* together(() => toStamp(disk.statOpen(aside, descriptor)))
        if (known.settled && isSameContent(stamp, known.stamp)) return Option.none()
        const bytes = yield* readQuiet(descriptor)
        return sha256(bytes) === known.hash ? Option.none() : Option.some(bytes)
      }),
      descriptor => Effect.ignore(disk.close(aside, descriptor))
    )

  const recover = Effect.gen(function* () {
    const left = yield* together(() => disk.stat(aside))
    if (left === undefined) return Option.none()
    if (left.kind !== "file") return yield* new IssueFileRefused({ path: aside, reason: "it is not a regular file" })
    const current = yield* together(() => disk.stat(path))
    if (current !== undefined && current.device === left.device && current.inode === left.inode) {
      // the crash came between link and rename: nothing was replaced
      yield* together(() => disk.unlink(aside))
      return Option.none()
    }
    return Option.some(
      yield* Effect.acquireUseRelease(disk.open(aside, openToRead), readQuiet, descriptor =>
        Effect.ignore(disk.close(aside, descriptor))
      )
    )
  })

  const discard = Effect.gen(function* () {
    if ((yield* together(() => disk.stat(aside))) === undefined) return
    yield* together(() => disk.unlink(aside))
    // a crash may have come before the directory's fsync: whoever lets the aside go answers for the rename as well
    yield* fsyncDirectory(disk, directory)
  })

  const quarantine = Effect.fnUntraced(function* (bytes: Uint8Array) {
    const kept = Path.join(directory, `.${name}.${sha256(bytes).slice(0, 12)}.aside`)
    yield* Effect.if(
      together(() => disk.stat(aside) !== undefined),
      {
        onTrue: () => together(() => disk.rename(aside, kept)),
        // where links cannot be made, the replaced file is gone: then these bytes are all there is
        onFalse: () =>
          Effect.acquireUseRelease(
            disk.open(kept, openToCreate, newFileMode),
            descriptor =>
              Effect.zipRight(writeAll(disk, { path: kept, descriptor }, [bytes]), disk.fsync(kept, descriptor)),
            descriptor => Effect.ignore(disk.close(kept, descriptor))
          ).pipe(
            Effect.catchIf(
              // named by its content: it was kept before
              ({ code }) => code === "EEXIST",
              () => Effect.void
            )
          )
      }
    )
    yield* fsyncDirectory(disk, directory)
    return kept
  })

  return { keep, letGo, putBack: () => disk.rename(aside, path), findDisplaced, recover, discard, quarantine }
}
