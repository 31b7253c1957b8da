/**
 * The use cases: what a command or an embedding application can ask for.
 *
 * A change is one transaction and one mark: reconcile, validate, write, audit, commit, under the lock (G13), then
 * `markDirty`. A `Tracker` method that succeeds promises SQLite; `flushNow` promises the file (G11). Commands talk to
 * this contract alone.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Option from "effect/Option"
import type * as Duplicates from "../domain/Duplicates.ts"
import type * as Issue from "../domain/Issue.ts"
import type * as IssueFilter from "../domain/IssueFilter.ts"
import type * as IssueId from "../domain/IssueId.ts"
import type * as Pollution from "../domain/Pollution.ts"
import type { FlushFailed, FlushReport } from "../flush/Exporter.ts"
import type { FlushManager, FlushManagerClosed } from "../flush/FlushManager.ts"
import type { IntegrityChecker } from "../flush/IntegrityChecker.ts"
import type { Reconciler } from "../flush/Reconciler.ts"
import type { IssueFile, IssueFileError } from "../issue-file/IssueFile.ts"
import type * as IssueLine from "../issue-file/IssueLine.ts"
import type { IssueLock, LockError } from "../issue-file/IssueLock.ts"
import type { AuditEvent, FlushRecord, IssueStore, RowFilter, StoreError, StoreSchema } from "../store/IssueStore.ts"
import * as Changes from "./Changes.ts"
import { Conflict } from "./Conflict.ts"
import * as Creation from "./Creation.ts"
import * as Links from "./Links.ts"
import * as Overviews from "./Overviews.ts"
import * as Publishing from "./Publishing.ts"
import * as Reads from "./Reads.ts"
import * as Renaming from "./Renaming.ts"
import * as Rows from "./Rows.ts"
import * as Transfer from "./Transfer.ts"
import * as Upkeep from "./Upkeep.ts"

export type { Created, Draft, DraftRefused } from "./Creation.ts"
export { Conflict }

/** What any change may fail with before it is committed; nothing was changed then. */
export type ChangeError =
  | LockError
  | StoreError
  | IssueFileError
  | Issue.InvalidValue
  | IssueId.IssueNotFound
  | IssueId.AmbiguousId
  | Conflict
  | Issue.CycleFound

/** What a read may fail with. Never because it is stale (G26). */
export type ReadError = StoreError | IssueId.IssueNotFound | IssueId.AmbiguousId | Issue.InvalidValue

/** An issue with the numbers `list` shows. */
export interface ListedIssue {
  readonly issue: Issue.Issue
  readonly dependencyCount: number
  readonly dependentCount: number
}

/** An issue of a long list: its line, which nearly is the answer already; `issue` is decoded when it is asked for. */
export interface ListedLine extends ListedIssue {
  readonly line: string
}

/** An issue at the other end of a dependency. */
export interface LinkedIssue {
  readonly issue: Issue.Issue
  readonly dependencyType: string
}

export interface IssueDetails {
  readonly issue: Issue.Issue
  readonly dependencies: ReadonlyArray<LinkedIssue>
  readonly dependents: ReadonlyArray<LinkedIssue>
}

/** All given conditions must hold. */
export interface ListFilter extends RowFilter, IssueFilter.IssueFilter {
  /** What descends from this issue. */
  readonly parent?: string
  /** Default `priority`. */
  readonly sort?: IssueFilter.Sort
  readonly reverse?: boolean
}

export interface ReadyFilter {
  readonly sort?: "priority" | "oldest" | "hybrid"
  readonly priorities?: ReadonlyArray<number>
  readonly types?: ReadonlyArray<string>
  readonly assignee?: string
  readonly unassigned?: boolean
  readonly labels?: ReadonlyArray<string>
  readonly labelsAny?: ReadonlyArray<string>
  /** What descends from this issue. */
  readonly parent?: string
  readonly includeInProgress?: boolean
  /** Default 10; 0: no limit. */
  readonly limit?: number
}

