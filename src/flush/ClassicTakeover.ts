/**
 * Takes over the database of the classic `bd`: its place gets a store of ours that holds every issue of it, and a copy
 * stays beside it as `beads.db.classic`. It is read, and never changed in place.
 *
 * All of it happens under the `IssueLock`, in these steps:
 *
 * | step | what | after a crash here |
 * |---|---|---|
 * | 1 | look again: another process may have been first; sweep what a crash left of 4–6 | nothing changed |
 * | 2 | no classic process is connected, and none can write from here on (its kernel locks, until 8) | the kernel frees them |
 * | 3 | read the issue file, all of it or nothing; read database and log as one image, in memory | nothing changed |
 * | 4 | build our store aside, `beads.db.new`, in one transaction; close it, so that it is one file | swept by the next 1 |
 * | 5 | write the prefix to where settings are kept, if none is there | it is there, and true already |
 * | 6 | write the image to `beads.db.classic`: temp file, fsync, rename; an earlier one steps aside | written again, or found equal |
 * | 7 | if there is a log: put the image, complete without it, in the place of the database; then drop the log | a complete classic database stands there: all begins anew |
 * | 8 | rename our store into its place, fsync the directory | before: as 7. After: done |
 *
 * So up to the last rename there is a complete classic database in its place, which the next command takes over, and
 * after it a complete store. There is no step at which another look would find less. Marks make the rest: what differs
 * from the issue file goes into it with the next change.
 *
 * What cannot be excluded: a classic process that starts between 7 and 8, a few milliseconds, has opened a file that
 * is about to lose its name.
 */
import * as Path from "node:path"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as IssueRecord from "../domain/IssueRecord.ts"
import {
  type Disk,
  type DiskFailure,
  fsyncDirectory,
  nodeDisk,
  openToCreate,
  openToRead,
  together
} from "../issue-file/Disk.ts"
import { writeAll } from "../issue-file/FileBytes.ts"
import { IssueFile, type IssueFileError } from "../issue-file/IssueFile.ts"
import * as IssueLine from "../issue-file/IssueLine.ts"
import * as IssueLines from "../issue-file/IssueLines.ts"
import { IssueLock, type LockError } from "../issue-file/IssueLock.ts"
import * as ClassicDatabase from "../store/ClassicDatabase.ts"
import { StoreError } from "../store/IssueStore.ts"
import * as SqliteStore from "../store/SqliteStore.ts"
import * as ClassicIssues from "./ClassicIssues.ts"

export interface ClassicTakeoverOptions {
  /** The database. */
  readonly path: string
  readonly busyTimeout: Duration.DurationInput
  /** Keeps the prefix of new ids that the database names. May be called again after a crash. */
  readonly keepPrefix: (prefix: string) => Effect.Effect<void>
}

export interface TakenOver {
  readonly prefix: string | undefined
  readonly issues: number
}

export type TakeoverError = StoreError | LockError | IssueFileError | IssueLine.UnreadableLine

/** Rows and events handed to the store at a time: a parameter of some megabytes. */
const batch = 5000

const isDenied = (code: string): boolean => code === "EROFS" || code === "EACCES" || code === "EPERM"

/**
 * Takes the database over. None if it is none of the classic tool's, or no longer: then it is to be opened as any other.
 * Over the given disk: tests put crashes between two of its calls.
 */
