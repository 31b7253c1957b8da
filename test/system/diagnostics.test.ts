/** The diagnostics gate lets nothing through: neither a finding nor a project of which it checked nothing. */
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { afterEach, beforeEach, expect, it } from "vitest"

const repository = path.resolve(import.meta.dirname, "../..")

let directory: string
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), "diagnostics-"))
  symlinkSync(path.join(repository, "node_modules"), path.join(directory, "node_modules"))
})
afterEach(() => rmSync(directory, { recursive: true }))

const gate = (source: string, projectName = "tsconfig.json") => {
  writeFileSync(path.join(directory, "package.json"), '{ "type": "module" }')
  writeFileSync(path.join(directory, "planted.ts"), source)
  const project = path.join(directory, projectName)
  writeFileSync(
    project,
    JSON.stringify({ extends: path.join(repository, "tsconfig.json"), include: [path.join(directory, "*.ts")] })
  )
  return spawnSync(
    path.join(repository, "node_modules/.bin/tsx"),
    [path.join(repository, "scripts/diagnostics.ts"), project],
    { encoding: "utf8", cwd: directory }
  )
}

const sound = `import * as Effect from "effect/Effect"\nexport const program = Effect.succeed(1)\n`

it("tooling: the diagnostics gate passes a sound file", { timeout: 60_000 }, () => {
  const { status, stdout, stderr } = gate(sound)
  expect(stderr).toBe("")
  expect(stdout).toContain("1 files, no finding")
  expect(status).toBe(0)
})

it.each([
  ["an error of the tool", "floatingEffect", `${sound}Effect.log("lost")\n`],
  [
    "a suggestion of the tool",
    "unnecessaryEffectGen",
    `${sound}export const one = Effect.gen(function* () { return yield* program })\n`
  ],
  ["a rule that we switched on", "globalRandom", `${sound}export const chance = Math.random()\n`]
])("tooling: the diagnostics gate refuses a planted bad file: %s (%s)", { timeout: 60_000 }, (_, rule, source) => {
  const { status, stderr } = gate(source)
  expect(stderr).toContain(rule)
  expect(status).toBe(1)
})

it("tooling: the diagnostics gate refuses a project of which no file was checked", { timeout: 60_000 }, () => {
  const { status, stderr } = gate(sound, "tsconfig.other.json")
  expect(stderr).toMatch(/0 of \d+ files checked|no report/)
  expect(status).toBe(1)
})
