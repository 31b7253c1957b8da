/** That what `reconcile` is given of a changed file, and what all of it gives, is the same plan. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import * as IssueRecord from "../../src/domain/IssueRecord.ts"
import * as Differences from "../../src/flush/Differences.ts"
import * as Reconciliation from "../../src/flush/Reconciliation.ts"
import * as RenameForwarding from "../../src/flush/RenameForwarding.ts"
import * as IssueLines from "../../src/issue-file/IssueLines.ts"
import { IssueStore, type MarkedRow, type Write } from "../../src/store/IssueStore.ts"
import * as SqliteStore from "../../src/store/SqliteStore.ts"
import { type Random, randomOf } from "../random.ts"
import { recordOf } from "../recordOf.ts"
import { at, file, line, type Members } from "./workbench.ts"

/** What the store remembers has no part in this. */
const unknown = () => undefined

const planOf = (rows: ReadonlyMap<string, MarkedRow>, lines: ReadonlyArray<Reconciliation.FileLine>) => {
  const plan = RenameForwarding.forward(Reconciliation.reconcile({ rows, lines, ancestorOf: unknown }), {
    rows,
    lines,
    descents: { isAncestor: () => false, ancestorOf: unknown }
  })
  const sorted = (entries: ReadonlyArray<unknown>) => entries.map(entry => JSON.stringify(entry)).sort()
  return {
    ...plan,
    writes: sorted(plan.writes.map(({ record, state }) => ({ line: IssueRecord.line(record), state }))),
    missing: sorted(plan.missing),
    settled: sorted(plan.settled),
    descents: sorted(plan.descents),
    adopted: sorted(plan.adopted)
  }
}

/** The plan of what differs and the plan of all; none for the first where all is needed, for both where a line cannot be read. */
const plans = Effect.fnUntraced(function* (writes: ReadonlyArray<Write>, bytes: Uint8Array, partLength?: number) {
  const store = yield* IssueStore
  yield* store.transaction(store.write(writes))
  const rows = new Map((yield* store.rows).map(row => [row.id, row] as const))
  const reading = IssueLines.read(bytes)
  const differences = yield* Differences.find(store, bytes, partLength)
  return {
    differences,
    narrow: Option.map(differences, found => planOf(found.rows, found.lines)),
    whole: reading.unreadable.length > 0 ? Option.none() : Option.some(planOf(rows, reading.lines))
  }
}, Effect.provide(SqliteStore.layerMemory))

const clean = (text: string): Write => ({ record: recordOf(text), state: { _tag: "clean" } })
const dirty = (text: string, base?: string): Write => ({ record: recordOf(text), state: { _tag: "dirty", base } })

const ids = ["10", "9e1", "a-1", "a-10", "a-2", "b.1", "b.2", "c-7", 'q"1', "ä-ö"]

const issue = ({ below, pick }: Random, id: string): string => {
  const members: Members = { id, title: pick(["t", "Grüße \u2028", "\u0000"]), updated_at: at(below(4)) }
  const deleted = { status: "tombstone", deleted_at: at(3), deleted_by: "x", delete_reason: "", original_type: "task" }
  switch (below(20)) {
    case 0:
      return line({ ...members, ...deleted })
    case 1:
      return line({ ...members, created_at: "2026-01-05T00:00:00Z" })
    case 2:
      return line({ ...members, dependencies: [{ issue_id: id, depends_on_id: pick(ids), type: "blocks" }] })
    default:
      return line(members)
  }
}

/** Rows of some ids; and a file in which most lines are theirs. */
const makeCase = (random: Random) => {
  const { below, pick } = random
  // a file is cut where a line begins with an id that needs no decoding
  const known = below(3) === 0 ? ids : ids.filter(id => /^[\w.-]+$/.test(id))
  const held = known.filter(() => below(5) > 0)
  const rows = held.map(id => (below(4) === 0 ? dirty(issue(random, id), issue(random, id)) : clean(issue(random, id))))
  const lines: Array<string> = []
  for (const { record } of rows) {
    const dice = below(12)
    if (dice < 8) lines.push(IssueRecord.line(record))
    else if (dice < 11) lines.push(issue(random, record.id))
  }
  for (const id of known) if (!held.includes(id) && below(2) === 0) lines.push(issue(random, id))
  if (below(4) > 0) lines.sort((a, b) => IssueLines.compareIds(recordOf(a).id, recordOf(b).id))
  switch (below(12)) {
    case 0:
      lines.push(pick([...lines, "{"]))
      break
    case 1:
      lines.push(issue(random, pick(known)))
      break
    case 2:
      lines.push("", pick([" ", "\t", "\ufeff", "<<<<<<< ours", '{"id":"a-1","id":"a-2"}']))
      break
    case 3:
      lines.push(line({ id: pick(known), status: "tombstone", renamed_to: pick(known), deleted_at: at(1) }))
      break
    case 4:
      lines.reverse()
      break
    case 5:
    case 6:
      // out of its place, or a second one of an id
      lines.splice(below(lines.length + 1), 0, issue(random, pick(known)))
      break
  }
  const text = below(8) === 0 ? lines.join("\r\n") : file(...lines)
  return { rows, bytes: Buffer.from(text) }
}