export const run = Effect.fn("ClassicTakeover.run")(function* (
  options: ClassicTakeoverOptions,
  disk: Disk = nodeDisk
): Effect.fn.Return<Option.Option<TakenOver>, TakeoverError, IssueLock | IssueFile> {
  const lock = yield* IssueLock
  const file = yield* IssueFile
  const path = yield* ClassicDatabase.resolve(options.path)
  const directory = Path.dirname(path)
  const fresh = `${path}.new`
  const copy = `${path}.copy`
  const kept = `${path}.classic`

  const failed = ({ cause, code, operation, path: at }: DiskFailure) =>
    new StoreError({
      path,
      reason: isDenied(code) ? "readonly" : code === "ENOSPC" || code === "EDQUOT" ? "full" : "io",
      detail: `it belongs to the classic bd and could not be taken over: ${operation} failed (${code}) on ${at}`,
      cause
    })
  const disked = <A, E>(
    effect: Effect.Effect<A, E | DiskFailure>
  ): Effect.Effect<A, Exclude<E, DiskFailure> | StoreError> =>
    Effect.mapError(effect, error =>
      (error as DiskFailure)._tag === "DiskFailure" ? failed(error as DiskFailure) : (error as Exclude<E, DiskFailure>)
    )

  const removeNow = (at: string): void => {
    if (disk.stat(at) !== undefined) disk.unlink(at)
  }

  const sweep = together(() => {
    for (const suffix of ["", "-wal", "-shm", "-journal"]) removeNow(fresh + suffix)
    removeNow(copy)
  })

  const syncDirectory = fsyncDirectory(disk, directory)

  /** A new file that holds all of it, on the disk. */
  const write = (at: string, bytes: Uint8Array, mode: number) =>
    Effect.acquireUseRelease(
      disk.open(at, openToCreate, mode),
      descriptor => Effect.zipRight(writeAll(disk, { path: at, descriptor }, [bytes]), disk.fsync(at, descriptor)),
      descriptor => Effect.ignore(disk.close(at, descriptor))
    )

  const holds = Effect.fnUntraced(function* (at: string, bytes: Uint8Array) {
    const stat = yield* together(() => disk.stat(at))
    if (stat?.kind !== "file" || stat.size !== BigInt(bytes.length)) return false
    return yield* Effect.acquireUseRelease(
      disk.open(at, openToRead),
      Effect.fnUntraced(function* (descriptor) {
        const found = Buffer.alloc(bytes.length)
        for (let offset = 0; offset < found.length; ) {
          const count = yield* disk.read(at, descriptor, found.subarray(offset), offset)
          if (count === 0) return false
          offset += count
        }
        return found.equals(bytes)
      }),
      descriptor => Effect.ignore(disk.close(at, descriptor))
    )
  })

  /** Renames what stands under a name to one that is free. */
  const stepAside = (at: string): void => {
    if (disk.stat(at) === undefined) return
    let number = 2
    while (disk.stat(`${at}.${number}`) !== undefined) number++
    disk.rename(at, `${at}.${number}`)
  }

  const keep = Effect.fnUntraced(function* (image: Buffer, mode: number) {
    if (yield* holds(kept, image)) return
    yield* write(copy, image, mode)
    yield* together(() => {
      stepAside(kept)
      disk.rename(copy, kept)
    })
    yield* syncDirectory
  })

  /** The image in the place of the database: the same content, and no log that belongs to it. */
  const settle = Effect.fnUntraced(function* (image: Buffer, mode: number) {
    const log = yield* together(() => disk.stat(`${path}-wal`))
    if (log !== undefined && log.size > 0n) {
      yield* write(copy, image, mode)
      yield* together(() => disk.rename(copy, path))
      yield* syncDirectory
    }
    yield* together(() => {
      removeNow(`${path}-wal`)
      removeNow(`${path}-shm`)
    })
    yield* syncDirectory
  })

  const readFile = Effect.gen(function* () {
    const snapshot = yield* file.read
    const lines = new Map<string, Array<IssueRecord.IssueRecord>>()
    if (Option.isNone(snapshot)) return { lines, hash: undefined }
    const { lines: texts, unreadable } = IssueLines.read(snapshot.value.bytes)
    const [first] = unreadable
    if (first !== undefined) {
      return yield* new IssueLine.UnreadableLine({ path: file.path, line: first.number, reason: first.reason })
    }
    for (const { id, text } of texts) {
      const record = IssueLine.decode(text)
      if (!IssueLine.isUnreadable(record)) lines.set(id, [...(lines.get(id) ?? []), record])
    }
    return { lines, hash: snapshot.value.hash }
  })

  const build = Effect.fnUntraced(function* (
    classic: ClassicDatabase.Classic,
    found: Effect.Effect.Success<typeof readFile>
  ) {
    const isFileKnown = found.hash !== undefined && classic.knownFiles.has(found.hash)
    const writes = ClassicIssues.takeAll(classic, found.lines, isFileKnown)
    yield* Effect.gen(function* () {
      const store = yield* SqliteStore.make({ path: fresh, busyTimeout: options.busyTimeout })
      yield* store.transaction(
        Effect.gen(function* () {
          for (let i = 0; i < writes.length; i += batch) yield* store.write(writes.slice(i, i + batch))
          for (let i = 0; i < classic.events.length; i += batch)
            yield* store.addEvents(classic.events.slice(i, i + batch))
          yield* store.raiseChildCounters(classic.childCounters)
        })
      )
    }).pipe(Effect.scoped)
    const log = yield* together(() => disk.stat(`${fresh}-wal`))
    if (log !== undefined && log.size > 0n) {
      return yield* new StoreError({
        path: fresh,
        reason: "io",
        detail: "the new store could not be closed into one file"
      })
    }
  })

  const takeOver = Effect.gen(function* () {
    if (!(yield* ClassicDatabase.isAt(path))) return Option.none<TakenOver>()
    yield* disked(sweep)
    const held = yield* ClassicDatabase.hold(path, options.busyTimeout)
    const found = yield* readFile
    const classic = yield* ClassicDatabase.read(path, held)
    const mode = (yield* disked(together(() => disk.stat(path))))?.mode ?? 0o644
    yield* disked(build(classic, found))
    if (classic.prefix !== undefined) yield* options.keepPrefix(classic.prefix)
    yield* lock.verify
    yield* disked(keep(held.image, mode))
    yield* disked(settle(held.image, mode))
    yield* disked(together(() => disk.rename(fresh, path)))
    yield* disked(syncDirectory)
    yield* Effect.logWarning(
      `${path} was a database of the classic bd: its ${classic.issues.length} issues have been taken over, and it is kept as ${kept}`
    )
    return Option.some({ prefix: classic.prefix, issues: classic.issues.length })
  }).pipe(Effect.scoped)

  return yield* lock.withLock(takeOver)
})