export interface StaleFilter {
  /** Not changed for so many days, default 30. */
  readonly days?: number
  /** Default: whatever is not closed. */
  readonly statuses?: ReadonlyArray<string>
  /** Default 50; 0: no limit. */
  readonly limit?: number
}

/** An issue that waits, and the ids of those it waits for: its own blockers, and those of its parents. */
export interface BlockedIssue {
  readonly issue: Issue.Issue
  readonly blockedBy: ReadonlyArray<string>
}

export interface Statistics {
  readonly total: number
  readonly open: number
  readonly inProgress: number
  readonly closed: number
  /** As many as `blocked` gives. */
  readonly blocked: number
  /** As many as `ready` gives without a limit. */
  readonly ready: number
  readonly epicsEligibleForClosure: number
  /** From creation to closing; 0 if nothing is closed. */
  readonly averageLeadTimeHours: number
}

/** An epic that is not closed. */
export interface EpicStatus {
  readonly epic: Issue.Issue
  readonly children: number
  readonly closedChildren: number
  /** It has children, and all of them are closed. */
  readonly eligible: boolean
}

/** An issue in a tree of dependencies; the root's parent is itself. */
export interface TreeNode {
  readonly issue: Issue.Issue
  readonly depth: number
  readonly parentId: string
  /** By which types of dependency it is linked to its parent; none for the root. */
  readonly types: ReadonlyArray<string>
  /** The tree is cut here. */
  readonly truncated: boolean
  /** What it is linked to as well, and what has its place elsewhere in the tree. */
  readonly elsewhere: ReadonlyArray<{ readonly issue: Issue.Issue; readonly types: ReadonlyArray<string> }>
}

export interface TreeOptions {
  /** Default 50. */
  readonly maxDepth?: number
  /** What depends on the issue, instead of what it depends on. */
  readonly reverse?: boolean
  /** An issue as often as ways lead to it. */
  readonly allPaths?: boolean
}

/** What is known of the store. */
export interface StoreInfo {
  readonly database: string
  readonly issueFile: string
  readonly issues: number
  readonly tombstones: number
  /** Changed, and not yet in the issue file. */
  readonly unpublished: number
  /** Of new ids. */
  readonly prefix: string
  /** The commonest prefix there is. */
  readonly detectedPrefix: string | undefined
  readonly sampleIds: ReadonlyArray<string>
  readonly schema: StoreSchema
}

/** How far the issue file is behind the store, and the store behind the file. */
export interface FlushState extends FlushRecord {
  /** Changed, and not yet in the issue file. */
  readonly unpublished: number
  /** The next flush compares every issue, not only these. */
  readonly fullExportNeeded: boolean
  readonly database: string
  readonly issueFile: {
    readonly path: string
    /** In bytes; 0 if there is no file. */
    readonly size: number
    /**
     * `asSeen`: the store knows these bytes; `changed`: the next command takes them over; `missing`: the next flush writes
     * it anew; `unreadable`: nothing is published before it is mended; `unknown`: it could not be looked at within a second, because git or another process is at work.
     */
    readonly content: "asSeen" | "changed" | "missing" | "unreadable" | "unknown"
    /** Of an unreadable file: the first line of it, and why. */
    readonly problem?: string
  }
}

/** A page of a longer list. */
export interface Page<A> {
  readonly items: ReadonlyArray<A>
  /** How many there are without the limit. */
  readonly total: number
}

/** A list in parts. */
export interface Parts<A> {
  readonly parts: ReadonlyArray<A>
  /** How many issues they are of. */
  readonly shown: number
  /** How many match. */
  readonly total: number
}

export interface ImportOptions {
  readonly dryRun?: boolean
  readonly skipExisting?: boolean
  /** Rows without a line in the input are let go (their issues leave the store; no tombstone). */
  readonly prune?: boolean
  /** A dangling dependency is an error. */
  readonly strict?: boolean
  /**
   * Issues with ids of another prefix that are new here get ids of this project. References follow, the old ids stay as
   * tombstones, and what later imports bring for them is applied to the new (G19).
   */
  readonly renameOnImport?: boolean
  /** Where the lines come from, to name in an error. */
  readonly source?: string
}

