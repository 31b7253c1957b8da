/** What the store tells by SQL: what is ready (`Readiness` says what that is), and how many links an issue has. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Readiness from "../../src/domain/Readiness.ts"
import { IssueStore, type Write } from "../../src/store/IssueStore.ts"
import * as SqliteStore from "../../src/store/SqliteStore.ts"
import { type Random, randomOf } from "../random.ts"
import { recordOf } from "../recordOf.ts"

const now = "2026-03-10T00:00:00.000Z"

const issue = (id: string, members: Readonly<Record<string, unknown>>): Write => ({
  record: recordOf(JSON.stringify({ id, title: "t", issue_type: "task", ...members })),
  state: { _tag: "clean" }
})

const statuses = [
  "open",
  "open",
  "open",
  "in_progress",
  "blocked",
  "deferred",
  "closed",
  "closed",
  "tombstone",
  "hooked"
]
const times = [
  "2026-03-09T00:00:00Z",
  "2026-03-09T01:00:00.000000001+01:00",
  "2026-03-07T23:59:59Z",
  "2026-01-01T00:00:00Z",
  "never"
]

const graph = ({ below, pick }: Random): ReadonlyArray<Write> => {
  const ids = Array.from({ length: 2 + below(9) }, (_, i) => `a-${i}`)
  return ids.map(id =>
    issue(id, {
      status: pick(statuses),
      priority: below(3),
      created_at: pick(times),
      dependencies: Array.from({ length: below(3) }, () => ({
        issue_id: id,
        depends_on_id: pick([...ids, "gone"]),
        type: pick(["blocks", "blocks", "parent-child", "parent-child", "related"])
      }))
    })
  )
}

it.effect(
  "contract: what the store says is ready is what Readiness says, in its order, cycles and dangling links included",
  () =>
    Effect.gen(function* () {
      let answers = 0
      for (let seed = 0; seed < 300; seed++) {
        yield* Effect.gen(function* () {
          const store = yield* IssueStore
          yield* store.transaction(store.write(graph(randomOf(seed))))
          const { edges, rows } = yield* store.graph
          for (const sort of ["priority", "oldest", "hybrid"] as const) {
            for (const includeInProgress of [false, true]) {
              const expected = Readiness.ready(rows, edges, { sort, now, includeInProgress }).map(({ id }) => id)
              const all = yield* store.ready({ sort, now, includeInProgress })
              assert.deepEqual(all, { ids: expected, total: expected.length }, `seed ${seed}, ${sort}`)
              const two = yield* store.ready({ sort, now, includeInProgress, limit: 2 })
              assert.deepEqual(two, { ids: expected.slice(0, 2), total: expected.length }, `seed ${seed}, ${sort}, two`)
              answers += expected.length
            }
          }
        }).pipe(Effect.provide(SqliteStore.layerMemory))
      }
      assert.isAbove(answers, 2_000)
    }),
  60_000
)

it.effect(
  "contract: the links of each issue are counted alike, whether all issues are asked for or some",
  () =>
    Effect.gen(function* () {
      let links = 0
      for (let seed = 0; seed < 300; seed++) {
        yield* Effect.gen(function* () {
          const store = yield* IssueStore
          yield* store.transaction(store.write(graph(randomOf(seed))))
          const { parts, total } = yield* store.findParts({}, rows => rows)
          const all = { rows: parts.flat(), total }
          assert.deepEqual(all, yield* store.find({}), `seed ${seed}`)
          const statuses = ["open", "closed"]
          const some = yield* store.findParts({ statuses }, rows => rows)
          assert.deepEqual(some.parts.flat(), (yield* store.find({ statuses })).rows, `seed ${seed}, of some`)
          for (const { dependencyCount, dependentCount } of all.rows) links += dependencyCount + dependentCount
        }).pipe(Effect.provide(SqliteStore.layerMemory))
      }
      assert.isAbove(links, 2_000)
    }),
  60_000
)

it.effect("a chain of 10,000 dependencies is told in linear time", () =>
  Effect.gen(function* () {
    const store = yield* IssueStore
    const length = 10_000
    const on = (id: string, type: string) => [{ issue_id: "x", depends_on_id: id, type }]
    yield* store.transaction(
      store.write(
        Array.from({ length }, (_, i) =>
          issue(`a-${i}`, {
            status: "open",
            dependencies: i === 0 ? on("b", "blocks") : on(`a-${i - 1}`, "parent-child")
          })
        ).concat(issue("b", { status: "open" }))
      )
    )
    const { ids, total } = yield* store.ready({ sort: "priority", now })
    assert.deepEqual({ ids, total }, { ids: ["b"], total: 1 })
  }).pipe(Effect.provide(SqliteStore.layerMemory))
)