describe("differences", () => {
  it.effect(
    "G22: over random stores and files, what differs gives the plan that all gives",
    () =>
      Effect.gen(function* () {
        let narrowed = 0
        let cut = 0
        for (let seed = 0; seed < 1_000; seed++) {
          const { bytes, rows } = makeCase(randomOf(seed))
          // a part of one line or a few, or the whole file
          const length = [1, 150, 400, undefined][seed % 4]
          const { narrow, whole } = yield* plans(rows, bytes, length)
          if (Option.isNone(narrow)) continue
          narrowed++
          if (length !== undefined && (IssueLines.parts(bytes, length)?.length ?? 0) > 1) cut++
          assert.deepEqual(narrow, whole, `seed ${seed}: ${bytes}`)
        }
        // else nothing was compared
        assert.isAbove(narrowed, 380)
        assert.isAbove(cut, 100)
      }),
    60_000
  )

  it.effect("only what differs is read", () =>
    Effect.gen(function* () {
      const rows = Array.from({ length: 50 }, (_, i) => line({ id: `a-${100 + i}` }))
      const changed = rows.map((text, i) => (i === 7 ? line({ id: "a-107", title: "new", updated_at: at(1) }) : text))
      const { differences, narrow } = yield* plans(
        rows.map(row => clean(row)),
        Buffer.from(file(...changed.filter((_, i) => i !== 9), line({ id: "b-1" })))
      )
      const { lines, rows: read } = Option.getOrThrow(differences)
      assert.deepEqual([...read.keys()].sort(), ["a-107", "a-109"])
      assert.deepEqual(lines.map(({ id }) => id).sort(), ["a-107", "b-1"])
      assert.deepEqual(Option.getOrThrow(narrow).missing, ['"a-109"'])
    })
  )

  it.effect("G22: a row whose line ends in CR, as a file with CR CR LF has it, is not that of a file with CR LF", () =>
    Effect.gen(function* () {
      const { narrow, whole } = yield* plans([clean(`${line({})}\r`)], Buffer.from(`${line({})}\r\n`))
      assert.deepEqual(narrow, whole)
      assert.strictEqual(Option.getOrThrow(narrow).adopted.length, 1)
    })
  )

  const needsAll = (what: string, rows: ReadonlyArray<Write>, content: string) =>
    it.effect(`all is needed: ${what}`, () =>
      Effect.gen(function* () {
        const { differences } = yield* plans(rows, Buffer.from(content))
        assert.isTrue(Option.isNone(differences))
      })
    )

  const one = line({})
  const tombstone = line({ id: "a-2", status: "tombstone", renamed_to: "a-1", deleted_at: at(1) })
  needsAll("an id stands twice", [clean(one)], file(one, one))
  needsAll("an issue was renamed here", [clean(one), clean(tombstone)], file(one, tombstone))
  needsAll("a renaming comes", [clean(one)], file(one, tombstone))
  const escaped = tombstone.replace("renamed_to", "renamed\\u005fto")
  needsAll("a renaming comes, its key written with an escape", [clean(one)], file(one, escaped))
  needsAll(
    "a renaming whose key is written with an escape is undone",
    [clean(one), clean(escaped)],
    file(one, line({ id: "a-2", undeleted_at: at(2) }))
  )
  needsAll(
    "what was renamed when the file was last seen",
    [clean(one), dirty(line({ id: "a-2", undeleted_at: at(2) }), tombstone)],
    file(one, line({ id: "a-2", title: "older" }))
  )
  needsAll("two issues of one id", [clean(one)], file(line({ created_at: "2026-01-09T00:00:00Z" })))
  needsAll("a line cannot be read", [clean(one)], file(one, "{"))
  needsAll("a line that differs has two ids", [clean(one)], file(one, '{"id":"a-2","id":"a-3"}'))
})
