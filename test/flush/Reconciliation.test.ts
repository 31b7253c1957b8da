/** What a changed issue file means for the store: the decisions, case by case and over random states. */
import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import * as IssueMerge from "../../src/domain/IssueMerge.ts"
import * as IssueRecord from "../../src/domain/IssueRecord.ts"
import * as Reconciliation from "../../src/flush/Reconciliation.ts"
import type { MarkedRow } from "../../src/store/IssueStore.ts"
import { recordOf } from "../recordOf.ts"

type Members = Readonly<Record<string, unknown>>

const createdAt = "2026-01-01T00:00:00Z"
const at = (second: number) => `2026-02-01T00:00:${String(second).padStart(2, "0")}Z`

const line = (members: Members): string =>
  JSON.stringify({
    id: "a-1",
    title: "t",
    status: "open",
    priority: 2,
    created_at: createdAt,
    updated_at: at(0),
    ...members
  })

const fields = (text: string | undefined): Members => JSON.parse(text ?? "{}")

const clean = (text: string): MarkedRow => ({
  id: String(fields(text).id),
  line: text,
  revision: 1,
  mark: undefined
})
const dirty = (text: string, base?: string): MarkedRow => ({ ...clean(text), mark: { revision: 1, base } })

const rowsOf = (...rows: ReadonlyArray<MarkedRow>) => new Map(rows.map(row => [row.id, row] as const))
const linesOf = (texts: ReadonlyArray<string>) => texts.map(text => ({ id: String(fields(text).id), text }))

const reconcile = (
  rows: ReadonlyMap<string, MarkedRow>,
  texts: ReadonlyArray<string>,
  ancestorOf: Reconciliation.AncestorOf = () => undefined
) => Reconciliation.reconcile({ rows, lines: linesOf(texts), ancestorOf })

/** What the store holds once the plan is carried out. */
const applied = (rows: ReadonlyMap<string, MarkedRow>, plan: Reconciliation.Reconciliation) => {
  const out = new Map(rows)
  for (const { record, state } of plan.writes) {
    const revision = (out.get(record.id)?.revision ?? 0) + 1
    const mark = state._tag === "clean" ? undefined : { revision, base: state.base }
    out.set(record.id, { id: record.id, line: IssueRecord.line(record), revision, mark })
  }
  for (const id of plan.missing) {
    const row = out.get(id)
    if (row !== undefined && row.mark === undefined) {
      out.set(id, { ...row, mark: { revision: row.revision, base: row.line } })
    }
  }
  for (const id of plan.settled) {
    const row = out.get(id)
    if (row !== undefined) out.set(id, { ...row, mark: undefined })
  }
  return out
}

const isNothing = (plan: Reconciliation.Reconciliation) =>
  assert.deepStrictEqual(
    [plan.writes, plan.missing, plan.settled, plan.adopted, plan.renamed, plan.unresolved],
    [[], [], [], [], [], []]
  )

