/**
 * Each example that `bd COMMAND --help` shows is run, in a project that has the issues it names. What stands before a
 * pipe, but for `printf`, or behind `>` belongs to the shell and is left out; files it names are there.
 */
import { execFileSync } from "node:child_process"
import { mkdirSync, writeFileSync } from "node:fs"
import * as path from "node:path"
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import type { CommandSpec } from "../../src/cli/CommandSpec.ts"
import { commands } from "../../src/cli/CommandTable.ts"
import { bd, directory } from "../cli/harness.ts"
import { shellWords } from "./Transcript.ts"

const every: ReadonlyArray<CommandSpec> = commands

/** Examples whose answer is not 0, and why. */
const otherwise: Readonly<Record<string, number>> = {
  "bd daemon": 1,
  "bd hooks": 1,
  "bd resolve": 1
}

const line = (id: string, more: object = {}) =>
  `${JSON.stringify({
    id,
    title: `Issue ${id}`,
    description: "about it",
    status: "open",
    priority: 2,
    issue_type: "task",
    created_at: "2025-01-01T10:00:00Z",
    updated_at: "2025-01-01T10:00:00Z",
    ...more
  })}\n`

/** A project that the examples can be typed in. */
const prepared = (at: string) =>
  Effect.gen(function* () {
    mkdirSync(path.join(at, ".beads"))
    writeFileSync(
      path.join(at, ".beads/issues.jsonl"),
      line("app-77c1") + line("app-a3f8", { issue_type: "epic" }) + line("app-a3f8.1", { issue_type: "bug" })
    )
    for (const name of ["report.txt", "log.txt"]) writeFileSync(path.join(at, name), "text\n")
    for (const name of ["other.jsonl", "%A", "%O", "%B"]) writeFileSync(path.join(at, name), line("app-9"))
    writeFileSync(path.join(at, "plan.md"), "## One\n")
    execFileSync("git", ["init", "--quiet"], { cwd: at })
    expect(yield* bd(at, ["init", "--prefix", "app"])).toMatchObject({ exitCode: 0 })
  })

/** What must have happened for an example to make sense. */
const before: Readonly<Record<string, ReadonlyArray<string>>> = {
  "bd reopen app-a3f8": ["close", "app-a3f8"],
  "bd undelete app-a3f8": ["delete", "app-a3f8", "--force"],
  "bd config unset jira.url": ["config", "set", "jira.url", "https://jira.example"],
  "bd dep remove app-a3f8 app-77c1": ["dep", "add", "app-a3f8", "app-77c1"],
  "bd label remove app-a3f8 backend": ["label", "add", "app-a3f8", "backend"]
}

/** The words after `bd` of an example. */
const wordsOf = (example: string): ReadonlyArray<string> => {
  // a command that another program runs stands in quotes there
  const typed = /'(bd [^']*)'$/.exec(example)?.[1] ?? example
  return shellWords(typed.replace(/^(?!bd ).*\| (?=bd )/, "").replace(/ (\|.*|>>? \S+)$/, "")).slice(1)
}

/** What an example reads from stdin: what it prints itself, line by line, else the line of an issue. */
const stdinOf = (example: string): string => {
  const [name, , ...printed] = shellWords(example.replace(/ \| .*$/, ""))
  return name === "printf" ? printed.map(text => `${text}\n`).join("") : line("app-new")
}

describe("examples of help", () => {
  it("are there for every command, and each begins with what it is an example of", () => {
    expect(every.filter(({ examples }) => examples.length === 0).map(({ path: words }) => words.join(" "))).toEqual([])
    for (const { aliases = [], examples, path: words } of every) {
      for (const example of examples) {
        const own = [words.join(" "), ...aliases.map(alias => [...words.slice(0, -1), alias].join(" "))]
        // `dep ID --blocked-by` and `daemon` have no further word
        expect(own.some(name => wordsOf(example).join(" ").startsWith(name))).toBe(true)
      }
    }
  })

  for (const { examples, path: words } of every) {
    it.scopedLive(
      `bd ${words.join(" ")}: the examples work`,
      () =>
        Effect.gen(function* () {
          for (const example of examples) {
            const at = yield* directory
            yield* prepared(at)
            const first = before[example]
            if (first !== undefined) expect(yield* bd(at, first)).toMatchObject({ exitCode: 0 })
            const here = process.cwd()
            process.chdir(at)
            const ran = yield* Effect.ensuring(
              bd(at, wordsOf(example), { stdin: stdinOf(example) }),
              Effect.sync(() => process.chdir(here))
            )
            const failed = ran.exitCode === (otherwise[example] ?? 0) ? "" : `${ran.stdout}${ran.stderr}`
            expect(`${example}: ${ran.exitCode} ${failed}`).toBe(`${example}: ${otherwise[example] ?? 0} `)
          }
        }),
      60_000
    )
  }
})
