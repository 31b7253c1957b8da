/** Each guarantee is proved by tests that say so, and the tests are proved by mutants that break it. */
import { execFileSync } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { expect, it } from "vitest"

const tracked = execFileSync("git", ["ls-files", "-z", "test"], { encoding: "utf8" })
  .split("\0")
  .filter(path => existsSync(path))

const guarantees = Array.from({ length: 33 }, (_, i) => `G${i + 1}`)

const named = (text: string): ReadonlyArray<string> => text.match(/\bG\d+\b/g) ?? []

/** The guarantees that titles of a test file begin with. */
const provedBy = (path: string): ReadonlySet<string> =>
  new Set([...readFileSync(path, "utf8").matchAll(/["'`]((?:G\d+, )*G\d+): /g)].flatMap(([, list = ""]) => named(list)))

const tests = new Map(tracked.filter(path => path.endsWith(".test.ts")).map(path => [path, provedBy(path)]))

const mutants = tracked
  .filter(path => /^test\/mutants\/.*\.patch$/.test(path))
  .map(path => {
    const header = readFileSync(path, "utf8").split("\ndiff ")[0] ?? ""
    const all = (key: string) => [...header.matchAll(new RegExp(`^# ${key}: *(\\S.*)$`, "gm"))].map(([, v = ""]) => v)
    return { path, breaks: new Set(all("breaks").flatMap(named)), tests: all("test") }
  })

it("tooling: each guarantee has tests that are named after it", () => {
  expect(guarantees.filter(one => ![...tests.values()].some(proved => proved.has(one)))).toEqual([])
})

it("tooling: each guarantee has a mutant, and tests named after the guarantee are to catch it", () => {
  const isBroken = (one: string) =>
    mutants.some(mutant => mutant.breaks.has(one) && mutant.tests.some(test => tests.get(test)?.has(one) === true))
  expect(guarantees.filter(one => !isBroken(one))).toEqual([])
})

it("tooling: no test or mutant names a guarantee that there is none of", () => {
  const known = new Set(guarantees)
  const all = [...[...tests.values()].flatMap(proved => [...proved]), ...mutants.flatMap(({ breaks }) => [...breaks])]
  expect(all.filter(one => !known.has(one))).toEqual([])
})
