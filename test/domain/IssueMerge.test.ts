import { describe, expect, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as Instant from "../../src/domain/Instant.ts"
import * as IssueMerge from "../../src/domain/IssueMerge.ts"
import * as IssueRecord from "../../src/domain/IssueRecord.ts"
import * as JsonText from "../../src/domain/JsonText.ts"
import * as MergeOrder from "../../src/domain/MergeOrder.ts"
import { at, field, history, issue, line, oddities, version } from "./merge-arbitraries.ts"
import { read } from "./read.ts"

const { merge } = IssueMerge

/** Versions with an ancestor, with one that has nothing to do with them, and without. */
const merges = (count: number) =>
  FastCheck.oneof(
    history(count),
    history(count).map(({ versions }) => ({ base: undefined, versions })),
    FastCheck.tuple(
      FastCheck.option(version, { nil: undefined }),
      FastCheck.array(version, { minLength: count, maxLength: count })
    ).map(([base, versions]) => ({ base, versions }))
  )

const check = <A>(arbitrary: FastCheck.Arbitrary<A>, holds: (a: A) => void, numRuns = 600) =>
  FastCheck.assert(FastCheck.property(arbitrary, holds), { numRuns })

const timeout = 60_000

const instant = (record: IssueRecord.IssueRecord, key: string) =>
  Instant.parse(JsonText.decodeString(IssueRecord.get(record, key)))

const meaning = (record: IssueRecord.IssueRecord, key: string): string => {
  const value = IssueRecord.get(record, key)
  const instant = Instant.parse(JsonText.decodeString(value))
  return value === undefined ? "" : instant === undefined ? JsonText.canonical(value) : `${instant}`
}

describe("the laws", () => {
  it(
    "G24: the merge does not depend on the order of versions, nor on how often one is given",
    () =>
      check(merges(3), ({ base, versions: [a, b, c] }) => {
        if (!a || !b || !c) return
        const orders = [
          [a, c, b],
          [b, a, c],
          [b, c, a],
          [c, a, b],
          [c, b, a],
          [a, b, a, c, c, b]
        ]
        const lines = orders.map(order => line(merge(base, order)))
        expect(new Set(lines)).toEqual(new Set([line(merge(base, [a, b, c]))]))
      }),
    timeout
  )

  it(
    "G24: merging the result again with what it was made from gives its very bytes",
    () =>
      check(
        FastCheck.oneof(merges(3), oddities(2), oddities(3)),
        ({ base, versions }) => {
          const merged = read(line(merge(base, versions)))
          const again = [...versions.map(one => [merged, one]), [merged, ...versions]].map(all =>
            line(merge(base, all))
          )
          expect(new Set(again)).toEqual(new Set([line(merged)]))
        },
        1_500
      ),
    timeout
  )

  it(
    "G24: where only one side changed an issue, its very line is the result",
    () =>
      check(history(1), ({ base, versions: [changed] }) => {
        if (!changed || [base, changed].some(record => field(record, "status") === "tombstone")) return
        const isBackwards = ["updated_at", "undeleted_at"].some(
          key => Instant.order(instant(changed, key), instant(base, key)) < 0
        )
        const saysTheSame = line(merge(base, [base, changed])) === line(base)
        if (!isBackwards && !saysTheSame) expect(line(merge(base, [base, changed]))).toBe(line(changed))
      }),
    timeout
  )

  it(
    "G22: what only one side changed keeps that change",
    () =>
      check(
        history(2),
        ({ base, versions: [a, b] }) => {
          if (!a || !b) return
          const merged = merge(base, [a, b])
          const expectChanged = (key: string) => {
            if (meaning(b, key) === meaning(base, key)) expect(meaning(merged, key)).toBe(meaning(a, key))
            if (meaning(a, key) === meaning(base, key)) expect(meaning(merged, key)).toBe(meaning(b, key))
          }
          for (const key of ["title", "description", "priority", "created_at", "later_field", "__proto__"]) {
            expectChanged(key)
          }
          if ([base, a, b].some(record => field(record, "status") === "tombstone")) return
          // of a tombstone it belongs to the deletion, which no stale line takes back
          expectChanged("renamed_to")
          const unit = (record: IssueRecord.IssueRecord) =>
            ["status", "closed_at", "close_reason"].map(key => meaning(record, key)).join()
          if (unit(b) === unit(base)) expect(unit(merged)).toBe(unit(a))
          expect([unit(a), unit(b)]).toContain(unit(merged))
        },
        1_500
      ),
    timeout
  )

  it(
    "G22: labels: a removal wins over an unchanged label, a new one stays",
    () =>
      check(
        merges(2),
        ({ base, versions: [a, b] }) => {
          if (!a || !b) return
          const labels = (record: IssueRecord.IssueRecord | undefined): ReadonlyArray<string> =>
            record === undefined ? [] : ((field(record, "labels") as ReadonlyArray<string> | null | undefined) ?? [])
          // a tombstone that both sides forgot takes part as a third version; it removes nothing
          const expected = [...new Set([...labels(a), ...labels(b)])].filter(
            label => !labels(base).includes(label) || (labels(a).includes(label) && labels(b).includes(label))
          )
          expect(new Set(labels(merge(base, [a, b])))).toEqual(new Set(expected))
        },
        1_500
      ),
    timeout
  )

  it(
    "G23: whatever is merged in any order, an issue lives exactly if the latest undeletion is not before the latest deletion",
    () =>
      check(
        FastCheck.tuple(
          FastCheck.array(version, { minLength: 2, maxLength: 5 }),
          FastCheck.array(FastCheck.option(version, { nil: undefined }), { minLength: 5, maxLength: 5 })
        ),
        ([versions, ancestors]) => {
          const isTombstone = (record: IssueRecord.IssueRecord) => field(record, "status") === "tombstone"
          const deletedAt = (one: IssueRecord.IssueRecord) => instant(one, "deleted_at") ?? instant(one, "updated_at")
          const used: Array<IssueRecord.IssueRecord> = []
          const merged = versions.reduce((known, next, i) => {
            const base = ancestors[i]
            if (base !== undefined) used.push(base)
            return merge(base, [known, next])
          })
          const deletions = [...versions, ...used].filter(isTombstone).map(deletedAt)
          const undeletions = versions.flatMap(one => instant(one, "undeleted_at") ?? [])
          if (deletions.includes(undefined) || used.some(one => field(one, "undeleted_at") !== undefined)) return
          const isDead = deletions.some(deletion => !undeletions.some(time => Instant.order(time, deletion) >= 0))
          expect(isTombstone(merged)).toBe(isDead)
        },
        1_000
      ),
    timeout
  )
})

describe("fields", () => {
  const base = issue({ title: "T", status: "open", priority: 2, created_at: at(0), updated_at: at(1) })

  it("G22: two changes of different fields both stay", () => {
    const left = issue({ title: "L", status: "open", priority: 2, created_at: at(0), updated_at: at(2) })
    const right = issue({ title: "T", status: "open", priority: 0, created_at: at(0), updated_at: at(3) })
    expect(line(merge(base, [left, right]))).toBe(
      line(issue({ title: "L", status: "open", priority: 0, created_at: at(0), updated_at: at(3) }))
    )
  })

  it("G22: of two changes of one field the later wins, ties by the greater value, absence least", () => {
    const titled = (title: string | undefined, updated_at: string) =>
      issue({ title, status: "open", priority: 2, created_at: at(0), updated_at })
    expect(field(merge(base, [titled("a", at(3)), titled("b", at(2))]), "title")).toBe("a")
    expect(field(merge(base, [titled("a", at(3)), titled("b", "2026-01-01T02:00:03.000+02:00")]), "title")).toBe("b")
    expect(field(merge(base, [titled("a", at(3)), titled("b", "2026-01-01T00:00:02.999999999Z")]), "title")).toBe("a")
    expect(field(merge(base, [titled(undefined, at(3)), titled("b", at(3))]), "title")).toBe("b")
    expect(field(merge(base, [titled(undefined, at(4)), titled("b", at(3))]), "title")).toBe(undefined)
  })

  it("G22: ties go by the value in question, not by the rest of the line", () => {
    const left = issue({ title: "x", notes: "a", created_at: at(0), updated_at: at(2) })
    const right = issue({ title: "y", notes: "0", created_at: at(0), updated_at: at(2) })
    const merged = merge(issue({ title: "T", created_at: at(0), updated_at: at(1) }), [left, right])
    expect([field(merged, "title"), field(merged, "notes")]).toEqual(["y", "a"])
  })

  it("G22, G27: status, closed_at and close_reason come from one version", () => {
    const closed = issue({ title: "T", status: "closed", updated_at: at(2), closed_at: at(2), close_reason: "done" })
    const started = issue({ title: "T", status: "in_progress", updated_at: at(3) })
    const open = issue({ title: "T", status: "open", updated_at: at(1) })
    expect(line(merge(open, [closed, started]))).toBe(line(started))
    const reopened = issue({ title: "T", status: "open", updated_at: at(4) })
    const renamed = issue({ title: "N", status: "closed", updated_at: at(5), closed_at: at(2), close_reason: "done" })
    expect(line(merge(closed, [reopened, renamed]))).toBe(
      line(issue({ title: "N", status: "open", updated_at: at(5) }))
    )
  })

  it("G24: a merge stamps the latest updated_at of its versions, never a time of its own", () => {
    const left = issue({ title: "L", updated_at: "2026-01-01T09:00:00+09:00" })
    const right = issue({ title: "T", priority: 1, updated_at: "2025-12-31T23:59:59.123456789Z" })
    const merged = merge(issue({ title: "T", updated_at: at(0) }), [left, right])
    expect(IssueRecord.get(merged, "updated_at")).toBe('"2026-01-01T09:00:00+09:00"')
  })

  it("G22: without an ancestor scalars come from the latest version and sets unite", () => {
    const left = issue({ title: "L", status: "open", updated_at: at(2), labels: ["a", "c"] })
    const right = issue({ title: "R", status: "open", updated_at: at(3), labels: ["b"] })
    const merged = merge(undefined, [left, right])
    expect([field(merged, "title"), field(merged, "labels")]).toEqual(["R", ["a", "b", "c"]])
  })

  it("G18: fields this version does not know merge like others, and keep their text", () => {
    const odd = (big: string, notes: string, n: number) =>
      read(
        `{"id":"bd-1","2":${big},"title":"T","__proto__":{"z":1.0,"a":1e2},"notes":"${notes}","updated_at":"${at(n)}"}`
      )
    const merged = merge(odd("9007199254740993", "", 1), [
      odd("9007199254740995", "", 2),
      odd("9007199254740993", "x", 3)
    ])
    expect(line(merged)).toBe(line(odd("9007199254740995", "x", 3)))
  })

  it("G24: local keys are no change, and leave a line that changes", () => {
    const of = (title: string, notes: string, hash: string | undefined, n: number) =>
      issue({ content_hash: hash, title, notes, updated_at: at(n) })
    expect(line(merge(of("T", "", "h1", 1), [of("T", "", "h2", 1), of("L", "", undefined, 2)]))).toBe(
      line(of("L", "", undefined, 2))
    )
    expect(line(merge(of("T", "", "h1", 1), [of("T", "n", "h2", 3), of("L", "", "h3", 2)]))).toBe(
      line(of("L", "n", undefined, 3))
    )
  })

  it("G15: a merged line keeps the order of its keys; a new key keeps its place", () => {
    const left = read(`{"title":"T","id":"bd-1","zeta":1,"status":"open","updated_at":"${at(2)}"}`)
    const right = read(`{"title":"T","id":"bd-1","status":"open","notes":"n","updated_at":"${at(3)}"}`)
    const origin = read(`{"title":"T","id":"bd-1","status":"open","updated_at":"${at(1)}"}`)
    expect(line(merge(origin, [left, right]))).toBe(
      `{"title":"T","id":"bd-1","zeta":1,"status":"open","notes":"n","updated_at":"${at(3)}"}`
    )
  })
})

describe("sets", () => {
  const comment = (id: number, text: string, n: number, author = "ann") => ({
    id,
    issue_id: "bd-1",
    author,
    text,
    created_at: at(n)
  })
  const blocks = (on: string, n: number, type = "blocks") => ({
    issue_id: "bd-1",
    depends_on_id: on,
    type,
    created_at: at(n)
  })
  const with_ = (key: string, elements: ReadonlyArray<unknown> | undefined, n: number) =>
    issue({ title: "T", updated_at: at(n), [key]: elements })

  it("G22: a dependency is the same by target and type, whenever it was made", () => {
    const base = with_("dependencies", [blocks("bd-2", 1)], 1)
    const left = with_("dependencies", [blocks("bd-2", 1), blocks("bd-3", 2), blocks("bd-2", 2, "related")], 2)
    const right = with_("dependencies", [blocks("bd-3", 3)], 3)
    // in the order of the side that has both; the later version tells when the link was made
    expect(field(merge(base, [left, right]), "dependencies")).toEqual([blocks("bd-3", 3), blocks("bd-2", 2, "related")])
  })

  it("G22: between a removal and a change of an element the later decides, ties by the greater value", () => {
    const base = with_("dependencies", [blocks("bd-2", 1)], 1)
    const changed = (n: number) => with_("dependencies", [blocks("bd-2", 2)], n)
    const removed = with_("dependencies", [], 3)
    expect(field(merge(base, [changed(4), removed]), "dependencies")).toEqual([blocks("bd-2", 2)])
    expect(field(merge(base, [changed(2), removed]), "dependencies")).toEqual([])
    expect(field(merge(base, [changed(3), removed]), "dependencies")).toEqual([blocks("bd-2", 2)])
    expect(field(merge(base, [with_("dependencies", [blocks("bd-2", 1)], 4), removed]), "dependencies")).toEqual([])
  })

  it("G22: a comment is the same by author, instant and text; numbers that clash are given anew", () => {
    const base = with_("comments", [comment(1, "first", 1)], 1)
    const left = with_("comments", [comment(1, "first", 1), comment(2, "left", 3)], 3)
    const right = with_("comments", [comment(1, "first", 1), comment(2, "right", 2)], 2)
    const merged = merge(base, [left, right])
    expect(field(merged, "comments")).toEqual([comment(1, "first", 1), comment(2, "right", 2), comment(3, "left", 3)])
    const other = { ...comment(7, "first", 1), created_at: "2026-01-01T01:00:01.000+01:00" }
    expect(field(merge(undefined, [base, with_("comments", [other], 2)]), "comments")).toHaveLength(1)
  })

  it("G22: the last element of a set removed on one side takes the key with it", () => {
    const merged = merge(with_("labels", ["a"], 1), [with_("labels", undefined, 2), with_("labels", ["a"], 1)])
    expect(IssueRecord.get(merged, "labels")).toBe(undefined)
  })

  it("G18: an array that is none is kept as the value it is", () => {
    const left = issue({ title: "T", labels: { a: 1 }, updated_at: at(2) })
    const right = issue({ title: "R", labels: ["a"], updated_at: at(3) })
    expect(field(merge(issue({ title: "T", labels: ["a"], updated_at: at(1) }), [left, right]), "labels")).toEqual({
      a: 1
    })
  })
})

describe("deletion", () => {
  const live = (n: number, more = {}) => issue({ title: "T", status: "open", updated_at: at(n), ...more })
  const tombstone = (n: number, more = {}) =>
    issue({
      title: "T",
      status: "tombstone",
      updated_at: at(n),
      deleted_at: at(n),
      deleted_by: "ann",
      delete_reason: "dup",
      original_type: "task",
      ...more
    })

  it("G23: a tombstone wins over a stale line, however late that was edited, and fields merge on beneath", () => {
    const merged = merge(live(1), [tombstone(2), live(4, { title: "edited" })])
    expect(line(merged)).toBe(line(tombstone(2, { title: "edited", updated_at: at(4) })))
    expect(field(merge(undefined, [tombstone(2), live(4)]), "status")).toBe("tombstone")
  })

  it("G23: an undeletion wins over the deletions before it, and a later deletion over it", () => {
    const undeleted = live(3, { undeleted_at: at(3) })
    expect(line(merge(tombstone(2), [tombstone(2), undeleted]))).toBe(line(undeleted))
    expect(line(merge(live(1), [tombstone(2), undeleted]))).toBe(line(undeleted))
    const again = tombstone(4, { undeleted_at: at(3) })
    expect(line(merge(undeleted, [again, undeleted, live(1)]))).toBe(line(again))
  })

  it("G23: a tombstone that both sides have forgotten is remembered", () => {
    expect(field(merge(tombstone(2), [live(1), live(4)]), "status")).toBe("tombstone")
    expect(field(merge(tombstone(2), [live(4)]), "status")).toBe("tombstone")
    expect(field(merge(tombstone(2), [live(4, { undeleted_at: at(3) })]), "status")).toBe("open")
  })

  it("G19: where an issue went is forgotten neither by a stale line nor by deleting its old id once more", () => {
    const live = issue({ title: "T", status: "open", updated_at: at(1) })
    const renamed = issue({
      title: "T",
      status: "tombstone",
      updated_at: at(1),
      deleted_at: at(2),
      renamed_to: "new-1"
    })
    const stale = issue({ title: "S", status: "open", updated_at: at(9) })
    const deleted = issue({ title: "T", status: "tombstone", updated_at: at(9), deleted_at: at(9) })
    for (const base of [undefined, live, renamed]) {
      for (const other of [stale, deleted]) {
        expect(field(merge(base, [renamed, other]), "renamed_to")).toBe("new-1")
      }
    }
    // renamed back: it lives, and went nowhere
    const back = issue({ title: "T", status: "open", updated_at: at(4), undeleted_at: at(4) })
    for (const base of [undefined, live, renamed]) {
      expect(field(merge(base, [renamed, back]), "renamed_to")).toBe(undefined)
    }
  })

  it("G23: a live line with a stray deleted_at deletes nothing", () => {
    const stray = live(3, { status: "closed", closed_at: at(3), deleted_at: at(2), deleted_by: "ann" })
    expect(line(merge(live(1), [live(1), stray]))).toBe(line(stray))
  })

  it("G23: without deleted_at a tombstone is as old as its last change, and says so from then on", () => {
    const bare = tombstone(2, { deleted_at: undefined })
    expect(field(merge(undefined, [bare, live(4)]), "deleted_at")).toBe(at(2))
    expect(field(merge(undefined, [bare, live(3, { undeleted_at: at(3) })]), "status")).toBe("open")
  })

  it("G24: a tombstone without any time takes the merged one, so that merging again changes nothing", () => {
    const timeless = tombstone(2, { deleted_at: undefined, updated_at: undefined })
    const other = live(4, { title: "N" })
    const merged = merge(live(1), [timeless, other])
    expect(field(merged, "deleted_at")).toBe(at(4))
    for (const one of [timeless, other]) {
      expect(line(merge(live(1), [read(line(merged)), one]))).toBe(line(merged))
    }
  })

  it("G22: an issue that lives again has the status of a version that lived", () => {
    const closed = issue({ title: "T", status: "closed", updated_at: at(3), closed_at: at(1), undeleted_at: at(3) })
    const merged = merge(undefined, [tombstone(2, { updated_at: at(4), title: "N" }), closed])
    expect([field(merged, "status"), field(merged, "closed_at"), field(merged, "title")]).toEqual([
      "closed",
      at(1),
      "N"
    ])
    expect(field(merged, "deleted_at")).toBe(undefined)
  })
})

describe("order", () => {
  const alphabetical = MergeOrder.compareText

  it("G24: the order of each version is kept, what they leave open goes by rank", () => {
    expect(
      MergeOrder.merge(
        [
          ["c", "a"],
          ["c", "b"]
        ],
        alphabetical
      )
    ).toEqual(["c", "a", "b"])
    expect(
      MergeOrder.merge(
        [
          ["b", "x"],
          ["a", "x", "c"]
        ],
        alphabetical
      )
    ).toEqual(["a", "b", "x", "c"])
  })

  it("G24: contradictory orders give way to rank altogether", () => {
    expect(
      MergeOrder.merge(
        [
          ["c", "b", "a"],
          ["a", "c"]
        ],
        alphabetical
      )
    ).toEqual(["a", "b", "c"])
  })

  it("G24: texts compare as their UTF-8 bytes", () => {
    expect(["\u{1f600}", "\uffee", "z"].sort(alphabetical)).toEqual(["z", "\uffee", "\u{1f600}"])
  })
})
