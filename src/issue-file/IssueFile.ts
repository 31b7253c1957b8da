/**
 * The issue file on disk: read it whole, replace it atomically and durably (G12), and notice what other programs do
 * to it meanwhile (G16). Knows bytes, stamps and hashes; what a line means is not its business.
 *
 * Every method is called under the `IssueLock`, but for `stamp`.
 */

import * as Path from "node:path"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import * as Aside from "./Aside.ts"
import {
  type Disk,
  DiskFailure,
  type DiskStat,
  fsyncDirectory,
  isWithoutLinks,
  newFileMode,
  nodeDisk,
  openToCreate,
  openToRead,
  quietly,
  together
} from "./Disk.ts"
import { type Edit, editAll, type OpenFile, pieceLength, readAll, writeHashed } from "./FileBytes.ts"
import * as GitWatch from "./GitWatch.ts"
import {
  IssueFileChanged,
  type IssueFileError,
  IssueFileFailure,
  IssueFileRefused,
  mapDiskFailure,
  toFailure
} from "./IssueFileError.ts"
import { findTarget } from "./IssueFileTarget.ts"
import { type FileStamp, isSameStamp, isSettled, publishTime, toStamp } from "./Stamps.ts"

export {
  GitAtWork,
  IssueFileChanged,
  type IssueFileError,
  IssueFileFailure,
  IssueFileRefused
} from "./IssueFileError.ts"
export type { FileStamp } from "./Stamps.ts"

/** The issue file as it was at one moment: what its bytes were, without them. */
export interface Standing {
  /** SHA-256 of the bytes, lower-case hex. */
  readonly hash: string
  readonly stamp: FileStamp
  /**
   * Whether an equal stamp later means equal bytes: the modification time lies far enough back (2 s), or is one that
   * only a publish of ours sets. If not, content has to be compared (G20).
   */
  readonly settled: boolean
}

/** The issue file as it was read; the stamp is from the descriptor that was read. */
export interface Snapshot extends Standing {
  readonly bytes: Uint8Array
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

/** As `Replacement`, of content that was not known before it was written. */
export interface Rewritten extends Replacement {
  /** Bytes of the new file. */
  readonly size: number
}

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
      expected: Option.Option<Standing>,
      content: Uint8Array | ReadonlyArray<Uint8Array>
    ) => Effect.Effect<Replacement, IssueFileError | IssueFileChanged>
    /**
     * As `replace`, by what `edit` makes of the file that is `expected`, which has to be `settled`: it is read again while
     * the new one is written, a part at a time, and as long as its stamp stays its bytes are the known ones. None, with
     * nothing replaced, if the edit cannot be done part by part.
     */
    readonly rewrite: (
      expected: Standing,
      edit: Edit
    ) => Effect.Effect<Option.Option<Rewritten>, IssueFileError | IssueFileChanged>
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

/** What the synchronous step of a replacement came to. */
type Step =
  | { readonly _tag: "GitAtWork" }
  | { readonly _tag: "Changed" }
  | {
      readonly _tag: "Placed"
      readonly stamp: FileStamp
      readonly replaced: Aside.Replaced | undefined
      readonly contested: boolean
    }

/** Never ends in `.jsonl` or `.db`: viewers load whatever does. */
const tempName = (name: string, random: string): string => `.${name}.${process.pid}.${random}.tmp`

const isTempName = (name: string, entry: string): boolean =>
  entry.startsWith(`.${name}.`) && /^\d+\.[0-9a-f]+\.tmp$/.test(entry.slice(name.length + 2))

const randomHex = Effect.map(Random.nextIntBetween(0, 2 ** 32), number => number.toString(16))

