/** The use case that gives issues new ids: `rename-prefix` (G19). */
import * as Effect from "effect/Effect"
import * as IdRenaming from "../domain/IdRenaming.ts"
import * as IssueChange from "../domain/IssueChange.ts"
import * as IssueId from "../domain/IssueId.ts"
import * as IssueRecord from "../domain/IssueRecord.ts"
import * as JsonText from "../domain/JsonText.ts"
import { baseOf, IssueStore, type MarkedRow, type Write } from "../store/IssueStore.ts"
import { versionHash } from "../store/Version.ts"
import { Conflict } from "./Conflict.ts"
import type { Rows } from "./Rows.ts"
import type { Tracker } from "./Tracker.ts"

type Renaming = Pick<Tracker["Type"], "renamePrefix">

const setText = (record: IssueRecord.IssueRecord, key: IssueRecord.Key, text: string) =>
  IssueRecord.set(record, key, JsonText.encodeString(text))

export const make = Effect.fnUntraced(function* ({ actor, change, context, prefix, recordOf }: Rows) {
  const store = yield* IssueStore

  /** New ids of the issues of a prefix. One that is taken is a conflict, but for the tombstone this issue left there. */
  const plan = Effect.fnUntraced(function* (
    records: ReadonlyMap<string, IssueRecord.IssueRecord>,
    from: string,
    to: string
  ) {
    const ids = new Map<string, string>()
    for (const [id, record] of records) {
      if (IssueId.prefixOf(id) !== from || IssueRecord.text(record, "status") === "tombstone") continue
      const next = `${to}-${id.slice(from.length + 1)}`
      const there = records.get(next)
      if (there !== undefined && IdRenaming.renamedTo(there) !== id) {
        return yield* new Conflict({ id, detail: `it cannot become ${next}: there is an issue of that id already` })
      }
      ids.set(id, next)
    }
    return ids
  })

  const rename = Effect.fnUntraced(function* (
    rows: ReadonlyMap<string, MarkedRow>,
    records: ReadonlyMap<string, IssueRecord.IssueRecord>,
    ids: ReadonlyMap<string, string>
  ) {
    const now = yield* context
    const renaming: IdRenaming.Renaming = id => ids.get(id)
    const writes: Array<Write> = []
    const versions: Array<{ id: string; line: string; parents: ReadonlyArray<string> }> = []
    const events: Array<Parameters<IssueStore["Type"]["addEvents"]>[0][number]> = []
    const put = (record: IssueRecord.IssueRecord) => {
      const row = rows.get(record.id)
      const base = row && baseOf(row)
      writes.push({ record, state: { _tag: "dirty", base } })
      if (row !== undefined) {
        versions.push({ id: record.id, line: row.line, parents: base === undefined ? [] : [versionHash(base)] })
        versions.push({ id: record.id, line: IssueRecord.line(record), parents: [versionHash(row.line)] })
      }
    }
    for (const [id, record] of records) {
      const to = ids.get(id)
      if (to === undefined) {
        if (IssueRecord.text(record, "status") === "tombstone") continue
        const led = IssueChange.apply(record, now, issue => IdRenaming.renameReferences(issue, renaming))
        if (led === record) continue
        put(led)
        events.push(eventOf(led, "updated", now.at, { oldValue: IssueRecord.line(record) }))
        continue
      }
      const there = records.get(to)
      const deletedAt = there === undefined ? [] : [IssueRecord.text(there, "deleted_at") ?? ""]
      const moved = IssueChange.apply(record, { ...now, seen: deletedAt }, (issue, { at }) => {
        const led = IdRenaming.renameReferences(IdRenaming.withId(issue, to), renaming)
        // the tombstone that an earlier renaming left at this id must not win
        return there === undefined ? led : setText(led, "undeleted_at", at)
      })
      put(moved)
      // It keeps its fields and their stamp: an edit of the old id that arrives later is told from a stale line by them.
      const tombstone = [
        ["status", "tombstone"],
        ["deleted_at", IssueRecord.text(moved, "updated_at") ?? now.at],
        ["deleted_by", actor],
        ["delete_reason", `renamed to ${to}`],
        ["original_type", IssueRecord.text(record, "issue_type") ?? "task"],
        ["renamed_to", to]
      ] as const
      put(tombstone.reduce((left, [key, text]) => setText(left, key, text), record))
      events.push(eventOf(moved, "renamed", now.at, { oldValue: id, newValue: to, comment: `${id} is now ${to}` }))
    }
    yield* store.write(writes)
    yield* store.addVersions(versions)
    yield* store.addEvents(events)
    yield* keepCounters(ids, records)
    yield* store.setFullExportNeeded(true)
  })

  const eventOf = (
    record: IssueRecord.IssueRecord,
    type: string,
    at: string,
    values: { readonly oldValue: string; readonly newValue?: string; readonly comment?: string }
  ) => ({ issueId: record.id, type, actor, at, newValue: IssueRecord.line(record), ...values })

  /** The numbers that children of an old id had are not given again to children of the new one. */
  const keepCounters = Effect.fnUntraced(function* (
    ids: ReadonlyMap<string, string>,
    records: ReadonlyMap<string, IssueRecord.IssueRecord>
  ) {
    const parents = new Set([...records.keys()].flatMap(id => /^(.*)\.\d+$/.exec(id)?.[1] ?? []))
    const last = new Map<string, number>()
    for (const [from, to] of ids) if (parents.has(from)) last.set(to, (yield* store.nextChild(from)) - 1)
    yield* store.raiseChildCounters(last)
  })

  const renaming: Renaming = {
    renamePrefix: (to, how = {}) =>
      change(
        "renamePrefix",
        Effect.gen(function* () {
          const from = how.from ?? (yield* prefix)
          const rows = new Map((yield* store.rows).map(row => [row.id, row]))
          const records = new Map<string, IssueRecord.IssueRecord>()
          for (const [id, row] of rows) records.set(id, yield* recordOf(row))
          const ids = from === to ? new Map<string, string>() : yield* plan(records, from, to)
          if (how.dryRun !== true && ids.size > 0) yield* rename(rows, records, ids)
          const kept = [...records.values()].filter(
            record =>
              !ids.has(record.id) &&
              IssueId.hasPrefix(record.id, from) &&
              !IssueId.hasPrefix(record.id, to) &&
              IssueRecord.text(record, "status") !== "tombstone"
          )
          return {
            from,
            to,
            renamed: [...ids].map(([old, id]) => ({ from: old, to: id })),
            kept: from === to ? [] : kept.map(({ id }) => id)
          }
        })
      )
  }
  return renaming
})
