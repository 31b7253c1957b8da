/**
 * Hostile files: real issue files, changed until no program would write them (hostile.ts). The codec and the merge by
 * themselves, `bd` with all its layers in this process, and the built `bd` for what is large.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { performance } from "node:perf_hooks"
import { Effect } from "effect"
import { expect, it } from "vitest"
import * as IssueMerge from "../../src/domain/IssueMerge.ts"
import * as IssueRecord from "../../src/domain/IssueRecord.ts"
import * as JsonText from "../../src/domain/JsonText.ts"
import * as IssueLine from "../../src/issue-file/IssueLine.ts"
import * as IssueLines from "../../src/issue-file/IssueLines.ts"
import { bd, type Ran } from "../cli/harness.ts"
import { recordOf } from "../recordOf.ts"
import { bdCommand, ok, repository, run as runProcess } from "../system/bd.ts"
import { atLength, milliseconds, type Random, randomOf, seed } from "./budget.ts"
import { type Expected, expectedOf, hostileFile, hostileLine } from "./hostile.ts"

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1")

/** Makes and tries inputs for a while; what failed, with the seed that makes it again. */
const trying = async (
  duration: number,
  atLeast: number,
  attempt: (random: Random) => unknown
): Promise<{ readonly inputs: number; readonly slowest: number; readonly problems: ReadonlyArray<string> }> => {
  const problems: Array<string> = []
  const begun = performance.now()
  let inputs = 0
  let slowest = 0
  while ((performance.now() - begun < duration || inputs < atLeast) && problems.length < 5) {
    const own = seed + inputs++
    const start = performance.now()
    try {
      await attempt(randomOf(own))
    } catch (problem) {
      problems.push(
        `--seed ${own}: ${problem instanceof Error ? (problem.stack ?? "") : String(problem)}`.slice(0, 3000)
      )
    }
    slowest = Math.max(slowest, performance.now() - start)
  }
  return { inputs, slowest: Math.round(slowest), problems }
}

it("G17, G18, G33: the codec reads each line of a hostile file and gives it back, or tells its number", async () => {
  let readable = 0
  const came = await trying(milliseconds(3000) / 10, 500, random => {
    const bytes = hostileFile(random)
    const expected = expectedOf(bytes)
    const { lines, unreadable } = IssueLines.read(bytes)
    expect(unreadable.map(({ number }) => number)).toEqual(expected.unreadable)
    const texts = new Map<string, Array<string>>()
    for (const line of lines) texts.set(line.id, [...(texts.get(line.id) ?? []), line.text])
    expect(texts).toEqual(expected.texts)
    const records = lines.map(line => recordOf(line.text))
    for (const [i, record] of records.entries()) {
      expect(IssueLine.encode(record)).toBe(lines[i]?.text)
      // members apart: what is put together again is the same value, with all else as it was
      const changed = IssueRecord.set(record, "notes", '"fuzzed"')
      const again = recordOf(IssueLine.encode(changed))
      const others = (from: IssueRecord.IssueRecord) =>
        from.members.filter(({ key }) => key !== "notes" && !IssueRecord.localKeys.has(key))
      expect(others(again)).toEqual(others(record))
      expect(IssueRecord.get(again, "notes")).toBe('"fuzzed"')
      readable++
    }
    const [first] = lines
    if (first === undefined) return
    const now = '{"id":"zz","title":"new"}'
    const spliced = IssueLines.splice(bytes, new Map([["zz", now]]))
    for (const line of lines) expect(text(spliced.bytes)).toContain(text(Buffer.from(line.text)))
    expect(text(spliced.bytes)).toContain(now)
  })
  console.log(`seed ${seed}: ${came.inputs} files, ${readable} lines read; slowest ${came.slowest} ms`)
  expect(came.problems).toEqual([])
  expect(readable).toBeGreaterThan(came.inputs)
})