describe("one line of an id", () => {
  const old = line({})
  const here = line({ title: "here", updated_at: at(2) })
  const there = line({ priority: 0, updated_at: at(3) })

  it("G20: a clean row follows the file, forwards and backwards", () => {
    for (const [from, to] of [
      [old, there],
      [there, old]
    ] as const) {
      const plan = reconcile(rowsOf(clean(from)), [to])
      assert.deepStrictEqual(applied(rowsOf(clean(from)), plan).get("a-1")?.line, to)
      assert.deepStrictEqual(plan.writes[0]?.state, { _tag: "clean" })
      assert.deepStrictEqual(plan.adopted, [{ id: "a-1", before: from, after: to }])
    }
  })

  it("G21: a clean row whose line the file holds is left alone", () => {
    isNothing(reconcile(rowsOf(clean(old)), [old]))
  })

  it("G22: a line that equals the base leaves a dirty row as it is", () => {
    isNothing(reconcile(rowsOf(dirty(here, old)), [old]))
  })

  it("G22: both changed: they merge against the base of the mark, and what the file lacks is dirty", () => {
    const rows = rowsOf(dirty(here, old))
    const plan = reconcile(rows, [there])
    const row = applied(rows, plan).get("a-1")
    assert.deepInclude(fields(row?.line), { title: "here", priority: 0, updated_at: at(3) })
    assert.strictEqual(row?.mark?.base, there)
  })

  it("G22: the base decides, not the stamp: a field that only the older side changed stays changed", () => {
    const late = line({ title: "here", updated_at: at(9) })
    const rows = rowsOf(dirty(late, old))
    const row = applied(rows, reconcile(rows, [there])).get("a-1")
    assert.deepInclude(fields(row?.line), { title: "here", priority: 0 })
  })

  it("G22: without a base the later version wins, and sets unite", () => {
    const rows = rowsOf(dirty(line({ title: "here", labels: ["x"], updated_at: at(1) })))
    const row = applied(rows, reconcile(rows, [line({ title: "there", labels: ["y"], updated_at: at(2) })])).get("a-1")
    assert.deepInclude(fields(row?.line), { title: "there", labels: ["x", "y"] })
  })

  it("G22: a merge that says what the line says makes the row clean", () => {
    const both = line({ title: "here", priority: 0, updated_at: at(3) })
    const rows = rowsOf(dirty(here, old))
    const plan = reconcile(rows, [both])
    assert.deepStrictEqual(applied(rows, plan).get("a-1"), { ...clean(both), revision: 2 })
  })

  it("G14: a dirty row whose line the file holds already is cleared", () => {
    const plan = reconcile(rowsOf(dirty(here, old)), [here])
    assert.deepStrictEqual(plan.settled, ["a-1"])
    assert.deepStrictEqual(plan.writes, [])
    // as the clearing after a publish would have remembered it
    assert.deepStrictEqual(plan.descents, [
      { id: "a-1", line: old, parents: [] },
      { id: "a-1", line: here, parents: [old] }
    ])
  })

  it("G22: a newer line is taken for an edit of the one it replaces, an older one is not", () => {
    const parents = (from: string, to: string) =>
      reconcile(rowsOf(clean(from)), [to]).descents.find(({ line }) => line === to)?.parents
    assert.deepStrictEqual(parents(here, there), [here])
    assert.deepStrictEqual(parents(there, here), [])
  })

  it("a new issue comes in clean", () => {
    const plan = reconcile(rowsOf(), [old])
    assert.deepStrictEqual(applied(rowsOf(), plan).get("a-1"), clean(old))
    assert.deepStrictEqual(plan.adopted, [{ id: "a-1", before: undefined, after: old }])
  })

  it("G22: the versions are remembered, each after what it was made from", () => {
    const plan = reconcile(rowsOf(dirty(here, old)), [there])
    const merged = plan.writes.map(({ record }) => IssueRecord.line(record))
    assert.deepStrictEqual(plan.descents, [
      { id: "a-1", line: old, parents: [] },
      { id: "a-1", line: here, parents: [old] },
      { id: "a-1", line: there, parents: [old] },
      ...merged.map(text => ({ id: "a-1", line: text, parents: [here, there] }))
    ])
  })
})

describe("rows without a line", () => {
  it("G19: are marked, tombstones too, and never dropped", () => {
    const rows = rowsOf(
      clean(line({})),
      clean(line({ id: "a-2", status: "tombstone", deleted_at: at(1) })),
      dirty(line({ id: "a-3" }))
    )
    const plan = reconcile(rows, [])
    assert.deepStrictEqual([...plan.missing], ["a-1", "a-2"])
    assert.deepStrictEqual(plan.writes, [])
    for (const [, row] of applied(rows, plan)) assert.isDefined(row.mark)
  })
})

