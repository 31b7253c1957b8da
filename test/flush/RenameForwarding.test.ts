/** Tombstones of renamed issues that come with the file. */
import { writeFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { at, fields, file, line, workbench } from "./workbench.ts"

const old = line({ title: "one" })
const tombstone = (second: number, by: string) =>
  line({ title: "one", status: "tombstone", deleted_at: at(second), deleted_by: by, renamed_to: "b-1" })
const moved = (second: number) => line({ id: "b-1", title: "one", updated_at: at(second) })

/** A clone that renamed the issue at this time. */
const renamer = Effect.fnUntraced(function* (second: number, by: string) {
  const clone = yield* workbench({ content: file(old) })
  yield* clone.change(tombstone(second, by))
  yield* clone.change(moved(second))
  yield* clone.flush
  return clone
})

describe("RenameForwarding", () => {
  it.scopedLive("G24: two clones that rename one issue agree on its tombstone, after a union and after a copy", () =>
    Effect.gen(function* () {
      const one = yield* renamer(5, "ann")
      const two = yield* renamer(6, "bob")
      const union = file(...one.lines(), ...two.lines())
      for (const clone of [one, two]) {
        writeFileSync(clone.path, union)
        yield* clone.reconcile
        yield* clone.flush
      }
      assert.strictEqual(one.text(), two.text())
      assert.strictEqual(fields(one.lines()[0]).deleted_by, "bob")

      const three = yield* renamer(4, "cid")
      writeFileSync(three.path, one.text() ?? "")
      yield* three.reconcile
      yield* three.flush
      assert.strictEqual(three.text(), one.text())
    })
  )

  it.scopedLive(
    "G19, G23: a deletion of the old id by a clone that has not heard of the new one reaches it by checkout",
    () =>
      Effect.gen(function* () {
        const clone = yield* renamer(5, "ann")
        const deleted = { status: "tombstone", deleted_at: at(9), deleted_by: "bob", updated_at: at(9) }
        writeFileSync(clone.path, file(line({ title: "one", ...deleted })))
        yield* clone.reconcile
        yield* clone.flush
        assert.deepStrictEqual(
          clone.lines().map(text => fields(text).status),
          ["tombstone", "tombstone"]
        )
        assert.strictEqual(fields(clone.lines()[0]).renamed_to, "b-1")
      })
  )

  it.scopedLive("G19, G23: a deletion of the old id reaches the new one when a checkout brings the renaming", () =>
    Effect.gen(function* () {
      const clone = yield* workbench({ content: file(old) })
      const deleted = { status: "tombstone", deleted_at: at(9), deleted_by: "bob", updated_at: at(9) }
      yield* clone.change(line({ title: "one", ...deleted }))
      yield* clone.flush
      writeFileSync(clone.path, file(tombstone(5, "ann"), moved(5)))
      yield* clone.reconcile
      yield* clone.flush
      assert.deepStrictEqual(
        clone.lines().map(text => fields(text).status),
        ["tombstone", "tombstone"]
      )
    })
  )

  it.scopedLive("G24: a stale line beside another clone's tombstone keeps neither tombstone back", () =>
    Effect.gen(function* () {
      const clone = yield* renamer(5, "ann")
      writeFileSync(clone.path, file(old, tombstone(6, "bob"), moved(6)))
      yield* clone.reconcile
      yield* clone.flush
      assert.deepStrictEqual(clone.lines(), [tombstone(6, "bob"), moved(6)])
    })
  )
})
