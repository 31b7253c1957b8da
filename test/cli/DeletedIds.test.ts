/** What an id means after its issue was deleted: that issue, and no other whose id contains it. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { project } from "./harness.ts"

describe("the id of a deleted issue", () => {
  it.scopedLive("G23: means no other issue: deleting a parent twice leaves its child alone", () =>
    Effect.gen(function* () {
      const { create, lines, run } = yield* project
      yield* create("Parent", "--id", "app-p")
      const child = yield* create("Child", "--parent", "app-p")
      expect(yield* run("delete", "app-p", "--force")).toMatchObject({ exitCode: 0 })
      const before = lines()
      expect(before).toContain('"status":"tombstone"')
      for (const id of ["app-p", "p"]) {
        expect(yield* run("delete", id, "--force")).toEqual({
          exitCode: 0,
          stdout: "✓ app-p was deleted already\n",
          stderr: ""
        })
        for (const words of [
          ["close", id],
          ["update", id, "-p", "0"],
          ["show", id]
        ]) {
          expect(yield* run(...words)).toEqual({
            exitCode: 3,
            stdout: "",
            stderr: `Error: no issue found matching "${id}": it was deleted\nHint: bd undelete brings it back\n`
          })
        }
      }
      expect(lines()).toBe(before)
      expect((yield* run("list", "--fields", "id")).stdout).toBe(`${child}\n`)
    })
  )

  it.scopedLive("G23: undelete and history find it, also by its hash part", () =>
    Effect.gen(function* () {
      const { create, json, run } = yield* project
      yield* create("Parent", "--id", "app-p")
      yield* create("Child", "--parent", "app-p")
      yield* run("delete", "app-p", "--force")
      expect(yield* json("history", "app-p")).toMatchObject([{ event_type: "deleted" }, { event_type: "created" }])
      expect(yield* json("undelete", "p")).toMatchObject([{ id: "app-p", status: "open" }])
    })
  )
})
