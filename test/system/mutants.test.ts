/** The mutant harness, run on a repository of two files: it tells a caught mutant from all that only looks like one. */
import { execFileSync, spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { afterAll, beforeAll, expect, it } from "vitest"

const repository = path.resolve(import.meta.dirname, "../..")

const source = "export const add = (a: number, b: number): number => a + b\n"

const files: Record<string, string> = {
  "package.json": '{ "type": "module" }\n',
  ".gitignore": "node_modules\n",
  "src/add.ts": source,
  "test/add.test.ts": `import { expect, it } from "vitest"
import { add } from "../src/add.ts"
it("G1: one and one is two", () => expect(add(1, 1)).toBe(2))
`,
  "test/failing.test.ts": `import { expect, it } from "vitest"
it("fails by itself", () => expect(1).toBe(2))
`
}

const patch = (header: string, from: string, to: string) => `${header}diff --git a/src/add.ts b/src/add.ts
--- a/src/add.ts
+++ b/src/add.ts
@@ -1 +1 @@
-${from}
+${to}
`
const line = source.trimEnd()
const header = "# test: test/add.test.ts\n# breaks: G1: sums\n"

const mutants: Record<string, string> = {
  "caught.patch": patch(header, line, line.replace("a + b", "a - b")),
  "survivor.patch": patch(header, line, line.replace("a + b", "b + a")),
  "stale.patch": patch(header, line.replace("add", "sum"), line),
  "lost-test.patch": patch(header.replace("add.test", "gone.test"), line, line.replace("+", "-")),
  "headless.patch": patch("", line, line.replace("+", "-")),
  "unparsable.patch": patch(header, line, "export const add = ("),
  "no-control.patch": patch(header.replace("add.test", "failing.test"), line, line.replace("+", "-"))
}

let directory: string
let output: string
let status: number | null

const harness = (...names: ReadonlyArray<string>) =>
  spawnSync(path.join(repository, "node_modules/.bin/tsx"), [path.join(repository, "test/mutants/run.ts"), ...names], {
    cwd: directory,
    encoding: "utf8"
  })

beforeAll(() => {
  directory = mkdtempSync(path.join(tmpdir(), "mutant-harness-"))
  const contents = Object.entries(mutants).map(([name, text]) => [`test/mutants/${name}`, text] as const)
  for (const [name, text] of [...Object.entries(files), ...contents]) {
    mkdirSync(path.dirname(path.join(directory, name)), { recursive: true })
    writeFileSync(path.join(directory, name), text)
  }
  symlinkSync(path.join(repository, "node_modules"), path.join(directory, "node_modules"))
  execFileSync("git", ["init", "--quiet"], { cwd: directory })
  const result = harness()
  output = result.stdout
  status = result.status
}, 300_000)
afterAll(() => rmSync(directory, { recursive: true }))

it("tooling: the harness names the test that caught a mutant", () => {
  expect(output).toContain('caught  caught (G1: sums)\n        by "G1: one and one is two"')
})

it.each([
  ["that survives", "survivor", "SURVIVES"],
  ["that no longer applies", "stale", "no longer applies"],
  ["whose test does not exist", "lost-test", "names test/gone.test.ts, which does not exist"],
  ["that does not say what it breaks", "headless", "has no line `# breaks: …`"],
  ["that breaks the file, not the promise", "unparsable", "no test caught it, it broke the run"],
  ["whose test fails without it", "no-control", "test/failing.test.ts fails unpatched: fails by itself"]
])("tooling: the harness fails on a mutant %s", (_, name, reason) => {
  expect(output).toContain(`FAILED  ${name}: ${reason}`)
})

it("tooling: the harness sums up in its last line and its exit code", () => {
  expect(output.trimEnd().split("\n").at(-1)).toBe("1 mutants caught, 6 failed")
  expect(status).toBe(1)
})

it("tooling: the harness leaves the repository as it was", () => {
  expect(readFileSync(path.join(directory, "src/add.ts"), "utf8")).toBe(source)
})

it("tooling: the harness succeeds if all mutants asked for are caught", { timeout: 300_000 }, () => {
  expect(harness("caught").status).toBe(0)
  expect(harness("no-such-name").status).toBe(1)
})
