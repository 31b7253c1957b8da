import { existsSync, writeFileSync } from "node:fs"
import * as path from "node:path"
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { vi } from "vitest"
import * as SmallFile from "../../src/cli/SmallFile.ts"
import { directory } from "./harness.ts"

/** A file of this name is taken away as soon as it was looked at. */
const { going } = vi.hoisted(() => ({ going: "going.json" }))

vi.mock("node:fs", async original => {
  const fs = await original<typeof import("node:fs")>()
  const statSync = (file: string, options: { readonly throwIfNoEntry: false }) => {
    const found = fs.statSync(file, options)
    if (file.endsWith(going)) fs.rmSync(file)
    return found
  }
  return { ...fs, statSync }
})

describe("SmallFile.read", () => {
  it.scopedLive("G33: a file that git takes away between the look and the reading is none, and no error", () =>
    Effect.gen(function* () {
      const at = yield* directory
      const file = path.join(at, going)
      writeFileSync(file, "{}")
      expect(yield* SmallFile.read(file)).toBeUndefined()
      expect(existsSync(file)).toBe(false)
      const other = path.join(at, "staying.json")
      writeFileSync(other, "{}")
      expect(SmallFile.text(yield* SmallFile.read(other))).toBe("{}")
    })
  )
})
