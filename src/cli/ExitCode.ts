/**
 * What each failure means to whoever called `bd`: an exit code, a code word for `--json`, a hint.
 *
 * The one place where errors become exit codes (bd-contract.md "Output"):
 * 0 ok, 1 other failure, 2 usage, 3 not found or ambiguous, 4 invalid value, 5 conflict, 6 lock timeout and nothing
 * changed, 7 committed but not published, 8 nothing changed since store or file cannot be used, 128 + n after a signal.
 */
import type { FlushFailed } from "../flush/Exporter.ts"
import type { FlushManagerClosed } from "../flush/FlushManager.ts"
import type { UnreadableLine } from "../issue-file/IssueLine.ts"
import type { ChangeError, DraftRefused, ReadError } from "../tracker/Tracker.ts"
import type {
  AlreadyTold,
  DraftInvalid,
  FileUnusable,
  InvalidFlag,
  NotThereYet,
  UsageError,
  WorkspaceInvalid,
  WorkspaceNotFound
} from "./CliError.ts"

/** Whatever a command may fail with. */
export type CommandError =
  | ChangeError
  | DraftRefused
  | ReadError
  | UnreadableLine
  | FlushFailed
  | FlushManagerClosed
  | UsageError
  | InvalidFlag
  | WorkspaceNotFound
  | WorkspaceInvalid
  | FileUnusable
  | DraftInvalid
  | NotThereYet
  | AlreadyTold

export const signals = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const

export interface Verdict {
  readonly exitCode: number
  /** For programs; never changes. */
  readonly code: string
  readonly hint?: string | undefined
  /** The issue it is about. */
  readonly id?: string | undefined
}

const corruptHint = (path: string): string =>
  `move ${path} aside, with ${path}-wal and ${path}-shm, and keep them: what was not published yet is only there. The store is then made anew from the issue file`

/** What to do about an error of the system, by its code: it stands in every message of one. */
const systemHints: ReadonlyArray<readonly [RegExp, string]> = [
  [
    /\b(?:EACCES|EPERM|PermissionDenied)\b/,
    "give yourself the right to read and write there (owner and mode of the file, and of the directory it lies in), or work in a copy"
  ],
  [/\bEROFS\b/, "the file system is read-only: bd can read there; for changes make it writable, or work in a copy"],
  [/\b(?:ENOSPC|EDQUOT)\b/, "there is no space left: free some, then try again"]
]

export const systemHint = (message: string): string | undefined =>
  systemHints.find(([pattern]) => pattern.test(message))?.[1]

type Judges = {
  readonly [Tag in CommandError["_tag"]]: (error: Extract<CommandError, { readonly _tag: Tag }>) => Verdict
}

const flushHint =
  "the change is committed, do not repeat it. It goes into the issue file with the next change, or with bd flush"

const judges: Judges = {
  UsageError: ({ hint }) => ({ exitCode: 2, code: "usage", hint }),
  IssueNotFound: ({ deleted, id }) => ({
    exitCode: 3,
    code: "not_found",
    id,
    hint:
      deleted === true
        ? "bd undelete brings it back"
        : "bd list shows the ids there are, bd search TEXT finds an issue by its words"
  }),
  AmbiguousId: ({ id }) => ({ exitCode: 3, code: "ambiguous_id", id }),
  InvalidFlag: () => ({ exitCode: 4, code: "invalid_value" }),
  InvalidValue: () => ({ exitCode: 4, code: "invalid_value" }),
  DraftRefused: ({ error }) => verdict(error),
  DraftInvalid: ({ code, exitCode, hint, id }) => ({ code, exitCode, hint, id }),
  Conflict: ({ id }) => ({ exitCode: 5, code: "conflict", id }),
  CycleFound: () => ({ exitCode: 5, code: "cycle" }),
  LockTimeout: () => ({ exitCode: 6, code: "lock_timeout" }),
  // before the commit, so nothing was changed; a publish that met git at work is a `FlushFailed`
  GitAtWork: () => ({ exitCode: 6, code: "git_at_work" }),
  FlushFailed: ({ message }) => {
    const hint = systemHint(message)
    return { exitCode: 7, code: "publish_failed", hint: hint === undefined ? flushHint : `${hint}; ${flushHint}` }
  },
  FlushManagerClosed: () => ({ exitCode: 7, code: "publish_failed", hint: flushHint }),
  StoreError: ({ path, reason }) =>
    reason === "busy" || reason === "classic"
      ? { exitCode: 6, code: `store_${reason}` }
      : {
          exitCode: 8,
          code: `store_${reason}`,
          hint: reason === "corrupt" ? corruptHint(path) : reason === "readonly" ? systemHint("EACCES") : undefined
        },
  LockUnavailable: ({ message }) => ({ exitCode: 8, code: "lock_unavailable", hint: systemHint(message) }),
  IssueFileFailure: ({ message }) => ({ exitCode: 8, code: "issue_file_failure", hint: systemHint(message) }),
  IssueFileRefused: () => ({ exitCode: 8, code: "issue_file_refused" }),
  UnreadableLine: () => ({ exitCode: 8, code: "unreadable_line" }),
  WorkspaceInvalid: ({ hint }) => ({ exitCode: 8, code: "workspace_invalid", hint }),
  WorkspaceNotFound: ({ hint }) => ({ exitCode: 1, code: "no_workspace", hint }),
  NotThereYet: () => ({ exitCode: 1, code: "not_there_yet" }),
  FileUnusable: ({ cause, message }) => ({
    exitCode: 1,
    code: "file_unusable",
    hint: systemHint(`${message} ${String(cause)}`)
  }),
  AlreadyTold: ({ exitCode }) => ({ exitCode, code: "failed" })
}

/** What a failure means. */
export const verdict = (error: CommandError): Verdict =>
  // the tag chooses the function for just this member, which the compiler cannot follow through the index
  (judges[error._tag] as (error: CommandError) => Verdict)(error)

/** The exit code when several ids were tried: the first failure's, but 7 outranks 3 to 5. */
export const ofSeveral = (errors: ReadonlyArray<CommandError>): number => {
  const codes = errors.map(error => verdict(error).exitCode)
  const first = codes[0] ?? 0
  return codes.includes(7) && first >= 3 && first <= 5 ? 7 : first
}
