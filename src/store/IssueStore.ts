/**
 * The store: SQLite as the cache of the issue file, with the dirty marks, the audit trail and earlier line versions.
 *
 * A row is the issue's line; the columns and child tables beside it are projections for queries, derived from the line
 * each time it is written, so there is nothing a path could forget to carry (G18). A clean row's base is its line; a
 * dirty row's base (the line this store last saw or wrote in the file) is kept with its mark.
 *
 * Knows nothing of files but the record of the bytes last seen. Writes happen inside `transaction`, under the
 * `IssueLock` of the caller.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { Edge } from "../domain/DependencyGraph.ts"
import type { IssueRecord } from "../domain/IssueRecord.ts"
import type * as Readiness from "../domain/Readiness.ts"

/** The store cannot be opened, read or written. Nothing was changed. */
export class StoreError extends Schema.TaggedError<StoreError>()("StoreError", {
  path: Schema.String,
  /**
   * `busy`: locked by another process past the bound; `newer`: written by a later version; `foreign`: not a store of
   * ours; `classic`: one of the classic tool, which cannot be taken over now; `replaced`: another file stands at its
   * path; `corrupt`; `readonly`; `full`: no space left; `missing`: SQLite itself is not there; `io`: any other failure.
   */
  reason: Schema.Literal(
    "busy",
    "newer",
    "foreign",
    "classic",
    "replaced",
    "corrupt",
    "readonly",
    "full",
    "missing",
    "io"
  ),
  detail: Schema.String,
  cause: Schema.optional(Schema.Defect)
}) {
  override get message() {
    return `the store ${this.path} cannot be used (${this.reason}): ${this.detail}`
  }

  /** Whether the store itself does not work. A read may go round it, to the issue file (G26). */
  get isOutOfOrder(): boolean {
    return ["classic", "corrupt", "readonly", "io"].includes(this.reason)
  }
}

/** A row: an issue's line and how often it was changed in this store. */
export interface Row {
  readonly id: string
  readonly line: string
  readonly revision: number
}

/** A row and its mark, if it has one. `base` is absent when no line of it was ever seen in the file. */
export interface MarkedRow extends Row {
  readonly mark: { readonly revision: number; readonly base: string | undefined } | undefined
}

/** The line of a row as this store last saw or wrote it in the file; none if it never did. */
export const baseOf = (row: MarkedRow): string | undefined => (row.mark === undefined ? row.line : row.mark.base)

/** How a row is written. `dirty` marks it, with the base to keep; `clean` says that the file holds just this line. */
export type Write = {
  readonly record: IssueRecord
  readonly state: { readonly _tag: "clean" } | { readonly _tag: "dirty"; readonly base: string | undefined }
}

/** The bytes of the issue file as this store last saw or wrote them. */
export interface FileRecord {
  readonly hash: string
  readonly size: number
  /** The stamp's text, and whether an equal stamp means equal bytes. */
  readonly stamp: string
  readonly settled: boolean
}

/** A flush that had something to do, of whichever process. `at`: RFC 3339, UTC. */
export interface PastFlush {
  readonly _tag: "Flushed"
  readonly at: string
  readonly mode: "incremental" | "full" | "unchanged"
  readonly written: number
  readonly removed: number
  readonly bytes: number
}

/** A flush that failed. */
export interface PastFailure {
  readonly _tag: "Failed"
  readonly at: string
  readonly reason: string
  readonly detail: string
}

export type FlushOutcome = PastFlush | PastFailure

/** How flushing went lately. */
export interface FlushRecord {
  readonly lastFlush: PastFlush | undefined
  /** The latest since then; one that could not be written down, on a full disk say, is not known. */
  readonly lastFailure: PastFailure | undefined
}

/** One entry of the audit trail. Values are texts: a line, a field, a reason. */
export interface AuditEvent {
  readonly issueId: string
  readonly type: string
  readonly actor: string
  readonly oldValue?: string
  readonly newValue?: string
  readonly comment?: string
  /** RFC 3339, UTC. */
  readonly at: string
}

/** One earlier version of an issue's line, with the hashes of the versions it was made from. */
export interface Version {
  readonly hash: string
  readonly line: string
  readonly parents: ReadonlyArray<string>
}

/** All given conditions must hold. */
export interface RowFilter {
  readonly statuses?: ReadonlyArray<string>
  readonly types?: ReadonlyArray<string>
  readonly priorities?: ReadonlyArray<number>
  readonly priorityMin?: number
  readonly priorityMax?: number
  readonly assignee?: string
  readonly unassigned?: boolean
  /** Each of these labels. */
  readonly labels?: ReadonlyArray<string>
  /** One of these labels. */
  readonly labelsAny?: ReadonlyArray<string>
  readonly ids?: ReadonlyArray<string>
  readonly titleContains?: string
  /** 0 or absent: no limit. */
  readonly limit?: number
}

