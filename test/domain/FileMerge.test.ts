/** The merge of whole files (G18–G25). */
import { describe, expect, it } from "@effect/vitest"
import { FastCheck } from "effect"
import * as CreatedApart from "../../src/domain/CreatedApart.ts"
import * as FileMerge from "../../src/domain/FileMerge.ts"
import * as IdRenaming from "../../src/domain/IdRenaming.ts"
import * as IssueChange from "../../src/domain/IssueChange.ts"
import type * as IssueRecord from "../../src/domain/IssueRecord.ts"
import { realFiles } from "../realFiles.ts"
import { at, field, history, line, version } from "./merge-arbitraries.ts"
import { read } from "./read.ts"

type Lines = ReadonlyArray<string>

const merge = (base: Lines, left: Lines, right: Lines) =>
  FileMerge.mergeFiles({ base: base.map(read), left: left.map(read), right: right.map(read) })

const merged = (base: Lines, left: Lines, right: Lines): Lines => merge(base, left, right).records.map(line)

const issue = (id: string, n: number, fields: Readonly<Record<string, unknown>> = {}): string =>
  JSON.stringify({ id, title: "T", status: "open", created_at: at(0), updated_at: at(n), ...fields })

const link = (from: string, to: string) => ({ issue_id: from, depends_on_id: to, type: "blocks" })

describe("files", () => {
  it("G24: the sides, and the order of lines, do not matter", () => {
    const lines = FastCheck.array(
      version.map(record => line(record)),
      { maxLength: 3 }
    )
    const files = FastCheck.tuple(lines, lines, lines, history(2)).map(
      ([base, left, right, { base: from, versions }]) => {
        const as = (id: string) => (record: IssueRecord.IssueRecord) => line(IdRenaming.withId(record, id))
        const [l, r] = versions.map(as("bd-2"))
        return [
          [...base, as("bd-2")(from)],
          [...left, l ?? ""],
          [...right, r ?? ""]
        ] as const
      }
    )
    FastCheck.assert(
      FastCheck.property(files, ([base, left, right]) => {
        const one = merged(base, left, right)
        expect(merged(base, right, left)).toEqual(one)
        expect(merged([...base].reverse(), [...left].reverse(), [...right].reverse())).toEqual(one)
        expect(one.map(text => read(text).id)).toEqual(
          [...new Set([...base, ...left, ...right].map(text => read(text).id))].sort()
        )
      }),
      { numRuns: 100 }
    )
  }, 60_000)

  it("G19: a line that one side or both lack is kept; only a tombstone deletes", () => {
    const base = [issue("a", 1), issue("b", 1), issue("c", 1)]
    const tombstone = issue("c", 2, { status: "tombstone", deleted_at: at(2) })
    expect(merged(base, [issue("a", 1), tombstone], [issue("a", 2)])).toEqual([issue("a", 2), issue("b", 1), tombstone])
  })

  it("G22: of two lines in the ancestor, an edit of one is carried onto what both make", () => {
    // a union that was committed before anybody merged it
    const a = issue("a", 2, { labels: ["x"] })
    const b = issue("a", 3, { title: "B", labels: ["y"] })
    const edited = issue("a", 5, { labels: ["x", "edited"] })
    const resolved = issue("a", 3, { title: "B", labels: ["x", "y"] })
    const both = { title: "B", labels: ["edited", "x", "y"] }
    for (const [left, right] of [
      [[edited, b], [resolved]],
      [[resolved], [b, edited]],
      [
        [edited, b],
        [a, b]
      ]
    ] as const) {
      const [issueOfBoth, ...more] = merged([a, b], left, right).map(text => JSON.parse(text))
      expect(more).toEqual([])
      expect({ title: issueOfBoth.title, labels: [...issueOfBoth.labels].sort() }).toEqual(both)
    }
  })

  it("G22: several lines of an id on one side are versions of one issue", () => {
    const left = [issue("a", 2, { notes: "n" }), issue("a", 3, { title: "L" })]
    expect(merged([issue("a", 1)], left, [issue("a", 1, { priority: 1 })]).map(text => JSON.parse(text))).toEqual([
      { ...JSON.parse(issue("a", 3, { title: "L" })), notes: "n", priority: 1 }
    ])
  })

  it("G22: where the ancestor is a union of lines and one side has made them one, that side's merge stands", () => {
    const union = [issue("a", 2, { title: "L", notes: "old" }), issue("a", 3, { title: "T", notes: "new" })]
    const reconciled = issue("a", 3, { title: "L", notes: "new" })
    expect(merged(union, [reconciled], union)).toEqual([reconciled])
    expect(merged(union, union, [reconciled])).toEqual([reconciled])
  })

  it.each(realFiles)("G18, G22: %s: edits on both sides stay, nothing else of a line changes", (_, bytes) => {
    const base = bytes.toString("utf8").split("\n").filter(Boolean)
    const change = (text: string, at: string, edit: IssueChange.Edit) =>
      line(IssueChange.apply(read(text), { at, actor: "ann" }, edit))
    const isLive = (text: string) => field(read(text), "status") !== "tombstone"
    const left = base.map((text, i) =>
      isLive(text) && i % 2 === 0 ? change(text, "2030-01-01T00:00:00Z", IssueChange.update({ title: "left" })) : text
    )
    const right = base.map((text, i) =>
      isLive(text) && i % 3 === 0 ? change(text, "2030-01-02T00:00:00Z", IssueChange.addLabel("right")) : text
    )
    const result = new Map(merge(base, left, right).records.map(record => [record.id, line(record)]))
    expect(result.size).toBe(base.length)
    base.forEach((text, i) => {
      const both = isLive(text) && i % 6 === 0
      const mine = left[i] ?? ""
      const expected = both
        ? change(mine, "2030-01-02T00:00:00Z", IssueChange.addLabel("right"))
        : isLive(text) && i % 2 === 0
          ? mine
          : right[i]
      expect(result.get(read(text).id)).toBe(expected)
    })
  })
})

