/** What a flush promises, with the real store and a real file. */
import {
  appendFileSync,
  closeSync,
  openSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
  writeSync
} from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FastCheck, Option } from "effect"
import { DiskFailure, type DiskStat, nodeDisk } from "../../src/issue-file/Disk.ts"
import * as SqliteStore from "../../src/store/SqliteStore.ts"
import { versionHash } from "../../src/store/Version.ts"
import { recordOf } from "../recordOf.ts"
import { at, fields, file, hashOf, line, marksOf, workbench } from "./workbench.ts"

describe("Exporter.flush", () => {
  it.scopedLive("G15: one changed issue is one changed line, all other bytes stay", () =>
    Effect.gen(function* () {
      const odd = '{"id":"a-2",  "title":"odd spacing", "x":1.0}'
      const bench = yield* workbench({ content: `${line({})}\r\n\n${odd}\n${line({ id: "a-3" })}` })
      const changed = line({ title: "new", updated_at: at(1) })
      yield* bench.change(changed)
      const report = yield* bench.flush
      assert.deepInclude(report, { mode: "incremental", written: 1, removed: 0 })
      assert.strictEqual(bench.text(), `${changed}\r\n\n${odd}\n${line({ id: "a-3" })}`)
      assert.strictEqual(report.bytes, Buffer.byteLength(bench.text() ?? ""))
      assert.isFalse(yield* bench.pending)
    })
  )

  it.scopedLive("G15: no change is no write", () =>
    Effect.gen(function* () {
      const bench = yield* workbench({ content: file(line({})) })
      const before = bench.stamp()
      assert.strictEqual((yield* bench.flush).mode, "unchanged")
      assert.strictEqual((yield* bench.flushFull).mode, "unchanged")
      yield* bench.change(line({}))
      assert.isTrue(yield* bench.pending)
      assert.strictEqual((yield* bench.flush).mode, "unchanged")
      assert.isFalse(yield* bench.pending)
      assert.strictEqual(bench.stamp(), before)
    })
  )

  it.scopedLive("G21: own writes are not foreign: any number of reads imports and writes nothing", () =>
    Effect.gen(function* () {
      const bench = yield* workbench({ content: file(line({})) })
      yield* bench.change(line({ id: "a-2" }))
      yield* bench.flush
      const [rows, events, stamp] = [yield* bench.store.rows, yield* bench.store.events(), bench.stamp()]
      for (let read = 0; read < 3; read++) {
        assert.isTrue(yield* bench.integrity.glance)
        assert.strictEqual((yield* bench.reconcile).adopted, 0)
        assert.strictEqual((yield* bench.flush).mode, "unchanged")
      }
      assert.deepStrictEqual(yield* bench.store.rows, rows)
      assert.deepStrictEqual(yield* bench.store.events(), events)
      assert.strictEqual(bench.stamp(), stamp)
    })
  )

  it.scopedLive("G14: the record is that of the buffer written, not of what stands there afterwards", () =>
    Effect.gen(function* () {
      let path = ""
      const bench = yield* workbench({
        content: file(line({})),
        disk: {
          rename: (from, to) => {
            nodeDisk.rename(from, to)
            if (path !== "" && to === path) appendFileSync(path, `${line({ id: "b" })}\n`)
          }
        }
      })
      yield* bench.change(line({ id: "a-2" }))
      path = bench.path
      yield* bench.flush
      path = ""
      assert.include(bench.text(), '"b"')
      const written = file(line({}), line({ id: "a-2" }))
      assert.strictEqual(Option.getOrThrow(yield* bench.store.fileRecord).hash, hashOf(written))
      // so what came right behind the publish is found
      assert.strictEqual((yield* bench.reconcile).adopted, 1)
      assert.isDefined(yield* bench.row("b"))
    })
  )

  it.scopedLive("G16: a file that changed since is reconciled before it is published over", () =>
    Effect.gen(function* () {
      const bench = yield* workbench({ content: file(line({}), line({ id: "a-2" })) })
      yield* bench.change(line({ title: "here", updated_at: at(1) }))
      writeFileSync(bench.path, file(line({ priority: 0, updated_at: at(2) }), line({ id: "a-9" })))
      yield* bench.flush
      const [first, ...rest] = bench.lines()
      assert.deepInclude(fields(first), { title: "here", priority: 0 })
      // what came is there, what was taken out is back (G19)
      assert.deepStrictEqual(rest, [line({ id: "a-2" }), line({ id: "a-9" })])
    })
  )

  it.scopedLive("G16: what is written between the look and the rename is merged, not lost", () =>
    Effect.gen(function* () {
      let theirs: number | undefined
      let raced = 0
      const bench = yield* workbench({
        content: file(line({})),
        disk: {
          rename: (from, to) => {
            if (theirs !== undefined) {
              writeSync(theirs, `${line({ id: "b", title: "theirs" })}\n`)
              closeSync(theirs)
              theirs = undefined
              raced++
            }
            nodeDisk.rename(from, to)
          }
        }
      })
      yield* bench.change(line({ id: "a-2" }))
      theirs = openSync(bench.path, "a")
      yield* bench.flush
      assert.strictEqual(raced, 1)
      assert.deepStrictEqual(bench.lines(), [line({}), line({ id: "a-2" }), line({ id: "b", title: "theirs" })])
      assert.isFalse(yield* bench.pending)
      assert.deepStrictEqual(bench.names(), ["issues.jsonl"])
    })
  )

  it.scopedLive(
    "G16: that is so for a file that was never in memory whole: the bases of the rows are what it held",
    () =>
      Effect.gen(function* () {
        let theirs: string | undefined
        const reads: Array<number> = []
        const bench = yield* workbench({
          content: file(line({}), line({ id: "a-2", labels: ["x", "y"] }), line({ id: "c" })),
          disk: {
            read: (path, descriptor, into, position) => {
              reads.push(into.length)
              return nodeDisk.read(path, descriptor, into, position)
            },
            rename: (from, to) => {
              // into the same file, as an editor does
              if (theirs !== undefined) writeFileSync(bench.path, theirs)
              theirs = undefined
              nodeDisk.rename(from, to)
            }
          }
        })
        yield* bench.change(line({ title: "first", updated_at: at(1) }))
        yield* bench.flush
        yield* bench.change(line({ id: "a-2", labels: ["x", "y"], title: "mine", updated_at: at(2) }))
        theirs = file(
          line({ title: "first", updated_at: at(1) }),
          line({ id: "a-2", labels: ["y"], priority: 0, updated_at: at(3) }),
          // an earlier version, by their hand
          line({ id: "b" }),
          line({ id: "c", title: "theirs", updated_at: at(3) })
        )
        yield* bench.flush
        const byId = new Map(bench.lines().map(text => [fields(text)["id"], fields(text)]))
        assert.deepStrictEqual([...byId.keys()], ["a-1", "a-2", "b", "c"])
        assert.deepInclude(byId.get("a-1"), { title: "first" })
        // a label that they took away is no label that we added
        assert.deepInclude(byId.get("a-2"), { title: "mine", priority: 0, labels: ["y"] })
        assert.deepInclude(byId.get("c"), { title: "theirs" })
        assert.isFalse(yield* bench.pending)
        assert.deepStrictEqual(bench.names(), ["issues.jsonl"])
      })
  )

  it.scopedLive("G15: a change of a file that stands as it is on record is copied part by part, not read first", () =>
    Effect.gen(function* () {
      let read = 0
      const bench = yield* workbench({
        content: file(...Array.from({ length: 30_000 }, (_, i) => line({ id: `a-${String(i).padStart(5, "0")}` }))),
        disk: {
          read: (path, descriptor, into, position) => {
            read = Math.max(read, into.length)
            return nodeDisk.read(path, descriptor, into, position)
          }
        }
      })
      yield* bench.flush
      yield* bench.change(line({ id: "a-1" }))
      yield* bench.flush
      const before = bench.lines()
      read = 0
      for (const id of ["a-00000", "a-15000", "a-29999", "a-30000"]) {
        yield* bench.change(line({ id, title: "changed", updated_at: at(1) }))
      }
      assert.deepInclude(yield* bench.flush, { mode: "incremental", written: 4, removed: 0 })
      assert.isAtMost(read, 1 << 20)
      assert.isAbove(read, 0)
      const changed = bench.lines().filter((text, i) => text !== before[i])
      assert.deepStrictEqual(
        changed.map(text => fields(text)["id"]),
        ["a-00000", "a-15000", "a-29999", "a-30000"]
      )
      assert.strictEqual(Option.getOrThrow(yield* bench.store.fileRecord).hash, hashOf(bench.text() ?? ""))
      assert.strictEqual((yield* bench.reconcile).adopted, 0)
      assert.strictEqual((yield* bench.flushFull).mode, "unchanged")
    })
  )

  it.scopedLive("G15: only the very file that was put together here is taken for one in order", () =>
    Effect.gen(function* () {
      const [a, b, c] = ["a-1", "b-1", "c-1"].map(id => line({ id }))
      // nothing is as new as not to be settled
      const older = (stat: DiskStat): DiskStat => ({ ...stat, changedAt: stat.changedAt - 10_000_000_000n })
      const bench = yield* workbench({
        content: file(a ?? "", b ?? "", c ?? ""),
        disk: {
          stat: path => {
            const stat = nodeDisk.stat(path)
            return stat && older(stat)
          },
          statOpen: (path, descriptor) => older(nodeDisk.statOpen(path, descriptor))
        }
      })
      const long = (id: string, n: number) => line({ id, title: `title ${n}`, updated_at: at(n) })
      yield* bench.flush
      for (const n of [1, 2]) {
        yield* bench.change(long("b-1", n))
        assert.deepInclude(yield* bench.flush, { mode: "incremental", written: 1, removed: 0 })
      }
      // what another program has written is of a stamp that settles it, too, once it is old enough
      writeFileSync(bench.path, file(c ?? "", long("b-1", 2), a ?? ""))
      utimesSync(bench.path, 1_700_000_000, 1_700_000_000)
      yield* bench.reconcile
      assert.isTrue(Option.getOrThrow(yield* bench.store.fileRecord).settled)
      yield* bench.change(long("c-1", 3))
      assert.deepInclude(yield* bench.flush, { mode: "incremental", written: 1, removed: 0 })
      assert.deepStrictEqual(bench.lines(), [a, long("b-1", 2), long("c-1", 3)])
    })
  )

  it.scopedLive("G16: git that began at the rename, and replaced the file unseen, costs no change", () =>
    Effect.gen(function* () {
      const gitLock = () => join(bench.root, ".git", "index.lock")
      let began = false
      let ended = false
      const bench = yield* workbench({
        content: file(line({}), line({ id: "b" })),
        disk: {
          rename: (from, to) => {
            if (!began) writeFileSync(gitLock(), "")
            began = true
            nodeDisk.rename(from, to)
          },
          fsync: (path, descriptor) =>
            Effect.tap(nodeDisk.fsync(path, descriptor), () => {
              if (!began || ended || !path.endsWith(".beads")) return
              ended = true
              // a checkout: another branch's file in the place of the one it had found clean
              rmSync(bench.path)
              writeFileSync(bench.path, file(line({}), line({ id: "b", title: "branch" })))
              rmSync(gitLock())
            })
        }
      })
      yield* bench.change(line({ title: "mine", updated_at: at(1) }))
      yield* bench.flush
      assert.isTrue(ended)
      assert.deepStrictEqual(bench.lines().map(fields), [
        fields(line({ title: "mine", updated_at: at(1) })),
        fields(line({ id: "b", title: "branch" }))
      ])
      assert.isFalse(yield* bench.pending)
    })
  )

  it.scopedLive("G17: what cannot be read of that is kept for the user under a name git ignores, and told", () =>
    Effect.gen(function* () {
      let theirs: number | undefined
      const bench = yield* workbench({
        content: file(line({})),
        disk: {
          rename: (from, to) => {
            if (theirs !== undefined) {
              writeSync(theirs, "not an issue\n")
              closeSync(theirs)
              theirs = undefined
            }
            nodeDisk.rename(from, to)
          }
        }
      })
      yield* bench.change(line({ id: "a-2" }))
      theirs = openSync(bench.path, "a")
      yield* bench.flush
      assert.deepStrictEqual(bench.lines(), [line({}), line({ id: "a-2" })])
      const [kept = ""] = bench.names().filter(name => name !== "issues.jsonl")
      assert.match(kept, /^\.issues\.jsonl\.[0-9a-f]{12}\.aside$/)
      assert.strictEqual(readFileSync(join(bench.beads, kept), "utf8"), `${file(line({}))}not an issue\n`)
      assert.strictEqual(bench.warnings.length, 1)
      assert.include(bench.warnings[0], kept)
      assert.include(bench.warnings[0], "line 2")
      // the next ones leave it alone
      yield* bench.change(line({ id: "a-3" }))
      yield* bench.flush
      assert.deepStrictEqual(bench.names().sort(), [kept, "issues.jsonl"].sort())
      assert.strictEqual(bench.warnings.length, 1)
    })
  )

  it.scopedLive("G17: a line that cannot be read bars the publish; the change stays marked, the file as it is", () =>
    Effect.gen(function* () {
      const bench = yield* workbench({ content: file(line({})) })
      yield* bench.change(line({ title: "here", updated_at: at(1) }))
      for (const bad of ["not an issue", "<<<<<<< HEAD", '{"title":"no id"}']) {
        const text = file(line({ id: "a-5" }), bad)
        writeFileSync(bench.path, text)
        const error = yield* Effect.flip(bench.flush)
        assert.deepInclude(error, { _tag: "FlushFailed", reason: "UnreadableLine" })
        assert.include(error.message, "line 2")
        assert.strictEqual(bench.text(), text)
        // nothing is imported from it either
        assert.isUndefined(yield* bench.row("a-5"))
        assert.isTrue(yield* bench.pending)
      }
      writeFileSync(bench.path, file(line({})))
      yield* bench.flush
      assert.deepStrictEqual(bench.lines(), [line({ title: "here", updated_at: at(1) })])
    })
  )

  it.scopedLive("G6: a publish that fails keeps marks, file and record, and the next one goes through", () =>
    Effect.gen(function* () {
      let failing = ""
      let failed = 0
      const fail = (path: string, operation: string) => {
        failed++
        return new DiskFailure({ path, operation, code: "ENOSPC", cause: new Error("full") })
      }
      const bench = yield* workbench({
        content: file(line({})),
        disk: {
          write: (path, ...rest) =>
            failing === "write" ? Effect.fail(fail(path, "write")) : nodeDisk.write(path, ...rest),
          fsync: (path, ...rest) =>
            failing === "fsync" ? Effect.fail(fail(path, "fsync")) : nodeDisk.fsync(path, ...rest),
          rename: (from, to) => {
            if (failing === "rename") throw fail(from, "rename")
            nodeDisk.rename(from, to)
          }
        }
      })
      yield* bench.change(line({ title: "here", updated_at: at(1) }))
      yield* bench.store.transaction(bench.store.setFullExportNeeded(true))
      const before = [yield* bench.store.markedRows, yield* bench.store.fileRecord, bench.text()]
      for (const operation of ["write", "fsync", "rename"]) {
        failing = operation
        const error = yield* Effect.flip(bench.flush)
        assert.deepInclude(error, { _tag: "FlushFailed", reason: "IssueFileFailure" })
        assert.deepStrictEqual([yield* bench.store.markedRows, yield* bench.store.fileRecord, bench.text()], before)
        assert.isTrue(yield* bench.store.fullExportNeeded)
      }
      assert.isAtLeast(failed, 3)
      failing = ""
      assert.strictEqual((yield* bench.flush).mode, "full")
      assert.isFalse(yield* bench.pending)
      assert.deepStrictEqual(bench.names(), ["issues.jsonl"])
    })
  )

  it.scopedLive("G16: a missing file is rebuilt whole, by a publish only", () =>
    Effect.gen(function* () {
      const bench = yield* workbench({ content: file(line({}), line({ id: "a-2", status: "tombstone" })) })
      yield* bench.change(line({ id: "a-3" }))
      yield* bench.flush
      const content = bench.text()
      rmSync(bench.path)
      assert.isTrue((yield* bench.reconcile).missing)
      assert.isUndefined(bench.text())
      assert.deepInclude(yield* bench.flush, { mode: "full", written: 3 })
      assert.strictEqual(bench.text(), content)
    })
  )

  it.scopedLive("G19: an empty store never empties the file, a missing file with an empty store stays missing", () =>
    Effect.gen(function* () {
      const content = file(line({}), line({ id: "a-2" }))
      const bench = yield* workbench({ content })
      yield* bench.flushFull
      assert.strictEqual(bench.text(), content)
      const empty = yield* workbench()
      yield* empty.store.transaction(empty.store.setFullExportNeeded(true))
      yield* empty.flushFull
      assert.isUndefined(empty.text())
      assert.isFalse(yield* empty.pending)
    })
  )

  it.scopedLive("G8: the need of a full export outlives the process, and one that succeeds ends it", () =>
    Effect.gen(function* () {
      const bench = yield* workbench({ content: file(line({})) })
      yield* bench.change(line({ id: "a-2" }))
      yield* bench.store.transaction(bench.store.setFullExportNeeded(true))
      assert.strictEqual((yield* bench.flush).mode, "full")
      assert.isFalse(yield* bench.store.fullExportNeeded)
    })
  )

  it.scopedLive("G15: doubled lines become one, and are counted", () =>
    Effect.gen(function* () {
      const bench = yield* workbench({
        content: file(line({ title: "x", updated_at: at(1) }), line({ priority: 0, updated_at: at(2) })),
        mergeBase: file(line({}))
      })
      assert.deepInclude(yield* Effect.zipRight(bench.reconcile, bench.flush), { written: 1, removed: 1 })
      assert.deepInclude(fields(bench.lines()[0]), { title: "x", priority: 0 })
      assert.strictEqual(bench.lines().length, 1)
    })
  )

  it.scopedLive("G22: published lines are remembered with their parent", () =>
    Effect.gen(function* () {
      const bench = yield* workbench({ content: file(line({})) })
      const next = line({ title: "here", updated_at: at(1) })
      yield* bench.change(next)
      yield* bench.flush
      assert.deepStrictEqual(
        (yield* bench.store.versions("a-1")).map(({ line, parents }) => [line, parents]),
        [
          [line({}), []],
          [next, [versionHash(line({}))]]
        ]
      )
    })
  )
})