it("G24, G33: versions of one hostile line merge, in any order alike, into a line that can be read", async () => {
  const came = await trying(milliseconds(3000) / 10, 500, random => {
    const versions = [hostileLine(random), hostileLine(random), hostileLine(random)].flatMap(line => {
      const members = JsonText.members(line).filter(({ key }) => key !== "id")
      const record = IssueLine.decode(JsonText.encodeObject([{ key: "id", value: '"x-1"' }, ...members]))
      return IssueLine.isUnreadable(record) ? [] : [record]
    })
    const [base, a, b] = versions
    if (base === undefined || a === undefined || b === undefined) throw new Error("not readable")
    for (const from of [base, undefined]) {
      const merged = IssueRecord.line(IssueMerge.merge(from, [a, b]))
      expect(IssueRecord.line(IssueMerge.merge(from, [b, a]))).toBe(merged)
      expect(IssueLine.isUnreadable(IssueLine.decode(merged))).toBe(false)
      expect(merged).not.toContain("\n")
    }
    expect(IssueRecord.line(IssueMerge.merge(undefined, [a, a]))).toBe(IssueRecord.line(a))
  })
  console.log(`seed ${seed}: ${came.inputs} merges; slowest ${came.slowest} ms`)
  expect(came.problems).toEqual([])
})

/** Reading commands; what they take is filled in. */
const questions: ReadonlyArray<ReadonlyArray<string>> = [
  ...[["list"], ["list", "--all"], ["ready"], ["blocked"], ["stats"], ["stale"], ["duplicates"], ["doctor"]],
  ...[["validate"], ["epic", "status"], ["dep", "cycles"], ["label", "list-all"], ["count"], ["flush", "status"]],
  ...[
    ["show", "ID"],
    ["comments", "ID"],
    ["dep", "tree", "ID"],
    ["history", "ID"],
    ["search", "fuzz"]
  ]
]

const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/

/** However bad the file: a foreseen exit code, and never a stack trace. */
const isDecent = (words: ReadonlyArray<string>, { exitCode, stderr, stdout }: Ran): void => {
  const told = `bd ${words.join(" ")}: exit ${exitCode}\n${stdout.slice(0, 500)}\n${stderr.slice(0, 1500)}`
  expect([0, 1, 2, 3, 4, 5, 7, 8], told).toContain(exitCode)
  expect(
    /\n\s+at |\bundefined\b is not|not a function|Maximum call stack|defect|internal error/i.test(stderr),
    told
  ).toBe(false)
  if (words.includes("--json") && stdout !== "") JSON.parse(stdout)
  expect(controls.test(stdout), told).toBe(false)
}

const withoutStore = (beads: string): void => {
  for (const suffix of ["", "-wal", "-shm"]) rmSync(join(beads, `beads.db${suffix}`), { force: true })
}

const isSingle = (expected: Expected): boolean => [...expected.texts.values()].every(({ length }) => length === 1)

