/** How `bd` is built and loaded, shown with a small program: the code cache is used, and never needed or written. */
import { execFileSync } from "node:child_process"
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { buildProgram } from "../../scripts/build.ts"
import * as Bundle from "../../src/cli/launcher/Bundle.ts"

let directory: string
let entry: string
let bin: string

const program = (word: string) => `#!/usr/bin/env node
import { basename } from "node:path"
const rest: ReadonlyArray<string> = process.argv.slice(2)
console.log("${word}", rest.join(" "), basename(process.argv[1] ?? ""))
if (rest[0] === "late") import("./late.ts").then(late => console.log(late.word))
process.exitCode = rest[0] === "fail" ? 3 : 0
`

beforeAll(async () => {
  directory = mkdtempSync(path.join(tmpdir(), "launcher-"))
  entry = path.join(directory, "program.ts")
  bin = path.join(directory, "bin")
  writeFileSync(path.join(directory, "late.ts"), `export const word = "loaded late"\n`)
  writeFileSync(entry, program("one"))
  await buildProgram(entry, bin)
}, 120_000)
afterAll(() => rmSync(directory, { recursive: true }))

const run = (...words: ReadonlyArray<string>): string =>
  execFileSync(path.join(bin, "bd.cjs"), words, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] })

/** The bundle that the directory holds; exactly one, since a build removes those before it. */
const bundle = (use: Bundle.Use = "changing"): Bundle.Bundle => {
  const hashes = new Set(readdirSync(bin).flatMap(name => /^bd-([0-9a-f]{16})\.cjs$/.exec(name)?.[1] ?? []))
  expect(hashes.size).toBe(1)
  const [hash = ""] = hashes
  return Bundle.locate(bin, hash, use)
}

const contents = () =>
  readdirSync(bin).map(name => {
    const { size, mtimeMs, ino } = statSync(path.join(bin, name))
    return { name, size, mtimeMs, ino }
  })

it("tooling: the launcher runs the bundle with its arguments, its exit code and what it imports late", () => {
  expect(run("a", "b c")).toBe("one a b c bd.cjs\n")
  expect(run("late")).toBe("one late bd.cjs\nloaded late\n")
  expect(() => run("fail")).toThrow(expect.objectContaining({ status: 3 }))
})

it.each(["reading", "changing"] as const)("tooling: V8 accepts the cache for %s that the build made", use => {
  // under the flags that it was made under
  Bundle.tuneV8()
  const { script } = Bundle.load(bundle(use))
  expect(existsSync(bundle(use).cacheFile)).toBe(true)
  expect(script.cachedDataRejected).toBe(false)
})

it("tooling: which cache is taken is told by the command, wherever the flags stand", () => {
  expect(Bundle.useOf(["--json", "list"])).toBe("reading")
  expect(Bundle.useOf(["create", "list"])).toBe("changing")
  expect(Bundle.useOf([])).toBe("changing")
})

it("tooling: a run writes nothing beside the bundle, with a cache or without", () => {
  const before = contents()
  run("a")
  expect(contents()).toEqual(before)
  const { cacheFile } = bundle()
  const cache = readFileSync(cacheFile)
  rmSync(cacheFile)
  const without = contents()
  expect(run("a")).toBe("one a bd.cjs\n")
  expect(contents()).toEqual(without)
  writeFileSync(cacheFile, cache)
})

it("tooling: the version is answered without the bundle, as the program answered the build; with BD_JSON by it", () => {
  const { file } = bundle()
  expect(run("--version")).toBe("one --version bd.cjs\n")
  renameSync(file, `${file}.away`)
  try {
    expect(run("--version")).toBe("one --version bd.cjs\n")
    expect(() => run("--version", "a")).toThrow("ENOENT")
    process.env["BD_JSON"] = "1"
    expect(() => run("--version")).toThrow("ENOENT")
  } finally {
    delete process.env["BD_JSON"]
    renameSync(`${file}.away`, file)
  }
})

it.each([
  ["empty", (_: Buffer) => Buffer.alloc(0)],
  ["cut off", (cache: Buffer) => cache.subarray(0, cache.length >> 1)],
  ["of another kind", (_: Buffer) => Buffer.from("no cache at all, and long enough to hold a header of V8")]
])("tooling: a cache that is %s is passed over", (_, damage) => {
  const { cacheFile } = bundle()
  const cache = readFileSync(cacheFile)
  writeFileSync(cacheFile, damage(cache))
  try {
    expect(run("a")).toBe("one a bd.cjs\n")
  } finally {
    writeFileSync(cacheFile, cache)
  }
})

it("tooling: new code of the same length runs at once: no cache of the old code is taken", {
  timeout: 60_000
}, async () => {
  const old = bundle()
  const { size } = statSync(old.file)
  writeFileSync(entry, program("two"))
  await buildProgram(entry, bin)
  expect(bundle().file).not.toBe(old.file)
  expect(statSync(bundle().file).size).toBe(size)
  expect(existsSync(old.cacheFile)).toBe(false)
  expect(run("a")).toBe("two a bd.cjs\n")
})

describe("what is not in the program", () => {
  /** Builds a program, and by that runs it. */
  const build = (name: string, text: string) => {
    const file = path.join(directory, `${name}.ts`)
    writeFileSync(file, text)
    return buildProgram(file, path.join(directory, name))
  }

  it("tooling: a name that a stand-in lacks fails the build", async () => {
    const text = `import * as Schema from "effect/Schema"\nconsole.log(Schema.TemplateLiteral)\n`
    await expect(build("lacking", text)).rejects.toThrow("TemplateLiteral")
  })

  it("tooling: whoever calls what is left out is told", async () => {
    const stream = path.join(import.meta.dirname, "../../node_modules/effect/dist/esm/Stream.js")
    const calling = build("left-out", `import { make } from ${JSON.stringify(stream)}\nmake(1)\n`)
    await expect(calling).rejects.toThrow("effect/dist/esm/Stream.js is not in this program")
  })
})
