/** What every `IssueStore` promises: one suite, run over the memory layer and over a file. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Option } from "effect"
import * as IssueId from "../../src/domain/IssueId.ts"
import * as IssueRecord from "../../src/domain/IssueRecord.ts"
import { IssueStore, type Write } from "../../src/store/IssueStore.ts"
import * as SqliteStore from "../../src/store/SqliteStore.ts"
import { versionHash } from "../../src/store/Version.ts"
import { recordOf } from "../recordOf.ts"

const record = (members: Record<string, unknown>): IssueRecord.IssueRecord =>
  recordOf(JSON.stringify({ title: "t", status: "open", priority: 2, issue_type: "task", ...members }))

const clean = (issue: IssueRecord.IssueRecord): Write => ({ record: issue, state: { _tag: "clean" } })
const dirty = (issue: IssueRecord.IssueRecord, base?: string): Write => ({
  record: issue,
  state: { _tag: "dirty", base }
})

const write = (...writes: ReadonlyArray<Write>) =>
  Effect.flatMap(IssueStore, store => store.transaction(store.write(writes)))

const row = (id: string) => Effect.flatMap(IssueStore, store => Effect.map(store.row(id), Option.getOrThrow))

const fileLayer = Layer.unwrapScoped(
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "store-"))),
      directory => Effect.sync(() => rmSync(directory, { recursive: true }))
    ),
    directory => SqliteStore.layer({ path: join(directory, "beads.db") })
  )
)

const suite = (layer: Layer.Layer<IssueStore, unknown>) => {
  const test = (title: string, body: () => Effect.Effect<void, unknown, IssueStore>) =>
    // 40,000 rows take a second on a quiet machine, ten on one that is shared
    it.live(title, () => Effect.provide(body(), layer), 60_000)

  describe("rows", () => {
    test("G18: a row is the line byte for byte, with keys this version does not know", () =>
      Effect.gen(function* () {
        const line =
          '{"x_first": 1e3,  "id":"a-1","title":"caf\\u00e9","status":"open","priority":2,"issue_type":"task","big":123456789012345678901234567890,"__proto__":{"x":1}}'
        yield* write(clean(recordOf(line)))
        assert.deepStrictEqual(yield* row("a-1"), { id: "a-1", line, revision: 1, mark: undefined })
        const store = yield* IssueStore
        assert.deepStrictEqual(yield* store.rows, [{ id: "a-1", line, revision: 1, mark: undefined }])
        assert.isTrue(Option.isNone(yield* store.row("a-2")))
      }))

    test("G14: each write makes the revision grow, and a mark carries it with its base", () =>
      Effect.gen(function* () {
        const first = record({ id: "a-1", title: "one" })
        const second = record({ id: "a-1", title: "two" })
        yield* write(clean(first))
        yield* write(dirty(second, IssueRecord.line(first)))
        assert.deepStrictEqual(yield* row("a-1"), {
          id: "a-1",
          line: IssueRecord.line(second),
          revision: 2,
          mark: { revision: 2, base: IssueRecord.line(first) }
        })
        const store = yield* IssueStore
        assert.deepStrictEqual(yield* store.markedRows, [yield* row("a-1")])
        assert.isTrue(yield* store.hasMarks)
        yield* write(clean(second))
        assert.isFalse(yield* store.hasMarks)
        assert.strictEqual((yield* row("a-1")).revision, 3)
      }))

    test("G19: marking a row as it is keeps its line as base; a mark that stands keeps its own", () =>
      Effect.gen(function* () {
        const store = yield* IssueStore
        const [one, two, old] = [record({ id: "a-1" }), record({ id: "a-2" }), record({ id: "a-2", title: "old" })]
        yield* write(clean(one), dirty(two, IssueRecord.line(old)))
        yield* store.transaction(store.mark(["a-1", "a-2", "a-3"]))
        assert.deepStrictEqual((yield* row("a-1")).mark, { revision: 1, base: IssueRecord.line(one) })
        assert.deepStrictEqual((yield* row("a-2")).mark, { revision: 1, base: IssueRecord.line(old) })
        yield* store.transaction(store.unmark(["a-1"]))
        assert.isUndefined((yield* row("a-1")).mark)
        assert.isDefined((yield* row("a-2")).mark)
      }))

    test("G25: projections follow the line: labels, dependencies (also dangling), counts", () =>
      Effect.gen(function* () {
        const store = yield* IssueStore
        yield* write(
          clean(
            record({
              id: "a-1",
              labels: ["x", "y", "x", 3],
              dependencies: [
                { issue_id: "a-1", depends_on_id: "a-2", type: "blocks" },
                { issue_id: "a-1", depends_on_id: "gone", type: "related" },
                "odd"
              ]
            })
          ),
          clean(record({ id: "a-2", labels: ["x"], priority: 0 })),
          clean(record({ id: "a-3", labels: ["x"], status: "tombstone" }))
        )
        assert.deepStrictEqual(yield* store.labels, [
          { label: "x", count: 2 },
          { label: "y", count: 1 }
        ])
        const { rows, total } = yield* store.find({})
        assert.strictEqual(total, 2)
        assert.deepStrictEqual(
          rows.map(({ dependencyCount, dependentCount, id }) => [id, dependencyCount, dependentCount]),
          [
            ["a-2", 0, 1],
            ["a-1", 2, 0]
          ]
        )
        assert.deepStrictEqual(yield* store.dependents("gone"), [
          { issueId: "a-1", dependsOnId: "gone", type: "related" }
        ])
        // the same issue, without them
        yield* write(clean(record({ id: "a-1" })))
        assert.deepStrictEqual(yield* store.dependents("gone"), [])
        assert.deepStrictEqual(yield* store.labels, [{ label: "x", count: 1 }])
        const graph = yield* store.graph
        assert.deepStrictEqual(graph.rows.map(({ id }) => id).sort(), ["a-1", "a-2"])
        assert.deepStrictEqual(graph.edges, [])
        assert.deepStrictEqual(yield* store.ids("tombstones"), ["a-3"])
      }))

    test("G23: a tombstone is a row that only presentation hides", () =>
      Effect.gen(function* () {
        const store = yield* IssueStore
        yield* write(clean(record({ id: "a-1", status: "tombstone" })))
        assert.deepStrictEqual(yield* store.find({}), { rows: [], total: 0 })
        assert.deepStrictEqual(yield* store.ids("issues"), [])
        assert.strictEqual((yield* store.rows).length, 1)
      }))

    test("children are told from roots by their ids, and tombstones are not counted", () =>
      Effect.gen(function* () {
        const store = yield* IssueStore
        const roots = ["a-1", "a-2.x", "a-3.", "v1.2-b", "a-b.1c"]
        const children = ["a-1.1", "a-1.1.20", "a-9.5", "v1.2-b.3"]
        yield* write(
          ...[...roots, ...children].map(id => clean(record({ id }))),
          clean(record({ id: "a-4", status: "tombstone" })),
          clean(record({ id: "a-1.2", status: "tombstone" }))
        )
        assert.deepStrictEqual(
          roots.map(id => IssueId.depth(id)),
          roots.map(() => 0)
        )
        assert.strictEqual(yield* store.roots, roots.length)
      }))

    test("filters: each alone, joined, with a limit and the count beyond it", () =>
      Effect.gen(function* () {
        const store = yield* IssueStore
        yield* write(
          clean(record({ id: "a-1", title: "Fix 100%_of it", priority: 1, assignee: "ada", labels: ["x", "y"] })),
          clean(record({ id: "a-2", title: "other", priority: 2, status: "closed", issue_type: "bug", labels: ["x"] })),
          clean(record({ id: "a-3", title: "third", priority: 3, labels: ["z"] }))
        )
        const found = (filter: Parameters<typeof store.find>[0]) =>
          Effect.map(store.find(filter), ({ rows }) => rows.map(({ id }) => id).join())
        assert.strictEqual(yield* found({ statuses: ["closed", "blocked"] }), "a-2")
        assert.strictEqual(yield* found({ types: ["bug"] }), "a-2")
        assert.strictEqual(yield* found({ priorities: [1, 3] }), "a-1,a-3")
        assert.strictEqual(yield* found({ priorityMin: 2 }), "a-2,a-3")
        assert.strictEqual(yield* found({ priorityMax: 2 }), "a-1,a-2")
        assert.strictEqual(yield* found({ assignee: "ada" }), "a-1")
        assert.strictEqual(yield* found({ unassigned: true }), "a-2,a-3")
        assert.strictEqual(yield* found({ labels: ["x", "y"] }), "a-1")
        assert.strictEqual(yield* found({ labels: ["x", "x"] }), "a-1,a-2")
        assert.strictEqual(yield* found({ labelsAny: ["y", "z"] }), "a-1,a-3")
        assert.strictEqual(yield* found({ ids: ["a-3", "nope"] }), "a-3")
        assert.strictEqual(yield* found({ ids: [] }), "")
        assert.strictEqual(yield* found({ titleContains: "100%_OF" }), "a-1")
        assert.strictEqual(yield* found({ titleContains: "1001of" }), "")
        const { rows, total } = yield* store.find({ limit: 2 })
        assert.deepStrictEqual([rows.length, total], [2, 3])
      }))

    test("contract: a line that names no status, type or priority is found under what the view shows for it", () =>
      Effect.gen(function* () {
        const store = yield* IssueStore
        yield* write(clean(recordOf('{"id":"a-1","title":"bare"}')))
        const found = yield* store.find({ statuses: ["open"], types: ["task"], priorities: [2] })
        assert.deepStrictEqual(
          found.rows.map(({ id }) => id),
          ["a-1"]
        )
        const query = { sort: "priority", now: "2026-01-01T00:00:00Z" } as const
        assert.deepStrictEqual(yield* store.ready(query), { ids: ["a-1"], total: 1 })
      }))

    test("G19: letting a row go takes its mark, labels and versions along, and leaves its trail", () =>
      Effect.gen(function* () {
        const store = yield* IssueStore
        const line = IssueRecord.line(record({ id: "a-1", labels: ["x"] }))
        yield* write(dirty(record({ id: "a-1", labels: ["x"] })))
        yield* write(clean(record({ id: "a-2", dependencies: [{ depends_on_id: "a-1", type: "blocks" }] })))
        yield* store.transaction(
          Effect.zipRight(
            store.addVersions([{ id: "a-1", line, parents: ["p"] }]),
            store.addEvents([{ issueId: "a-1", type: "created", actor: "me", at: "2026-01-01T00:00:00.000Z" }])
          )
        )
        yield* store.transaction(store.forget(["a-1"]))
        assert.isFalse(yield* store.hasMarks)
        assert.deepStrictEqual(yield* store.labels, [])
        assert.deepStrictEqual(yield* store.versions("a-1"), [])
        assert.strictEqual((yield* store.events("a-1")).length, 1)
        // another issue's dependency on it dangles (G25)
        assert.strictEqual((yield* store.dependents("a-1")).length, 1)
      }))
  })

  describe("transactions", () => {
    test("G28: a body that fails leaves nothing behind, its events included", () =>
      Effect.gen(function* () {
        const store = yield* IssueStore
        const error = yield* Effect.flip(
          store.transaction(
            Effect.gen(function* () {
              yield* store.write([dirty(record({ id: "a-1" }))])
              yield* store.addEvents([{ issueId: "a-1", type: "created", actor: "me", at: "2026-01-01T00:00:00.000Z" }])
              yield* store.setFileRecord({ hash: "h", size: 1, stamp: "s", settled: true })
              // it stands within the transaction
              assert.isTrue(yield* store.hasMarks)
              return yield* Effect.fail("no")
            })
          )
        )
        assert.strictEqual(error, "no")
        assert.deepStrictEqual(yield* store.rows, [])
        assert.deepStrictEqual(yield* store.events(), [])
        assert.isTrue(Option.isNone(yield* store.fileRecord))
        yield* write(dirty(record({ id: "a-1" })))
        assert.strictEqual((yield* store.rows).length, 1)
      }))

    test("G28: a body that dies or is interrupted rolls back, and the store goes on", () =>
      Effect.gen(function* () {
        const store = yield* IssueStore
        const change = store.write([dirty(record({ id: "a-1" }))])
        assert.strictEqual(
          (yield* Effect.exit(store.transaction(Effect.zipRight(change, Effect.die("x")))))._tag,
          "Failure"
        )
        assert.strictEqual(
          (yield* Effect.exit(store.transaction(Effect.zipRight(change, Effect.interrupt))))._tag,
          "Failure"
        )
        assert.deepStrictEqual(yield* store.rows, [])
        yield* store.transaction(change)
        assert.strictEqual((yield* store.rows).length, 1)
      }))
  })

  describe("compare and clear", () => {
    test("G14: a mark is cleared if the row is the one that was encoded", () =>
      Effect.gen(function* () {
        const store = yield* IssueStore
        yield* write(dirty(record({ id: "a-1" })), dirty(record({ id: "a-2" })))
        const encoded = (yield* store.markedRows).filter(({ id }) => id === "a-1")
        yield* store.transaction(store.published(encoded))
        assert.deepStrictEqual(
          (yield* store.markedRows).map(({ id }) => id),
          ["a-2"]
        )
      }))

    test("G14: a row that changed after the flush read it keeps its mark, with the published line as base", () =>
      Effect.gen(function* () {
        const store = yield* IssueStore
        const first = record({ id: "a-1", title: "first" })
        const second = record({ id: "a-1", title: "second" })
        yield* write(dirty(first, "older"))
        const encoded = yield* store.markedRows
        yield* write(dirty(second, "older"))
        yield* store.transaction(
          Effect.zipRight(
            store.published(encoded),
            store.setFileRecord({ hash: "h", size: 1, stamp: "s", settled: true })
          )
        )
        assert.deepStrictEqual(yield* store.markedRows, [
          {
            id: "a-1",
            line: IssueRecord.line(second),
            revision: 2,
            mark: { revision: 2, base: IssueRecord.line(first) }
          }
        ])
      }))

    test("G14: an unmarked row that was encoded stays unmarked, a row changed since in the meantime marked", () =>
      Effect.gen(function* () {
        const store = yield* IssueStore
        const first = record({ id: "a-1" })
        yield* write(clean(first), clean(record({ id: "a-2" })))
        const encoded = yield* store.rows
        const changed = record({ id: "a-1", title: "changed" })
        yield* write(dirty(changed, IssueRecord.line(first)))
        yield* store.transaction(store.published(encoded))
        assert.deepStrictEqual(
          (yield* store.markedRows).map(({ id, mark }) => [id, mark?.base]),
          [["a-1", IssueRecord.line(first)]]
        )
      }))

    test("G14: clearing and the record of the file stand or fall together", () =>
      Effect.gen(function* () {
        const store = yield* IssueStore
        yield* write(dirty(record({ id: "a-1" })))
        const encoded = yield* store.markedRows
        yield* Effect.flip(
          store.transaction(
            Effect.zipRight(
              store.published(encoded),
              Effect.zipRight(store.setFileRecord({ hash: "h", size: 1, stamp: "s", settled: true }), Effect.fail("no"))
            )
          )
        )
        assert.isTrue(yield* store.hasMarks)
        assert.isTrue(Option.isNone(yield* store.fileRecord))
      }))
  })

  describe("what is kept beside the rows", () => {
    test("G22: versions keep their order and parents; those they were first seen with", () =>
      Effect.gen(function* () {
        const store = yield* IssueStore
        yield* write(clean(record({ id: "a-1" })))
        const [o, a, b] = ["o", "a", "b"].map(title => IssueRecord.line(record({ id: "a-1", title }))) as [
          string,
          string,
          string
        ]
        yield* store.transaction(
          store.addVersions([
            { id: "a-1", line: o, parents: [] },
            { id: "a-1", line: a, parents: [versionHash(o)] },
            { id: "a-1", line: b, parents: [versionHash(o), versionHash(a)] }
          ])
        )
        // a checkout brings an old line back: that makes it no child of the newer one
        yield* store.transaction(store.addVersions([{ id: "a-1", line: o, parents: [versionHash(a)] }]))
        const versions = yield* store.versions("a-1")
        assert.deepStrictEqual(
          versions.map(({ line }) => line),
          [o, a, b]
        )
        assert.deepStrictEqual(
          versions.map(({ parents }) => [...parents].sort()),
          [[], [versionHash(o)], [versionHash(o), versionHash(a)].sort()]
        )
      }))

    test("G22: 64 versions of an issue are kept, the newest, without the parents of those that went", () =>
      Effect.gen(function* () {
        const store = yield* IssueStore
        yield* write(clean(record({ id: "a-1" })), clean(record({ id: "a-2" })))
        const line = (i: number) => IssueRecord.line(record({ id: "a-1", title: `${i}` }))
        const other = IssueRecord.line(record({ id: "a-2" }))
        yield* store.transaction(store.addVersions([{ id: "a-2", line: other, parents: [] }]))
        for (let i = 0; i < 80; i++) {
          const parents = i === 0 ? [] : [versionHash(line(i - 1))]
          yield* store.transaction(store.addVersions([{ id: "a-1", line: line(i), parents }]))
        }
        const versions = yield* store.versions("a-1")
        assert.deepStrictEqual(
          versions.map(({ line }) => line),
          Array.from({ length: 64 }, (_, i) => line(i + 16))
        )
        assert.strictEqual((yield* store.versions("a-2")).length, 1)
        // one that is seen again after it went starts anew
        yield* store.transaction(store.addVersions([{ id: "a-1", line: line(3), parents: [] }]))
        assert.deepStrictEqual((yield* store.versions("a-1")).at(-1), {
          hash: versionHash(line(3)),
          line: line(3),
          parents: []
        })
      }))

    test("events come back in their order, whole, by issue or all", () =>
      Effect.gen(function* () {
        const store = yield* IssueStore
        const one = {
          issueId: "a-1",
          type: "updated",
          actor: "o'hara",
          oldValue: "",
          newValue: "\u0000ü",
          comment: "c",
          at: "2026-01-01T00:00:00.000Z"
        }
        const two = { issueId: "a-2", type: "created", actor: "me", at: "2026-01-01T00:00:00.000Z" }
        yield* store.transaction(store.addEvents([one, two]))
        assert.deepStrictEqual(yield* store.events(), [one, two])
        assert.deepStrictEqual(yield* store.events("a-2"), [two])
        assert.deepStrictEqual(yield* store.events(undefined, 1), [two])
        assert.deepStrictEqual(yield* store.events("a-1", 9), [one])
      }))

    test("G8: the need of a full export stands until it is taken back", () =>
      Effect.gen(function* () {
        const store = yield* IssueStore
        assert.isFalse(yield* store.fullExportNeeded)
        yield* store.transaction(store.setFullExportNeeded(true))
        yield* store.transaction(store.setFullExportNeeded(true))
        assert.isTrue(yield* store.fullExportNeeded)
        yield* store.transaction(store.setFullExportNeeded(false))
        assert.isFalse(yield* store.fullExportNeeded)
      }))

    test("G20: there is one file record, the last", () =>
      Effect.gen(function* () {
        const store = yield* IssueStore
        assert.isTrue(Option.isNone(yield* store.fileRecord))
        const first = { hash: "h", size: 2 ** 40, stamp: "9007199254740993:1", settled: false }
        yield* store.transaction(store.setFileRecord(first))
        assert.deepStrictEqual(Option.getOrThrow(yield* store.fileRecord), first)
        const second = { hash: "i", size: 0, stamp: "2", settled: true }
        yield* store.transaction(store.setFileRecord(second))
        assert.deepStrictEqual(Option.getOrThrow(yield* store.fileRecord), second)
      }))

    test("G24: a child number is never given twice, nor one that exists", () =>
      Effect.gen(function* () {
        const store = yield* IssueStore
        const next = store.transaction(store.nextChild("a-1"))
        assert.strictEqual(yield* next, 1)
        assert.strictEqual(yield* next, 2)
        yield* write(
          clean(record({ id: "a-1.7", status: "tombstone" })),
          clean(record({ id: "a-1.9.30" })),
          clean(record({ id: "a-1.99999999999999999999" })),
          clean(record({ id: "a-1.x" })),
          clean(record({ id: "a-10.40" }))
        )
        assert.strictEqual(yield* next, 8)
        yield* store.transaction(store.forget(["a-1.7"]))
        assert.strictEqual(yield* next, 9)
      }))
  })

  describe("hostile values", () => {
    test("G33: SQL text, NUL, control characters and other scripts are values and nothing else", () =>
      Effect.gen(function* () {
        const store = yield* IssueStore
        const texts = ["'; drop table issues; --", "a\u0000b", "\u001b[31m", "日本語 🎉", '"\\', "%_*?[", "null", "1"]
        for (const [i, text] of texts.entries()) {
          const id = text.includes("\u0000") ? `id-${i}` : `${text}-${i}`
          const issue = record({
            id,
            title: text,
            assignee: text,
            labels: [text],
            dependencies: [{ depends_on_id: text, type: text }]
          })
          yield* write(dirty(issue, IssueRecord.line(issue)))
          assert.strictEqual((yield* row(id)).line, IssueRecord.line(issue))
          assert.strictEqual((yield* row(id)).mark?.base, IssueRecord.line(issue))
          assert.deepStrictEqual(
            (yield* store.find({ assignee: text })).rows.map(found => found.id),
            [id]
          )
          assert.deepStrictEqual(
            (yield* store.find({ labels: [text] })).rows.map(found => found.id),
            [id]
          )
          assert.deepStrictEqual(yield* store.dependents(text), [{ issueId: id, dependsOnId: text, type: text }])
        }
        assert.strictEqual((yield* store.rows).length, texts.length)
      }))

    test("G33: half of a surrogate pair in a line comes back as it was written", () =>
      Effect.gen(function* () {
        const line =
          '{"id":"a-1","title":"\\ud800 half","status":"open","priority":2,"issue_type":"task","labels":["\\udc00","\\ud800"]}'
        yield* write(dirty(recordOf(line), line))
        const store = yield* IssueStore
        assert.strictEqual((yield* row("a-1")).line, line)
        assert.strictEqual((yield* row("a-1")).mark?.base, line)
        yield* store.transaction(store.published(yield* store.markedRows))
        assert.isFalse(yield* store.hasMarks)
      }))

    test("G18: integers over 2^53, in lines, priorities and times of files, are not rounded away", () =>
      Effect.gen(function* () {
        const line =
          '{"id":"a-1","title":"t","status":"open","priority":9007199254740993,"issue_type":"task","estimated_minutes":9007199254740993,"x":18446744073709551617}'
        const store = yield* IssueStore
        yield* write(
          clean(recordOf(line)),
          clean(recordOf(line.replace("a-1", "a-2").replace("9007199254740993", "1e300")))
        )
        assert.strictEqual((yield* row("a-1")).line, line)
        assert.deepStrictEqual(
          (yield* store.find({ priorityMin: 5 })).rows.map(({ id }) => id),
          ["a-1", "a-2"]
        )
        assert.strictEqual((yield* store.graph).rows.length, 2)
      }))

    test("G33: 40,000 ids at once", () =>
      Effect.gen(function* () {
        const store = yield* IssueStore
        const ids = Array.from({ length: 40_000 }, (_, i) => `a-${String(i).padStart(6, "0")}`)
        yield* store.transaction(store.write(ids.map(id => dirty(record({ id, labels: ["x"] })))))
        assert.strictEqual((yield* store.find({ ids, limit: 1 })).total, 40_000)
        const encoded = yield* store.markedRows
        assert.strictEqual(encoded.length, 40_000)
        yield* store.transaction(store.mark(ids))
        yield* store.transaction(store.published(encoded))
        assert.isFalse(yield* store.hasMarks)
        yield* store.transaction(store.forget(ids))
        assert.deepStrictEqual(yield* store.rows, [])
      }))
  })
}

describe("IssueStore in memory", () => suite(SqliteStore.layerMemory))
describe("IssueStore in a file", () => suite(fileLayer))
