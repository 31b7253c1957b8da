import { describe, expect, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as Issue from "../../src/domain/Issue.ts"
import * as IssueChange from "../../src/domain/IssueChange.ts"
import * as IssueRecord from "../../src/domain/IssueRecord.ts"
import { read } from "./read.ts"

const at = "2026-03-01T12:00:00.000Z"
const by = { at, actor: "alice" }

const opened = read(
  `{"id":"bd-1","title":"T","description":"","status":"open","priority":1,"issue_type":"task",` +
    `"created_at":"2026-01-01T00:00:00Z","updated_at":"2026-01-02T00:00:00Z"}`
)
const closed = IssueChange.apply(opened, { ...by, at: "2026-02-01T00:00:00.000Z" }, IssueChange.close("done"))

const json = (record: IssueRecord.IssueRecord) => JSON.parse(IssueRecord.line(record))
const line = IssueRecord.line
const apply = (record: IssueRecord.IssueRecord, ...edits: ReadonlyArray<IssueChange.Edit>) =>
  IssueChange.apply(record, by, ...edits)

describe("IssueChange.stamp", () => {
  it("G22: now, if it is later than every earlier stamp", () => {
    expect(IssueChange.stamp(at)).toBe(at)
    expect(IssueChange.stamp(at, ["2026-03-01T11:59:59.999Z", "2026-01-01T00:00:00Z"])).toBe(at)
  })

  it("G22: else the latest earlier stamp and a millisecond, to the last digit, whatever its offset", () => {
    expect(IssueChange.stamp(at, [at])).toBe("2026-03-01T12:00:00.001Z")
    expect(IssueChange.stamp(at, ["2026-03-01T12:00:00.123456789Z", at])).toBe("2026-03-01T12:00:00.124456789Z")
    expect(IssueChange.stamp(at, ["2026-03-01T11:59:59.9990001Z"])).toBe("2026-03-01T12:00:00.0000001Z")
    expect(IssueChange.stamp(at, ["2026-03-01T04:00:00.5-08:00"])).toBe("2026-03-01T12:00:00.501Z")
    expect(IssueChange.stamp("2026-03-01T12:00:00.000000001Z")).toBe("2026-03-01T12:00:00.000000001Z")
    expect(IssueChange.stamp("1969-12-31T23:59:59.999999999Z")).toBe("1969-12-31T23:59:59.999999999Z")
  })

  it("G33: stamps that are no time are passed over; the end of time is the last stamp", () => {
    expect(IssueChange.stamp(at, ["", "soon", "2026"])).toBe(at)
    expect(IssueChange.stamp(at, ["9999-12-31T23:59:59.9999Z"])).toBe("9999-12-31T23:59:59.999999999Z")
  })

  it("G22: a change outdoes every stamp of the record and those seen elsewhere", () => {
    const update = IssueChange.update({ title: "U" })
    for (const key of ["created_at", "updated_at", "closed_at", "deleted_at", "undeleted_at"]) {
      const record = IssueRecord.set(opened, key, `"2030-01-01T00:00:00.5Z"`)
      expect(json(apply(record, update)).updated_at).toBe("2030-01-01T00:00:00.501Z")
    }
    const seen = { ...by, seen: ["2031-01-01T00:00:00Z"] }
    expect(json(IssueChange.apply(opened, seen, update)).updated_at).toBe("2031-01-01T00:00:00.001Z")
  })
})

describe("IssueChange.create", () => {
  it("contract: keys in order, empty ones left out, labels sorted, defaults filled in", () => {
    const record = IssueChange.create(
      { title: "a <b>", description: "", labels: ["z", "a", "z"], assignee: "bob", priority: 0 },
      "bd-9",
      by,
      [{ dependsOnId: "bd-1", type: "parent-child" }]
    )
    expect(line(record)).toBe(
      `{"id":"bd-9","title":"a \\u003cb\\u003e","status":"open","priority":0,"issue_type":"task","assignee":"bob",` +
        `"created_at":"${at}","created_by":"alice","updated_at":"${at}","labels":["a","z"],` +
        `"dependencies":[{"issue_id":"bd-9","depends_on_id":"bd-1","type":"parent-child","created_at":"${at}","created_by":"alice"}]}`
    )
    expect(line(IssueChange.create({ title: "T" }, "bd-9", by))).toContain(`"priority":2,"issue_type":"task"`)
  })

  it("G27: what is created closed has closed_at", () => {
    expect(json(IssueChange.create({ title: "T", status: "closed" }, "bd-9", by)).closed_at).toBe(at)
    expect(json(IssueChange.create({ title: "T", status: "deferred" }, "bd-9", by))).not.toHaveProperty("closed_at")
  })
})

describe("IssueChange.update", () => {
  it("G15: a change touches its fields and updated_at; order, presence and form of the rest stay", () => {
    const record = read(
      `{"title":"T", "zz":1.0,"id":"bd-1","description":"","priority":1e0,"big":12345678901234567890,"status":"open","updated_at":"2026-01-01T00:00:00Z"}`
    )
    expect(line(apply(record, IssueChange.update({ priority: 3, design: "D" })))).toBe(
      `{"title":"T","zz":1.0,"id":"bd-1","description":"","design":"D","priority":3,"big":12345678901234567890,"status":"open","updated_at":"${at}"}`
    )
  })

  it("G15: what changes nothing returns the same record, however the value is written", () => {
    const record = read(
      `{"id":"bd-1","title":"a<b\\u0041","status":"open","priority":1e0,"content_hash":"x","assignee":null,"estimated_minutes":null,"labels":[ "b" , "a" ],` +
        `"dependencies":[{"depends_on_id":"bd-2","type":"blocks"}],"updated_at":"2026-01-01T00:00:00Z"}`
    )
    const idle = [
      IssueChange.update({}),
      IssueChange.update({ title: "a<bA", priority: 1, status: "open", assignee: "", notes: "" }),
      IssueChange.update({ estimated_minutes: null, title: undefined }),
      IssueChange.appendNotes(""),
      IssueChange.reopen,
      IssueChange.undelete,
      IssueChange.addLabel("a"),
      IssueChange.removeLabel("c"),
      IssueChange.setLabels(["a", "b"]),
      IssueChange.addDependency("bd-2", "blocks"),
      IssueChange.removeDependency("bd-2", "related"),
      IssueChange.removeDependency("bd-3"),
      IssueChange.setParent("")
    ]
    idle.forEach((edit, i) => expect(apply(record, edit), `edit ${i}`).toBe(record))
    expect(apply(record, ...idle)).toBe(record)
  })

  it("contract: empty text and null take a field out of the line", () => {
    const record = read(`{"id":"bd-1","title":"T","assignee":"bob","estimated_minutes":5,"status":"open"}`)
    const after = json(apply(record, IssueChange.update({ assignee: "", estimated_minutes: null })))
    expect(after).toEqual({ id: "bd-1", title: "T", status: "open", updated_at: at })
  })

  it("contract: content_hash and source_repo leave a line that changes", () => {
    const record = read(`{"id":"bd-1","content_hash":"x","title":"T","source_repo":".","status":"open"}`)
    expect(line(apply(record, IssueChange.addLabel("a")))).toBe(
      `{"id":"bd-1","title":"T","status":"open","updated_at":"${at}","labels":["a"]}`
    )
  })

  it("contract: several edits are one change with one stamp", () => {
    const after = json(apply(opened, IssueChange.close("done"), IssueChange.addLabel("a"), IssueChange.addComment("c")))
    expect([after.updated_at, after.closed_at, after.comments[0].created_at]).toEqual([at, at, at])
  })

  it("contract: notes are appended as a line", () => {
    const once = apply(opened, IssueChange.appendNotes("one"))
    expect(json(once).notes).toBe("one")
    expect(json(apply(once, IssueChange.appendNotes("two"))).notes).toBe("one\ntwo")
  })
})

describe("IssueChange status", () => {
  it("G27: entering closed sets closed_at, leaving removes closed_at and close_reason", () => {
    expect(json(closed)).toMatchObject({
      status: "closed",
      closed_at: "2026-02-01T00:00:00.000Z",
      close_reason: "done"
    })
    for (const edit of [
      IssueChange.reopen,
      IssueChange.update({ status: "in_progress" }),
      IssueChange.update({ status: "deferred" })
    ]) {
      const after = json(apply(closed, edit))
      expect(after.status).not.toBe("closed")
      expect(after).not.toHaveProperty("closed_at")
      expect(after).not.toHaveProperty("close_reason")
    }
    expect(json(apply(opened, IssueChange.update({ status: "closed" }))).closed_at).toBe(at)
  })

  it("G27: closing what is closed is no change", () => {
    expect(apply(closed, IssueChange.close("again"))).toBe(closed)
    expect(apply(closed, IssueChange.update({ status: "closed" }))).toBe(closed)
  })

  it("G27: a foreign line that disagrees is kept until its status is changed", () => {
    const stale = read(
      `{"id":"bd-1","title":"T","status":"open","closed_at":"2025-01-01T00:00:00Z","close_reason":"old"}`
    )
    expect(json(apply(stale, IssueChange.update({ title: "U" })))).toMatchObject({
      status: "open",
      closed_at: "2025-01-01T00:00:00Z",
      close_reason: "old"
    })
    expect(json(apply(stale, IssueChange.update({ status: "in_progress" })))).toEqual({
      id: "bd-1",
      title: "T",
      status: "in_progress",
      updated_at: at
    })
    expect(json(apply(stale, IssueChange.close()))).toEqual({
      id: "bd-1",
      title: "T",
      status: "closed",
      closed_at: at,
      updated_at: at
    })
    const bare = read(`{"id":"bd-1","title":"T","status":"closed"}`)
    expect(json(apply(bare, IssueChange.update({ title: "U" })))).not.toHaveProperty("closed_at")
    expect(apply(bare, IssueChange.close())).toBe(bare)
  })

  it("G27: statuses and types of other producers stay as they are", () => {
    const hooked = read(`{"id":"bd-1","title":"T","status":"hooked","issue_type":"molecule"}`)
    expect(json(apply(hooked, IssueChange.update({ title: "U" })))).toMatchObject({
      status: "hooked",
      issue_type: "molecule"
    })
    expect(json(apply(hooked, IssueChange.close())).closed_at).toBe(at)
  })

  it("G27: whatever edits are made, status and closed_at agree", () => {
    const edits = FastCheck.constantFrom<IssueChange.Edit>(
      IssueChange.close("r"),
      IssueChange.close(),
      IssueChange.reopen,
      IssueChange.update({ status: "in_progress" }),
      IssueChange.update({ status: "closed", title: "U" }),
      IssueChange.addLabel("x"),
      IssueChange.remove("gone"),
      IssueChange.undelete
    )
    FastCheck.assert(
      FastCheck.property(FastCheck.array(edits), steps => {
        let record = opened
        for (const step of steps) {
          record = apply(record, step)
          const issue = json(record)
          if (issue.status !== "tombstone") {
            expect(issue.closed_at !== undefined).toBe(issue.status === "closed")
            if (issue.status !== "closed") expect(issue).not.toHaveProperty("close_reason")
          }
        }
      })
    )
  })
})

describe("IssueChange.remove and undelete", () => {
  it("G23: a deletion leaves a tombstone with all other fields, an undeletion gives the issue back", () => {
    for (const before of [opened, closed]) {
      const gone = apply(before, IssueChange.remove("dup"))
      expect(json(gone)).toEqual({
        ...json(before),
        status: "tombstone",
        updated_at: at,
        deleted_at: at,
        deleted_by: "alice",
        delete_reason: "dup",
        original_type: "task"
      })
      expect(apply(gone, IssueChange.remove("again"))).toBe(gone)
      const back = apply(gone, IssueChange.undelete)
      expect(json(back)).toEqual({
        ...json(before),
        updated_at: "2026-03-01T12:00:00.001Z",
        undeleted_at: "2026-03-01T12:00:00.001Z"
      })
    }
  })

  it("G23: with a clock that stands still or runs backwards each deletion and undeletion outdoes the one before", () => {
    const past = { actor: "alice", at: "2020-01-01T00:00:00.000Z" }
    let record = opened
    let last = ""
    for (let round = 0; round < 5; round++) {
      record = IssueChange.apply(record, past, IssueChange.remove())
      expect(json(record).deleted_at > last).toBe(true)
      last = json(record).deleted_at
      expect(json(record).undeleted_at !== undefined).toBe(round > 0)
      record = IssueChange.apply(record, past, IssueChange.undelete)
      expect(json(record).undeleted_at > last).toBe(true)
      last = json(record).undeleted_at
    }
  })

  it("G23: no other edit gives a tombstone another status", () => {
    const gone = apply(opened, IssueChange.remove())
    for (const edit of [IssueChange.reopen, IssueChange.close(), IssueChange.update({ status: "open" })]) {
      expect(apply(gone, edit)).toBe(gone)
    }
  })
})

describe("IssueChange labels", () => {
  const labels = (text: string) => read(`{"id":"bd-1","title":"T","labels":${text}}`)
  const value = (record: IssueRecord.IssueRecord) => IssueRecord.get(record, "labels")

  it("contract: sorted labels stay sorted by their bytes, others keep their order", () => {
    expect(value(apply(labels(`["a","c"]`), IssueChange.addLabel("b")))).toBe(`["a","b","c"]`)
    expect(value(apply(labels(`["c","a"]`), IssueChange.addLabel("b")))).toBe(`["c","a","b"]`)
    expect(value(apply(labels(`["\uff5e"]`), IssueChange.addLabel("😀")))).toBe(`["\uff5e","😀"]`)
    expect(value(apply(opened, IssueChange.addLabels(["z", "a", "z"])))).toBe(`["a","z"]`)
  })

  it("G18: untouched labels keep the text they were written in", () => {
    const record = labels(`["\\u0061","b\\/c", "d"]`)
    expect(value(apply(record, IssueChange.removeLabel("d")))).toBe(`["\\u0061","b\\/c"]`)
    expect(value(apply(record, IssueChange.addLabel("c")))).toBe(`["\\u0061","b\\/c","c","d"]`)
    expect(value(apply(record, IssueChange.setLabels(["b/c", "x"])))).toBe(`["b\\/c","x"]`)
    expect(value(apply(record, IssueChange.removeLabel("a")))).toBe(`["b\\/c","d"]`)
  })

  it("contract: with the last label the key goes", () => {
    expect(value(apply(labels(`["a"]`), IssueChange.removeLabel("a")))).toBeUndefined()
    expect(value(apply(labels(`["a"]`), IssueChange.setLabels([])))).toBeUndefined()
  })
})

describe("IssueChange dependencies", () => {
  const related = `{"type":"related","depends_on_id":"bd-3","x":1.0}`
  const parent = `{ "issue_id":"bd-1","depends_on_id":"bd-2","type":"parent-child" }`
  const record = read(`{"id":"bd-1","title":"T","dependencies":[${related},${parent}]}`)
  const value = (record: IssueRecord.IssueRecord) => IssueRecord.get(record, "dependencies")
  const made = (to: string, type: string) =>
    `{"issue_id":"bd-1","depends_on_id":"${to}","type":"${type}","created_at":"${at}","created_by":"alice"}`

  it("G18: a new one goes to the end, the others keep the text they were written in", () => {
    expect(value(apply(record, IssueChange.addDependency("bd-9", "blocks")))).toBe(
      `[${related},${parent},${made("bd-9", "blocks")}]`
    )
    expect(value(apply(record, IssueChange.removeDependency("bd-2")))).toBe(`[${related}]`)
  })

  it("contract: target and type are the identity", () => {
    expect(apply(record, IssueChange.addDependency("bd-3", "related"))).toBe(record)
    const both = apply(record, IssueChange.addDependency("bd-3", "blocks"))
    expect(value(both)).toBe(`[${related},${parent},${made("bd-3", "blocks")}]`)
    expect(value(apply(both, IssueChange.removeDependency("bd-3", "blocks")))).toBe(`[${related},${parent}]`)
    expect(value(apply(both, IssueChange.removeDependency("bd-3")))).toBe(`[${parent}]`)
  })

  it("contract: setParent moves the issue, an empty one makes it a root", () => {
    expect(apply(record, IssueChange.setParent("bd-2"))).toBe(record)
    expect(value(apply(record, IssueChange.setParent("bd-9")))).toBe(`[${related},${made("bd-9", "parent-child")}]`)
    expect(value(apply(record, IssueChange.setParent("")))).toBe(`[${related}]`)
  })
})

describe("IssueChange.addComment", () => {
  it("G18: number follows the highest in the line; other comments keep their text", () => {
    const old = `{"id":7,"issue_id":"bd-1","author":"b","text":"\\u0061","created_at":"2025-01-01T00:00:00Z","k":1.0}`
    const record = read(`{"id":"bd-1","title":"T","comments":[${old},{"id":3}]}`)
    expect(IssueRecord.get(apply(record, IssueChange.addComment("hi\u0000")), "comments")).toBe(
      `[${old},{"id":3},{"id":8,"issue_id":"bd-1","author":"alice","text":"hi\\u0000","created_at":"${at}"}]`
    )
    const [comment] = Issue.commentsOf(apply(opened, IssueChange.addComment("x", "carol")))
    expect(comment).toMatchObject({ id: 1, author: "carol" })
  })

  it("contract: two equal comments at one instant are two", () => {
    const twice = apply(apply(opened, IssueChange.addComment("x")), IssueChange.addComment("x"))
    expect(new Set(Issue.commentsOf(twice).map(({ created_at }) => created_at)).size).toBe(2)
  })
})

describe("IssueChange", () => {
  it("G22: every kind of change sets updated_at", () => {
    const record = apply(opened, IssueChange.addLabel("l"), IssueChange.addDependency("bd-2", "blocks"))
    const edits: ReadonlyArray<IssueChange.Edit> = [
      IssueChange.update({ title: "U" }),
      IssueChange.appendNotes("n"),
      IssueChange.close(),
      IssueChange.remove(),
      IssueChange.addLabel("m"),
      IssueChange.removeLabel("l"),
      IssueChange.addDependency("bd-3", "related"),
      IssueChange.removeDependency("bd-2"),
      IssueChange.setParent("bd-4"),
      IssueChange.addComment("c")
    ]
    for (const edit of edits) expect(json(apply(record, edit)).updated_at).toBe("2026-03-01T12:00:00.001Z")
    expect(json(apply(closed, IssueChange.reopen)).updated_at).toBe(at)
  })
})
