/** The use cases that move many issues at once: taking over the issue file, import, export. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as IdRenaming from "../domain/IdRenaming.ts"
import * as Issue from "../domain/Issue.ts"
import { FlushManager } from "../flush/FlushManager.ts"
import * as Progress from "../flush/Progress.ts"
import { Reconciler } from "../flush/Reconciler.ts"
import { IssueFile } from "../issue-file/IssueFile.ts"
import * as IssueLine from "../issue-file/IssueLine.ts"
import * as IssueLines from "../issue-file/IssueLines.ts"
import { IssueLock } from "../issue-file/IssueLock.ts"
import { IssueStore, type Row } from "../store/IssueStore.ts"
import * as ForeignIds from "./ForeignIds.ts"
import type { Rows } from "./Rows.ts"
import type { Tracker } from "./Tracker.ts"

type Transfer = Pick<Tracker["Type"], "init" | "import" | "export" | "exportParts">

export const make = Effect.fnUntraced(function* (rows: Rows) {
  const progress = yield* Progress.Progress
  const store = yield* IssueStore
  const lock = yield* IssueLock
  const file = yield* IssueFile
  const reconciler = yield* Reconciler
  const flush = yield* FlushManager
  const { actor, context, freshen, prefix, recordOf } = rows

  const danglingIn = Effect.fnUntraced(function* (lines: ReadonlyArray<IssueLines.IssueText>) {
    const known = new Set([
      ...lines.map(({ id }) => id),
      ...(yield* store.ids("issues")),
      ...(yield* store.ids("tombstones"))
    ])
    return lines.flatMap(({ id, text }) => {
      // most lines need not be taken apart for this
      if (!text.includes('"dependencies"') && !text.includes("\\u00")) return []
      return Issue.dependenciesOf(IssueLine.decodeAccepted(id, text))
        .filter(({ depends_on_id }) => !known.has(depends_on_id))
        .map(({ depends_on_id }) => ({ id, dependsOn: depends_on_id }))
    })
  })

  /** Where renamings led ids, by the tombstones they left. */
  const renamings = Effect.fnUntraced(function* (all: ReadonlyArray<Row>) {
    const renames = new Map<string, string>()
    for (const row of all) {
      if (!IdRenaming.mayBeRenamed(row.line)) continue
      const to = IdRenaming.renamedTo(yield* recordOf(row))
      if (to !== undefined) renames.set(row.id, to)
    }
    return IdRenaming.following(renames)
  })

  /** Rows whose line is gone from the file, which nobody changed since, and which the input does not have either. */
  const prunable = Effect.fnUntraced(function* (input: ReadonlySet<string>) {
    const marked = yield* store.markedRows
    const unchanged = marked.filter(row => row.mark?.base === row.line && !input.has(row.id)).map(({ id }) => id)
    if (unchanged.length === 0) return []
    // a mark may also say that the line stands there twice
    const snapshot = yield* file.read
    const standing = new Set(Option.isNone(snapshot) ? [] : IssueLines.scan(snapshot.value.bytes).map(({ id }) => id))
    // an input of before a renaming has the issue under its old id
    const renamedTo = yield* renamings(yield* store.rows)
    const meant = new Set([...input].map(id => renamedTo(id)))
    return unchanged.filter(id => !standing.has(id) && !meant.has(id))
  })

  /** Of the ids of the input, those that are deleted there, and whether they live on under another id. */
  const deletedIn = (lines: ReadonlyArray<IssueLines.IssueText>): ReadonlyMap<string, "deleted" | "renamed"> =>
    new Map(
      lines.flatMap(({ id, text }) => {
        // most lines need not be read for this
        const record = text.includes("tombstone") ? IssueLine.decodeAccepted(id, text) : undefined
        if (record === undefined || !Issue.isTombstone(record)) return []
        return [[id, IdRenaming.renamedTo(record) === undefined ? "deleted" : "renamed"] as const]
      })
    )

  /** The input with ids of this project (`renameOnImport`). What cannot be read is left for who reads it to tell. */
  const naturalized = Effect.fnUntraced(function* (bytes: Uint8Array) {
    const { lines, unreadable } = IssueLines.read(bytes)
    if (unreadable.length > 0) return { bytes, renamed: [] }
    const all = yield* store.rows
    return ForeignIds.naturalize(lines, {
      prefix: yield* prefix,
      known: new Set(all.map(({ id }) => id)),
      renamedTo: yield* renamings(all),
      actor,
      now: (yield* context).at
    })
  })

  const importBytes: Transfer["import"] = (given, how = {}) =>
    lock
      .withLock(
        Effect.gen(function* () {
          const { barred } = yield* reconciler.reconcile
          const [first] = barred
          if (first !== undefined) return yield* first
          const { bytes, renamed } =
            how.renameOnImport === true ? yield* naturalized(given) : { bytes: given, renamed: [] }
          const { lines } = IssueLines.read(bytes)
          const dangling = yield* danglingIn(lines)
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
            actor,
            source: how.source ?? "the input"
          })
          const pruned = how.prune === true ? yield* prunable(absorbed.ids) : []
          const gone = deletedIn(lines)
          // one that was renamed is counted under the id that it has
          const tombstones = new Set(yield* store.ids("tombstones"))
          const updated = yield* Effect.filter(absorbed.updated, id =>
            tombstones.has(id)
              ? Effect.map(
                  store.row(id),
                  Option.match({ onNone: () => true, onSome: row => !IdRenaming.mayBeRenamed(row.line) })
                )
              : Effect.succeed(true)
          )
          if (how.dryRun !== true && pruned.length > 0) yield* store.transaction(store.forget(pruned))
          return {
            created: absorbed.created.filter(id => !gone.has(id)).length,
            deleted: absorbed.created.filter(id => gone.get(id) === "deleted").length,
            updated: updated.length,
            unchanged: absorbed.unchanged,
            skipped: absorbed.skipped,
            pruned,
            dangling,
            renamed: absorbed.renamed,
            prefixRenamed: renamed
          }
        })
      )
      .pipe(
        Effect.onExit(exit =>
          how.dryRun !== true && (Exit.isSuccess(exit) || Exit.isInterrupted(exit)) ? flush.markDirty() : Effect.void
        ),
        Effect.withSpan("Tracker.import")
      )

  const exportParts: Transfer["exportParts"] = ({ statuses } = {}) =>
    Effect.gen(function* () {
      yield* freshen
      let done = 0
      return yield* store.lineParts(statuses, (lines, total) => {
        const report = () => progress.report({ operation: "export", stage: "write", done, total })
        if (done === 0) report()
        done += lines.length
        report()
        return Buffer.from(lines.map(line => `${line}\n`).join(""))
      })
    }).pipe(Effect.withSpan("Tracker.export"))

  const transfer: Transfer = {
    init: lock.withLock(
      Effect.gen(function* () {
        const { barred } = yield* reconciler.reconcile
        const [first] = barred
        if (first !== undefined) return yield* first
        const issues = yield* store.ids("issues")
        return { prefix: yield* prefix, issueFile: file.path, issues: issues.length }
      })
    ),
    import: importBytes,
    export: filter => Effect.map(exportParts(filter), parts => Buffer.concat(parts)),
    exportParts
  }
  return transfer
})
