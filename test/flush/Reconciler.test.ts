/** File → store through the real parts: what is read, remembered, refused and told. */
import { renameSync, utimesSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Option } from "effect"
import { storedAncestor } from "../../src/flush/Reconciler.ts"
import { versionHash } from "../../src/store/Version.ts"
import { at, fields, file, line, workbench } from "./workbench.ts"

const published = at(59)

describe("Reconciler.reconcile", () => {
  it.scopedLive("G20: content decides, whatever the time of the file", () =>
    Effect.gen(function* () {
      const bench = yield* workbench({ content: file(line({})) })
      yield* bench.reconcile
      for (const [title, seconds] of [
        ["older", 1_000],
        ["newer", 4_000_000_000]
      ] as const) {
        writeFileSync(bench.path, file(line({ title })))
        utimesSync(bench.path, seconds, seconds)
        assert.strictEqual((yield* bench.reconcile).adopted, 1)
        assert.strictEqual(fields((yield* bench.row("a-1"))?.line).title, title)
      }
    })
  )

  it.scopedLive("G20: where only the stamp changed, it is put on record, so that the next read need not hash", () =>
    Effect.gen(function* () {
      const content = file(line({}))
      const bench = yield* workbench({ content })
      yield* bench.change(line({ id: "a-2" }))
      yield* bench.flush
      assert.isTrue(yield* bench.integrity.glance)
      // the same bytes in another file, with a time that only a publish sets
      const other = join(bench.beads, "other")
      writeFileSync(other, bench.text() ?? "")
      utimesSync(other, 1_700_000_000 + 3 / 64, 1_700_000_000 + 3 / 64)
      renameSync(other, bench.path)
      assert.isFalse(yield* bench.integrity.glance)
      assert.strictEqual((yield* bench.reconcile).adopted, 0)
      assert.isTrue(yield* bench.integrity.glance)
      assert.isFalse(yield* bench.pending)
    })
  )

  it.scopedLive("G17: of a file with a line that cannot be read nothing is imported, and the record stays", () =>
    Effect.gen(function* () {
      const bench = yield* workbench({ content: file(line({})) })
      yield* bench.reconcile
      const before = [yield* bench.store.rows, yield* bench.store.fileRecord]
      writeFileSync(bench.path, file(line({ title: "x" }), "{", line({ id: "b" })))
      const { barred } = yield* bench.reconcile
      assert.deepStrictEqual(
        barred.map(({ line, path }) => [path, line]),
        [[bench.path, 2]]
      )
      assert.deepStrictEqual([yield* bench.store.rows, yield* bench.store.fileRecord], before)
    })
  )

  it.scopedLive("G28: an aside left by a crash is one more version, merged and let go", () =>
    Effect.gen(function* () {
      const bench = yield* workbench({ content: file(line({})) })
      yield* bench.reconcile
      writeFileSync(join(bench.beads, ".issues.jsonl.aside"), file(line({}), line({ id: "b" })))
      yield* bench.reconcile
      assert.isDefined((yield* bench.row("b"))?.mark)
      assert.deepStrictEqual(bench.names(), ["issues.jsonl"])
      assert.deepStrictEqual(bench.warnings, [])
    })
  )

  it.scopedLive("G16, G28: an aside left by a crash is merged against the bases of the rows", () =>
    Effect.gen(function* () {
      const old = line({ labels: ["x", "y"] })
      const bench = yield* workbench({ content: file(old) })
      yield* bench.reconcile
      yield* bench.change(line({ labels: ["x", "y"], title: "mine", updated_at: at(2) }))
      // another program took a label off, in the file that a publish of ours had just replaced when it was killed
      writeFileSync(join(bench.beads, ".issues.jsonl.aside"), file(line({ labels: ["y"], updated_at: at(1) })))
      writeFileSync(bench.path, file(line({ labels: ["x", "y"], title: "mine", updated_at: at(2) })))
      yield* bench.flush
      assert.deepInclude(fields(bench.lines()[0]), { title: "mine", labels: ["y"] })
    })
  )

  it.scopedLive("G16: an aside that was compared already, and that lost power brings back, changes nothing", () =>
    Effect.gen(function* () {
      const old = line({ labels: ["x"] })
      const bench = yield* workbench({ content: file(old) })
      yield* bench.change(line({ updated_at: at(1) }))
      yield* bench.flush
      yield* bench.change(line({ title: "later", updated_at: at(2) }))
      yield* bench.flush
      writeFileSync(join(bench.beads, ".issues.jsonl.aside"), file(old))
      yield* bench.flush
      assert.deepStrictEqual(fields(bench.lines()[0]), fields(line({ title: "later", updated_at: at(2) })))
    })
  )

  it.scopedLive("G17: an aside left by a crash that cannot be read is kept for the user and told", () =>
    Effect.gen(function* () {
      const bench = yield* workbench({ content: file(line({})) })
      const theirs = `${file(line({ id: "b" }))}half a li`
      writeFileSync(join(bench.beads, ".issues.jsonl.aside"), theirs)
      yield* bench.reconcile
      yield* bench.reconcile
      const kept = `.issues.jsonl.${versionHash(theirs).slice(0, 12)}.aside`
      assert.deepStrictEqual(bench.names().sort(), [kept, "issues.jsonl"].sort())
      assert.strictEqual(bench.warnings.length, 1)
      assert.include(bench.warnings[0], kept)
    })
  )

  it.scopedLive("G22: a time stamp far ahead of now is told", () =>
    Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      const stamp = (days: number) => new Date(now + days * 86_400_000).toISOString()
      const bench = yield* workbench({
        content: file(line({ updated_at: stamp(0.9) }), line({ id: "a-2", updated_at: stamp(2) }))
      })
      yield* bench.reconcile
      assert.strictEqual(bench.warnings.length, 1)
      assert.include(bench.warnings[0], "a-2")
      assert.notInclude(bench.warnings[0], "a-1")
      yield* bench.reconcile
      assert.strictEqual(bench.warnings.length, 1)
    })
  )

  it.scopedLive("G22: two lines merge against git's merge base, else against what the store remembers", () =>
    Effect.gen(function* () {
      const left = line({ title: "left", updated_at: at(1) })
      const right = line({ priority: 0, updated_at: at(2) })
      const both = { title: "left", priority: 0 }
      const git = yield* workbench({ content: file(left, right), mergeBase: file(line({})) })
      yield* git.reconcile
      assert.deepInclude(fields((yield* git.row("a-1"))?.line), both)
      const store = yield* workbench({ content: file(line({})) })
      yield* store.change(left)
      yield* store.flush
      writeFileSync(store.path, file(left, right))
      yield* store.reconcile
      assert.deepInclude(fields((yield* store.row("a-1"))?.line), both)
    })
  )

  it.scopedLive("G22: a checkout there and back does not spoil what the store remembers", () =>
    Effect.gen(function* () {
      const old = line({})
      const first = line({ title: "here", updated_at: at(1) })
      const second = line({ title: "here", notes: "n", updated_at: at(3) })
      const bench = yield* workbench({ content: file(old) })
      yield* bench.change(first)
      yield* bench.flush
      yield* bench.change(second)
      yield* bench.flush
      // the other branch, and an edit there
      writeFileSync(bench.path, file(old))
      yield* bench.reconcile
      const other = line({ priority: 0, updated_at: at(2) })
      yield* bench.change(other)
      yield* bench.flush
      yield* bench.absorb(file(second))
      assert.deepInclude(fields((yield* bench.row("a-1"))?.line), { title: "here", notes: "n", priority: 0 })
    })
  )

  it.scopedLive("G24: a split is told, with whoever depends on the id and cannot be told apart", () =>
    Effect.gen(function* () {
      const later = line({ title: "later", created_at: "2026-01-01T00:01:00Z" })
      const dependent = line({ id: "b", dependencies: [{ depends_on_id: "a-1", type: "blocks" }] })
      const bench = yield* workbench({ content: file(line({}), later, dependent) })
      const [pair] = (yield* bench.reconcile).renamed
      assert.strictEqual(pair?.from, "a-1")
      assert.strictEqual(bench.warnings.length, 1)
      assert.include(bench.warnings[0], pair?.to ?? "none")
      assert.match(bench.warnings[0] ?? "", /: b$/)
      assert.deepStrictEqual(
        (yield* bench.store.events(pair?.to)).map(({ type }) => type),
        ["imported", "renamed"]
      )
    })
  )
})