export interface ImportReport {
  readonly created: number
  /** Deleted issues that were not known: they are remembered, so that they do not come back. */
  readonly deleted: number
  readonly updated: number
  readonly unchanged: number
  readonly skipped: number
  readonly pruned: ReadonlyArray<string>
  /** Dependencies whose target does not exist: kept, and told (G25). */
  readonly dangling: ReadonlyArray<{ readonly id: string; readonly dependsOn: string }>
  /** Issues that were created apart under one id (G24). */
  readonly renamed: ReadonlyArray<{ readonly from: string; readonly to: string }>
  /** The new ids of `renameOnImport`; the tombstones of the old ids are not counted in `created`. */
  readonly prefixRenamed: ReadonlyArray<{ readonly from: string; readonly to: string }>
}

export interface InitReport {
  readonly prefix: string
  /** Path of the issue file. */
  readonly issueFile: string
  /** Issues now in the store, tombstones not counted. */
  readonly issues: number
}

export interface RenameReport {
  readonly from: string
  readonly to: string
  readonly renamed: ReadonlyArray<{ readonly from: string; readonly to: string }>
  /** Ids that begin as those of the prefix do and are of a longer one, `bd-ui-1` beside `bd-1`: they stay. */
  readonly kept: ReadonlyArray<string>
}

export interface DeleteReport {
  readonly deleted: ReadonlyArray<string>
  /** Those that were deleted before. */
  readonly already: ReadonlyArray<string>
  readonly dependenciesRemoved: number
}

/** A dependency whose target does not exist: kept and told (G25). A deleted issue does exist. */
export interface DanglingDependency {
  readonly id: string
  readonly dependsOn: string
  readonly type: string
}

/** What became of the duplicates of an issue. */
export interface MergedDuplicates {
  readonly target: string
  readonly closed: ReadonlyArray<string>
  /** Left alone, and why. */
  readonly skipped: ReadonlyArray<{ readonly id: string; readonly reason: string }>
}

