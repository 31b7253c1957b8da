/**
 * The use cases: what a command or an embedding application can ask for.
 *
 * A change is one transaction and one mark: reconcile, validate, write, audit, commit, under the lock (G13), then
 * `markDirty`. A `Tracker` method that succeeds promises SQLite; `flushNow` promises the file (G11). Commands talk to
 * this contract alone.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as DependencyGraph from "../domain/DependencyGraph.ts"
import * as Instant from "../domain/Instant.ts"
import * as Issue from "../domain/Issue.ts"
import * as IssueChange from "../domain/IssueChange.ts"
import * as IssueId from "../domain/IssueId.ts"
import * as IssueRecord from "../domain/IssueRecord.ts"
import * as Readiness from "../domain/Readiness.ts"
import { FlushFailed, type FlushReport } from "../flush/Exporter.ts"
import { FlushManager, type FlushManagerClosed } from "../flush/FlushManager.ts"
import { IntegrityChecker } from "../flush/IntegrityChecker.ts"
import { Reconciler } from "../flush/Reconciler.ts"
import { IssueFile, type IssueFileError } from "../issue-file/IssueFile.ts"
import * as IssueLine from "../issue-file/IssueLine.ts"
import * as IssueLines from "../issue-file/IssueLines.ts"
import { IssueLock, type LockError } from "../issue-file/IssueLock.ts"
import { IssueStore, type MarkedRow, type Row, type StoreError } from "../store/IssueStore.ts"

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
    readonly init: Effect.Effect<InitReport, ChangeError | IssueLine.UnreadableLine>
    readonly create: (
      input: Issue.NewIssue & {
        readonly id?: string
        readonly parent?: string
        readonly dependencies?: ReadonlyArray<{ readonly id: string; readonly type: string }>
        /** Issues that the new one blocks. */
        readonly blocks?: ReadonlyArray<string>
        /** Accept an explicit id with another prefix. */
        readonly force?: boolean
      }
    ) => Effect.Effect<Issue.Issue, ChangeError>
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
      }
    ) => Effect.Effect<Issue.Issue, ChangeError>
    readonly close: (id: string, options?: { readonly reason?: string }) => Effect.Effect<Issue.Issue, ChangeError>
    readonly reopen: (id: string, options?: { readonly reason?: string }) => Effect.Effect<Issue.Issue, ChangeError>
    readonly delete: (
      ids: ReadonlyArray<string>,
      options?: { readonly cascade?: boolean; readonly dryRun?: boolean; readonly reason?: string }
    ) => Effect.Effect<DeleteReport, ChangeError>
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
    readonly ready: (filter: ReadyFilter) => Effect.Effect<Page<Issue.Issue>, ReadError>
    readonly labels: Effect.Effect<ReadonlyArray<{ readonly label: string; readonly count: number }>, ReadError>
    /** Merges the lines of `bytes` into the store; the file itself is untouched until the next flush. */
    readonly import: (
      bytes: Uint8Array,
      options?: ImportOptions
    ) => Effect.Effect<ImportReport, ChangeError | IssueLine.UnreadableLine>
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
  readonly fallbackPrefix: string
  /** Whether reads look at the issue file first, default true. A publish reconciles in any case. */
  readonly autoImport?: boolean | undefined
}

/** Blocking dependencies of each new issue are made of these. */
interface Link {
  readonly id: string
  readonly type: string
}