describe("Reconciler.absorb", () => {
  it.scopedLive("G21: importing one's own export is a fixpoint", () =>
    Effect.gen(function* () {
      const bench = yield* workbench({ content: file(line({}), line({ id: "a-2", status: "tombstone" })) })
      yield* bench.change(line({ title: "x", updated_at: published }))
      yield* bench.flush
      const rows = yield* bench.store.rows
      const absorbed = yield* bench.absorb(bench.text() ?? "")
      assert.deepInclude(absorbed, { created: [], updated: [], unchanged: 2 })
      assert.deepStrictEqual(yield* bench.store.rows, rows)
    })
  )

  it.scopedLive("G32: a dry run changes nothing", () =>
    Effect.gen(function* () {
      const bench = yield* workbench({ content: file(line({})) })
      yield* bench.reconcile
      const absorbed = yield* bench.absorb(file(line({ id: "b" })), { dryRun: true })
      assert.deepStrictEqual(absorbed.created, ["b"])
      assert.isUndefined(yield* bench.row("b"))
      assert.isTrue(Option.isSome(yield* bench.store.fileRecord))
    })
  )
})

describe("storedAncestor", () => {
  const versions = (...lines: ReadonlyArray<readonly [string, ...Array<string>]>) =>
    lines.map(([text, ...parents]) => ({ line: text, hash: versionHash(text), parents: parents.map(versionHash) }))
  const [o, a, b, c] = [0, 1, 2, 3].map(second => line({ title: `${second}`, updated_at: at(second) })) as [
    string,
    string,
    string,
    string
  ]

  it("G22: is the newest version both descend from, never one of the two", () => {
    const known = versions([o], [a, o], [b, a], [c, a])
    assert.strictEqual(storedAncestor(known, [b, c]), a)
    assert.strictEqual(storedAncestor(known, [a, b]), o)
    assert.isUndefined(storedAncestor(known, [o, a]))
    assert.isUndefined(storedAncestor(versions([o], [a]), [o, a]))
  })

  it("G22: of a text that the store never saw, only what all ways pass is taken for the ancestor", () => {
    const version = (title: string, second: number) => line({ title, updated_at: at(second) })
    const [o, a, b, merged] = [version("o", 1), version("a", 2), version("b", 3), version("m", 4)]
    const known = [[o], [a, o], [b, o], [merged, a, b]].map(([text = "", ...parents]) => ({
      hash: versionHash(text),
      line: text,
      parents: parents.map(versionHash)
    }))
    // somebody edited `a` and somebody `b`: neither is what the other comes from
    assert.strictEqual(storedAncestor(known, [version("a2", 5), version("b2", 5), merged]), o)
    assert.strictEqual(storedAncestor(known, [version("a2", 5), a]), o)
  })
})