describe("renamed ids", () => {
  const tombstone = (n: number, more = {}) =>
    issue("old", n, { status: "tombstone", deleted_at: at(n), renamed_to: "new", ...more })

  it("G19: an edit of the old id is applied to the new", () => {
    const result = merged([issue("old", 1)], [tombstone(2), issue("new", 2)], [issue("old", 3, { title: "edited" })])
    expect(result.map(text => [read(text).id, field(read(text), "title"), field(read(text), "status")])).toEqual([
      ["new", "edited", "open"],
      ["old", "edited", "tombstone"]
    ])
  })

  it("G19, G23: a stale line of the old id changes nothing of the new", () => {
    const left = [issue("new", 2, { title: "N" }), tombstone(2)]
    expect(merged([issue("old", 1)], left, [issue("old", 1)])).toEqual(left)
  })

  it("G19, G24: an undeletion that did not know of the renaming is of the new id", () => {
    const undeleted = issue("old", 4, { title: "edited", undeleted_at: at(4) })
    const left = [tombstone(2), issue("new", 2)]
    const both = merged([issue("old", 1)], left, [undeleted])
    expect(both.map(text => [read(text).id, field(read(text), "title"), field(read(text), "status")])).toEqual([
      ["new", "edited", "open"],
      ["old", "edited", "tombstone"]
    ])
    expect(merged([issue("old", 1)], [undeleted], left)).toEqual(both)
    // whoever has one side of it still makes the same of it
    expect(merged([issue("old", 1)], both, [undeleted])).toEqual(both)
    expect(merged([issue("old", 1)], left, both)).toEqual(both)
  })

  it("G19, G22: what one side took away before both renamed it does not come back", () => {
    const base = issue("old", 1, { labels: ["kept", "away"] })
    const left = [tombstone(2), issue("new", 2, { labels: ["kept"] })]
    const right = [tombstone(3), issue("new", 3, { labels: ["kept", "away"] })]
    expect(merged([base], left, right)).toEqual([issue("new", 3, { labels: ["kept"] }), tombstone(3)])
    expect(merged([base], right, left)).toEqual([issue("new", 3, { labels: ["kept"] }), tombstone(3)])
  })
})

describe("issues created apart", () => {
  const first = issue("p.1", 1, { title: "first", created_at: at(1), created_by: "ann" })
  const later = issue("p.1", 5, { title: "later", created_at: at(5), created_by: "bob" })
  const newId = CreatedApart.split([first, later].map(read))[1]?.record.id ?? ""
  const moved = line(IdRenaming.withId(read(later), newId))

  it("G24: become two, and the references of each side follow its own", () => {
    const left = [first, issue("q", 2, { dependencies: [link("q", "p.1")] })]
    const right = [later, issue("r", 2, { dependencies: [link("r", "p.1")] })]
    const both = merge([], left, right)
    expect(both.records.map(record => [record.id, field(record, "title")])).toEqual(
      [
        [newId, "later"],
        ["p.1", "first"],
        ["q", "T"],
        ["r", "T"]
      ].sort(([a = ""], [b = ""]) => (a < b ? -1 : 1))
    )
    expect(both.renamed).toEqual([{ from: "p.1", to: newId, title: "later" }])
    const of = (id: string) => both.records.flatMap(record => (record.id === id ? [field(record, "dependencies")] : []))
    expect(of("q")).toEqual([[link("q", "p.1")]])
    expect(of("r")).toEqual([[link("r", newId)]])
    expect(both.unresolvedReferences).toEqual([])
  })

  it("G24: an edit made before the clone knew of the split follows to the new id", () => {
    const edited = JSON.stringify({ ...JSON.parse(later), notes: "n", updated_at: at(6) })
    const expected = [first, line(IdRenaming.withId(read(edited), newId))].sort()
    expect([...merged([later], [edited], [first, moved])].sort()).toEqual(expected)
    expect([...merged([later], [first, moved], [edited])].sort()).toEqual(expected)
  })

  it("G24: a reference of which it cannot be told whose it is stays, and is listed", () => {
    const reference = issue("q", 2, { dependencies: [link("q", "p.1")] })
    const both = merge([reference], [first, reference], [later, reference])
    expect(both.unresolvedReferences).toEqual([{ id: "q", dependsOn: "p.1", type: "blocks" }])
  })
})