/** Over the given disk: tests put other programs between two of its calls. */
export const make = Effect.fnUntraced(function* (options: IssueFileOptions, disk: Disk = nodeDisk) {
  const gitTimeout = Duration.toMillis(options.gitTimeout)

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
  const git = yield* Effect.mapError(GitWatch.make(disk, directory, gitTimeout), toFailure)
  const aside = Aside.make(disk, path, git)

  const checkPath = Effect.flatMap(findPath, found =>
    found === path
      ? Effect.void
      : Effect.fail(
          new IssueFileRefused({ path: options.path, reason: `it led to ${path}, and now leads to ${found}` })
        )
  )

  const stampNow = (): FileStamp | undefined => {
    const stat = disk.stat(path)
    return stat === undefined ? undefined : toStamp(stat)
  }

  /** One look: the outer none says that nothing could be made out, the inner one that there is no file. */
  const look = Effect.fnUntraced(function* (hashOf: (stamp: FileStamp) => string | undefined) {
    if ((yield* together(stampNow)) === undefined) {
      // git may have begun since we waited for it, even have come to its end
      const missing = yield* together(() => !git.isAtWork() && stampNow() === undefined)
      return missing ? Option.some(Option.none<Snapshot>()) : Option.none()
    }
    const began = yield* Clock.currentTimeMillis
    return yield* Effect.acquireUseRelease(
      disk.open(path, openToRead),
      Effect.fnUntraced(function* (descriptor) {
        const stat = yield* together(() => disk.statOpen(path, descriptor))
        if (stat.kind !== "file") return yield* new IssueFileRefused({ path, reason: "it is not a regular file" })
        const before = toStamp(stat)
        const content = yield* readAll(disk, { path, descriptor }, before.size, hashOf(before))
        // git first: if it is done by then, what it wrote shows in the stamps
        const still = yield* together(() => {
          if (git.isAtWork()) return false
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
    const pauses = yield* Schedule.driver(GitWatch.polling)
    for (;;) {
      yield* git.wait(since)
      yield* checkPath
      const found = yield* look(hashOf)
      if (Option.isSome(found)) return found.value
      if ((yield* Clock.currentTimeMillis) - since >= gitTimeout) {
        yield* git.wait(since)
        const cause = new Error("the file kept changing while it was read")
        return yield* new IssueFileFailure({ path, operation: "read", code: "EBUSY", cause })
      }
      yield* Effect.ignore(pauses.next(undefined))
    }
  }, mapDiskFailure)

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

  /** Puts the temp file where there is none yet; false if there is one by now. */
  const placeFirst = (temp: string): boolean => {
    try {
      disk.link(temp, path)
    } catch (cause) {
      if (cause instanceof DiskFailure && cause.code === "EEXIST") return false
      if (!isWithoutLinks(cause)) throw cause
      disk.rename(temp, path)
      return true
    }
    quietly(() => disk.unlink(temp))
    return true
  }

  /** Look, link, rename, look without a pause. If it throws, the file is as it was. */
  const place = (temp: string, descriptor: number, expected: FileStamp | undefined): Step => {
    if (git.isAtWork()) return { _tag: "GitAtWork" }
    /** git that took its lock since the first look may have found the old file, and be about to replace it. */
    const placed = (replaced: Aside.Replaced | undefined): Step => {
      const stamp = toStamp(disk.statOpen(path, descriptor))
      const named = stampNow()
      const contested = git.isAtWork() || git.isStashing() || named === undefined || !isSameStamp(named, stamp)
      return { _tag: "Placed", stamp, replaced, contested }
    }
    const found = stampNow()
    if (expected === undefined || found === undefined) {
      if (expected !== found || !placeFirst(temp)) return { _tag: "Changed" }
      return placed(undefined)
    }
    if (!isSameStamp(expected, found)) return { _tag: "Changed" }
    const replaced = aside.keep()
    if (replaced === undefined) return { _tag: "Changed" }
    try {
      // a link may take its time: git that began meanwhile, and has taken the file away, could not put its own there
      if (git.isAtWork()) {
        aside.letGo(replaced)
        return { _tag: "GitAtWork" }
      }
      disk.rename(temp, path)
    } catch (cause) {
      aside.letGo(replaced)
      throw cause
    }
    return placed(replaced)
  }

  /** A rename that may not last is taken back, unless somebody has changed the new file already. */
  const takeBack = ({ stamp, replaced }: Extract<Step, { _tag: "Placed" }>): void =>
    quietly(() => {
      const found = stampNow()
      if (replaced?.aside === false) return aside.letGo(replaced)
      if (found === undefined || !isSameStamp(found, stamp)) return
      if (replaced === undefined) disk.unlink(path)
      else aside.putBack()
    })

  /** From the rename on nothing is left half-way: uninterruptible, and short. */
  const publish = (temp: string, descriptor: number, expected: Option.Option<Standing>) =>
    Effect.uninterruptible(
      Effect.gen(function* () {
        const step = yield* together(() => place(temp, descriptor, Option.getOrUndefined(expected)?.stamp))
        if (step._tag !== "Placed") return step
        yield* Effect.tapError(fsyncDirectory(disk, directory), () => Effect.sync(() => takeBack(step)))
        if (step.replaced === undefined || Option.isNone(expected)) {
          return { ...step, displaced: Option.none<Uint8Array>() }
        }
        const displaced = yield* aside.findDisplaced(step.replaced, expected.value)
        if (step.replaced.aside && Option.isNone(displaced)) aside.letGo(step.replaced)
        return { ...step, displaced }
      })
    )

  /** Replaces the file by what `fill` writes into the temp file; none, with nothing replaced, where that gives none. */
  const replaceBy = Effect.fnUntraced(function* <A extends { readonly hash: string }, E>(
    since: number,
    expected: Option.Option<Standing>,
    fill: (temp: OpenFile) => Effect.Effect<Option.Option<A>, E | DiskFailure>
  ) {
    const replaced = yield* together(() => disk.stat(path))
    const temp = Path.join(directory, tempName(name, yield* randomHex))
    return yield* Effect.acquireUseRelease(
      disk.open(temp, openToCreate, newFileMode),
      Effect.fnUntraced(function* (descriptor) {
        const filled = yield* fill({ path: temp, descriptor })
        if (Option.isNone(filled)) return Option.none()
        const now = yield* Clock.currentTimeMillis
        yield* together(() => dress(temp, descriptor, replaced, now))
        yield* disk.fsync(temp, descriptor)
        for (;;) {
          yield* git.letFinish(since)
          const step = yield* publish(temp, descriptor, expected)
          if (step._tag === "GitAtWork") continue
          if (step._tag === "Changed") return yield* new IssueFileChanged({ path })
          if (step.contested) {
            // without an aside, what was displaced is all there is of it: handed over, whatever git does
            yield* Option.isSome(step.displaced) ? Effect.ignore(git.letFinish(since)) : git.letFinish(since)
          }
          return Option.some({
            ...filled.value,
            stamp: step.stamp,
            displaced: step.displaced,
            contested: step.contested
          })
        }
      }),
      descriptor =>
        Effect.andThen(
          Effect.ignore(disk.close(temp, descriptor)),
          Effect.sync(() => quietly(() => disk.unlink(temp)))
        )
    )
  })

  const replace = Effect.fn("IssueFile.replace")(function* (
    expected: Option.Option<Standing>,
    content: Uint8Array | ReadonlyArray<Uint8Array>
  ) {
    const since = yield* Clock.currentTimeMillis
    yield* git.wait(since)
    yield* checkPath
    const pieces = content instanceof Uint8Array ? [content] : content
    const done = yield* replaceBy(since, expected, temp =>
      Effect.map(writeHashed(disk, temp, pieces), hash => Option.some({ hash }))
    )
    return Option.getOrThrow(done)
  }, mapDiskFailure)

  /** What a rewrite reads into: used again, since a fresh page costs as much as what is done with it. */
  let room: Buffer | undefined

  const rewrite = Effect.fn("IssueFile.rewrite")(function* (expected: Standing, edit: Edit) {
    const since = yield* Clock.currentTimeMillis
    yield* git.wait(since)
    yield* checkPath
    return yield* Effect.acquireUseRelease(
      disk.open(path, openToRead),
      Effect.fnUntraced(function* (source) {
        const stamp = yield* together(() => toStamp(disk.statOpen(path, source)))
        if (!isSameStamp(stamp, expected.stamp)) return yield* new IssueFileChanged({ path })
        room ??= Buffer.allocUnsafeSlow(pieceLength)
        const from = { path, descriptor: source }
        const into = room
        return yield* replaceBy(
          since,
          Option.some(expected),
          Effect.fnUntraced(function* (temp) {
            const edited = yield* editAll(disk, from, stamp.size, temp, edit, into)
            if (edited._tag === "CutOff") return yield* new IssueFileChanged({ path })
            return edited._tag === "GivenUp" ? Option.none() : Option.some(edited)
          })
        )
      }),
      source => Effect.sync(() => disk.letGo(source))
    ).pipe(
      Effect.catchIf(
        failure => failure._tag === "DiskFailure" && failure.code === "ENOENT" && failure.path === path,
        () => Effect.fail(new IssueFileChanged({ path }))
      )
    )
  }, mapDiskFailure)

  const sweep = Effect.fnUntraced(function* () {
    for (const entry of yield* together(() => disk.listNow(directory))) {
      if (isTempName(name, entry)) yield* together(() => disk.unlink(Path.join(directory, entry)))
    }
  })

  const recoverAside = Effect.fn("IssueFile.recoverAside")(function* () {
    yield* sweep()
    return yield* aside.recover
  }, mapDiskFailure)

  return IssueFile.of({
    path,
    stamp: mapDiskFailure(
      Effect.andThen(
        checkPath,
        together(() => Option.fromNullable(stampNow()))
      )
    ),
    read: readKnown(() => undefined),
    readKnown,
    replace,
    rewrite,
    recoverAside: Effect.suspend(recoverAside),
    discardAside: mapDiskFailure(aside.discard),
    quarantineAside: Effect.fn("IssueFile.quarantineAside")(aside.quarantine, mapDiskFailure)
  })
})

export const layer = (options: IssueFileOptions): Layer.Layer<IssueFile, IssueFileFailure | IssueFileRefused> =>
  Layer.effect(IssueFile, make(options))

/** For reading only: nothing is replaced, and what a crash left is left for the next that writes. */
export const makeReadOnly = (options: IssueFileOptions) =>
  Effect.map(make(options), file => {
    const refused = Effect.suspend(() =>
      Effect.fail(new IssueFileRefused({ path: file.path, reason: "it is open for reading only" }))
    )
    return IssueFile.of({
      ...file,
      replace: () => refused,
      rewrite: () => refused,
      recoverAside: Effect.succeedNone,
      discardAside: Effect.void,
      quarantineAside: () => Effect.succeed(file.path)
    })
  })
