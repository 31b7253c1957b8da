/** Hygiene of the repository itself: what is tracked must not tie it to one machine or one registry. */
import { execFileSync, spawnSync } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { expect, it } from "vitest"

const tracked = execFileSync("git", ["ls-files", "-z"], { encoding: "utf8" })
  .split("\0")
  .filter(path => path !== "" && existsSync(path))

it("tooling: package-lock.json names no registry host", () => {
  expect(readFileSync("package-lock.json", "utf8")).not.toMatch(/"resolved"/)
})

/** npm leaves out what it could not fetch for this platform, and then `npm ci` refuses the lock file everywhere. */
it("tooling: package-lock.json has an entry for every optional dependency, so that npm ci accepts it", () => {
  const { packages } = JSON.parse(readFileSync("package-lock.json", "utf8")) as {
    packages: Record<string, { optionalDependencies?: Record<string, string> }>
  }
  const missing = Object.entries(packages).flatMap(([parent, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter(
      name => !(`node_modules/${name}` in packages) && !(`${parent}/node_modules/${name}` in packages)
    )
  )
  expect(missing).toEqual([])
})

it("tooling: no tracked file contains a path of the machine it was written on", () => {
  expect(tracked.length).toBeGreaterThan(0)
  const machinePath = new RegExp(["/wor", "k/main|/ro", "ot/|/ho", "me/[a-z]+/"].join(""))
  // The real issue files are kept as they were found; their texts quote the machines of those who wrote them.
  const ours = tracked.filter(path => !path.startsWith("test/data/"))
  const offending = ours.filter(path => machinePath.test(readFileSync(path, "utf8")))
  expect(offending).toEqual([])
})

/** Where the program meets Node. Everywhere else time, chance and the end of the process come from Effect. */
const edge = /^src\/cli\/(bd\.ts|launcher\/)/

it("tooling: src reads no clock and ends no process by itself", () => {
  const sources = tracked.filter(path => path.startsWith("src/") && path.endsWith(".ts") && !edge.test(path))
  expect(sources.length).toBeGreaterThan(0)
  const forbidden = /\bDate\.now\(|\bnew Date\(\)|\bprocess\.exit\(|\bperformance\.now\(/
  const withoutComments = (source: string) => source.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, "")
  expect(sources.filter(path => forbidden.test(withoutComments(readFileSync(path, "utf8"))))).toEqual([])
})

it("tooling: every mutant still applies, and names tests that exist and the promise it breaks", () => {
  const mutants = tracked.filter(path => path.startsWith("test/mutants/") && path.endsWith(".patch"))
  expect(mutants.length).toBeGreaterThan(100)
  const wrong = mutants.filter(path => {
    const text = readFileSync(path, "utf8")
    const tests = [...text.matchAll(/^# test: *(\S+)$/gm)].map(([, test = ""]) => test)
    const applies = spawnSync("git", ["apply", "--check", path]).status === 0
    return !applies || tests.length === 0 || !tests.every(test => existsSync(test)) || !/^# breaks: *\S/m.test(text)
  })
  expect(wrong).toEqual([])
}, 30_000)
