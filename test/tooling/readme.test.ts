/** The README, held to what `bd` knows. That its commands do what they say is tried by `test/smoke`. */
import { describe, expect, it } from "vitest"
import * as Argv from "../../src/cli/Argv.ts"
import { commands } from "../smoke/readme.ts"

/** The words of a command line as the README writes them: in quotes or between spaces. */
const words = (line: string): ReadonlyArray<string> =>
  [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare = ""]) => quoted ?? bare)

describe("README", () => {
  it("tooling: every command of bd in it is one of the command table, its flags too", () => {
    const ours = commands().filter(line => line.startsWith("bd "))
    expect(ours.length).toBeGreaterThan(5)
    const readings = ours.map(line => [line, Argv.read(words(line).slice(1))] as const)
    expect(readings.filter(([, { _tag }]) => _tag !== "Invocation")).toEqual([])
  })
})
