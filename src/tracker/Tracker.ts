/**
 * The use cases: what a command or an embedding application can ask for.
 *
 * A change is one transaction and one mark: reconcile, validate, write, audit, commit, under the lock (G13), then
 * `markDirty`. A `Tracker` method that succeeds promises SQLite; `flushNow` promises the file (G11). Commands talk to
 * this contract alone.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { CycleFound, InvalidValue, Issue, IssueUpdate, NewIssue } from "../domain/Issue.ts"
import type { AmbiguousId, IssueNotFound } from "../domain/IssueId.ts"
import type { FlushFailed, FlushReport } from "../flush/Exporter.ts"
import type { FlushManagerClosed } from "../flush/FlushManager.ts"
import type { UnreadableLine } from "../issue-file/IssueLine.ts"
import type { IssueFileError } from "../issue-file/IssueFile.ts"
import type { LockError } from "../issue-file/IssueLock.ts"
import type { StoreError } from "../store/IssueStore.ts"

/** What was asked for clashes with what is there: claimed, changed since, id taken. */
export class Conflict extends Schema.TaggedError<Conflict>()("Conflict", {
  id: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `${this.id}: ${this.detail}`
  }
}

/** What any change may fail with before it is committed; nothing was changed then. */
export type ChangeError =
  | LockError
  | StoreError
  | IssueFileError
  | InvalidValue
  | IssueNotFound
  | AmbiguousId
  | Conflict
  | CycleFound

/** What a read may fail with. Never because it is stale (G26). */
export type ReadError = StoreError | IssueNotFound | AmbiguousId | InvalidValue

/** An issue with the numbers `list` shows. */
export interface ListedIssue {
  readonly issue: Issue
  readonly dependencyCount: number
  readonly dependentCount: number
}

/** An issue at the other end of a dependency. */
export interface LinkedIssue {
  readonly issue: Issue
  readonly dependencyType: string
}

export interface IssueDetails {
  readonly issue: Issue
  readonly dependencies: ReadonlyArray<LinkedIssue>
  readonly dependents: ReadonlyArray<LinkedIssue>
}

/** All given conditions must hold. */
export interface ListFilter {
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

export interface ReadyFilter {
  readonly sort?: "priority" | "oldest" | "hybrid"
  readonly priorities?: ReadonlyArray<number>
  readonly assignee?: string
  readonly labels?: ReadonlyArray<string>
  readonly labelsAny?: ReadonlyArray<string>
  readonly includeInProgress?: boolean
  /** Default 10; 0: no limit. */
  readonly limit?: number
}

/** A page of a longer list. */
export interface Page<A> {
  readonly items: ReadonlyArray<A>
  /** How many there are without the limit. */
  readonly total: number
}

export interface ImportOptions {
  readonly dryRun?: boolean
  readonly skipExisting?: boolean
  /** Rows without a line in the input are let go (their issues leave the store; no tombstone). */
  readonly prune?: boolean
  /** A dangling dependency is an error. */
  readonly strict?: boolean
}

export interface ImportReport {
  readonly created: number
  readonly updated: number
  readonly unchanged: number
  readonly skipped: number
  readonly pruned: ReadonlyArray<string>
  /** Dependencies whose target does not exist: kept, and told (G25). */
  readonly dangling: ReadonlyArray<{ readonly id: string; readonly dependsOn: string }>
  /** Issues that were created apart under one id (G24). */
  readonly renamed: ReadonlyArray<{ readonly from: string; readonly to: string }>
}

export interface InitReport {
  readonly prefix: string
  /** Path of the issue file. */
  readonly issueFile: string
  /** Issues now in the store, tombstones not counted. */
  readonly issues: number
}

export interface DeleteReport {
  readonly deleted: ReadonlyArray<string>
  readonly dependenciesRemoved: number
}

/** Ids are resolved as people type them: exact, hash part, unique substring. */
export class Tracker extends Context.Tag("effect-beads/Tracker")<
  Tracker,
  {
    /** Takes over the issue file if there is one. `prefix`: of new ids, stored in config.yaml by the caller. */
    readonly init: Effect.Effect<InitReport, ChangeError | UnreadableLine>
    readonly create: (
      input: NewIssue & {
        readonly id?: string
        readonly parent?: string
        readonly dependencies?: ReadonlyArray<{ readonly id: string; readonly type: string }>
        /** Issues that the new one blocks. */
        readonly blocks?: ReadonlyArray<string>
        /** Accept an explicit id with another prefix. */
        readonly force?: boolean
      }
    ) => Effect.Effect<Issue, ChangeError>
    readonly update: (
      id: string,
      change: IssueUpdate & {
        readonly appendNotes?: string
        readonly addLabels?: ReadonlyArray<string>
        readonly removeLabels?: ReadonlyArray<string>
        readonly setLabels?: ReadonlyArray<string>
        readonly parent?: string
        /** Fails with `Conflict` if the issue was changed since this instant. */
        readonly ifUpdatedAt?: string
      }
    ) => Effect.Effect<Issue, ChangeError>
    readonly close: (id: string, options?: { readonly reason?: string }) => Effect.Effect<Issue, ChangeError>
    readonly reopen: (id: string, options?: { readonly reason?: string }) => Effect.Effect<Issue, ChangeError>
    readonly delete: (
      ids: ReadonlyArray<string>,
      options?: { readonly cascade?: boolean; readonly dryRun?: boolean; readonly reason?: string }
    ) => Effect.Effect<DeleteReport, ChangeError>
    readonly undelete: (id: string) => Effect.Effect<Issue, ChangeError>
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
    readonly addLabel: (id: string, label: string) => Effect.Effect<Issue, ChangeError>
    readonly removeLabel: (id: string, label: string) => Effect.Effect<Issue, ChangeError>
    readonly addComment: (
      id: string,
      text: string,
      options?: { readonly author?: string }
    ) => Effect.Effect<Issue["comments"][number], ChangeError>
    readonly show: (id: string) => Effect.Effect<IssueDetails, ReadError>
    readonly list: (filter: ListFilter) => Effect.Effect<Page<ListedIssue>, ReadError>
    readonly ready: (filter: ReadyFilter) => Effect.Effect<Page<Issue>, ReadError>
    readonly labels: Effect.Effect<ReadonlyArray<{ readonly label: string; readonly count: number }>, ReadError>
    /** Merges the lines of `bytes` into the store; the file itself is untouched until the next flush. */
    readonly import: (
      bytes: Uint8Array,
      options?: ImportOptions
    ) => Effect.Effect<ImportReport, ChangeError | UnreadableLine>
    /** All issues as the issue file would hold them; clears nothing. */
    readonly export: (filter?: { readonly statuses?: ReadonlyArray<string> }) => Effect.Effect<Uint8Array, ReadError>
    /** Until it returns, every change made so far is durable in the issue file. `full`: compare every line. */
    readonly flushNow: (options?: {
      readonly full?: boolean
    }) => Effect.Effect<FlushReport, FlushFailed | FlushManagerClosed>
    /**
     * Runs changes and then `flushNow`, all under one hold of the lock: how a command promises the file. The flush runs
     * whether the changes succeed or not; its failure comes back beside their result, since the commit stands (exit 7).
     */
    readonly publishing: <A, E, R>(
      changes: Effect.Effect<A, E, R>
    ) => Effect.Effect<{ readonly result: A; readonly failure: Option.Option<FlushFailed> }, E | LockError, R>
  }
>() {}