describe("over random histories", () => {
  type Step =
    | { readonly _tag: "change"; readonly id: string; readonly priority: number }
    | { readonly _tag: "flush" | "full" | "reconcile" | "checkout" | "touch" }
    | { readonly _tag: "foreign"; readonly id: string; readonly title: string }

  const id = FastCheck.constantFrom("a-1", "a-2", "b-1", "é")
  const step: FastCheck.Arbitrary<Step> = FastCheck.oneof(
    {
      weight: 4,
      arbitrary: FastCheck.record({ _tag: FastCheck.constant("change" as const), id, priority: FastCheck.nat(4) })
    },
    {
      weight: 2,
      arbitrary: FastCheck.record({
        _tag: FastCheck.constant("foreign" as const),
        id,
        title: FastCheck.constantFrom("x", "y")
      })
    },
    {
      weight: 4,
      arbitrary: FastCheck.record({
        _tag: FastCheck.constantFrom(
          "flush" as const,
          "full" as const,
          "reconcile" as const,
          "checkout" as const,
          "touch" as const
        )
      })
    }
  )

  it.live(
    "G15: an incremental publish leaves what a full one would: the same lines, once each, nothing to add",
    () =>
      Effect.promise(() =>
        FastCheck.assert(
          FastCheck.asyncProperty(FastCheck.array(step, { minLength: 1, maxLength: 12 }), steps =>
            Effect.runPromise(
              Effect.scoped(
                Effect.gen(function* () {
                  const first = file(line({}), line({ id: "a-2" }))
                  const bench = yield* workbench({ content: first, store: SqliteStore.layerMemory })
                  let second = 0
                  const known = new Set(["a-1", "a-2"])
                  for (const action of steps) {
                    second++
                    switch (action._tag) {
                      case "change": {
                        const row = yield* bench.row(action.id)
                        const members = row === undefined ? { id: action.id } : fields(row.line)
                        yield* bench.change(line({ ...members, priority: action.priority, updated_at: at(second) }))
                        known.add(action.id)
                        break
                      }
                      case "foreign": {
                        const others = bench.lines().filter(text => fields(text).id !== action.id)
                        const old = bench.lines().find(text => fields(text).id === action.id)
                        const members = old === undefined ? { id: action.id } : fields(old)
                        writeFileSync(
                          bench.path,
                          file(...others, line({ ...members, title: action.title, updated_at: at(second) }))
                        )
                        // what stood in the file for a moment only, nobody can know
                        yield* bench.reconcile
                        known.add(action.id)
                        break
                      }
                      case "checkout":
                        writeFileSync(bench.path, first)
                        break
                      case "touch":
                        utimesSync(bench.path, second, second)
                        break
                      case "flush":
                        yield* bench.flush
                        break
                      case "full":
                        yield* bench.flushFull
                        break
                      case "reconcile":
                        yield* bench.reconcile
                    }
                  }
                  yield* bench.flush
                  const incremental = bench.text()
                  const rows = yield* bench.store.rows
                  assert.deepStrictEqual(marksOf(rows), [])
                  assert.deepStrictEqual([...bench.lines()].sort(), rows.map(row => row.line).sort())
                  for (const issue of known)
                    assert.isTrue(
                      rows.some(row => row.id === issue),
                      issue
                    )
                  assert.strictEqual((yield* bench.flushFull).mode, "unchanged")
                  assert.strictEqual(bench.text(), incremental)
                  for (const row of rows) assert.strictEqual(recordOf(row.line).id, row.id)
                })
              )
            )
          ),
          { numRuns: 60 }
        )
      ),
    60_000
  )
})