/** Ids are resolved as people type them: exact, hash part, unique substring. */
export class Tracker extends Context.Tag("effect-beads/Tracker")<
  Tracker,
  {
    /** Takes over the issue file if there is one. `prefix`: of new ids, stored in config.yaml by the caller. */
    readonly init: Effect.Effect<InitReport, ChangeError | IssueLine.UnreadableLine>
    /** A new issue; if there is one with its `external_ref`, that one as it is. */
    readonly create: (draft: Creation.Draft) => Effect.Effect<Issue.Issue, ChangeError>
    /**
     * New issues, all of them or none, in the order of the drafts; they may name one another. One whose `external_ref` an
     * issue has already is that issue. `dryRun`: says what would be made, with ids that are not kept.
     */
    readonly createMany: (
      drafts: ReadonlyArray<Creation.Draft>,
      how?: { readonly dryRun?: boolean }
    ) => Effect.Effect<ReadonlyArray<Creation.Created>, ChangeError | Creation.DraftRefused>
    readonly update: (
      id: string,
      change: Issue.IssueUpdate & {
        readonly appendNotes?: string
        readonly addLabels?: ReadonlyArray<string>
        readonly removeLabels?: ReadonlyArray<string>
        readonly setLabels?: ReadonlyArray<string>
        readonly parent?: string
        /** Fails with `Conflict` if the issue was changed since this instant. */
        readonly ifUpdatedAt?: string
        /** As `claim`, together with the other changes. It decides status and assignee. */
        readonly claim?: boolean
      }
    ) => Effect.Effect<Issue.Issue, ChangeError>
    /**
     * Takes an issue: assignee and `in_progress`. Fails with `Conflict` if another has it or it is closed; of several who
     * try at once one wins. Claiming again what one has changes nothing.
     */
    readonly claim: (id: string) => Effect.Effect<Issue.Issue, ChangeError>
    /** Takes the first ready issue that nobody else has; none if there is none. Several at once get different issues. */
    readonly claimReady: (filter: ReadyFilter) => Effect.Effect<Option.Option<Issue.Issue>, ChangeError>
    readonly close: (id: string, options?: { readonly reason?: string }) => Effect.Effect<Issue.Issue, ChangeError>
    readonly reopen: (id: string, options?: { readonly reason?: string }) => Effect.Effect<Issue.Issue, ChangeError>
    readonly delete: (
      ids: ReadonlyArray<string>,
      options?: { readonly cascade?: boolean; readonly dryRun?: boolean; readonly reason?: string }
    ) => Effect.Effect<DeleteReport, ChangeError>
    /**
     * Gives every issue of a prefix (default: that of new ids) the same id with another prefix. References follow, the
     * old ids stay as tombstones, and edits that arrive for them are applied to the new (G19). The next flush is full.
     */
    readonly renamePrefix: (
      prefix: string,
      options?: { readonly from?: string; readonly dryRun?: boolean }
    ) => Effect.Effect<RenameReport, ChangeError>
    /** Closes every epic whose children are all closed. */
    readonly closeEligibleEpics: Effect.Effect<ReadonlyArray<Issue.Issue>, ChangeError>
    readonly undelete: (id: string) => Effect.Effect<Issue.Issue, ChangeError>
    readonly addDependency: (
      id: string,
      dependsOn: string,
      type: string
    ) => Effect.Effect<{ readonly id: string; readonly dependsOn: string; readonly changed: boolean }, ChangeError>
    /** Without a type: whatever types there are between the two. */
    readonly removeDependency: (
      id: string,
      dependsOn: string,
      type?: string
    ) => Effect.Effect<{ readonly id: string; readonly dependsOn: string; readonly changed: boolean }, ChangeError>
    readonly addLabel: (id: string, label: string) => Effect.Effect<Issue.Issue, ChangeError>
    readonly removeLabel: (id: string, label: string) => Effect.Effect<Issue.Issue, ChangeError>
    readonly addComment: (
      id: string,
      text: string,
      options?: { readonly author?: string }
    ) => Effect.Effect<Issue.Comment, ChangeError>
    readonly show: (id: string) => Effect.Effect<IssueDetails, ReadError>
    readonly list: (filter: ListFilter) => Effect.Effect<Page<ListedIssue>, ReadError>
    /**
     * As `list`, but of a few issues at a time only what `part` makes of them stays in memory: for long lists
     * that are wanted as text.
     */
    readonly listParts: <A>(
      filter: ListFilter,
      part: (issues: ReadonlyArray<ListedLine>) => A
    ) => Effect.Effect<Parts<A>, ReadError>
    readonly ready: (filter: ReadyFilter) => Effect.Effect<Page<Issue.Issue>, ReadError>
    /** By priority, then by id. */
    readonly blocked: Effect.Effect<ReadonlyArray<BlockedIssue>, ReadError>
    /** Those that have waited longest first. */
    readonly stale: (filter: StaleFilter) => Effect.Effect<Page<Issue.Issue>, ReadError>
    readonly stats: Effect.Effect<Statistics, ReadError>
    readonly epics: Effect.Effect<ReadonlyArray<EpicStatus>, ReadError>
    readonly dependencyTree: (id: string, options?: TreeOptions) => Effect.Effect<ReadonlyArray<TreeNode>, ReadError>
    /** Cycles among dependencies that block, each issue depending on the next and the last on the first. */
    readonly cycles: Effect.Effect<ReadonlyArray<ReadonlyArray<Issue.Issue>>, ReadError>
    /** What happened to an issue, or to all: the newest first. Deleted issues have a history too. */
    readonly history: (filter?: {
      readonly id?: string
      /** 0 or absent: no limit. */
      readonly limit?: number
    }) => Effect.Effect<ReadonlyArray<AuditEvent>, ReadError>
    /** How many entries the history of all has. */
    readonly historySize: Effect.Effect<number, ReadError>
    readonly info: Effect.Effect<StoreInfo, ReadError>
    /** Issues of equal content that are not closed. */
    readonly duplicates: Effect.Effect<ReadonlyArray<Duplicates.DuplicateGroup>, ReadError>
    /**
     * Closes the duplicates of each issue, with a note and a `related` link to it; what waits for them waits for it then.
     * Refused while a line of the issue file cannot be read, and so is `removeDangling`.
     */
    readonly mergeDuplicates: Effect.Effect<ReadonlyArray<MergedDuplicates>, ChangeError | IssueLine.UnreadableLine>
    readonly dangling: Effect.Effect<ReadonlyArray<DanglingDependency>, ReadError>
    /** Removes the dependencies that `dangling` gives. */
    readonly removeDangling: Effect.Effect<ReadonlyArray<DanglingDependency>, ChangeError | IssueLine.UnreadableLine>
    /** Issues that look as if a test had left them behind. */
    readonly pollution: Effect.Effect<ReadonlyArray<Pollution.Suspect>, ReadError>
    /** Lines of the issue file that cannot be read. */
    readonly unreadable: Effect.Effect<ReadonlyArray<IssueLine.UnreadableLine>, StoreError | IssueFileError | LockError>
    readonly labels: Effect.Effect<ReadonlyArray<{ readonly label: string; readonly count: number }>, ReadError>
    /** Merges the lines of `bytes` into the store; the file itself is untouched until the next flush. */
    readonly import: (
      bytes: Uint8Array,
      options?: ImportOptions
    ) => Effect.Effect<ImportReport, ChangeError | IssueLine.UnreadableLine>
    /** All issues as the issue file would hold them; clears nothing. */
    readonly export: (filter?: { readonly statuses?: ReadonlyArray<string> }) => Effect.Effect<Uint8Array, ReadError>
    /** As `export`, in pieces that together are the file: it is nowhere as a whole. */
    readonly exportParts: (filter?: {
      readonly statuses?: ReadonlyArray<string>
    }) => Effect.Effect<ReadonlyArray<Uint8Array>, ReadError>
    /** Until it returns, every change made so far is durable in the issue file. `full`: compare every line. */
    readonly flushNow: (options?: {
      readonly full?: boolean
    }) => Effect.Effect<FlushReport, FlushFailed | FlushManagerClosed>
    /** Looks, and changes nothing: neither the file nor what the store knows of it. */
    readonly flushState: Effect.Effect<FlushState, StoreError>
    /**
     * Runs changes and then `flushNow`, all under one hold of the lock: how a command promises the file. The flush runs
     * whether the changes succeed or not; its failure comes back beside their result, since the commit stands (exit 7).
     * `when`: whether a result is worth a flush, default always. What kept every change from being made (git at work, a
     * full disk) would else be waited for and told once more.
     */
    readonly publishing: <A, E, R>(
      changes: Effect.Effect<A, E, R>,
      options?: { readonly when?: (result: A) => boolean }
    ) => Effect.Effect<
      { readonly result: A; readonly failure: Option.Option<FlushFailed | FlushManagerClosed> },
      E | LockError,
      R
    >
  }
>() {}

/** Who and what a tracker works for. */
export interface TrackerOptions {
  /** Who makes the changes: `created_by`, authors, the audit trail. */
  readonly actor: string
  /** Prefix of new ids. Default: the commonest in the store, else `fallbackPrefix`. */
  readonly prefix?: string | undefined
  readonly fallbackPrefix: () => string
  /** Whether reads look at the issue file first, default true. A publish reconciles in any case. */
  readonly autoImport?: boolean | undefined
}

export const make = Effect.fnUntraced(function* (options: TrackerOptions) {
  const rows = yield* Rows.make(options)
  return Tracker.of({
    ...(yield* Reads.make(rows)),
    ...(yield* Overviews.make(rows)),
    ...(yield* Creation.make(rows)),
    ...(yield* Changes.make(rows)),
    ...(yield* Links.make(rows)),
    ...(yield* Renaming.make(rows)),
    ...(yield* Transfer.make(rows)),
    ...(yield* Upkeep.make(rows)),
    ...(yield* Publishing.make)
  })
})

export const layer = (
  options: TrackerOptions
): Layer.Layer<Tracker, never, IssueStore | IssueLock | IssueFile | IntegrityChecker | Reconciler | FlushManager> =>
  Layer.effect(Tracker, make(options))