describe("two lines of an id", () => {
  const base = line({ labels: ["x", "y"] })
  const left = line({ title: "left", labels: ["y"], updated_at: at(1) })
  const right = line({ priority: 0, labels: ["x", "y", "z"], updated_at: at(2) })
  const both = { title: "left", priority: 0, labels: ["y", "z"] }

  for (const [whose, row] of [
    ["no row", undefined],
    ["a clean row of one side", clean(left)],
    ["a clean row of the other", clean(right)],
    ["a clean row of the ancestor", clean(base)],
    ["a dirty row of one side", dirty(left, base)]
  ] as const) {
    it(`G22: with their ancestor both edits survive (${whose})`, () => {
      const rows = row === undefined ? rowsOf() : rowsOf(row)
      const asked: Array<unknown> = []
      const plan = reconcile(rows, [left, right], (id, texts) => {
        asked.push([id, texts])
        return base
      })
      assert.deepStrictEqual(asked, [["a-1", [left, right]]])
      const next = applied(rows, plan).get("a-1")
      assert.deepInclude(fields(next?.line), both)
      assert.isDefined(next?.mark, "the file does not hold it as one line")
    })
  }

  it("G22: without one the later wins what both have, and sets unite", () => {
    const next = applied(rowsOf(), reconcile(rowsOf(), [left, right])).get("a-1")
    assert.deepInclude(fields(next?.line), { title: "t", priority: 0, labels: ["x", "y", "z"] })
  })

  it("G22: a change made here since is a third version", () => {
    const here = line({ notes: "here", labels: ["x", "y"], updated_at: at(5) })
    const rows = rowsOf(dirty(here, base))
    const next = applied(
      rows,
      reconcile(rows, [left, right], () => base)
    ).get("a-1")
    assert.deepInclude(fields(next?.line), { ...both, notes: "here" })
  })

  it("G15: the same line twice is one issue, marked so that the publish makes it one line", () => {
    const rows = rowsOf(clean(base))
    const next = applied(rows, reconcile(rows, [base, base])).get("a-1")
    assert.strictEqual(next?.line, base)
    assert.isDefined(next?.mark)
  })
})

