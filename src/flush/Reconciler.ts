/**
 * Brings what others wrote into the issue file into the store: issue file → store.
 *
 * Contract for whoever replaces it: called under the `IssueLock`; afterwards every readable change in the file stands in
 * the store, or nothing of it does (one transaction), and the record says which bytes were seen. A file with a line
 * that cannot be read is imported not at all, and bars publishing (G17).
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as CreatedApart from "../domain/CreatedApart.ts"
import * as Instant from "../domain/Instant.ts"
import * as IssueRecord from "../domain/IssueRecord.ts"
import { type Doubled, GitHistory } from "../issue-file/GitHistory.ts"
import { IssueFile, type IssueFileError, type Snapshot } from "../issue-file/IssueFile.ts"
import * as IssueLine from "../issue-file/IssueLine.ts"
import * as IssueLines from "../issue-file/IssueLines.ts"
import * as Metrics from "../Metrics.ts"
import { baseOf, IssueStore, type MarkedRow, type StoreError, type Version } from "../store/IssueStore.ts"
import { versionHash } from "../store/Version.ts"
import * as Differences from "./Differences.ts"
import { type Integrity, IntegrityChecker, recordOf } from "./IntegrityChecker.ts"
import type { ProgressEvent } from "./Progress.ts"
import * as Progress from "./Progress.ts"
import * as Reconciliation from "./Reconciliation.ts"
import * as RenameForwarding from "./RenameForwarding.ts"

/** How the store stands to the file after a reconcile. */
export interface Reconciled {
  /** Issues that came or changed. */
  readonly adopted: number
  readonly renamed: Reconciliation.Reconciliation["renamed"]
  /** The file is gone; a publish rebuilds it. */
  readonly missing: boolean
  /** Lines that cannot be read: nothing was imported, and publishing is refused until they can. */
  readonly barred: ReadonlyArray<IssueLine.UnreadableLine>
}

export class Reconciler extends Context.Tag("effect-beads/Reconciler")<
  Reconciler,
  {
    readonly reconcile: Effect.Effect<Reconciled, StoreError | IssueFileError>
    /**
     * Merges lines that are not the issue file's into the store. `base`: the file they were made from, if it is known.
     * Inside a transaction of the caller when `plan` is what it wants to look at first.
     */
    readonly absorb: (
      bytes: Uint8Array,
      options?: {
        readonly base?: Uint8Array
        readonly dryRun?: boolean
        readonly skipExisting?: boolean
        readonly actor?: string
        /** Where the lines come from, to name in an error. Default: the issue file. */
        readonly source?: string
      }
    ) => Effect.Effect<Absorbed, StoreError | IssueLine.UnreadableLine>
    /**
     * Merges what another program had written into a file that was replaced, then lets the aside go. What cannot be read
     * of it is kept beside the issue file for the user, and told. `before`: where a crash has lost it, none.
     */
    readonly absorbReplaced: (bytes: Uint8Array, before?: Before) => Effect.Effect<void, StoreError | IssueFileError>
  }
>() {}

/** What a file held when it was read, before it was replaced: its bytes or, if they are the same, the bases of the rows. */
export type Before = Uint8Array | "bases"

export interface Absorbed {
  readonly created: ReadonlyArray<string>
  readonly updated: ReadonlyArray<string>
  readonly unchanged: number
  readonly skipped: number
  readonly renamed: Reconciliation.Reconciliation["renamed"]
  /** Of all lines that were given, those skipped among them. */
  readonly ids: ReadonlySet<string>
}

/** Clocks of people who work together differ by zones wrongly set, at most by a day. */
const farAhead = Duration.days(1)

const readable = (line: string): ReadonlyArray<IssueRecord.IssueRecord> => {
  const record = IssueLine.decode(line)
  return IssueLine.isUnreadable(record) ? [] : [record]
}

const updatedAt = (line: string): string =>
  Instant.sortable(readable(line).map(record => IssueRecord.text(record, "updated_at") ?? "")[0] ?? "")

/** The versions that a text descends from, itself not among them, as far as the store remembers. */
const ancestorHashes = (versions: ReadonlyArray<Version>, text: string): ReadonlySet<string> => {
  const byHash = new Map(versions.map(version => [version.hash, version]))
  const seen = new Set<string>()
  const open = [...(byHash.get(versionHash(text))?.parents ?? [])]
  for (let hash = open.pop(); hash !== undefined; hash = open.pop()) {
    if (seen.has(hash)) continue
    seen.add(hash)
    open.push(...(byHash.get(hash)?.parents ?? []))
  }
  return seen
}

/**
 * The newest version that all texts may descend from, by what the store remembers: strict ancestors of the texts it
 * knows, not later than any of them. Two lines that stand side by side were both changed since, so a line itself is
 * never the answer (with it, each clone would lose its own edit).
 */
