import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Issue from "../../src/domain/Issue.ts"
import * as IssueRecord from "../../src/domain/IssueRecord.ts"
import { read } from "./read.ts"

const record = (line: string) => {
  const { id, members } = read(line)
  return IssueRecord.make(id, members)
}
const view = (line: string) => Issue.fromRecord(record(line))
const json = (line: string) => JSON.stringify(Issue.toJson(view(line)))
const run = <A, E>(effect: Effect.Effect<A, E>) => Effect.runSync(Effect.either(effect))

describe("Issue", () => {
  it("contract: JSON output has the keys of the line in its order, description always, other empties not", () => {
    expect(
      json(
        `{"updated_at":"2026-01-02T00:00:00Z","id":"bd-1","title":"T","priority":0,"notes":"","labels":[],"status":"open",` +
          `"issue_type":"bug","estimated_minutes":0,"created_at":"2026-01-01T00:00:00Z","comments":[]}`
      )
    ).toBe(
      `{"id":"bd-1","title":"T","description":"","status":"open","priority":0,"issue_type":"bug",` +
        `"estimated_minutes":0,"created_at":"2026-01-01T00:00:00Z","updated_at":"2026-01-02T00:00:00Z"}`
    )
  })

  it("G18: unknown fields are shown, those of dependencies and comments too; local keys are not", () => {
    expect(
      json(
        `{"owner":"o","id":"bd-1","title":"T","status":"hooked","priority":1,"issue_type":"molecule","created_at":"a",` +
          `"updated_at":"b","content_hash":"h","source_repo":".",` +
          `"dependencies":[{"issue_id":"bd-1","depends_on_id":"bd-2","type":"relates-to","created_at":"c","created_by":"d","metadata":{"x":1}}],` +
          `"comments":[{"id":7,"issue_id":"bd-1","author":"a","text":"t","created_at":"e","kind":"k"}],"timeout":5}`
      )
    ).toBe(
      `{"id":"bd-1","title":"T","description":"","status":"hooked","priority":1,"issue_type":"molecule","created_at":"a",` +
        `"updated_at":"b","dependencies":[{"issue_id":"bd-1","depends_on_id":"bd-2","type":"relates-to","created_at":"c",` +
        `"created_by":"d","metadata":{"x":1}}],"comments":[{"id":7,"issue_id":"bd-1","author":"a","text":"t",` +
        `"created_at":"e","kind":"k"}],"owner":"o","timeout":5}`
    )
  })

  it("G33: a key __proto__ is a key like any other", () => {
    const line = `{"id":"bd-1","title":"T","__proto__":{"status":"closed"},"comments":[{"__proto__":{"text":"x"}}]}`
    expect(view(line).status).toBe("open")
    expect(view(line).comments[0]?.text).toBe("")
    expect(Object.getPrototypeOf(view(line).extra)).toBe(Object.prototype)
    expect(Object.getPrototypeOf(view(line).comments[0])).toBe(Object.prototype)
    expect(json(line)).toContain(`"__proto__":{"status":"closed"}`)
    expect(json(line)).toContain(`{"__proto__":{"text":"x"},`)
  })

  it("G33: a value nested too deeply to be printed is shown as its text, whatever strings hold", () => {
    const deep = `${"[".repeat(200_000)}"]"${"]".repeat(200_000)}`
    const harmless = JSON.stringify(["[".repeat(5_000), '\\"[']) // brackets in strings are no nesting
    const line = `{"id":"bd-1","title":"T","deep":${deep},"harmless":${harmless},"comments":[{"id":1,"text":"c","deep":${deep}}]}`
    const output = JSON.parse(json(line))
    expect(output.deep).toBe(deep)
    expect(output.comments[0].deep).toBe(deep)
    expect(output.harmless).toEqual(JSON.parse(harmless))
  })

  it("G33: fields of another kind than expected show their default", () => {
    const issue = view(
      `{"id":"bd-1","title":7,"description":null,"status":{},"priority":"high","labels":["a",1,null],"dependencies":[3,null],` +
        `"comments":{},"estimated_minutes":"x"}`
    )
    expect(issue).toMatchObject({
      title: "",
      description: "",
      status: "open",
      priority: 2,
      issue_type: "task",
      labels: ["a"],
      dependencies: [],
      comments: []
    })
    expect(issue.estimated_minutes).toBeUndefined()
  })
})