describe("deletion", () => {
  const dead = line({ status: "tombstone", deleted_at: at(5), updated_at: at(5) })

  it("G23: wins over a stale line, though the row is clean: it stays deleted and is published again", () => {
    for (const stale of [line({}), line({ title: "edited", updated_at: at(9) })]) {
      const rows = rowsOf(clean(dead))
      const next = applied(rows, reconcile(rows, [stale])).get("a-1")
      assert.deepInclude(fields(next?.line), { status: "tombstone", deleted_at: at(5) })
      assert.strictEqual(next?.mark?.base, stale)
    }
  })

  it("G23: comes in with the file, over a change made here", () => {
    const rows = rowsOf(dirty(line({ title: "here", updated_at: at(9) }), line({})))
    const next = applied(rows, reconcile(rows, [dead])).get("a-1")
    assert.deepInclude(fields(next?.line), { status: "tombstone", title: "here" })
  })

  it("G23, G24: deletes no issue that was created apart under the id, and stays, whichever of the two is on file", () => {
    for (const created of ["2025-12-31T00:00:00Z", "2026-01-02T00:00:00Z"]) {
      const theirs = line({ title: "theirs", created_at: created })
      const statuses = (rows: ReadonlyMap<string, MarkedRow>) =>
        Object.fromEntries([...rows.values()].map(row => [fields(row.line).title, fields(row.line).status]))
      let rows: ReadonlyMap<string, MarkedRow> = rowsOf(clean(dead))
      // their branch, one from before the deletion, ours, theirs again
      for (const text of [theirs, line({}), dead, theirs]) {
        rows = applied(rows, reconcile(rows, [text]))
        assert.deepStrictEqual(statuses(rows), { t: "tombstone", theirs: "open" })
      }
      assert.strictEqual(rows.size, 2)
    }
  })

  it("G23: a later undeletion brings it back, an earlier one does not", () => {
    for (const [undeletedAt, status] of [
      [at(6), "open"],
      [at(4), "tombstone"]
    ] as const) {
      const rows = rowsOf(clean(dead))
      const next = applied(rows, reconcile(rows, [line({ undeleted_at: undeletedAt, updated_at: undeletedAt })])).get(
        "a-1"
      )
      assert.strictEqual(fields(next?.line).status, status)
    }
  })

  it("G23: an undeletion here outlives the tombstone that a checkout brings back", () => {
    const rows = rowsOf(clean(line({ undeleted_at: at(6), updated_at: at(6) })))
    const next = applied(rows, reconcile(rows, [dead])).get("a-1")
    assert.deepInclude(fields(next?.line), { status: "open", undeleted_at: at(6) })
    assert.isDefined(next?.mark)
  })

  it("G22, G23: carried onto an older line by a checkout, it makes that line no later than itself", () => {
    const old = line({ updated_at: at(1) })
    for (const [life, stamp] of [
      [{ undeleted_at: at(3) }, at(3)],
      [{ status: "tombstone", deleted_at: at(4) }, at(4)]
    ] as const) {
      const row = line({ title: "later", updated_at: at(7), ...life })
      const plan = reconcile(rowsOf(clean(row)), [old])
      const next = applied(rowsOf(clean(row)), plan).get("a-1")?.line ?? ""
      assert.deepInclude(fields(next), { title: "t", updated_at: stamp, ...life })
      // a change that the row is made from, and that the older line is not, loses to the row's as ever
      const merged = IssueMerge.merge(
        undefined,
        [next, line({ title: "z", updated_at: at(6), ...life }), row].map(Reconciliation.recordOf)
      )
      assert.strictEqual(IssueRecord.text(merged, "title"), "later")
      // and nobody takes it for an edit of the row
      const { parents } = plan.descents.find(descent => descent.line === next) ?? {}
      assert.deepStrictEqual(parents, [old])
    }
  })

  it("G23: of two lines of an id the tombstone wins, with or without an ancestor", () => {
    for (const ancestor of [undefined, line({})]) {
      const next = applied(
        rowsOf(),
        reconcile(rowsOf(), [line({ title: "x", updated_at: at(9) }), dead], () => ancestor)
      ).get("a-1")
      assert.deepInclude(fields(next?.line), { status: "tombstone" })
    }
  })
})

