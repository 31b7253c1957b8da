/** How many statements a use case asks of SQLite: as many in a large project as in a small one. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Tracer } from "effect"
import * as Testing from "../../src/testing/Testing.ts"
import { Tracker } from "../../src/tracker/Tracker.ts"

/** Each statement is a span, as `@effect/sql` names it. */
const counting = () => {
  const counter = { statements: 0 }
  const tracer = Effect.map(Effect.tracer, native =>
    Tracer.make({
      span: (name, ...rest) => {
        if (name === "sql.execute") counter.statements += 1
        return native.span(name, ...rest)
      },
      context: native.context
    })
  )
  return { counter, tracer }
}

/** So many issues below and behind the first, each with a label and a comment. */
const lines = (count: number): string =>
  Array.from({ length: count }, (_, i) => {
    const id = `a-${String(i).padStart(4, "0")}`
    const at = "2026-01-01T00:00:00Z"
    const link = { issue_id: id, created_at: at, created_by: "x" }
    return `${JSON.stringify({
      id,
      title: `Issue ${i}`,
      status: i % 7 === 3 ? "in_progress" : "open",
      priority: i % 5,
      issue_type: "task",
      created_at: at,
      updated_at: at,
      labels: [`label-${i % 3}`],
      dependencies:
        i === 0
          ? Array.from({ length: count - 1 }, (_, n) => ({
              ...link,
              depends_on_id: `a-${String(n + 1).padStart(4, "0")}`,
              type: "related"
            }))
          : [{ ...link, depends_on_id: "a-0000", type: i % 2 === 0 ? "parent-child" : "blocks" }],
      comments: [{ id: 1, issue_id: id, author: "x", text: "seen", created_at: at }]
    })}\n`
  }).join("")

const cases: Readonly<Record<string, (tracker: Tracker["Type"]) => Effect.Effect<unknown, unknown>>> = {
  show: tracker => tracker.show("a-0000"),
  "list, all": tracker => tracker.list({}),
  "list, in parts": tracker => tracker.listParts({}, issues => issues.length),
  "list, five": tracker => tracker.list({ limit: 5 }),
  "list, below a parent, filtered": tracker => tracker.list({ parent: "a-0000", text: "Issue", sort: "updated" }),
  ready: tracker => tracker.ready({ limit: 0 }),
  blocked: tracker => tracker.blocked,
  stale: tracker => tracker.stale({}),
  stats: tracker => tracker.stats,
  labels: tracker => tracker.labels,
  create: tracker => tracker.create({ title: "another" }),
  "create below": tracker => tracker.create({ title: "another", parent: "a-0000" }),
  update: tracker => tracker.update("a-0000", { title: "renamed" }),
  "delete, with what hangs on it": tracker => tracker.delete(["a-0000"], { cascade: true }),
  close: tracker => tracker.close("a-0001"),
  addDependency: tracker => tracker.addDependency("a-0002", "a-0004", "related"),
  addLabel: tracker => tracker.addLabel("a-0001", "urgent"),
  addComment: tracker => tracker.addComment("a-0001", "seen too"),
  import: tracker => tracker.import(Buffer.from(lines(3))),
  export: tracker => tracker.export()
}

const statementsOf = (size: number, useCase: (tracker: Tracker["Type"]) => Effect.Effect<unknown, unknown>) =>
  Effect.gen(function* () {
    const { counter, tracer } = counting()
    const tracker = yield* Tracker
    yield* tracker.import(Buffer.from(lines(size)))
    yield* Effect.withTracer(useCase(tracker), yield* tracer)
    return counter.statements
  }).pipe(Effect.provide(Testing.layer({ prefix: "a" })))

describe("statements", () => {
  for (const [name, useCase] of Object.entries(cases)) {
    it.live(`${name}: no more of them in a larger project`, () =>
      Effect.gen(function* () {
        const few = yield* statementsOf(8, useCase)
        expect(few).toBeGreaterThan(0)
        expect(yield* statementsOf(400, useCase)).toBe(few)
      })
    )
  }
})
