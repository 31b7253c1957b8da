/**
 * The issue file on disk: read it whole, replace it atomically and durably (G12), and notice what other programs do
 * to it meanwhile (G16). Knows bytes, stamps and hashes; what a line means is not its business.
 *
 * Every method is called under the `IssueLock`, but for `stamp`.
 */

import * as Crypto from "node:crypto"
import * as Path from "node:path"
import * as Clock from "effect/Clock"
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import {
  type Disk,
  DiskFailure,
  type DiskStat,
  nodeDisk,
  openDirectory,
  openToCreate,
  openToRead,
  together
} from "./Disk.ts"
import { findGit, indexLock, isBetweenSteps, isStashing } from "./GitWork.ts"
import { findTarget } from "./IssueFileTarget.ts"
import { isSameContent, isSameStamp, isSettled, publishTime, toStamp } from "./Stamps.ts"

/** What `stat` tells of a file's identity and content. Nanoseconds as decimal text. */
export interface FileStamp {
  readonly device: string
  readonly inode: string
  readonly size: number
  readonly modifiedAt: string
  readonly changedAt: string
}

/** The issue file as it was at one moment. */
export interface Snapshot {
  readonly bytes: Uint8Array
  /** SHA-256 of `bytes`, lower-case hex. */
  readonly hash: string
  /** From the descriptor that was read. */
  readonly stamp: FileStamp
  /**
   * Whether an equal stamp later means equal bytes: the modification time lies far enough back (2 s), or is one that
   * only a publish of ours sets. If not, content has to be compared (G20).
   */
  readonly settled: boolean
}

/** What a replacement left behind. */
export interface Replacement {
  /** The new file's stamp, taken from its own descriptor. */
  readonly stamp: FileStamp
  readonly hash: string
  /**
   * What another program had written into the replaced file after it was read: it must be reconciled before anything
   * else, then `discardAside` lets it go.
   */
  readonly displaced: Option.Option<Uint8Array>
  /**
   * git began its work about when the file was replaced, and may have replaced it in turn without having seen it: what
   * was published is not sure to stand, until the file was read again.
   */
  readonly contested: boolean
}

/** An operation of the file system failed; the issue file is as it was. */
export class IssueFileFailure extends Schema.TaggedError<IssueFileFailure>()("IssueFileFailure", {
  path: Schema.String,
  /** `read`, `write`, `fsync`, `rename`, … */
  operation: Schema.String,
  /** `ENOSPC`, `EIO`, `EACCES`, … */
  code: Schema.String,
  cause: Schema.Defect
}) {
  override get message() {
    return `${this.operation} failed (${this.code}) on ${this.path}; the issue file is unchanged`
  }
}

/** The path is not one we may write to: a link out of the work tree, a directory, a device. */
export class IssueFileRefused extends Schema.TaggedError<IssueFileRefused>()("IssueFileRefused", {
  path: Schema.String,
  reason: Schema.String
}) {
  override get message() {
    return `${this.path} is refused as issue file: ${this.reason}`
  }
}

/** git holds its index lock: it may be replacing the file right now. */
export class GitAtWork extends Schema.TaggedError<GitAtWork>()("GitAtWork", {
  lock: Schema.String,
  /** Milliseconds. */
  waited: Schema.Number
}) {
  override get message() {
    return `git has been at work for ${this.waited} ms (${this.lock} exists), so the issue file is left alone; try again when git is done`
  }
}

/** The file is no longer the one that was read: reconcile, then try again. */
export class IssueFileChanged extends Schema.TaggedError<IssueFileChanged>()("IssueFileChanged", {
  path: Schema.String
}) {
  override get message() {
    return `${this.path} was changed by another program meanwhile`
  }
}

export type IssueFileError = IssueFileFailure | IssueFileRefused | GitAtWork