describe("issues created apart under one id", () => {
  const earlier = line({ title: "earlier", created_by: "ada" })
  const later = line({ title: "later", created_by: "bob", created_at: "2026-01-01T00:01:00Z" })
  const reference = (id: string, on = "a-1", more: Members = {}) =>
    line({ id, dependencies: [{ issue_id: id, depends_on_id: on, type: "blocks", ...more }] })
  const dependsOn = (row: MarkedRow | undefined) =>
    (fields(row?.line).dependencies as ReadonlyArray<Members> | undefined)?.map(element => element.depends_on_id)

  const newId = reconcile(rowsOf(), [earlier, later]).renamed[0]?.to ?? "none"

  it("G24: the later one gets a new id, whoever has which; the earlier keeps its own", () => {
    const states: ReadonlyArray<readonly [ReadonlyMap<string, MarkedRow>, ReadonlyArray<string>]> = [
      [rowsOf(), [earlier, later]],
      [rowsOf(), [later, earlier]],
      [rowsOf(clean(earlier)), [earlier, later]],
      [rowsOf(clean(later)), [earlier, later]],
      [rowsOf(dirty(earlier)), [later]],
      [rowsOf(dirty(later)), [earlier]]
    ]
    for (const [rows, texts] of states) {
      const plan = reconcile(rows, texts)
      assert.deepStrictEqual(plan.renamed, [{ from: "a-1", to: newId }])
      const next = applied(rows, plan)
      assert.strictEqual(fields(next.get("a-1")?.line).title, "earlier")
      assert.deepInclude(fields(next.get(newId)?.line), { id: newId, title: "later" })
      assert.isDefined(next.get(newId)?.mark)
    }
  })

  it("G24: dependencies made here follow our issue, those that came follow theirs", () => {
    const cases: ReadonlyArray<readonly [string, string, string, string]> = [
      [later, earlier, newId, "a-1"],
      [earlier, later, "a-1", newId]
    ]
    for (const [ours, theirs, mine, yours] of cases) {
      const rows = rowsOf(dirty(ours), dirty(reference("a-2")), clean(line({ id: "a-4" })))
      const plan = reconcile(rows, [theirs, reference("a-3"), reference("a-4")])
      const next = applied(rows, plan)
      assert.deepStrictEqual(dependsOn(next.get("a-2")), [mine])
      assert.deepStrictEqual(dependsOn(next.get("a-3")), [yours])
      assert.deepStrictEqual(dependsOn(next.get("a-4")), [yours])
      assert.deepStrictEqual(plan.unresolved, [])
      // what the file does not hold is marked, against the line it has
      assert.strictEqual(next.get("a-3")?.mark?.base, yours === "a-1" ? undefined : reference("a-3"))
    }
  })

  it("G24: after a union merge of published issues too, whichever clone looks", () => {
    const texts = [earlier, later, reference("a-2"), reference("a-3")]
    for (const [ours, own, other] of [
      [later, "a-2", "a-3"],
      [earlier, "a-3", "a-2"]
    ] as const) {
      const rows = rowsOf(clean(ours), clean(reference(own)))
      const next = applied(rows, reconcile(rows, texts))
      assert.deepStrictEqual(dependsOn(next.get("a-2")), [newId], `${own} and ${other}`)
      assert.deepStrictEqual(dependsOn(next.get("a-3")), ["a-1"])
    }
  })

  it("G24: one that both made on their own issue becomes two", () => {
    const rows = rowsOf(dirty(later), dirty(reference("a-2", "a-1", { created_by: "bob" }), line({ id: "a-2" })))
    const next = applied(rows, reconcile(rows, [earlier, reference("a-2", "a-1", { created_by: "ada" })]))
    assert.deepStrictEqual([...(dependsOn(next.get("a-2")) ?? [])].sort(), ["a-1", newId].sort())
  })

  it("G24: where it cannot be told they stay, and are listed", () => {
    const plan = reconcile(rowsOf(), [earlier, later, reference("a-2")])
    assert.deepStrictEqual(dependsOn(applied(rowsOf(), plan).get("a-2")), ["a-1"])
    assert.deepStrictEqual(plan.unresolved, [{ id: "a-2", dependsOn: "a-1" }])
  })

  it("G24: looking again before the publish changes nothing more", () => {
    const rows = rowsOf(clean(later), clean(reference("a-2")))
    const texts = [earlier, later, reference("a-2"), reference("a-3")]
    const next = applied(rows, reconcile(rows, texts))
    assert.deepStrictEqual(reconcile(next, texts).writes, [])
  })

  it("G24: the later one's edit follows it to its new id, though git knows an ancestor under the old", () => {
    const edited = line({ ...fields(later), description: "edited", updated_at: at(40) })
    const moved = line({ ...fields(later), id: newId })
    const expected = [[earlier], [line({ ...fields(edited), id: newId })]].flat()
    for (const plan of [
      reconcile(rowsOf(clean(edited)), [edited, earlier, moved], id => (id === "a-1" ? later : undefined)),
      Reconciliation.absorb({
        rows: rowsOf(clean(edited)),
        lines: linesOf([earlier, moved]),
        ancestorOf: id => (id === "a-1" ? later : undefined)
      })
    ]) {
      const next = applied(rowsOf(clean(edited)), plan)
      assert.deepStrictEqual(
        ["a-1", newId].map(id => fields(next.get(id)?.line)),
        expected.map(fields)
      )
    }
  })

  it("G24: an import tells them apart too, references included", () => {
    const rows = rowsOf(clean(later), clean(reference("a-2")))
    const plan = Reconciliation.absorb({
      rows,
      lines: linesOf([earlier, reference("a-3")]),
      ancestorOf: () => undefined
    })
    const next = applied(rows, plan)
    assert.deepStrictEqual(plan.renamed, [{ from: "a-1", to: newId }])
    assert.strictEqual(fields(next.get("a-1")?.line).title, "earlier")
    assert.strictEqual(fields(next.get(newId)?.line).title, "later")
    assert.deepStrictEqual(dependsOn(next.get("a-2")), [newId])
    assert.deepStrictEqual(dependsOn(next.get("a-3")), ["a-1"])
    assert.strictEqual(next.get("a-2")?.mark?.base, reference("a-2"))
  })

  it("G25: a dependency on an issue that is not there is kept as it is", () => {
    const rows = rowsOf()
    const plan = reconcile(rows, [reference("a-2", "nowhere")])
    assert.deepStrictEqual(dependsOn(applied(rows, plan).get("a-2")), ["nowhere"])
  })
})

