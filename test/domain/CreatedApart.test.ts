import { describe, expect, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as CreatedApart from "../../src/domain/CreatedApart.ts"
import { at, field, line } from "./merge-arbitraries.ts"
import { read } from "./read.ts"

describe("issues created apart", () => {
  const parent = (title: string, created_at: string, more = {}) =>
    read(JSON.stringify({ id: "my-app-a1.1", title, created_at, created_by: "ann", ...more }))
  const first = parent("first", at(1))
  const later = parent("later", at(3), {
    dependencies: [{ issue_id: "my-app-a1.1", depends_on_id: "my-app-a1", type: "parent-child" }],
    comments: [{ id: 1, issue_id: "my-app-a1.1", author: "ann", text: "my-app-a1.1", created_at: at(3) }]
  })

  it("G24: a second or more between their creation makes two lines two issues", () => {
    expect(CreatedApart.isApart(first, parent("x", "2026-01-01T00:00:01.999999999Z"))).toBe(false)
    expect(CreatedApart.isApart(first, parent("x", at(2)))).toBe(true)
    expect(CreatedApart.isApart(parent("x", at(2)), first)).toBe(true)
    expect(CreatedApart.isApart(first, parent("x", "garbage"))).toBe(false)
  })

  it("G24: the earliest keeps the id, a later one gets an id of its content that edits do not change", () => {
    const [one, two] = CreatedApart.split([later, first])
    expect(two?.record).toBe(first)
    expect(one?.from).toBe("my-app-a1.1")
    expect(one?.record.id).toMatch(/^my-app-[0-9a-z]{8}$/)
    const edited = parent("edited", "2026-01-01T01:00:03+01:00", { notes: "n" })
    expect(CreatedApart.split([first, edited])[1]?.record.id).toBe(one?.record.id)
    expect(CreatedApart.split([first, first, later, later]).map(({ record }) => record.id)).toEqual([
      "my-app-a1.1",
      "my-app-a1.1",
      one?.record.id,
      one?.record.id
    ])
  })

  it("G24: an issue with a new id names itself by it in its dependencies and comments, nowhere else", () => {
    const moved = CreatedApart.split([first, later])[1]?.record
    const of = (key: "dependencies" | "comments") => (moved && (field(moved, key) as ReadonlyArray<unknown>)) ?? []
    expect(of("dependencies")).toEqual([{ issue_id: moved?.id, depends_on_id: "my-app-a1", type: "parent-child" }])
    expect(of("comments")).toEqual([
      { id: 1, issue_id: moved?.id, author: "ann", text: "my-app-a1.1", created_at: at(3) }
    ])
  })

  it("G25: which lines are one issue does not depend on their order", () => {
    const times = FastCheck.constantFrom(
      at(1),
      "2026-01-01T00:00:01.6Z",
      "2026-01-01T00:00:02.2Z",
      at(4),
      at(5),
      "none"
    )
    const lines = FastCheck.array(FastCheck.tuple(times, FastCheck.constantFrom("a", "b")), { maxLength: 5 })
    FastCheck.assert(
      FastCheck.property(
        lines.chain(all =>
          FastCheck.tuple(FastCheck.constant(all), FastCheck.shuffledSubarray(all, { minLength: all.length }))
        ),
        ([all, shuffled]) => {
          const split = (of: typeof all) =>
            CreatedApart.split(of.map(([time, title]) => parent(title, time))).map(({ record }) => line(record))
          expect([...split(all)].sort()).toEqual([...split(shuffled)].sort())
        }
      ),
      { numRuns: 600 }
    )
  })
})