export const make = Effect.fnUntraced(function* (options: TrackerOptions) {
  const store = yield* IssueStore
  const lock = yield* IssueLock
  const file = yield* IssueFile
  const integrity = yield* IntegrityChecker
  const reconciler = yield* Reconciler
  const flush = yield* FlushManager

  // ------------------------------------------------------------------------------------------------------------------
  // Rows and ids
  // ------------------------------------------------------------------------------------------------------------------

  const recordOf = (row: Row): Effect.Effect<IssueRecord.IssueRecord> => {
    const record = IssueLine.decode(row.line)
    // what entered the store was read by the same codec
    return IssueLine.isUnreadable(record)
      ? Effect.dieMessage(`row ${row.id}: ${record.reason}`)
      : Effect.succeed(record)
  }

  const issueOf = (row: Row): Effect.Effect<Issue.Issue> => Effect.map(recordOf(row), Issue.fromRecord)

  const prefix =
    options.prefix !== undefined
      ? Effect.succeed(options.prefix)
      : Effect.map(store.ids("issues"), ids => IssueId.commonestPrefix(ids) ?? options.fallbackPrefix)

  /** The row that is meant by what a person typed. */
  const find = Effect.fnUntraced(function* (input: string, among: "issues" | "tombstones" = "issues") {
    const exact = yield* store.row(input)
    if (Option.isSome(exact)) {
      const deleted = Issue.isTombstone(yield* recordOf(exact.value))
      if (deleted === (among === "tombstones")) return exact.value
    }
    const id = yield* IssueId.resolve(input, yield* store.ids(among), yield* prefix)
    const row = yield* store.row(id)
    return yield* Option.match(row, {
      onNone: () => Effect.fail(new IssueId.IssueNotFound({ id: input })),
      onSome: Effect.succeed
    })
  })

  const context = Effect.map(
    Clock.currentTimeMillis,
    (now): IssueChange.ChangeContext => ({ at: new Date(now).toISOString(), actor: options.actor })
  )

  // ------------------------------------------------------------------------------------------------------------------
  // Reads
  // ------------------------------------------------------------------------------------------------------------------

  const staleNotice = (why: string) => Effect.logWarning(`answering from the store, which may be stale: ${why}`)

  /** Brings the store up to date if that takes no long wait; else says that the answer is stale (G26). */
  const freshen: Effect.Effect<void, StoreError> =
    options.autoImport === false
      ? Effect.void
      : Effect.gen(function* () {
          if (yield* integrity.glance) return
          const { barred } = yield* lock.withLockWithin("1 second", reconciler.reconcile)
          const [first] = barred
          if (first !== undefined) yield* staleNotice(first.message)
        }).pipe(
          Effect.ensuring(integrity.release),
          Effect.catchAll(error =>
            error._tag === "StoreError" && error.isOutOfOrder ? Effect.fail(error) : staleNotice(error.message)
          )
        )

  const linked = (links: ReadonlyArray<{ readonly id: string; readonly type: string }>) =>
    Effect.forEach(links, ({ id, type }) =>
      Effect.flatMap(store.row(id), row =>
        Option.isNone(row)
          ? Effect.succeed([])
          : Effect.map(issueOf(row.value), issue =>
              issue.status === "tombstone" ? [] : [{ issue, dependencyType: type }]
            )
      )
    ).pipe(Effect.map(found => found.flat()))

  // ------------------------------------------------------------------------------------------------------------------
  // Changes
  // ------------------------------------------------------------------------------------------------------------------

  /**
   * A change: under the lock, after a reconcile, one transaction; then the mark. When the caller is interrupted it is not
   * known whether the commit stands, so the flush manager is told in that case too.
   */
  const change = <A, E>(name: string, body: Effect.Effect<A, E>) =>
    lock
      .withLock(
        Effect.gen(function* () {
          const { barred } = yield* reconciler.reconcile
          const [first] = barred
          if (first !== undefined) yield* Effect.logWarning(first.message)
          return yield* store.transaction(body)
        })
      )
      .pipe(
        Effect.onExit(exit => (Exit.isSuccess(exit) || Exit.isInterrupted(exit) ? flush.markDirty() : Effect.void)),
        Effect.withSpan(`Tracker.${name}`)
      )

  const baseOf = (row: MarkedRow): string | undefined => (row.mark === undefined ? row.line : row.mark.base)

  const save = (row: MarkedRow | undefined, record: IssueRecord.IssueRecord, event: string, comment?: string) =>
    Effect.gen(function* () {
      yield* store.write([{ record, state: { _tag: "dirty", base: row === undefined ? undefined : baseOf(row) } }])
      yield* store.addEvents([
        {
          issueId: record.id,
          type: event,
          actor: options.actor,
          at: IssueRecord.text(record, "updated_at") ?? "",
          newValue: IssueRecord.line(record),
          ...(row === undefined ? {} : { oldValue: row.line }),
          ...(comment === undefined ? {} : { comment })
        }
      ])
    })

  /** Edits a row; what changes nothing writes nothing. */
  const edit = Effect.fnUntraced(function* (
    row: MarkedRow,
    event: string,
    edits: ReadonlyArray<IssueChange.Edit>,
    comment?: string
  ) {
    const before = yield* recordOf(row)
    const after = IssueChange.apply(before, yield* context, ...edits)
    if (after !== before) yield* save(row, after, event, comment)
    return after
  })

  const refuseCycle = (
    edges: ReadonlyArray<DependencyGraph.Edge>,
    added: DependencyGraph.Edge
  ): Effect.Effect<void, Issue.CycleFound> => {
    if (!DependencyGraph.isBlocking(added.type)) return Effect.void
    const path = DependencyGraph.findCycle(edges, added.issueId, added.dependsOnId)
    return path === undefined ? Effect.void : Effect.fail(new Issue.CycleFound({ path }))
  }

  const refuseSelf = (id: string, dependsOn: string) =>
    id === dependsOn
      ? Effect.fail(
          new Issue.InvalidValue({ field: "dependency", value: dependsOn, rule: "another issue, not itself" })
        )
      : Effect.void

  const isTaken = (id: string) => Effect.map(store.row(id), Option.isSome)

  const newId = Effect.fnUntraced(function* (
    input: { readonly id?: string; readonly force?: boolean },
    fields: Issue.NewIssue,
    parent: string | undefined
  ) {
    if (input.id !== undefined) {
      const id = yield* IssueId.decode(input.id)
      const expected = yield* prefix
      if (input.force !== true && !IssueId.hasPrefix(id, expected)) {
        return yield* new Issue.InvalidValue({
          field: "id",
          value: id,
          rule: `an id that begins with ${expected}- (or given with --force)`
        })
      }
      if (yield* isTaken(id)) return yield* new Conflict({ id, detail: "there is an issue of that id already" })
      return id
    }
    if (parent !== undefined) return yield* IssueId.childId(parent, [], (yield* store.nextChild(parent)) - 1)
    const issues = yield* store.ids("issues")
    const taken = new Set([...issues, ...(yield* store.ids("tombstones"))])
    return IssueId.generate({
      prefix: yield* prefix,
      title: fields.title,
      description: fields.description ?? "",
      actor: options.actor,
      nanoseconds: yield* Clock.currentTimeNanos,
      count: issues.filter(id => IssueId.depth(id) === 0).length,
      taken: id => taken.has(id)
    })
  })

  const create: Tracker["Type"]["create"] = input =>
    change(
      "create",
      Effect.gen(function* () {
        const fields = yield* Issue.decodeNewIssue(input)
        const parent = input.parent === undefined ? undefined : (yield* find(input.parent)).id
        const links: Array<Link> = parent === undefined ? [] : [{ id: parent, type: "parent-child" }]
        for (const { id, type } of input.dependencies ?? []) {
          links.push({ id: (yield* find(id)).id, type: yield* Issue.decodeDependencyType(type) })
        }
        const id = yield* newId(input, fields, parent)
        const distinct = links.filter(
          (link, i) => links.findIndex(other => other.id === link.id && other.type === link.type) === i
        )
        const record = IssueChange.create(
          fields,
          id,
          yield* context,
          distinct.map(link => ({ dependsOnId: link.id, type: link.type }))
        )
        yield* save(undefined, record, "created")
        for (const blocked of input.blocks ?? []) {
          const row = yield* find(blocked)
          const { edges } = yield* store.graph
          yield* refuseCycle(edges, { issueId: row.id, dependsOnId: id, type: "blocks" })
          yield* edit(row, "dependency_added", [IssueChange.addDependency(id, "blocks")])
        }
        return Issue.fromRecord(record)
      })
    )

  const update: Tracker["Type"]["update"] = (id, asked) =>
    change(
      "update",
      Effect.gen(function* () {
        const fields = yield* Issue.decodeIssueUpdate(asked)
        const row = yield* find(id)
        const before = yield* issueOf(row)
        if (asked.ifUpdatedAt !== undefined) {
          const expected = Instant.parse(asked.ifUpdatedAt)
          if (expected === undefined) {
            return yield* new Issue.InvalidValue({
              field: "if-updated-at",
              value: asked.ifUpdatedAt,
              rule: "a time stamp as RFC 3339 writes it"
            })
          }
          if (Instant.parse(before.updated_at) !== expected) {
            return yield* new Conflict({ id: row.id, detail: `it was changed since, at ${before.updated_at}` })
          }
        }
        const edits: Array<IssueChange.Edit> = [IssueChange.update(fields)]
        if (asked.appendNotes !== undefined) edits.push(IssueChange.appendNotes(asked.appendNotes))
        if (asked.setLabels !== undefined) {
          edits.push(IssueChange.setLabels(yield* Effect.forEach(asked.setLabels, label => Issue.decodeLabel(label))))
        }
        if (asked.addLabels !== undefined) {
          edits.push(IssueChange.addLabels(yield* Effect.forEach(asked.addLabels, label => Issue.decodeLabel(label))))
        }
        if (asked.removeLabels !== undefined) edits.push(IssueChange.removeLabels(asked.removeLabels))
        if (asked.parent !== undefined) {
          const parent = asked.parent === "" ? "" : (yield* find(asked.parent)).id
          if (parent !== "") {
            yield* refuseSelf(row.id, parent)
            const { edges } = yield* store.graph
            const others = edges.filter(edge => edge.issueId !== row.id || edge.type !== "parent-child")
            yield* refuseCycle(others, { issueId: row.id, dependsOnId: parent, type: "parent-child" })
          }
          edits.push(IssueChange.setParent(parent))
        }
        const status = fields.status
        const event =
          status === undefined || status === before.status
            ? "updated"
            : status === "closed"
              ? "closed"
              : before.status === "closed"
                ? "reopened"
                : "status_changed"
        return Issue.fromRecord(yield* edit(row, event, edits))
      })
    )

  /** One issue, found by its id, edited. */
  const editOne = (name: string, id: string, event: string, edits: ReadonlyArray<IssueChange.Edit>, comment?: string) =>
    change(
      name,
      Effect.gen(function* () {
        return Issue.fromRecord(yield* edit(yield* find(id), event, edits, comment))
      })
    )

  const remove: Tracker["Type"]["delete"] = (ids, how = {}) =>
    change(
      "delete",
      Effect.gen(function* () {
        const { edges } = yield* store.graph
        const wanted = new Map<string, MarkedRow>()
        for (const id of ids) {
          const row = yield* find(id)
          wanted.set(row.id, row)
        }
        if (how.cascade === true) {
          for (const id of wanted.keys()) {
            for (const edge of edges) {
              if (edge.dependsOnId !== id || wanted.has(edge.issueId)) continue
              const row = yield* store.row(edge.issueId)
              if (Option.isSome(row) && !Issue.isTombstone(yield* recordOf(row.value)))
                wanted.set(edge.issueId, row.value)
            }
          }
        }
        if (how.dryRun !== true) {
          for (const row of wanted.values()) yield* edit(row, "deleted", [IssueChange.remove(how.reason)], how.reason)
        }
        // other issues are left alone: a tombstone blocks nothing, and undelete finds its links where they were
        return { deleted: [...wanted.keys()], dependenciesRemoved: 0 }
      })
    )

  const danglingIn = Effect.fnUntraced(function* (lines: ReadonlyArray<IssueLines.IssueText>) {
    const known = new Set([
      ...lines.map(({ id }) => id),
      ...(yield* store.ids("issues")),
      ...(yield* store.ids("tombstones"))
    ])
    return lines.flatMap(({ id, text }) => {
      const record = IssueLine.decode(text)
      if (IssueLine.isUnreadable(record)) return []
      return Issue.dependenciesOf(record)
        .filter(({ depends_on_id }) => !known.has(depends_on_id))
        .map(({ depends_on_id }) => ({ id, dependsOn: depends_on_id }))
    })
  })

  /** Rows whose line is gone from the file, and which nobody changed since. */
  const prunable = Effect.fnUntraced(function* (present: ReadonlySet<string>) {
    const marked = yield* store.markedRows
    return marked.filter(row => row.mark?.base === row.line && !present.has(row.id)).map(({ id }) => id)
  })

  const importBytes: Tracker["Type"]["import"] = (bytes, how = {}) =>
    lock
      .withLock(
        Effect.gen(function* () {
          const { barred } = yield* reconciler.reconcile
          const [first] = barred
          if (first !== undefined) return yield* first
          const dangling = yield* danglingIn(IssueLines.read(bytes).lines)
          const [loose] = dangling
          if (how.strict === true && loose !== undefined) {
            return yield* new Issue.InvalidValue({
              field: "dependency",
              value: `${loose.id} → ${loose.dependsOn}`,
              rule: "on an issue that exists (--strict)"
            })
          }
          const absorbed = yield* reconciler.absorb(bytes, {
            dryRun: how.dryRun === true,
            skipExisting: how.skipExisting === true,
            actor: options.actor
          })
          const pruned = how.prune === true ? yield* prunable(absorbed.ids) : []
          if (how.dryRun !== true && pruned.length > 0) yield* store.transaction(store.forget(pruned))
          return {
            created: absorbed.created.length,
            updated: absorbed.updated.length,
            unchanged: absorbed.unchanged,
            skipped: absorbed.skipped,
            pruned,
            dangling,
            renamed: absorbed.renamed
          }
        })
      )
      .pipe(
        Effect.onExit(exit =>
          how.dryRun !== true && (Exit.isSuccess(exit) || Exit.isInterrupted(exit)) ? flush.markDirty() : Effect.void
        ),
        Effect.withSpan("Tracker.import")
      )

  /** Who asks for a flush by name is told of a file that cannot be published into, also while no change waits (G17). */
  const refuseUnreadable = lock.withLock(Effect.ensuring(reconciler.reconcile, integrity.release)).pipe(
    Effect.flatMap(({ barred: [first] }) => first ?? Effect.void),
    Effect.mapError(cause => new FlushFailed({ reason: cause._tag, detail: cause.message, cause }))
  )

  return Tracker.of({
    init: lock.withLock(
      Effect.gen(function* () {
        const { barred } = yield* reconciler.reconcile
        const [first] = barred
        if (first !== undefined) return yield* first
        const issues = yield* store.ids("issues")
        return { prefix: yield* prefix, issueFile: file.path, issues: issues.length }
      })
    ),
    create,
    update,
    close: (id, how = {}) => editOne("close", id, "closed", [IssueChange.close(how.reason)], how.reason),
    reopen: (id, how = {}) => editOne("reopen", id, "reopened", [IssueChange.reopen], how.reason),
    delete: remove,
    undelete: id =>
      change(
        "undelete",
        Effect.gen(function* () {
          const alive = yield* store.row(id)
          if (Option.isSome(alive) && !Issue.isTombstone(yield* recordOf(alive.value)))
            return yield* issueOf(alive.value)
          return Issue.fromRecord(yield* edit(yield* find(id, "tombstones"), "undeleted", [IssueChange.undelete]))
        })
      ),
    addDependency: (id, dependsOn, type) =>
      change(
        "addDependency",
        Effect.gen(function* () {
          const kind = yield* Issue.decodeDependencyType(type)
          const row = yield* find(id)
          const target = yield* find(dependsOn)
          yield* refuseSelf(row.id, target.id)
          const { edges } = yield* store.graph
          if (!edges.some(edge => edge.issueId === row.id && edge.dependsOnId === target.id && edge.type === kind)) {
            yield* refuseCycle(edges, { issueId: row.id, dependsOnId: target.id, type: kind })
          }
          const after = yield* edit(
            row,
            "dependency_added",
            [IssueChange.addDependency(target.id, kind)],
            `${row.id} ${kind} ${target.id}`
          )
          return { id: row.id, dependsOn: target.id, changed: IssueRecord.line(after) !== row.line }
        })
      ),
    removeDependency: (id, dependsOn, type) =>
      change(
        "removeDependency",
        Effect.gen(function* () {
          const row = yield* find(id)
          // a dependency may dangle: then its target is known by the line alone
          const named = Issue.dependenciesOf(yield* recordOf(row)).some(link => link.depends_on_id === dependsOn)
          const target = named ? dependsOn : (yield* find(dependsOn)).id
          const after = yield* edit(
            row,
            "dependency_removed",
            [IssueChange.removeDependency(target, type)],
            `${row.id} no longer depends on ${target}`
          )
          return { id: row.id, dependsOn: target, changed: IssueRecord.line(after) !== row.line }
        })
      ),
    addLabel: (id, label) =>
      Effect.flatMap(Issue.decodeLabel(label), checked =>
        editOne("addLabel", id, "label_added", [IssueChange.addLabel(checked)], checked)
      ),
    removeLabel: (id, label) => editOne("removeLabel", id, "label_removed", [IssueChange.removeLabel(label)], label),
    addComment: (id, text, how = {}) =>
      change(
        "addComment",
        Effect.gen(function* () {
          const checked = yield* Issue.decodeCommentText(text)
          const after = yield* edit(
            yield* find(id),
            "commented",
            [IssueChange.addComment(checked, how.author)],
            checked
          )
          const added = Issue.commentsOf(after).at(-1)
          return yield* added === undefined
            ? Effect.dieMessage("the comment is not in the line")
            : Effect.succeed(added)
        })
      ),
    show: id =>
      Effect.gen(function* () {
        yield* freshen
        const issue = yield* issueOf(yield* find(id))
        const dependents = yield* store.dependents(issue.id)
        return {
          issue,
          dependencies: yield* linked(issue.dependencies.map(link => ({ id: link.depends_on_id, type: link.type }))),
          dependents: yield* linked(dependents.map(edge => ({ id: edge.issueId, type: edge.type })))
        }
      }).pipe(Effect.withSpan("Tracker.show")),
    list: filter =>
      Effect.gen(function* () {
        yield* freshen
        const { rows, total } = yield* store.find(filter)
        const items = yield* Effect.forEach(rows, row =>
          Effect.map(issueOf(row), issue => ({
            issue,
            dependencyCount: row.dependencyCount,
            dependentCount: row.dependentCount
          }))
        )
        return { items, total }
      }).pipe(Effect.withSpan("Tracker.list")),
    ready: filter =>
      Effect.gen(function* () {
        yield* freshen
        const { edges, rows } = yield* store.graph
        const now = (yield* context).at
        const ready = Readiness.ready(rows, edges, {
          sort: filter.sort ?? "priority",
          now,
          includeInProgress: filter.includeInProgress
        }).map(({ id }) => id)
        const { assignee, labels, labelsAny, priorities } = filter
        const found = yield* store.find({
          ids: ready,
          ...(assignee === undefined ? {} : { assignee }),
          ...(labels === undefined ? {} : { labels }),
          ...(labelsAny === undefined ? {} : { labelsAny }),
          ...(priorities === undefined ? {} : { priorities })
        })
        const byId = new Map(found.rows.map(row => [row.id, row]))
        const matching = ready.flatMap(id => byId.get(id) ?? [])
        const limit = filter.limit ?? 10
        const page = limit > 0 ? matching.slice(0, limit) : matching
        return { items: yield* Effect.forEach(page, issueOf), total: matching.length }
      }).pipe(Effect.withSpan("Tracker.ready")),
    labels: Effect.andThen(freshen, store.labels),
    import: importBytes,
    export: (filter = {}) =>
      Effect.gen(function* () {
        yield* freshen
        const rows = yield* store.rows
        const { statuses } = filter
        const wanted =
          statuses === undefined
            ? rows
            : yield* Effect.filter(rows, row => Effect.map(issueOf(row), issue => statuses.includes(issue.status)))
        return IssueLines.splice(new Uint8Array(0), new Map(wanted.map(({ id, line }) => [id, line]))).bytes
      }).pipe(Effect.withSpan("Tracker.export")),
    flushNow: (how = {}) =>
      Effect.gen(function* () {
        if (how.full === true) yield* flush.markDirty({ full: true })
        const report = yield* flush.flushNow
        if (report.mode === "unchanged") yield* refuseUnreadable
        return report
      }),
    publishing: changes =>
      Effect.scoped(
        Effect.gen(function* () {
          yield* lock.hold
          const exit = yield* Effect.exit(changes)
          const failure = yield* flush.flushNow.pipe(
            Effect.as(Option.none()),
            Effect.catchAll(error => Effect.succeedSome(error))
          )
          return { result: yield* exit, failure }
        })
      )
  })
})

export const layer = (
  options: TrackerOptions
): Layer.Layer<Tracker, never, IssueStore | IssueLock | IssueFile | IntegrityChecker | Reconciler | FlushManager> =>
  Layer.effect(Tracker, make(options))