describe("over random states", () => {
  const ids = ["a-1", "a-2", "a-3", "b"]
  const stamp = FastCheck.integer({ min: 1, max: 20 }).map(at)
  const edit: FastCheck.Arbitrary<Members> = FastCheck.tuple(
    FastCheck.oneof(
      FastCheck.record({ title: FastCheck.constantFrom("x", "y", "z") }),
      FastCheck.record({ priority: FastCheck.integer({ min: 0, max: 4 }) }),
      FastCheck.record({ labels: FastCheck.uniqueArray(FastCheck.constantFrom("p", "q", "r")) }),
      FastCheck.record({ status: FastCheck.constantFrom("closed", "in_progress"), closed_at: stamp }),
      FastCheck.record({ status: FastCheck.constant("tombstone"), deleted_at: stamp }),
      FastCheck.record({ undeleted_at: stamp }),
      FastCheck.record({ created_at: FastCheck.constant("2026-01-01T00:05:00Z") }),
      FastCheck.record({ dependencies: FastCheck.constant([{ depends_on_id: "a-1", type: "blocks" }]) })
    ),
    stamp
  ).map(([members, updated]) => ({ ...members, updated_at: updated }))

  /** One issue: nothing, or a row and lines made of one ancestor by edits on both sides. */
  const issue = (id: string) =>
    FastCheck.record({
      row: FastCheck.constantFrom("none", "clean", "clean", "edited", "new"),
      here: edit,
      lines: FastCheck.array(FastCheck.option(edit), { maxLength: 3 })
    }).map(({ here, lines, row }) => {
      const base = line({ id })
      const changed = line({ id, ...here })
      const states: Record<string, ReadonlyArray<MarkedRow>> = {
        none: [],
        clean: [clean(base)],
        edited: [dirty(changed, base)],
        new: [dirty(changed)]
      }
      return {
        rows: states[row] ?? [],
        texts: lines.map(members => (members === null ? base : line({ id, ...members })))
      }
    })

  const state = FastCheck.tuple(...ids.map(issue)).map(issues => ({
    rows: rowsOf(...issues.flatMap(({ rows }) => rows)),
    texts: issues.flatMap(({ texts }) => texts)
  }))
  const ancestorOf: Reconciliation.AncestorOf = id => (id === "a-2" ? line({ id }) : undefined)
  const check = (property: FastCheck.IRawProperty<unknown>) => FastCheck.assert(property, { numRuns: 300 })

  /** All the issues of a state, in the order of their ids. */
  const seen = (rows: ReadonlyMap<string, MarkedRow>) =>
    [...rows.values()]
      .map(({ id, line: text, mark }) => ({ id, text, isMarked: mark !== undefined, base: mark?.base }))
      .sort((a, b) => (a.id < b.id ? -1 : 1))

  const shuffled = state.chain(({ rows, texts }) =>
    FastCheck.record({
      rows: FastCheck.constant(rows),
      texts: FastCheck.constant(texts),
      shuffled: FastCheck.shuffledSubarray(texts, { minLength: texts.length })
    })
  )
  const absorb = (rows: ReadonlyMap<string, MarkedRow>, texts: ReadonlyArray<string>) =>
    Reconciliation.absorb({ rows, lines: linesOf(texts), ancestorOf })

  it("G25: the order of lines that are imported does not matter", () => {
    check(
      FastCheck.property(shuffled, ({ rows, shuffled, texts }) => {
        const [one, two] = [absorb(rows, texts), absorb(rows, shuffled)]
        assert.deepStrictEqual(seen(applied(rows, one)), seen(applied(rows, two)))
        assert.sameDeepMembers([...one.renamed], [...two.renamed])
      })
    )
  })

  it("G25: the order of lines does not matter", () => {
    check(
      FastCheck.property(shuffled, ({ rows, shuffled, texts }) => {
        const [one, two] = [reconcile(rows, texts, ancestorOf), reconcile(rows, shuffled, ancestorOf)]
        assert.deepStrictEqual(seen(applied(rows, one)), seen(applied(rows, two)))
        assert.sameDeepMembers([...one.renamed], [...two.renamed])
      })
    )
  })

  it("G19: no issue is lost, of the rows or of the lines, and what the file lacks is marked", () => {
    check(
      FastCheck.property(state, ({ rows, texts }) => {
        const next = applied(rows, reconcile(rows, texts, ancestorOf))
        for (const id of [...rows.keys(), ...texts.map(text => String(fields(text).id))])
          assert.isTrue(next.has(id), id)
        for (const [id, row] of next) {
          const here = texts.filter(text => fields(text).id === id)
          if (here.length !== 1 || here[0] !== row.line) assert.isDefined(row.mark, id)
        }
      })
    )
  })

  it("G28: looking twice is looking once", () => {
    check(
      FastCheck.property(state, ({ rows, texts }) => {
        const next = applied(rows, reconcile(rows, texts, ancestorOf))
        const again = applied(next, reconcile(next, texts, ancestorOf))
        assert.deepStrictEqual(
          seen(again).map(({ id, text }) => [id, text]),
          seen(next).map(({ id, text }) => [id, text])
        )
      })
    )
  })

  it("G21: once published there is nothing to import", () => {
    check(
      FastCheck.property(state, ({ rows, texts }) => {
        const next = applied(rows, reconcile(rows, texts, ancestorOf))
        const published = [...next.values()]
        isNothing(
          reconcile(
            rowsOf(...published.map(row => clean(row.line))),
            published.map(row => row.line)
          )
        )
        // also after a crash between rename and clearing: row equals line, the mark is cleared
        const crashed = reconcile(
          next,
          published.map(row => row.line)
        )
        assert.deepStrictEqual([crashed.writes, crashed.missing], [[], []])
        for (const [, row] of applied(next, crashed)) assert.isUndefined(row.mark)
      })
    )
  })

  it("G23: what is deleted on any side, and undeleted on none, stays deleted", () => {
    check(
      FastCheck.property(state, ({ rows, texts }) => {
        const plan = reconcile(rows, texts, ancestorOf)
        const next = applied(rows, plan)
        for (const id of ids) {
          if (plan.renamed.some(({ from }) => from === id)) continue
          const versions = [rows.get(id)?.line, ...texts.filter(text => fields(text).id === id)].map(fields)
          const isDeleted = versions.some(({ status }) => status === "tombstone")
          if (!isDeleted || versions.some(({ undeleted_at }) => undeleted_at !== undefined)) continue
          assert.strictEqual(fields(next.get(id)?.line).status, "tombstone", id)
        }
      })
    )
  })

  it("every line that is written can be read again", () => {
    check(
      FastCheck.property(state, ({ rows, texts }) => {
        for (const { record } of reconcile(rows, texts, ancestorOf).writes) {
          assert.strictEqual(recordOf(IssueRecord.line(record)).id, record.id)
        }
      })
    )
  })
})
