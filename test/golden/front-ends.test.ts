/** What front ends send is understood, and answered with the keys that they read. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import * as path from "node:path"
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { bd, directory } from "../cli/harness.ts"
import { type Call, calls } from "./front-ends.ts"

const names: Readonly<Record<string, string>> = { ID: "app-a1", OTHER: "app-b2", CHILD: "app-b2.1" }
const named = (word: string) => word.replace(/\b(ID|OTHER|CHILD)\b/g, name => names[name] ?? name)

const at = { created_at: "2025-01-01T10:00:00Z", updated_at: "2025-01-01T10:00:00Z" }
const link = (issue_id: string, depends_on_id: string, type: string) => ({
  issue_id,
  depends_on_id,
  type,
  created_at: at.created_at,
  created_by: "ann"
})
const lines = [
  {
    id: "app-a1",
    title: "Issue one",
    status: "open",
    priority: 1,
    issue_type: "bug",
    ...at,
    labels: ["ui"],
    dependencies: [link("app-a1", "app-b2", "blocks")],
    comments: [{ id: 1, issue_id: "app-a1", author: "ann", text: "said", created_at: at.created_at }]
  },
  { id: "app-b2", title: "Issue two", status: "open", priority: 1, issue_type: "epic", ...at },
  {
    id: "app-b2.1",
    title: "A child",
    status: "open",
    priority: 1,
    issue_type: "bug",
    ...at,
    dependencies: [link("app-b2.1", "app-b2", "parent-child")]
  }
]
const text = lines.map(line => `${JSON.stringify(line)}\n`).join("")

/** The values at a path; none if something on the way is missing, or an array of which each element was asked is empty. */
const valuesAt = (value: unknown, keys: ReadonlyArray<string>): ReadonlyArray<unknown> => {
  const [key, ...rest] = keys
  if (key === undefined) return [value]
  if (key === "[]") {
    if (!Array.isArray(value)) return [undefined]
    if (rest.length === 0) return [value]
    return value.length === 0 ? [undefined] : value.flatMap(element => valuesAt(element, rest))
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [undefined]
  return valuesAt(Object.entries(value).find(([name]) => name === key)?.[1], rest)
}

/** `[].dependencies.[].id`: the keys that stand in the answer of every element. */
const missing = (answer: unknown, wanted: ReadonlyArray<string>) =>
  wanted.filter(keys => valuesAt(answer, keys.split(".")).some(value => value === undefined))

const send = ({ first, words }: Call) =>
  Effect.gen(function* () {
    const here = yield* directory
    const before = process.cwd()
    yield* Effect.acquireRelease(
      Effect.sync(() => process.chdir(here)),
      () => Effect.sync(() => process.chdir(before))
    )
    mkdirSync(path.join(here, ".beads"))
    for (const file of [".beads/issues.jsonl", "in.jsonl"]) writeFileSync(path.join(here, file), text)
    yield* bd(here, ["init", "--prefix", "app", "--quiet"])
    if (first !== undefined) yield* bd(here, first.map(named))
    const ran = yield* bd(here, words.map(named), { stdin: "From stdin\n" })
    return { ...ran, file: readFileSync(path.join(here, ".beads/issues.jsonl"), "utf8") }
  })

describe("what front ends send", () => {
  for (const call of calls) {
    it.scopedLive(
      `${call.who}: bd ${call.words.map(word => (/^[\w=.,:-]+$/.test(word) ? word : `'${word}'`)).join(" ")}`,
      () =>
        Effect.gen(function* () {
          const ran = yield* send(call)
          expect(ran).toMatchObject({ exitCode: 0 })
          expect(ran.stderr).not.toMatch(/^(Error|Warning)/m)
          if (call.text !== undefined) expect(ran.stdout).toMatch(call.text)
          if (call.keys !== undefined) expect(missing(JSON.parse(ran.stdout), call.keys)).toEqual([])
        })
    )
  }

  it.scopedLive("G11: what beads-ui writes with --sandbox is in the issue file", () =>
    Effect.gen(function* () {
      const ran = yield* send({ who: "U", words: ["--sandbox", "update", "ID", "--title", "Written in a sandbox"] })
      expect(ran.file).toContain("Written in a sandbox")
    })
  )

  it("a key that is missing is seen", () => {
    expect(missing([{ a: 1 }, { b: [] }], ["[].a", "[]", "[].b.[].c", "x"])).toEqual(["[].a", "[].b.[].c", "x"])
    expect(missing([], ["[].a", "[]"])).toEqual(["[].a"])
    expect(missing({ a: { b: 0 } }, ["a.b", "[]", "a.c"])).toEqual(["[]", "a.c"])
  })
})