/** What is asked of what can be worked on. */
export interface ReadyQuery extends RowFilter {
  readonly sort: Readiness.Sort
  /** RFC 3339; what `hybrid` counts back from. */
  readonly now: string
  readonly includeInProgress?: boolean | undefined
}

/** Where the line of an issue is in a file, in bytes, without its terminator. */
export interface LinePlace {
  readonly id: string
  readonly start: number
  readonly end: number
}

/** Ids from one on, in the order of their UTF-8 bytes. */
export interface IdRange {
  /** The first that can be in it; `""`: all are late enough. */
  readonly from: string
  /** The first behind it; undefined: none is too late. */
  readonly below: string | undefined
}

/** Lines of a file, in bytes, without the last one's terminator, where those of a range of ids are to be looked for. */
export interface FilePart extends IdRange {
  readonly start: number
  readonly end: number
}

export interface FoundRow extends Row {
  readonly dependencyCount: number
  readonly dependentCount: number
}

/** One step of the schema. */
export interface Migration {
  readonly name: string
  readonly description: string
}

export interface StoreSchema {
  readonly version: number
  readonly tables: ReadonlyArray<string>
  /** All there are, in their order; a store that is open has had them all. */
  readonly migrations: ReadonlyArray<Migration>
}

export class IssueStore extends Context.Tag("effect-beads/IssueStore")<
  IssueStore,
  {
    /** The database file; `:memory:` for the memory layer. */
    readonly path: string
    /** An immediate write transaction. A body that fails rolls back; a commit that fails is a `StoreError`. Does not nest. */
    readonly transaction: <A, E, R>(body: Effect.Effect<A, E, R>) => Effect.Effect<A, E | StoreError, R>

    /** Every row with its mark, in no order. */
    readonly rows: Effect.Effect<ReadonlyArray<MarkedRow>, StoreError>
    readonly row: (id: string) => Effect.Effect<Option.Option<MarkedRow>, StoreError>
    /** Those that there are of many, in the order of the ids. */
    readonly rowsOf: (ids: ReadonlyArray<string>) => Effect.Effect<ReadonlyArray<MarkedRow>, StoreError>
    /** Only the marked rows, read in one snapshot. */
    readonly markedRows: Effect.Effect<ReadonlyArray<MarkedRow>, StoreError>
    readonly hasMarks: Effect.Effect<boolean, StoreError>
    /**
     * Which of these parts of a file are anything but the lines of the rows in their range, each terminated by LF but the
     * last and none of them marked. By their numbers, in order. Parts come in the order of the file.
     */
    readonly unlike: (
      file: Uint8Array,
      parts: ReadonlyArray<FilePart>
    ) => Effect.Effect<ReadonlyArray<number>, StoreError>
    /**
     * Holds lines of a file, each of another issue in a range, in the order of the file, against the rows in that range.
     * `rows`: those that are marked, have no line there, or another text; `unknown`: ids there that no row has. What is
     * alike is compared where it lies.
     */
    readonly differing: (
      file: Uint8Array,
      places: ReadonlyArray<LinePlace>,
      range: IdRange
    ) => Effect.Effect<{ readonly rows: ReadonlyArray<MarkedRow>; readonly unknown: ReadonlyArray<string> }, StoreError>
    /** Whether an issue was ever renamed. */
    readonly hasRenamed: Effect.Effect<boolean, StoreError>
    /** The ids of all issues, or of all tombstones. */
    readonly ids: (of: "issues" | "tombstones") => Effect.Effect<ReadonlyArray<string>, StoreError>
    /** How many issues there are, children and tombstones not counted. */
    readonly roots: Effect.Effect<number, StoreError>
    /** Rows that match, by priority, newest first; tombstones are hidden. */
    readonly find: (
      filter: RowFilter
    ) => Effect.Effect<{ readonly rows: ReadonlyArray<FoundRow>; readonly total: number }, StoreError>
    /** As `find` without a limit, a few rows at a time, all of one moment: of many rows only what `part` makes stays. */
    readonly findParts: <A>(
      filter: Omit<RowFilter, "limit">,
      part: (rows: ReadonlyArray<FoundRow>) => A
    ) => Effect.Effect<{ readonly parts: ReadonlyArray<A>; readonly total: number }, StoreError>
    /** The lines of all rows, or of those with these statuses, in the order of the file; `total` is their number. As `findParts`. */
    readonly lineParts: <A>(
      statuses: ReadonlyArray<string> | undefined,
      part: (lines: ReadonlyArray<string>, total: number) => A
    ) => Effect.Effect<ReadonlyArray<A>, StoreError>
    /** The ids that `Readiness.ready` gives of what matches, in its order, told by the database itself; `total`: without the limit. */
    readonly ready: (
      query: ReadyQuery
    ) => Effect.Effect<{ readonly ids: ReadonlyArray<string>; readonly total: number }, StoreError>
    /** What readiness and cycles are computed from; tombstones are left out. */
    readonly graph: Effect.Effect<
      { readonly rows: ReadonlyArray<Readiness.Row>; readonly edges: ReadonlyArray<Edge> },
      StoreError
    >
    /** The rows with one of these external references, tombstones among them, the oldest first. */
    readonly withExternalRefs: (refs: ReadonlyArray<string>) => Effect.Effect<ReadonlyArray<MarkedRow>, StoreError>
    /** Dependencies that point to this id. */
    readonly dependents: (id: string) => Effect.Effect<ReadonlyArray<Edge>, StoreError>
    readonly labels: Effect.Effect<ReadonlyArray<{ readonly label: string; readonly count: number }>, StoreError>
    /** The earlier versions of an issue's line, oldest first. */
    readonly versions: (id: string) => Effect.Effect<ReadonlyArray<Version>, StoreError>
    readonly fileRecord: Effect.Effect<Option.Option<FileRecord>, StoreError>
    /** The audit trail of an issue, or of all, oldest first. `last`: only so many, the newest. */
    readonly events: (id?: string, last?: number) => Effect.Effect<ReadonlyArray<AuditEvent>, StoreError>
    readonly eventCount: Effect.Effect<number, StoreError>
    readonly schema: Effect.Effect<StoreSchema, StoreError>
    /** Whether the next flush must be a full one (G8): set when an id changed, until a full export succeeded. */
    readonly fullExportNeeded: Effect.Effect<boolean, StoreError>
    readonly flushRecord: Effect.Effect<FlushRecord, StoreError>

    /** Writes rows with their projections; the revision grows, marks are set or cleared. Inside `transaction`. */
    readonly write: (writes: ReadonlyArray<Write>) => Effect.Effect<void, StoreError>
    /** Marks rows as they are, keeping their line; a mark that stands keeps its base. Inside `transaction`. */
    readonly mark: (ids: ReadonlyArray<string>) => Effect.Effect<void, StoreError>
    /** Clears marks whose row equals what the file holds. Inside `transaction`. */
    readonly unmark: (ids: ReadonlyArray<string>) => Effect.Effect<void, StoreError>
    /** Lets rows go, with all that hangs on them. Inside `transaction`. */
    readonly forget: (ids: ReadonlyArray<string>) => Effect.Effect<void, StoreError>
    /**
     * Remembers versions of lines: 64 of an issue, the newest. A version that is known keeps the parents it was first
     * seen with: a checkout that brings an old line back makes it no child of a newer one. Inside `transaction`.
     */
    readonly addVersions: (
      versions: ReadonlyArray<{ readonly id: string; readonly line: string; readonly parents: ReadonlyArray<string> }>
    ) => Effect.Effect<void, StoreError>
    /** Inside the `transaction` of the change they tell of. */
    readonly addEvents: (events: ReadonlyArray<AuditEvent>) => Effect.Effect<void, StoreError>
    readonly setFileRecord: (record: FileRecord) => Effect.Effect<void, StoreError>
    readonly setFullExportNeeded: (needed: boolean) => Effect.Effect<void, StoreError>
    /**
     * Writes down what became of a flush; a success forgets the failure before it. Inside `transaction`. It tells people
     * and decides nothing, so a failure to get the `IssueLock` may be written down without it.
     */
    readonly recordFlush: (outcome: FlushOutcome) => Effect.Effect<void, StoreError>
    /**
     * After a publish: of each row that was encoded, clears the mark if the revision is still the one that was read,
     * else keeps it with the published line as its base (G14). Inside `transaction`, with `setFileRecord`.
     */
    readonly published: (rows: ReadonlyArray<Row>) => Effect.Effect<void, StoreError>
    /** The next child number of a parent; never given twice, never below what exists. Inside `transaction`. */
    readonly nextChild: (parent: string) => Effect.Effect<number, StoreError>
    /** Child numbers up to these are given already. Inside `transaction`. */
    readonly raiseChildCounters: (last: ReadonlyMap<string, number>) => Effect.Effect<void, StoreError>
    /**
     * Touches the database file, so that its watchers see that there is a change, which may be in the log alone. (To move
     * the log into the file would show it, too, and wait twice for the disk; SQLite does that when the log is long, and
     * when the last connection closes.) Never fails.
     */
    readonly touch: Effect.Effect<void>
  }
>() {}
