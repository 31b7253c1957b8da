/**
 * How reading and replacing the issue file may fail. `IssueFile` hands these on; they are a module of their own because
 * its parts fail with them too.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { DiskFailure } from "./Disk.ts"

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

export const toFailure = ({ path, operation, code, cause }: DiskFailure): IssueFileFailure =>
  new IssueFileFailure({ path, operation, code, cause })

/** What fails at the disk fails as an operation on the issue file. */
export const mapDiskFailure = <A, E, R>(
  effect: Effect.Effect<A, E | DiskFailure, R>
): Effect.Effect<A, Exclude<E, DiskFailure> | IssueFileFailure, R> =>
  Effect.mapError(effect, error =>
    error instanceof DiskFailure ? toFailure(error) : (error as Exclude<E, DiskFailure>)
  )
