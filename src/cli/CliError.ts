/**
 * What can be wrong with a command line, before or beside any work on issues.
 */
import * as Schema from "effect/Schema"

/** The command line cannot be read: an unknown flag or command, a word too many, a value missing. */
export class UsageError extends Schema.TaggedError<UsageError>()("UsageError", {
  detail: Schema.String,
  hint: Schema.UndefinedOr(Schema.String)
}) {
  override get message() {
    return this.detail
  }
}

/** A flag was given a value that it does not take. */
export class InvalidFlag extends Schema.TaggedError<InvalidFlag>()("InvalidFlag", {
  flag: Schema.String,
  value: Schema.String,
  expected: Schema.String
}) {
  override get message() {
    return `invalid value ${JSON.stringify(this.value)} for ${this.flag}: expected ${this.expected}`
  }
}

/** There is no `.beads` to work on. */
export class WorkspaceNotFound extends Schema.TaggedError<WorkspaceNotFound>()("WorkspaceNotFound", {
  directory: Schema.String,
  /** The directory was named, by flag or environment; else it is where the search began. */
  named: Schema.Boolean
}) {
  override get message() {
    // others match the first words
    return this.named
      ? `no beads database found in ${JSON.stringify(this.directory)}, which --db, BEADS_DB or BEADS_DIR names`
      : "no beads database found"
  }
  get hint() {
    return "run 'bd init' to set one up in the current directory, or set BEADS_DIR to point to a .beads directory"
  }
}

/** What lies in `.beads` cannot be worked on as it is. */
export class WorkspaceInvalid extends Schema.TaggedError<WorkspaceInvalid>()("WorkspaceInvalid", {
  path: Schema.String,
  detail: Schema.String,
  hint: Schema.UndefinedOr(Schema.String)
}) {
  override get message() {
    return `${this.path}: ${this.detail}`
  }
}

/** One of the issues that a file describes cannot be made. Nothing was done. */
export class DraftInvalid extends Schema.TaggedError<DraftInvalid>()("DraftInvalid", {
  /** `plan.jsonl, line 3`. */
  place: Schema.String,
  detail: Schema.String,
  /** What the failure means by itself. */
  exitCode: Schema.Number,
  code: Schema.String,
  hint: Schema.UndefinedOr(Schema.String),
  id: Schema.UndefinedOr(Schema.String)
}) {
  override get message() {
    return `${this.place}: ${this.detail}`
  }
}

/** A file or stream that the command line names cannot be read or written. */
export class FileUnusable extends Schema.TaggedError<FileUnusable>()("FileUnusable", {
  path: Schema.String,
  detail: Schema.String,
  cause: Schema.optional(Schema.Defect)
}) {
  override get message() {
    return `${this.path}: ${this.detail}`
  }
}

/** What other tools of this kind do, and this version does not. Nothing was done. */
export class NotThereYet extends Schema.TaggedError<NotThereYet>()("NotThereYet", {
  what: Schema.String
}) {
  override get message() {
    return `${this.what} is not there yet; nothing was done`
  }
}

/** The command failed, and has told of it already; only the exit code is left. */
export class AlreadyTold extends Schema.TaggedError<AlreadyTold>()("AlreadyTold", {
  exitCode: Schema.Number
}) {}