describe("Issue.decodeNewIssue", () => {
  const decode = (input: unknown) => run(Issue.decodeNewIssue(input))
  const field = (input: unknown) => {
    const result = decode(input)
    return result._tag === "Left" ? result.left.field : "accepted"
  }

  it("contract: priorities 0–4 and P0–P4", () => {
    for (const [input, priority] of [
      [0, 0],
      [4, 4],
      ["3", 3],
      ["P0", 0],
      ["p4", 4],
      [" 2 ", 2]
    ]) {
      expect(decode({ title: "T", priority: input })).toMatchObject({ right: { priority } })
    }
    for (const priority of [-1, 5, 1.5, Number.NaN, "P5", "", "high", "3abc", "PP1", "-0", null, true]) {
      expect(field({ title: "T", priority })).toBe("priority")
    }
  })

  it("contract: titles of 1–500 characters, counted as people count", () => {
    expect(field({ title: "x".repeat(500) })).toBe("accepted")
    expect(field({ title: "😀".repeat(500) })).toBe("accepted")
    expect(field({ title: "😀".repeat(501) })).toBe("title")
    expect(field({ title: "x".repeat(10_000_000) })).toBe("title")
    expect(field({ title: "" })).toBe("title")
    expect(field({})).toBe("title")
    expect(field({ title: null })).toBe("title")
  })

  it("contract: only known statuses and types are created, and no negative estimate", () => {
    for (const status of ["open", "in_progress", "blocked", "deferred", "closed"]) {
      expect(field({ title: "T", status })).toBe("accepted")
    }
    for (const issue_type of ["bug", "feature", "task", "epic", "chore"]) {
      expect(field({ title: "T", issue_type })).toBe("accepted")
    }
    for (const status of ["tombstone", "hooked", "OPEN", "", "constructor"]) {
      expect(field({ title: "T", status })).toBe("status")
    }
    for (const issue_type of ["event", "", "toString"]) expect(field({ title: "T", issue_type })).toBe("issue_type")
    for (const estimated_minutes of [-1, 1.5, "abc", "", Number.POSITIVE_INFINITY, "1e3"]) {
      expect(field({ title: "T", estimated_minutes })).toBe("estimated_minutes")
    }
    for (const estimated_minutes of [0, 30, "30"]) expect(field({ title: "T", estimated_minutes })).toBe("accepted")
    expect(field({ title: "T", labels: ["a", ""] })).toBe("labels")
    expect(field({ title: "T", labels: new Array(2) })).toBe("labels")
    expect(field({ title: "T", notes: 5 })).toBe("notes")
    // what JSON cannot say
    const own: Record<string, unknown> = {}
    own["own"] = own
    for (const title of [1n, own]) expect(field({ title })).toBe("title")
    expect(field(null)).toBe("issue")
  })

  it("contract: the error names the field, the value and the rule", () => {
    const result = decode({ title: "T", priority: "9" })
    expect(result).toMatchObject({ left: { field: "priority", value: "9", rule: "0–4 or P0–P4" } })
    if (result._tag === "Left") expect(result.left.message).toBe(`invalid priority "9": must be 0–4 or P0–P4`)
    const long = decode({ title: "x".repeat(501) })
    if (long._tag === "Left") expect(long.left.message.length).toBeLessThan(120)
  })
})

describe("Issue.decodeIssueUpdate", () => {
  it("contract: empty text and null clear, a title cannot be cleared, other keys are left out", () => {
    const decode = (input: unknown) => run(Issue.decodeIssueUpdate(input))
    expect(decode({ assignee: "", estimated_minutes: null, addLabels: ["x"], id: "y" })).toEqual(
      expect.objectContaining({ right: { assignee: "", estimated_minutes: null } })
    )
    expect(decode({ title: "" })).toMatchObject({ left: { field: "title" } })
    expect(decode({ status: "hooked" })).toMatchObject({ left: { field: "status", value: "hooked" } })
  })
})

describe("Issue values", () => {
  it("contract: labels and comments are not empty; only four types of dependency are made", () => {
    expect(run(Issue.decodeLabel(""))).toMatchObject({ left: { field: "label" } })
    expect(run(Issue.decodeLabel("ui"))).toMatchObject({ right: "ui" })
    expect(run(Issue.decodeCommentText(""))).toMatchObject({ left: { field: "comment" } })
    expect(run(Issue.decodeDependencyType("replies-to"))).toMatchObject({ left: { field: "dependency_type" } })
    expect(run(Issue.decodeDependencyType("parent-child"))).toMatchObject({ right: "parent-child" })
    expect(run(Issue.decodePriority("P3"))).toMatchObject({ right: 3 })
  })
})