export class IssueFile extends Context.Tag("effect-beads/IssueFile")<
  IssueFile,
  {
    /** The file itself, links resolved. */
    readonly path: string
    /** The file's stamp now, without opening it; none if there is no file. */
    readonly stamp: Effect.Effect<Option.Option<FileStamp>, IssueFileError>
    /**
     * Waits while git is at work, then reads the whole file; none if there is no file. The stamp is taken from the
     * descriptor before and after, and the read repeated until both agree.
     */
    readonly read: Effect.Effect<Option.Option<Snapshot>, IssueFileError>
    /**
     * As `read`. `hashOf` tells the hash of what the file holds while it has a stamp; where it knows, none is computed,
     * which takes longer than all the reading.
     */
    readonly readKnown: (
      hashOf: (stamp: FileStamp) => string | undefined
    ) => Effect.Effect<Option.Option<Snapshot>, IssueFileError>
    /**
     * Replaces the file that `expected` was read from (none: that was missing) by `content`, in one or in pieces: temp file, write,
     * fsync, rename, fsync of the directory. Fails with `IssueFileChanged`, writing nothing, if another program was there first.
     */
    readonly replace: (
      expected: Option.Option<Snapshot>,
      content: Uint8Array | ReadonlyArray<Uint8Array>
    ) => Effect.Effect<Replacement, IssueFileError | IssueFileChanged>
    /**
     * What a crash between rename and comparison left: the bytes of the replaced file, still to be compared. Also
     * sweeps temp files of dead processes.
     */
    readonly recoverAside: Effect.Effect<Option.Option<Uint8Array>, IssueFileError>
    /** Lets the replaced file go, and makes its replacement last: marks may be cleared by what stands there now. */
    readonly discardAside: Effect.Effect<void, IssueFileError>
    /**
     * Keeps what a replaced file held (`bytes`) for the user, because it cannot be read: under a name that git ignores
     * and that nothing here ever removes. Gives its path.
     */
    readonly quarantineAside: (bytes: Uint8Array) => Effect.Effect<string, IssueFileError>
  }
>() {}

export interface IssueFileOptions {
  /** The issue file as it was named; may be a link to a regular file inside the work tree. */
  readonly path: string
  /** The directory the file must lie in. Default: the git work tree, outside of git the directory above `.beads`. */
  readonly workTree?: string
  /** How long git may be at work. More: a stale `index.lock` is reported later. Less: a long checkout fails commands. */
  readonly gitTimeout: Duration.DurationInput
}

/** Read and hashed at a time: about a millisecond of work. */
const chunkLength = 1 << 20

/** Written at a time, by the pool: few, so that they are through, and their fsync begun, while the bytes are hashed. */
const writeLength = 8 << 20

const newFileMode = 0o644

/** How long git that seems to be between two steps is waited for, in milliseconds. */
const gitPatience = 300

/** How often a file that keeps changing after it was replaced is read before the last reading has to do. */
const quietTries = 20

/** These say that the file system, or its policy, has no hard links to give; not that something went wrong. */
const noLinks = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"])

/** While git works, or the file changes under a reader: 5, 10, 20, 40, then 50 ms, each a fifth more or less. */
const polling = Schedule.exponential("5 millis").pipe(Schedule.union(Schedule.spaced("50 millis")), Schedule.jittered)

/** The replaced file, held until it has been compared: by its aside name or, where links cannot be made, open. */
type Replaced = { readonly aside: true } | { readonly aside: false; readonly descriptor: number }

/** What the synchronous step of a replacement came to. */
type Step =
  | { readonly _tag: "GitAtWork" }
  | { readonly _tag: "Changed" }
  | {
      readonly _tag: "Placed"
      readonly stamp: FileStamp
      readonly replaced: Replaced | undefined
      readonly contested: boolean
    }

const toFailure = ({ path, operation, code, cause }: DiskFailure): IssueFileFailure =>
  new IssueFileFailure({ path, operation, code, cause })

