/** `prime`, `quickstart`, `onboard`: what they tell holds, and they tell it wherever they are run. */
import { mkdirSync, writeFileSync } from "node:fs"
import * as path from "node:path"
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Argv from "../../src/cli/Argv.ts"
import type { CommandSpec } from "../../src/cli/CommandSpec.ts"
import { commands } from "../../src/cli/CommandTable.ts"
import { bd, directory, project } from "./harness.ts"

const lineCount = (text: string) => text.split("\n").length - 1

describe("prime", () => {
  it.scopedLive("outside of a project it prints nothing and exits 0; a place that was named is another matter", () =>
    Effect.gen(function* () {
      const at = yield* directory
      expect(yield* bd(at, ["prime"])).toEqual({ exitCode: 0, stdout: "", stderr: "" })
      expect(JSON.parse((yield* bd(at, ["prime", "--json"])).stdout)).toEqual({ project: false, text: "" })
      expect(yield* bd(at, ["prime"], { env: { BEADS_DIR: "/nowhere/.beads" } })).toMatchObject({ exitCode: 1 })
    })
  )

  it.scopedLive("tells in at most 60 lines how the project stands, whatever the titles are", () =>
    Effect.gen(function* () {
      const { json, run, runWith } = yield* project
      const issues = Array.from({ length: 30 }, (_, i) => ({
        id: `app-${i}`,
        title: i % 2 === 0 ? `Line\nfeed \u001b[31m${i}` : "long ".repeat(90),
        status: i < 8 ? "in_progress" : i < 12 ? "closed" : "open",
        priority: 1,
        issue_type: "task",
        created_at: "2026-01-01T00:00:00Z",
        updated_at: "2026-01-01T00:00:00Z",
        ...(i >= 8 && i < 12 ? { closed_at: "2026-01-02T00:00:00Z" } : {})
      }))
      yield* runWith({ stdin: issues.map(issue => JSON.stringify(issue)).join("\n") }, "import")
      const { exitCode, stderr, stdout } = yield* run("prime")
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" })
      expect(lineCount(stdout)).toBeLessThanOrEqual(60)
      expect(Math.max(...stdout.split("\n").map(line => line.length))).toBeLessThan(140)
      expect(stdout).not.toContain("\u001b")
      expect(stdout).toContain("30 issues: 18 open, 8 in progress, 4 closed; 18 ready, 0 blocked.")
      expect(stdout).toContain("… and 3 more: bd list -s in_progress")
      expect(stdout).toContain("… and 13 more: bd ready --limit 0")
      const state = yield* json("prime")
      expect(state).toMatchObject({ project: true, prefix: "app", stats: { total_issues: 30, ready_issues: 18 } })
      expect([state.ready.length, state.in_progress.length]).toEqual([5, 5])
      const brief = yield* run("prime", "--mcp")
      expect(lineCount(brief.stdout)).toBeLessThanOrEqual(20)
    })
  )

  it.scopedLive("G11: tells of what is not in the issue file yet", () =>
    Effect.gen(function* () {
      const { run } = yield* project
      expect((yield* run("prime")).stdout).toContain("No issues yet")
      yield* run("create", "Later", "--no-auto-flush")
      expect((yield* run("prime")).stdout).toContain("Not in the issue file yet: 1 (bd flush)")
      expect((yield* run("prime")).stdout).toContain("- app-")
    })
  )

  it.scopedLive("G26: where the project cannot be read it says so, and still tells how to work", () =>
    Effect.gen(function* () {
      const at = yield* directory
      mkdirSync(path.join(at, ".beads"))
      writeFileSync(path.join(at, ".beads/metadata.json"), "not json")
      const { exitCode, stderr, stdout } = yield* bd(at, ["prime"])
      expect(exitCode).toBe(0)
      expect(stderr).toContain("metadata.json")
      expect(stdout).toContain("Not known: ")
      expect(stdout).toContain("bd ready --claim")
      expect(lineCount(stdout)).toBeLessThanOrEqual(60)
      expect(JSON.parse((yield* bd(at, ["prime", "--json"])).stdout)).toMatchObject({ project: true })
    })
  )
})

describe("quickstart and onboard", () => {
  it.scopedLive("need no project; onboard --quiet prints the section alone", () =>
    Effect.gen(function* () {
      const at = yield* directory
      const quickstart = yield* bd(at, ["quickstart"])
      expect(quickstart).toMatchObject({ exitCode: 0, stderr: "" })
      expect(quickstart.stdout).toMatch(
        /^\nbd - Dependency-Aware Issue Tracker\n\nIssues chained together like beads\./
      )
      const onboard = yield* bd(at, ["onboard"])
      const section = (yield* bd(at, ["onboard", "--quiet"])).stdout
      expect(section).toMatch(/^## Issue tracking with bd\n/)
      expect(onboard.stdout).toContain(`--- BEGIN AGENTS.MD CONTENT ---\n${section}--- END AGENTS.MD CONTENT ---`)
      expect(JSON.parse((yield* bd(at, ["onboard", "--json"])).stdout)).toEqual({ file: "AGENTS.md", content: section })
      expect(JSON.parse((yield* bd(at, ["quickstart", "--json"])).stdout)).toEqual({ text: quickstart.stdout })
    })
  )
})

describe("what the guides tell", () => {
  it.scopedLive("each command in them exists, with its flags", () =>
    Effect.gen(function* () {
      const { run } = yield* project
      const texts = yield* Effect.forEach(["prime", "quickstart", "onboard"], command => run(command))
      const commands = texts.flatMap(({ stdout }) => [
        ...[...stdout.matchAll(/`(bd [^`]+)`/g)].map(([, command = ""]) => command),
        ...[...stdout.matchAll(/^ {2}(bd \S.*?)(?= {2,}|$)/gm)].map(([, command = ""]) => command),
        ...[...stdout.matchAll(/(?:: | {2,})(bd [a-z](?:(?! {2})[^.:\n])*)$/gm)].map(([, command = ""]) => command)
      ])
      expect(commands.length).toBeGreaterThan(40)
      for (const command of commands.flatMap(each => each.split(/, (?=bd )/))) {
        const words = [...command.replaceAll('"…"', "text").matchAll(/"[^"]*"|\S+/g)]
          .map(([word]) => word.replaceAll('"', ""))
          .slice(1)
        const reading = Argv.read(words.filter(word => word !== "…" && word !== ">>" && word !== "AGENTS.md"))
        expect(reading._tag === "Misread" ? reading.error.message : "", command).toBe("")
      }
    })
  )
})

describe("help --all", () => {
  it.scopedLive("is one page with every command and every flag of the table", () =>
    Effect.gen(function* () {
      const { stdout } = yield* bd(yield* directory, ["help", "--all"])
      const sections = new Map(
        stdout.split(/^## bd /m).map(section => [section.slice(0, section.indexOf("\n")), section] as const)
      )
      const every: ReadonlyArray<CommandSpec> = commands
      for (const { examples, flags, hidden, path: words } of every) {
        const section = sections.get(words.join(" "))
        expect([words, section !== undefined]).toEqual([words, hidden !== true])
        for (const [name, flag] of Object.entries(flags)) {
          if (section !== undefined && flag.hidden !== true) expect(section).toContain(`--${name}`)
        }
        for (const example of section === undefined ? [] : examples) expect(section).toContain(example)
      }
    })
  )
})
