/**
 * The issue file on disk: read it whole, replace it atomically and durably (G12), and notice what other programs do
 * to it meanwhile (G16). Knows bytes, stamps and hashes; what a line means is not its business.
 *
 * Every method is called under the `IssueLock`, but for `stamp`.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Schema from "effect/Schema"

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
     * Replaces the file that `expected` was read from (none: that was missing) by `bytes`: temp file, write, fsync,
     * rename, fsync of the directory. Fails with `IssueFileChanged`, writing nothing, if another program was there first.
     */
    readonly replace: (
      expected: Option.Option<Snapshot>,
      bytes: Uint8Array
    ) => Effect.Effect<Replacement, IssueFileError | IssueFileChanged>
    /**
     * What a crash between rename and comparison left: the bytes of the replaced file, still to be compared. Also
     * sweeps temp files of dead processes.
     */
    readonly recoverAside: Effect.Effect<Option.Option<Uint8Array>, IssueFileError>
    /** Lets the replaced file go. */
    readonly discardAside: Effect.Effect<void, IssueFileError>
  }
>() {}