const mapDiskFailure = <A, E, R>(
  effect: Effect.Effect<A, E | DiskFailure, R>
): Effect.Effect<A, Exclude<E, DiskFailure> | IssueFileFailure, R> =>
  Effect.mapError(effect, error =>
    error instanceof DiskFailure ? toFailure(error) : (error as Exclude<E, DiskFailure>)
  )

/** For what may fail without harm. */
const quietly = (run: () => void): void => {
  try {
    run()
  } catch (cause) {
    if (!(cause instanceof DiskFailure)) throw cause
  }
}

/** Never ends in `.jsonl` or `.db`: viewers load whatever does. */
const tempName = (name: string, random: string): string => `.${name}.${process.pid}.${random}.tmp`

const isTempName = (name: string, entry: string): boolean =>
  entry.startsWith(`.${name}.`) && /^\d+\.[0-9a-f]+\.tmp$/.test(entry.slice(name.length + 2))

const randomHex = Effect.map(Random.nextIntBetween(0, 2 ** 32), number => number.toString(16))

/** Until the event loop has been round: what the pool has finished is noticed, and what comes after it begun. */
const turn = Effect.async<void>(resume => {
  setImmediate(() => resume(Effect.void))
})

/** SHA-256, lower-case hex, of bytes that are being written: the longest of all the work, and the pool does the rest. */
const hashWhile = Effect.fnUntraced(function* (pieces: ReadonlyArray<Uint8Array>) {
  const hash = Crypto.createHash("sha256")
  for (const bytes of pieces) {
    for (let offset = 0; offset < bytes.length; offset += chunkLength) {
      yield* turn
      hash.update(bytes.subarray(offset, offset + chunkLength))
    }
  }
  return hash.digest("hex")
})