it(
  "G15, G17, G18, G26, G33: through bd, a hostile file is carried on byte for byte, or told by line and left alone",
  async () => {
    const at = mkdtempSync(join(tmpdir(), "bd-fuzz-"))
    const beads = join(at, ".beads")
    const file = join(beads, "issues.jsonl")
    const run = async (...words: ReadonlyArray<string>) => {
      const ran = await Effect.runPromise(bd(at, words))
      isDecent(words, ran)
      return ran
    }
    const figures = { barred: 0, carried: 0, changed: 0, questions: 0 }
    try {
      mkdirSync(join(at, ".git"))
      writeFileSync(join(at, ".git/HEAD"), "ref: refs/heads/main\n")
      await run("init", "--prefix", "t")
      const came = await trying(milliseconds(10_000) * 0.8, 40, async random => {
        const bytes = hostileFile(random)
        const expected = expectedOf(bytes)
        // now and then over the store that the file before left
        const fresh = random.below(4) > 0
        if (fresh) withoutStore(beads)
        writeFileSync(file, bytes)

        const ids = [...expected.texts.keys()]
        const id = ids.length === 0 ? "t-none" : random.pick(ids)
        for (let n = 2; n > 0; n--) {
          const words = random.pick(questions).map(word => (word === "ID" ? id : word))
          await run(...words.slice(0, -1), ...(random.below(2) === 0 ? ["--json"] : []), ...words.slice(-1))
          figures.questions++
        }
        expect(text(readFileSync(file))).toBe(text(bytes))

        const random8 = random.below(2 ** 31)
        const changing =
          random.below(2) === 0 ? ["create", `new ${random8}`] : ["update", `--notes=${random8}`, "--", id]
        const ran = await run(...changing)
        const after = readFileSync(file)
        if (expected.unreadable.length > 0) {
          figures.barred++
          expect(ran.exitCode).not.toBe(0)
          expect(text(after)).toBe(text(bytes))
          if (ran.exitCode === 7) expect(ran.stderr).toContain(`line ${expected.unreadable[0]}`)
          return
        }
        if (!fresh) {
          const left = expectedOf(after)
          expect(left.unreadable).toEqual([])
          expect([...left.texts.keys()]).toEqual(expect.arrayContaining(ids))
          return
        }
        if (ran.exitCode === 0) figures.changed++
        const left = expectedOf(after)
        expect([...left.texts.keys()]).toEqual(expect.arrayContaining(ids))
        if (isSingle(expected) && !text(bytes).includes("renamed_to")) {
          figures.carried++
          for (const [each, [line = ""]] of expected.texts) {
            if (each !== id || changing[0] === "create") expect(left.texts.get(each)).toEqual([line])
          }
        }
        // and again: its own export is a fixpoint, for this store and for another
        await run("flush", "--full")
        expect(text(readFileSync(file))).toBe(text(after))
        withoutStore(beads)
        await run("flush", "--full")
        expect(text(readFileSync(file))).toBe(text(after))
      })
      console.log(`seed ${seed}: ${came.inputs} files; slowest ${came.slowest} ms`, figures)
      expect(came.problems).toEqual([])
      expect(Math.min(...Object.values(figures))).toBeGreaterThan(0)
    } finally {
      rmSync(at, { recursive: true, force: true })
    }
  },
  milliseconds(10_000) + 240_000
)

const common = '"title":"one","status":"open","created_at":"2026-01-01T00:00:00Z","updated_at":"2026-01-01T00:00:00Z"'

/** Each of some 10 MB. */
const huge: Readonly<Record<string, () => string>> = {
  "one long text": () => `"description":"${"x".repeat(10_000_000)}"`,
  "a text of escapes": () => `"description":"${"\\u0041\\n".repeat(1_250_000)}"`,
  "arrays in arrays": () => `"x":${"[".repeat(5_000_000)}${"]".repeat(5_000_000)}`,
  "objects in objects": () => `"x":${'{"a":'.repeat(1_600_000)}1${"}".repeat(1_600_000)}`,
  "many keys": () => Array.from({ length: 700_000 }, (_, n) => `"key${n}":${n}`).join(","),
  "one key many times": () => Array.from({ length: 1_000_000 }, (_, n) => `"x":${n % 10_000}`).join(","),
  "many labels": () => `"labels":[${Array.from({ length: 900_000 }, (_, n) => `"l${n}"`).join(",")}]`,
  "one long number": () => `"x":${"1".repeat(10_000_000)}`
}

/** Of JavaScript's heap, in MB: more than ten times the line, and not a hundred times. */
const heap = 768

it("G18, G33: a line of 10 MB, whatever it is made of, is carried on by the built bd in bounded time and memory", async () => {
  const figures: Record<string, string> = {}
  for (const [name, members] of atLength ? Object.entries(huge) : [randomOf(seed).pick(Object.entries(huge))]) {
    const place = await repository()
    const line = `{"id":"t-huge",${common},${members()}}`
    writeFileSync(place.issueFile, `${line}\n`)
    const begun = performance.now()
    const bounded = { cwd: place.directory, env: { NODE_OPTIONS: `--max-old-space-size=${heap}` } }
    const made = await runProcess(bdCommand("create", "other", "--id", "t-other"), bounded)
    expect(made, `${name}: ${made.stderr.slice(0, 500)}`).toMatchObject({ exitCode: 0, stderr: "" })
    const kept = readFileSync(place.issueFile, "utf8")
      .split("\n")
      .find(each => each.startsWith('{"id":"t-huge"'))
    expect(kept === line, name).toBe(true)
    const listed = ok(await runProcess(bdCommand("list"), bounded))
    expect(listed.stdout).toContain("t-other")
    figures[name] = `${((performance.now() - begun) / 1000).toFixed(1)} s`
  }
  console.log("create, list, update and merge:", figures)
}, 240_000)
