import { writeFileSync } from "node:fs"
import { describe, expect, it, vi } from "@effect/vitest"
import { Effect } from "effect"
import { project } from "./harness.ts"

vi.setConfig({ testTimeout: 30_000 })

const lineOf = (lines: string, id: string) => `${lines.split("\n").find(text => text.includes(`"${id}"`))}\n`

describe("import --prune", () => {
  it.scopedLive("G19: lets no issue go whose line stands in the issue file twice", () =>
    Effect.gen(function* () {
      const { create, file, json, lines, runWith } = yield* project
      const [one, two] = [yield* create("One"), yield* create("Two")]
      const before = lines()
      writeFileSync(file, before + lineOf(before, one))
      const ran = yield* runWith({ stdin: lineOf(before, two) }, "import", "--prune")
      expect(ran).toMatchObject({ exitCode: 0 })
      expect(lines()).toBe(before)
      expect(yield* json("list")).toHaveLength(2)
    })
  )

  it.scopedLive("G19: nor one that the input has and --skip-existing passes over", () =>
    Effect.gen(function* () {
      const { create, file, lines, runWith } = yield* project
      const [one, two] = [yield* create("One"), yield* create("Two")]
      const before = lines()
      writeFileSync(file, lineOf(before, two))
      const ran = yield* runWith({ stdin: lineOf(before, one) }, "import", "--prune", "--skip-existing")
      expect(ran).toMatchObject({ exitCode: 0 })
      expect(lines()).toBe(before)
    })
  )
})