export const storedAncestor = (versions: ReadonlyArray<Version>, texts: ReadonlyArray<string>): string | undefined => {
  // a version that was met without what it was made from is as good as one never met
  const made = new Set(versions.flatMap(({ hash, parents }) => (parents.length > 0 ? [hash] : [])))
  const known = texts.filter(text => made.has(versionHash(text))).map(text => ancestorHashes(versions, text))
  if (known.length === 0) return undefined
  const bound = texts.map(updatedAt).sort()[0] ?? ""
  const own = new Set(texts)
  const records = texts.flatMap(readable)
  // an edit never moves created_at: what was created apart from a version does not descend from it
  const isRelated = (line: string) =>
    readable(line).every(version => records.every(record => !CreatedApart.isApart(version, record)))
  const shared = versions.filter(
    ({ hash, line }) =>
      !own.has(line) && known.every(ancestors => ancestors.has(hash)) && updatedAt(line) <= bound && isRelated(line)
  )
  // a text that the store has never seen may come from any of them: then only one that lies on every way there will do
  const ancestorsOf = new Map(shared.map(({ hash, line }) => [hash, ancestorHashes(versions, line)]))
  const leadsTo = (from: Version, to: Version) => ancestorsOf.get(to.hash)?.has(from.hash) === true
  const candidates =
    known.length === texts.length
      ? shared
      : shared.filter(one => shared.every(other => one === other || leadsTo(one, other) || leadsTo(other, one)))
  return candidates.reduce<Version | undefined>(
    (best, version) => (best === undefined || updatedAt(version.line) >= updatedAt(best.line) ? version : best),
    undefined
  )?.line
}

