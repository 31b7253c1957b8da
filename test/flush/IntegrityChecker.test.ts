/** Whether the file is what is on record: what a stat may decide and what it may not. */
import { rmSync, statSync, utimesSync, writeFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { nodeDisk } from "../../src/issue-file/Disk.ts"
import { versionHash } from "../../src/store/Version.ts"
import { at, file, line, workbench } from "./workbench.ts"

describe("IntegrityChecker", () => {
  it.scopedLive("G20: a file just written is not trusted by its stat, one that a publish wrote is", () =>
    Effect.gen(function* () {
      const bench = yield* workbench({ content: file(line({})) })
      yield* bench.reconcile
      assert.isFalse(yield* bench.integrity.glance)
      assert.strictEqual((yield* bench.integrity.check)._tag, "Unchanged")
      yield* bench.change(line({ id: "a-2" }))
      yield* bench.flush
      assert.isTrue(yield* bench.integrity.glance)
    })
  )

  it.scopedLive("G20: other bytes of the same size and time are seen", () =>
    Effect.gen(function* () {
      const bench = yield* workbench({ content: file(line({})) })
      yield* bench.change(line({ title: "x", updated_at: at(1) }))
      yield* bench.flush
      const { atimeMs, mtimeMs, size } = statSync(bench.path)
      writeFileSync(bench.path, (bench.text() ?? "").replace('"x"', '"y"'))
      utimesSync(bench.path, atimeMs / 1000, mtimeMs / 1000)
      assert.strictEqual(statSync(bench.path).size, size)
      assert.isFalse(yield* bench.integrity.glance)
      assert.strictEqual((yield* bench.integrity.check)._tag, "Changed")
    })
  )

  it.scopedLive(
    "G16: the hash of what is spliced into is that of its bytes, also where it is taken from the record",
    () =>
      Effect.gen(function* () {
        const bench = yield* workbench({ content: file(line({})) })
        yield* bench.change(line({ title: "x", updated_at: at(1) }))
        yield* bench.flush
        const hashOf = Effect.map(bench.integrity.snapshot, found => Option.getOrThrow(found).hash)
        assert.isTrue(yield* bench.integrity.glance)
        assert.strictEqual(yield* hashOf, versionHash(bench.text() ?? ""))
        yield* bench.integrity.release
        const { atimeMs, mtimeMs } = statSync(bench.path)
        writeFileSync(bench.path, (bench.text() ?? "").replace('"x"', '"y"'))
        utimesSync(bench.path, atimeMs / 1000, mtimeMs / 1000)
        assert.strictEqual(yield* hashOf, versionHash(bench.text() ?? ""))
      })
  )

  it.scopedLive("G16: a file that is gone is missing, no file and no record is nothing to do", () =>
    Effect.gen(function* () {
      const bench = yield* workbench()
      assert.isTrue(yield* bench.integrity.glance)
      assert.strictEqual((yield* bench.integrity.check)._tag, "Unchanged")
      yield* bench.change(line({}))
      yield* bench.flush
      rmSync(bench.path)
      assert.isFalse(yield* bench.integrity.glance)
      assert.strictEqual((yield* bench.integrity.check)._tag, "Missing")
    })
  )

  it.scopedLive("a change and its flush read a file that stands still once", () =>
    Effect.gen(function* () {
      let opened = 0
      const bench = yield* workbench({
        content: file(line({})),
        disk: {
          read: (path, ...rest) => {
            if (path.endsWith("issues.jsonl")) opened++
            return nodeDisk.read(path, ...rest)
          }
        }
      })
      yield* bench.change(line({ id: "a-2" }))
      yield* bench.flush
      opened = 0
      const first = yield* bench.integrity.snapshot
      const second = yield* bench.integrity.snapshot
      assert.strictEqual(opened, 1)
      assert.strictEqual(Option.getOrThrow(first).hash, Option.getOrThrow(second).hash)
      yield* bench.integrity.release
      yield* bench.integrity.snapshot
      assert.strictEqual(opened, 2)
    })
  )
})