/** Over the given disk: tests put other programs between two of its calls. */
export const make = Effect.fnUntraced(function* (options: IssueFileOptions, disk: Disk = nodeDisk) {
  const gitTimeout = Duration.toMillis(options.gitTimeout)
  // git runs hooks under its own lock: to wait for it there would be to wait for ourselves
  const insideHook = Option.isSome(yield* Effect.orDie(Config.option(Config.string("GIT_INDEX_FILE"))))

  /** The file that the options lead to. Links may be turned elsewhere, so it is asked again before each use. */
  const findPath = Effect.flatMap(
    together(() => findTarget(disk, options.path, options.workTree)),
    found =>
      found._tag === "Target"
        ? Effect.succeed(found.path)
        : Effect.fail(new IssueFileRefused({ path: options.path, reason: found.reason }))
  )
  const path = yield* Effect.catchTag(findPath, "DiskFailure", toFailure)
  const directory = Path.dirname(path)
  const name = Path.basename(path)
  const aside = Path.join(directory, `.${name}.aside`)
  const git = yield* Effect.mapError(
    together(() => findGit(disk, directory)),
    toFailure
  )
  const watched = insideHook ? undefined : git
  const gitLock = watched === undefined ? undefined : indexLock(watched)

  const checkPath = Effect.flatMap(findPath, found =>
    found === path
      ? Effect.void
      : Effect.fail(
          new IssueFileRefused({ path: options.path, reason: `it led to ${path}, and now leads to ${found}` })
        )
  )

  /** Synchronous, throws `DiskFailure`; so do all that return no effect. */
  const gitIsAtWork = (): boolean => gitLock !== undefined && disk.stat(gitLock) !== undefined

  const waitForGit = Effect.fnUntraced(function* (since: number) {
    const pauses = yield* Schedule.driver(polling)
    while (yield* together(gitIsAtWork)) {
      const waited = (yield* Clock.currentTimeMillis) - since
      if (waited >= gitTimeout) return yield* new GitAtWork({ lock: gitLock ?? "", waited })
      yield* Effect.ignore(pauses.next(undefined))
    }
  })

  /** When git, which never seemed to rest, may be waited for again. */
  let courteousFrom = 0

  /** As `waitForGit`, and until git seems to be through with what it does; but git that never rests holds nobody up. */
  const letGitFinish = Effect.fnUntraced(function* (since: number) {
    const began = yield* Clock.currentTimeMillis
    const pauses = yield* Schedule.driver(polling)
    for (;;) {
      yield* waitForGit(since)
      const now = yield* Clock.currentTimeMillis
      if (now < courteousFrom) return
      if (!(yield* together(() => watched !== undefined && isBetweenSteps(disk, watched, now)))) return
      if (now - began >= gitPatience) courteousFrom = now + gitTimeout
      yield* Effect.ignore(pauses.next(undefined))
    }
  })

  const stampNow = (): FileStamp | undefined => {
    const stat = disk.stat(path)
    return stat === undefined ? undefined : toStamp(stat)
  }

  /** All of an open file, with its hash unless that is known; none if it was cut off meanwhile. */
  const readBytes = Effect.fnUntraced(function* (from: string, descriptor: number, size: number, known?: string) {
    const bytes = Buffer.allocUnsafe(size)
    const hash = known === undefined ? Crypto.createHash("sha256") : undefined
    for (let offset = 0; offset < size; ) {
      const length = known === undefined ? Math.min(chunkLength, size - offset) : size - offset
      const count = yield* disk.read(from, descriptor, bytes, offset, length)
      if (count === 0) return Option.none()
      hash?.update(bytes.subarray(offset, offset + count))
      offset += count
    }
    return Option.some({ bytes, hash: known ?? hash?.digest("hex") ?? "" })
  })

  /** One look: the outer none says that nothing could be made out, the inner one that there is no file. */
  const look = Effect.fnUntraced(function* (hashOf: (stamp: FileStamp) => string | undefined) {
    if ((yield* together(stampNow)) === undefined) {
      // git may have begun since we waited for it, even have come to its end
      const missing = yield* together(() => !gitIsAtWork() && stampNow() === undefined)
      return missing ? Option.some(Option.none<Snapshot>()) : Option.none()
    }
    const began = yield* Clock.currentTimeMillis
    return yield* Effect.acquireUseRelease(
      disk.open(path, openToRead),
      Effect.fnUntraced(function* (descriptor) {
        const stat = yield* together(() => disk.statOpen(path, descriptor))
        if (stat.kind !== "file") return yield* new IssueFileRefused({ path, reason: "it is not a regular file" })
        const before = toStamp(stat)
        const content = yield* readBytes(path, descriptor, before.size, hashOf(before))
        // git first: if it is done by then, what it wrote shows in the stamps
        const still = yield* together(() => {
          if (gitIsAtWork()) return false
          const named = stampNow()
          return (
            named !== undefined &&
            isSameStamp(before, named) &&
            isSameStamp(before, toStamp(disk.statOpen(path, descriptor)))
          )
        })
        return still
          ? Option.map(content, read => Option.some({ ...read, stamp: before, settled: isSettled(before, began) }))
          : Option.none()
      }),
      descriptor => Effect.ignore(disk.close(path, descriptor))
    ).pipe(
      Effect.catchIf(
        failure => failure._tag === "DiskFailure" && failure.code === "ENOENT",
        () => Effect.succeedNone
      )
    )
  })

  const readKnown = Effect.fn("IssueFile.read")(function* (hashOf: (stamp: FileStamp) => string | undefined) {
    const since = yield* Clock.currentTimeMillis
    const pauses = yield* Schedule.driver(polling)
    for (;;) {
      yield* waitForGit(since)
      yield* checkPath
      const found = yield* look(hashOf)
      if (Option.isSome(found)) return found.value
      if ((yield* Clock.currentTimeMillis) - since >= gitTimeout) {
        yield* waitForGit(since)
        const cause = new Error("the file kept changing while it was read")
        return yield* new IssueFileFailure({ path, operation: "read", code: "EBUSY", cause })
      }
      yield* Effect.ignore(pauses.next(undefined))
    }
  }, mapDiskFailure)

  /** Every byte, however few the system takes at a time. */
  const writeBytes = Effect.fnUntraced(function* (temp: string, descriptor: number, pieces: ReadonlyArray<Uint8Array>) {
    for (const bytes of pieces) {
      for (let offset = 0; offset < bytes.length; ) {
        offset += yield* disk.write(temp, descriptor, bytes, offset, Math.min(writeLength, bytes.length - offset))
      }
    }
  })

  /** Gives the temp file the mode, and where that is allowed the owner, of the file it replaces. */
  const dress = (temp: string, descriptor: number, replaced: DiskStat | undefined, nowMillis: number): void => {
    if (replaced !== undefined) {
      const own = disk.statOpen(temp, descriptor)
      if (own.owner !== replaced.owner || own.group !== replaced.group) {
        // only root may give files away
        quietly(() => disk.setOwner(temp, descriptor, replaced.owner, replaced.group))
      }
      disk.setMode(temp, descriptor, replaced.mode)
    }
    disk.setModified(temp, descriptor, publishTime(nowMillis, replaced?.modifiedAt))
  }

  /** Keeps hold of the file that is about to be replaced; none if it is gone. */
  const keepReplaced = (): Replaced | undefined => {
    try {
      disk.link(path, aside)
      return { aside: true }
    } catch (cause) {
      if (cause instanceof DiskFailure && cause.code === "ENOENT") return undefined
      if (!(cause instanceof DiskFailure) || !noLinks.has(cause.code)) throw cause
      return { aside: false, descriptor: disk.openNow(path, openToRead) }
    }
  }

  const letGo = (replaced: Replaced): void =>
    // an aside that stays is met by the next holder of the lock, who will know it
    quietly(() => (replaced.aside ? disk.unlink(aside) : disk.closeNow(path, replaced.descriptor)))

  /** Puts the temp file where there is none yet; false if there is one by now. */
  const placeFirst = (temp: string): boolean => {
    try {
      disk.link(temp, path)
    } catch (cause) {
      if (cause instanceof DiskFailure && cause.code === "EEXIST") return false
      if (!(cause instanceof DiskFailure) || !noLinks.has(cause.code)) throw cause
      disk.rename(temp, path)
      return true
    }
    quietly(() => disk.unlink(temp))
    return true
  }

  /** Look, link, rename, look without a pause. If it throws, the file is as it was. */
  const place = (temp: string, descriptor: number, expected: FileStamp | undefined): Step => {
    if (gitIsAtWork()) return { _tag: "GitAtWork" }
    /** git that took its lock since the first look may have found the old file, and be about to replace it. */
    const placed = (replaced: Replaced | undefined): Step => {
      const stamp = toStamp(disk.statOpen(path, descriptor))
      const named = stampNow()
      const contested =
        gitIsAtWork() ||
        (watched !== undefined && isStashing(disk, watched)) ||
        named === undefined ||
        !isSameStamp(named, stamp)
      return { _tag: "Placed", stamp, replaced, contested }
    }
    const found = stampNow()
    if (expected === undefined || found === undefined) {
      if (expected !== found || !placeFirst(temp)) return { _tag: "Changed" }
      return placed(undefined)
    }
    if (!isSameStamp(expected, found)) return { _tag: "Changed" }
    const replaced = keepReplaced()
    if (replaced === undefined) return { _tag: "Changed" }
    try {
      // a link may take its time: git that began meanwhile, and has taken the file away, could not put its own there
      if (gitIsAtWork()) {
        letGo(replaced)
        return { _tag: "GitAtWork" }
      }
      disk.rename(temp, path)
    } catch (cause) {
      letGo(replaced)
      throw cause
    }
    return placed(replaced)
  }

  /** A rename that may not last is taken back, unless somebody has changed the new file already. */
  const takeBack = ({ stamp, replaced }: Extract<Step, { _tag: "Placed" }>): void =>
    quietly(() => {
      const found = stampNow()
      if (replaced?.aside === false) return letGo(replaced)
      if (found === undefined || !isSameStamp(found, stamp)) return
      if (replaced === undefined) disk.unlink(path)
      else disk.rename(aside, path)
    })

  const fsyncDirectory = Effect.suspend(() =>
    Effect.acquireUseRelease(
      disk.open(directory, openDirectory),
      descriptor => disk.fsync(directory, descriptor),
      descriptor => Effect.ignore(disk.close(directory, descriptor))
    )
  )

  /** A file that another program, git perhaps, may still be writing to, read until it is quiet. */
  const readQuiet = Effect.fnUntraced(function* (from: string, descriptor: number) {
    const pauses = yield* Schedule.driver(polling)
    let bytes: Uint8Array = new Uint8Array()
    for (let tries = 1; tries <= quietTries; tries++) {
      const before = yield* together(() => toStamp(disk.statOpen(from, descriptor)))
      const content = yield* readBytes(from, descriptor, before.size)
      if (Option.isSome(content)) bytes = content.value.bytes
      const after = yield* together(() => toStamp(disk.statOpen(from, descriptor)))
      if (Option.isSome(content) && isSameContent(before, after) && !(yield* together(gitIsAtWork))) break
      yield* Effect.ignore(pauses.next(undefined))
    }
    return bytes
  })

  /** What the replaced file held other than what was read of it, if anything. */
  const findDisplaced = (replaced: Replaced, expected: Snapshot) =>
    Effect.acquireUseRelease(
      replaced.aside ? disk.open(aside, openToRead) : Effect.succeed(replaced.descriptor),
      Effect.fnUntraced(function* (descriptor) {
        const stamp = yield* together(() => toStamp(disk.statOpen(aside, descriptor)))
        if (expected.settled && isSameContent(stamp, expected.stamp)) return Option.none()
        const bytes = yield* readQuiet(aside, descriptor)
        return Buffer.compare(bytes, expected.bytes) === 0 ? Option.none() : Option.some(bytes)
      }),
      descriptor => Effect.ignore(disk.close(aside, descriptor))
    )

  /** From the rename on nothing is left half-way: uninterruptible, and short. */
  const publish = (temp: string, descriptor: number, expected: Option.Option<Snapshot>) =>
    Effect.uninterruptible(
      Effect.gen(function* () {
        const step = yield* together(() => place(temp, descriptor, Option.getOrUndefined(expected)?.stamp))
        if (step._tag !== "Placed") return step
        yield* Effect.tapError(fsyncDirectory, () => Effect.sync(() => takeBack(step)))
        if (step.replaced === undefined || Option.isNone(expected)) {
          return { ...step, displaced: Option.none<Uint8Array>() }
        }
        const displaced = yield* findDisplaced(step.replaced, expected.value)
        if (step.replaced.aside && Option.isNone(displaced)) letGo(step.replaced)
        return { ...step, displaced }
      })
    )

  const replace = Effect.fn("IssueFile.replace")(function* (
    expected: Option.Option<Snapshot>,
    content: Uint8Array | ReadonlyArray<Uint8Array>
  ) {
    const since = yield* Clock.currentTimeMillis
    yield* waitForGit(since)
    yield* checkPath
    const replaced = yield* together(() => disk.stat(path))
    const temp = Path.join(directory, tempName(name, yield* randomHex))
    return yield* Effect.acquireUseRelease(
      disk.open(temp, openToCreate, newFileMode),
      Effect.fnUntraced(function* (descriptor) {
        const pieces = content instanceof Uint8Array ? [content] : content
        const write = Effect.gen(function* () {
          yield* writeBytes(temp, descriptor, pieces)
          const now = yield* Clock.currentTimeMillis
          yield* together(() => dress(temp, descriptor, replaced, now))
          yield* disk.fsync(temp, descriptor)
        })
        const [hash] = yield* Effect.all([hashWhile(pieces), write], { concurrency: 2 })
        for (;;) {
          yield* letGitFinish(since)
          const step = yield* publish(temp, descriptor, expected)
          if (step._tag === "GitAtWork") continue
          if (step._tag === "Changed") return yield* new IssueFileChanged({ path })
          if (step.contested) {
            // without an aside, what was displaced is all there is of it: handed over, whatever git does
            yield* Option.isSome(step.displaced) ? Effect.ignore(letGitFinish(since)) : letGitFinish(since)
          }
          return { stamp: step.stamp, hash, displaced: step.displaced, contested: step.contested }
        }
      }),
      descriptor =>
        Effect.andThen(
          Effect.ignore(disk.close(temp, descriptor)),
          Effect.sync(() => quietly(() => disk.unlink(temp)))
        )
    )
  }, mapDiskFailure)

  const sweep = Effect.fnUntraced(function* () {
    for (const entry of yield* disk.list(directory)) {
      if (isTempName(name, entry)) yield* together(() => disk.unlink(Path.join(directory, entry)))
    }
  })

  const recoverAside = Effect.fn("IssueFile.recoverAside")(function* () {
    yield* sweep()
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
      yield* Effect.acquireUseRelease(
        disk.open(aside, openToRead),
        descriptor => readQuiet(aside, descriptor),
        descriptor => Effect.ignore(disk.close(aside, descriptor))
      )
    )
  }, mapDiskFailure)

  const quarantineAside = Effect.fn("IssueFile.quarantineAside")(function* (bytes: Uint8Array) {
    const hash = Crypto.createHash("sha256").update(bytes).digest("hex")
    const kept = Path.join(directory, `.${name}.${hash.slice(0, 12)}.aside`)
    yield* Effect.if(
      together(() => disk.stat(aside) !== undefined),
      {
        onTrue: () => together(() => disk.rename(aside, kept)),
        // where links cannot be made, the replaced file is gone: then these bytes are all there is
        onFalse: () =>
          Effect.acquireUseRelease(
            disk.open(kept, openToCreate, newFileMode),
            descriptor => Effect.zipRight(writeBytes(kept, descriptor, [bytes]), disk.fsync(kept, descriptor)),
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
    yield* fsyncDirectory
    return kept
  }, mapDiskFailure)

  return IssueFile.of({
    path,
    quarantineAside,
    stamp: mapDiskFailure(
      Effect.andThen(
        checkPath,
        together(() => Option.fromNullable(stampNow()))
      )
    ),
    read: readKnown(() => undefined),
    readKnown,
    replace,
    recoverAside: Effect.suspend(recoverAside),
    // a crash may have come before the directory's fsync: whoever lets the aside go answers for the rename as well
    discardAside: Effect.suspend(() =>
      mapDiskFailure(
        Effect.gen(function* () {
          if ((yield* together(() => disk.stat(aside))) === undefined) return
          yield* together(() => disk.unlink(aside))
          yield* fsyncDirectory
        })
      )
    )
  })
})

export const layer = (options: IssueFileOptions): Layer.Layer<IssueFile, IssueFileFailure | IssueFileRefused> =>
  Layer.effect(IssueFile, make(options))

/** For reading only: nothing is replaced, and what a crash left is left for the next that writes. */
export const layerReadOnly = (options: IssueFileOptions): Layer.Layer<IssueFile, IssueFileFailure | IssueFileRefused> =>
  Layer.effect(
    IssueFile,
    Effect.map(make(options), file =>
      IssueFile.of({
        ...file,
        replace: () => Effect.fail(new IssueFileRefused({ path: file.path, reason: "it is open for reading only" })),
        recoverAside: Effect.succeedNone,
        discardAside: Effect.void,
        quarantineAside: () => Effect.succeed(file.path)
      })
    )
  )