export const make = Effect.gen(function* () {
  const file = yield* IssueFile
  const store = yield* IssueStore
  const integrity = yield* IntegrityChecker
  const history = yield* GitHistory
  const progress = yield* Progress.Progress

  /** Lines by id of a readable file; of an id that stands there more than once, none. */
  const linesOf = (bytes: Uint8Array): ReadonlyMap<string, string> => {
    const out = new Map<string, string>()
    const doubled = new Set<string>()
    for (const { id, text } of IssueLines.read(bytes).lines) {
      if (out.has(id)) doubled.add(id)
      out.set(id, text)
    }
    for (const id of doubled) out.delete(id)
    return out
  }

  /** Where two lines of one id come from: what git knows first, then what the store remembers. */
  const ancestors = Effect.fnUntraced(function* (doubled: Doubled) {
    const git = yield* history.ancestors(doubled)
    const remembered = new Map<string, ReadonlyArray<Version>>()
    for (const id of doubled.keys()) if (!git.has(id)) remembered.set(id, yield* store.versions(id))
    return (id: string, texts: ReadonlyArray<string>) => git.get(id) ?? storedAncestor(remembered.get(id) ?? [], texts)
  })

  /** Where lines of ids come from that were renamed and arrive alive; the store remembers, as long as it is not new. */
  const renameDescents = Effect.fnUntraced(function* (
    ids: ReadonlyArray<string>,
    ancestorOf: Reconciliation.AncestorOf
  ) {
    const remembered = new Map<string, ReadonlyArray<Version>>()
    for (const id of ids) remembered.set(id, yield* store.versions(id))
    const versionsOf = (id: string) => remembered.get(id) ?? []
    return {
      isAncestor: (id: string, line: string, of: string) => ancestorHashes(versionsOf(id), of).has(versionHash(line)),
      ancestorOf: (id: string, texts: ReadonlyArray<string>) =>
        ancestorOf(id, texts) ?? storedAncestor(versionsOf(id), texts)
    }
  })

  /** A clock that is wrong wins every conflict until the others have caught up, so it is told (G22). */
  const warnOfFuture = Effect.fnUntraced(function* (plan: Reconciliation.Reconciliation, now: number) {
    const bound = Instant.parse(new Date(now + Duration.toMillis(farAhead)).toISOString())
    const adopted = new Set(plan.adopted.map(({ id }) => id))
    const ahead = plan.writes.flatMap(({ record }) =>
      adopted.has(record.id) && Instant.order(Instant.parse(IssueRecord.text(record, "updated_at")), bound) > 0
        ? [record.id]
        : []
    )
    if (ahead.length === 0) return
    yield* Effect.logWarning(
      `${ahead.length} issues were changed at times that lie more than a day ahead of now: ${ahead.slice(0, 5).join(", ")}${ahead.length > 5 ? ", …" : ""}. Compare this machine's clock with that of whoever changed them; until then their values win`
    )
  })

  const apply = Effect.fnUntraced(function* (
    plan: Reconciliation.Reconciliation,
    actor: string,
    operation: ProgressEvent["operation"]
  ) {
    const now = yield* Clock.currentTimeMillis
    const at = new Date(now).toISOString()
    yield* warnOfFuture(plan, now)
    yield* Progress.inPortions(progress, { operation, stage: "store" }, plan.writes, store.write)
    yield* store.mark(plan.missing)
    yield* store.unmark(plan.settled)
    yield* store.addVersions(
      plan.descents.map(({ id, line, parents }) => ({ id, line, parents: parents.map(versionHash) }))
    )
    yield* store.addEvents([
      ...plan.adopted.map(({ after, before, id }) => ({
        issueId: id,
        type: before === undefined ? "imported" : "merged",
        actor,
        at,
        ...(before === undefined ? {} : { oldValue: before, newValue: after })
      })),
      ...plan.renamed.map(({ from, to }) => ({
        issueId: to,
        type: "renamed",
        actor,
        at,
        oldValue: from,
        newValue: to,
        comment: "created apart under one id"
      }))
    ])
    for (const { from, to } of plan.renamed) {
      const doubtful = plan.unresolved.flatMap(({ dependsOn, id }) => (dependsOn === from ? [id] : []))
      yield* Effect.logWarning(
        `two issues had been created apart under the id ${from}; the later one is now ${to}${doubtful.length === 0 ? "" : `. It cannot be told which of the two these depend on, so look through them: ${doubtful.join(", ")}`}`
      )
    }
  })

  const nothing = (missing: boolean): Reconciled => ({ adopted: 0, renamed: [], missing, barred: [] })

  const rowsById = Effect.map(
    store.rows,
    rows => new Map(rows.map((row): readonly [string, MarkedRow] => [row.id, row]))
  )

  const doubledLines = (lines: ReadonlyArray<Reconciliation.FileLine>): Doubled => {
    const texts = new Map<string, Set<string>>()
    for (const { id, text } of lines) texts.set(id, (texts.get(id) ?? new Set()).add(text))
    return new Map([...texts].flatMap(([id, all]) => (all.size > 1 ? [[id, [...all]] as const] : [])))
  }

  /** All rows and all lines, where those that differ do not do. */
  const everything = Effect.fnUntraced(function* (bytes: Uint8Array) {
    const rows = yield* rowsById
    const { lines, unreadable } = IssueLines.read(bytes, (id, text) => rows.get(id)?.line === text)
    return { rows, lines, unreadable }
  })

  const follow = Effect.fnUntraced(function* (snapshot: Snapshot) {
    return yield* store.transaction(
      Effect.gen(function* () {
        const told = { operation: "reconcile", stage: "read", total: snapshot.bytes.byteLength } as const
        progress.report({ ...told, done: 0 })
        const differences = yield* Differences.find(store, snapshot.bytes)
        const { lines, rows, unreadable } = Option.isSome(differences)
          ? { ...differences.value, unreadable: [] }
          : yield* everything(snapshot.bytes)
        if (unreadable.length > 0) {
          return {
            ...nothing(false),
            barred: unreadable.map(
              ({ number, reason }) => new IssueLine.UnreadableLine({ path: file.path, line: number, reason })
            )
          }
        }
        const ancestorOf = yield* ancestors(doubledLines(lines))
        const descents = yield* renameDescents(RenameForwarding.meeting(rows, lines), ancestorOf)
        const plan = RenameForwarding.forward(Reconciliation.reconcile({ rows, lines, ancestorOf }), {
          rows,
          lines,
          descents
        })
        progress.report({ ...told, done: told.total })
        yield* apply(plan, "issue-file", "reconcile")
        yield* store.setFileRecord(recordOf(snapshot))
        return { adopted: plan.adopted.length, renamed: plan.renamed, missing: false, barred: [] }
      })
    )
  })

  type AbsorbOptions = Omit<NonNullable<Parameters<Reconciler["Type"]["absorb"]>[1]>, "base"> & {
    readonly base?: Before
    readonly afterCrash?: boolean
  }

  const absorbLines = Effect.fnUntraced(function* (bytes: Uint8Array, options: AbsorbOptions) {
    const told = { operation: "import", stage: "read", total: bytes.byteLength } as const
    progress.report({ ...told, done: 0 })
    const reading = IssueLines.read(bytes)
    const [first] = reading.unreadable
    if (first !== undefined) {
      return yield* new IssueLine.UnreadableLine({
        path: options.source ?? file.path,
        line: first.number,
        reason: first.reason,
        ...(options.source === undefined ? {} : { outcome: "Nothing was imported" })
      })
    }
    return yield* store.transaction(
      Effect.gen(function* () {
        const rows = yield* rowsById
        const found = reading.lines.filter(({ id }) => options.skipExisting !== true || !rows.has(id))
        const changed = found.filter(({ id, text }) => rows.has(id) && rows.get(id)?.line !== text).map(({ id }) => id)
        const remembered = new Map<string, ReadonlyArray<Version>>()
        for (const id of new Set([...changed, ...doubledLines(found).keys()]))
          remembered.set(id, yield* store.versions(id))
        const { base } = options
        const given = base === undefined || base === "bases" ? new Map<string, string>() : linesOf(base)
        const baseOfId = (id: string) => {
          const row = rows.get(id)
          return base === "bases" ? row && baseOf(row) : given.get(id)
        }
        // after lost power an aside may come back that was compared already: its lines are what the bases were made from
        const isOld = ({ id, text }: Reconciliation.FileLine) => {
          const base = baseOfId(id)
          return base !== undefined && ancestorHashes(remembered.get(id) ?? [], base).has(versionHash(text))
        }
        const lines = options.afterCrash === true ? found.filter(line => !isOld(line)) : found
        const ancestorOf: Reconciliation.AncestorOf = (id, texts) =>
          baseOfId(id) ?? storedAncestor(remembered.get(id) ?? [], texts)
        const descents = yield* renameDescents(RenameForwarding.meeting(rows, lines), ancestorOf)
        const plan = RenameForwarding.forward(Reconciliation.absorb({ rows, lines, ancestorOf }), {
          rows,
          lines,
          descents
        })
        progress.report({ ...told, done: told.total })
        if (options.dryRun !== true) yield* apply(plan, options.actor ?? "import", "import")
        const created = plan.adopted.filter(({ before }) => before === undefined).map(({ id }) => id)
        const updated = plan.adopted.filter(({ before }) => before !== undefined).map(({ id }) => id)
        const ids = new Set(lines.map(({ id }) => id))
        return {
          created,
          updated,
          unchanged: Math.max(0, ids.size - plan.adopted.filter(({ id }) => ids.has(id)).length),
          skipped: reading.lines.length - lines.length,
          renamed: plan.renamed,
          ids: new Set(reading.lines.map(({ id }) => id))
        }
      })
    )
  })

  const absorb: Reconciler["Type"]["absorb"] = Effect.fn("Reconciler.absorb")((bytes, options = {}) =>
    absorbLines(bytes, options)
  )

  const absorbReplaced: Reconciler["Type"]["absorbReplaced"] = Effect.fn("Reconciler.absorbReplaced")(
    function* (bytes, before) {
      const from = { base: before ?? "bases", afterCrash: before === undefined } as const
      yield* absorbLines(bytes, { actor: "issue-file", ...from }).pipe(
        Effect.catchTag("UnreadableLine", ({ line, reason }) =>
          Effect.flatMap(file.quarantineAside(bytes), kept =>
            Effect.logWarning(
              `another program wrote into ${file.path} while it was replaced, and line ${line} of that cannot be read: ${reason}. It is kept as ${kept}; correct it, then bring it in with bd import`
            )
          )
        )
      )
      yield* file.discardAside
    }
  )

  /** What a crash left between the rename and the comparison is one more version of the file (protocol, step 3). */
  const recover = Effect.gen(function* () {
    const aside = yield* file.recoverAside
    if (Option.isNone(aside)) return
    const record = yield* store.fileRecord
    const isKnown = Option.isSome(record) && record.value.hash === versionHash(aside.value)
    yield* isKnown ? file.discardAside : absorbReplaced(aside.value)
  })

  /** Known bytes under a new stamp: put on record, so that the next read need not hash them again. */
  const remember = (snapshot: Snapshot) =>
    snapshot.settled ? store.transaction(store.setFileRecord(recordOf(snapshot))) : Effect.void

  const count = ({ adopted, barred }: Reconciled, tag: Integrity["_tag"]) => {
    const outcome = barred.length > 0 ? "barred" : tag.toLowerCase()
    return Effect.all([
      Metric.increment(Metric.tagged(Metrics.reconciliations, "outcome", outcome)),
      Metric.incrementBy(Metrics.reconciledIssues, adopted),
      Effect.annotateCurrentSpan({ "beads.reconcile.outcome": outcome, "beads.reconcile.issues": adopted })
    ])
  }

  const look = Effect.fnUntraced(function* (state: Integrity) {
    switch (state._tag) {
      case "Unchanged":
        yield* Option.match(state.snapshot, { onNone: () => Effect.void, onSome: remember })
        return nothing(false)
      case "Missing":
        return nothing(true)
      case "Changed":
        return yield* follow(state.snapshot)
    }
  })

  const reconcile = Effect.gen(function* () {
    yield* recover
    const state = yield* integrity.check
    return yield* Effect.tap(look(state), reconciled => count(reconciled, state._tag))
  }).pipe(Effect.withSpan("Reconciler.reconcile"))

  return Reconciler.of({ reconcile, absorb, absorbReplaced })
})

export const layer: Layer.Layer<Reconciler, never, IssueFile | IssueStore | IntegrityChecker | GitHistory> =
  Layer.effect(Reconciler, make)
