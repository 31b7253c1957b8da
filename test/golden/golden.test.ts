/**
 * What each command prints, as text and as JSON: the transcripts in `sessions/`, compared on each run. After a change
 * that is meant, `GOLDEN_RECORD=1 npx vitest run test/golden` writes them anew; the diff is to be read.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import * as path from "node:path"
import { describe, expect, it } from "@effect/vitest"
import { Ajv2020 } from "ajv/dist/2020.js"
import { Effect } from "effect"
import * as Answers from "../../src/cli/Answers.ts"
import * as Argv from "../../src/cli/Argv.ts"
import { type CommandSpec, flagNames } from "../../src/cli/CommandSpec.ts"
import { commands, globalFlags } from "../../src/cli/CommandTable.ts"
import { directory } from "../cli/harness.ts"
import * as Transcript from "./Transcript.ts"

const folder = path.join(import.meta.dirname, "sessions")
const record = process.env["GOLDEN_RECORD"] === "1"
const names = readdirSync(folder).sort()
const read = (name: string) => readFileSync(path.join(folder, name), "utf8")

const ajv = new Ajv2020({ strict: true, allErrors: true })

/** What is wrong with what a call answered with `--json`, by the schema of its command. */
const misfits = ({ env, exitCode, stdout, words }: Transcript.Call): ReadonlyArray<string> => {
  const reading = Argv.read(words)
  if (!Argv.isOn(reading.globals.get("json")) && env["BD_JSON"] === undefined) return []
  // its issues are lines
  if (reading._tag === "Invocation" && reading.command.path[0] === "export" && !stdout.startsWith("{\n")) return []
  const document: unknown = JSON.parse(stdout)
  const answer = reading._tag === "Invocation" ? Answers.answerOf(reading.command.path) : undefined
  const allowed = [
    ...(exitCode === 0 ? [] : [Answers.failure]),
    ...(answer === undefined ? [] : [answer]),
    ...(reading._tag === "HelpWanted" ? [Answers.answers.help] : []),
    ...(reading._tag === "VersionWanted" ? [Answers.answers.version] : [])
  ]
  if (allowed.some(schema => ajv.validate(schema, document))) return []
  return [`bd ${words.join(" ")}: ${ajv.errorsText()}`]
}

describe("transcripts", () => {
  for (const name of names) {
    it.scopedLive(
      `${name}: what is answered is what was recorded`,
      () =>
        Effect.gen(function* () {
          const recorded = read(name)
          const at = yield* directory
          const before = process.cwd()
          yield* Effect.acquireRelease(
            // the paths of files are the process's matter
            Effect.sync(() => process.chdir(at)),
            () => Effect.sync(() => process.chdir(before))
          )
          const wrong: Array<string> = []
          const now = yield* Transcript.run(at, recorded, call => wrong.push(...misfits(call)))
          expect(wrong).toEqual([])
          if (record) writeFileSync(path.join(folder, name), now)
          else expect(now).toBe(recorded)
        }),
      60_000
    )
  }
})

describe("what is said", () => {
  it("G32: no answer spells out a command that destroys: what to type for it is in help only", () => {
    const destructive =
      /\b(?:bd (?:delete|detect-pollution|import)\b.*--(?:force|yes|prune|cascade)|rm -|git (?:reset|clean|checkout))/
    const said = names.flatMap(name => Transcript.answers(read(name)))
    expect(said.length).toBeGreaterThan(1000)
    expect(said.filter(line => destructive.test(line))).toEqual([])
  })
})

/** What the sessions type: per command the flags by every name, whether as text and as JSON, and the words. */
const typed = () => {
  const used = new Map<string, Set<string>>()
  for (const name of names) {
    for (const step of Transcript.parse(read(name))) {
      if (step.words[0] !== "bd") continue
      const words = step.words.slice(1)
      const reading = Argv.read(words)
      const key =
        reading._tag === "Invocation"
          ? reading.command.path.join(" ")
          : reading._tag === "HelpWanted" && words[0] === "help"
            ? "help"
            : `(${reading._tag})`
      const seen = used.get(key) ?? new Set<string>()
      used.set(key, seen)
      for (const word of words) {
        const long = word.startsWith("--") ? word.replace(/=.*/, "") : word
        seen.add(/^-[a-z]/i.test(long) ? long.slice(0, 2) : long)
      }
      seen.add(Argv.isOn(reading.globals.get("json")) ? "(JSON)" : "(text)")
    }
  }
  return used
}

describe("what the transcripts cover", () => {
  const used = typed()
  const every: ReadonlyArray<CommandSpec> = commands

  it("has a session for every command, with its answer as text and as JSON", () => {
    const missing = every.flatMap(({ path: words }) =>
      ["(text)", "(JSON)"]
        .filter(form => used.get(words.join(" "))?.has(form) !== true)
        .map(form => `bd ${words.join(" ")} ${form}`)
    )
    expect(missing).toEqual([])
  })

  it("uses every flag of every command, by each of its names", () => {
    const missing = every.flatMap(({ flags, path: words }) =>
      [...flagNames(flags)]
        // one that is refused makes no command of its line
        .filter(
          ([flag, { spec }]) => used.get(spec.refused === undefined ? words.join(" ") : "(Misread)")?.has(flag) !== true
        )
        .map(([flag]) => flag)
        .map(flag => `bd ${words.join(" ")} ${flag}`)
    )
    expect(missing).toEqual([])
  })

  it("uses every other name of a command, and every global flag", () => {
    const everything = new Set([...used.values()].flatMap(seen => [...seen]))
    const aliases = every.flatMap(({ aliases: others = [], path: words }) =>
      others
        .filter(alias => used.get(words.join(" "))?.has(alias) !== true)
        .map(alias => `${words.join(" ")}: ${alias}`)
    )
    const globals = [...flagNames(globalFlags).keys()].filter(flag => !everything.has(flag))
    expect([...aliases, ...globals]).toEqual([])
  })
})
