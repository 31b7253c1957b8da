/**
 * Hostile and odd command lines (commandLines.ts) for every command: in this process, where thousands go, and as real
 * processes, whose words and streams are bytes.
 */
import { createHash } from "node:crypto"
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { performance } from "node:perf_hooks"
import Database from "better-sqlite3"
import { Effect } from "effect"
import { expect, it } from "vitest"
import * as Argv from "../../src/cli/Argv.ts"
import { changesIssues } from "../../src/cli/CommandSpec.ts"
import { bd, type Ran } from "../cli/harness.ts"
import { bdCommand, environment, ok, run as runProcess, scratch } from "../system/bd.ts"
import { milliseconds, type Random, randomOf, seed } from "./budget.ts"
import { commandLine, files, once, stdin } from "./commandLines.ts"

/** A project with issues of every kind, and the files that command lines name; each attempt works on a copy. */
const makeTemplate = async (): Promise<string> => {
  const at = join(scratch(), "template")
  const project = join(at, "project")
  mkdirSync(join(project, "sub"), { recursive: true })
  const typed = (...words: ReadonlyArray<string>) => runProcess(bdCommand(...words), { cwd: project })
  ok(await runProcess(["git", "init", "--quiet", "--template="], { cwd: project }))
  ok(await typed("init", "--prefix", "app"))
  for (const [id, ...flags] of [
    ["app-1", "-p", "1", "-l", "ui", "--external-ref", "gh-1"],
    ["app-2", "-t", "bug", "--deps", "app-1"],
    ["app-3", "-a", "bob"],
    ["app-e", "-t", "epic"],
    ["app-e.1", "--parent", "app-e"],
    ["app-done"],
    ["app-gone"]
  ]) {
    ok(await typed("create", `Issue ${id}`, "--id", id ?? "", ...flags))
  }
  ok(await typed("close", "app-done"))
  ok(await typed("delete", "app-gone", "--force"))
  writeFileSync(join(project, "plan.md"), "## One\n\n### Priority\n1\n\n## Two\n")
  writeFileSync(join(project, "more.jsonl"), '{"title":"one"}\n{"title":"two","priority":0}\n')
  writeFileSync(join(project, "text.txt"), "some text\n")
  writeFileSync(
    join(project, "hostile.bin"),
    Uint8Array.from({ length: 256 }, (_, i) => i)
  )
  writeFileSync(join(at, "outside.txt"), "outside\n")
  return at
}

let made: Promise<string> | undefined

/** The directory of a template, made once. */
const template = (): Promise<string> => {
  made ??= makeTemplate()
  return made
}

const copyOfTemplate = async (): Promise<string> => {
  const at = join(scratch(), "copy")
  cpSync(await template(), at, { recursive: true })
  return at
}

type Issues = ReadonlyMap<string, Readonly<Record<string, unknown>>>

interface State {
  /** Every file but the store's own, by its bytes; where git keeps its settings too. */
  readonly files: ReadonlyMap<string, string>
  readonly events: number
  readonly issues: Issues
}

const stateOf = (at: string): State => {
  const found = new Map<string, string>()
  for (const entry of readdirSync(at, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    if (!entry.isFile() || /\.(db|lock)(-\w+)?$/.test(path)) continue
    found.set(path.slice(at.length + 1), createHash("sha256").update(readFileSync(path)).digest("hex"))
  }
  const database = new Database(join(at, "project/.beads/beads.db"), { readonly: true })
  try {
    const events = database.prepare("select count(*) from events").pluck().get() as number
    const rows = database.prepare("select id, line from issues").all() as ReadonlyArray<{ id: string; line: string }>
    return { files: found, events, issues: new Map(rows.map(({ id, line }) => [id, JSON.parse(line)])) }
  } finally {
    database.close()
  }
}

const changed = (before: State, after: State): boolean =>
  before.events !== after.events || JSON.stringify([...before.files]) !== JSON.stringify([...after.files])

/** As `changed`, but for the issue file: with the next command it follows what was committed only (--no-auto-flush). */
const committed = ({ events, files: all, issues }: State) =>
  JSON.stringify([
    events,
    [...issues].sort(),
    [...all].filter(([path]) => path.startsWith("project/.beads/") && !path.endsWith("issues.jsonl"))
  ])

/** What is in `.beads`: a command that only reads may write a file that it was told to, elsewhere. */
const inBeads = ({ events, files: all }: State) =>
  JSON.stringify([events, [...all].filter(([path]) => path.startsWith("project/.beads/"))])

const texts = (value: unknown): ReadonlyArray<string> => (Array.isArray(value) ? value.map(String) : [])

const linked = (issue: Readonly<Record<string, unknown>>, to: string) =>
  Array.isArray(issue["dependencies"]) && issue["dependencies"].some(link => link.depends_on_id === to)

/** Whether what a command line asks for is so; `undefined` if that cannot be told here. */
const holds = (
  { command, flags, positionals }: Argv.Invocation,
  issues: Issues,
  actor: string
): boolean | undefined => {
  const named = (word: string) => issues.get(word) ?? issues.get(`app-${word}`)
  const last = (flag: string) => flags.get(flag)?.at(-1)
  const all = (words: ReadonlyArray<string>, test: (issue: Readonly<Record<string, unknown>>) => boolean) => {
    const found = words.map(named)
    return found.includes(undefined) ? undefined : found.every(issue => issue !== undefined && test(issue))
  }
  const [first = "", second = ""] = positionals
  const labels = (words: string) => Argv.listOf([words])
  switch (command.path.join(" ")) {
    case "q":
    case "comment":
    case "comments add":
    case "note":
      return false
    case "create":
      return flags.has("external-ref") || flags.has("file") ? undefined : false
    case "close":
      return all(positionals, ({ status }) => status === "closed")
    case "reopen":
      return all(positionals, ({ status }) => status !== "closed")
    case "undelete":
      return all(positionals, ({ status }) => status !== "tombstone")
    case "delete":
      return all(positionals, ({ status }) => status === "tombstone")
    case "claim":
      return all(positionals, ({ assignee, status }) => assignee === actor && status === "in_progress")
    case "assign":
      return all([first], ({ assignee = "" }) => assignee === second)
    case "priority":
      return all([first], ({ priority }) => String(priority) === second.trim().replace(/^p/i, ""))
    case "label add":
    case "tag":
      return all(positionals.slice(0, -1), issue =>
        labels(positionals.at(-1) ?? "").every(label => texts(issue["labels"]).includes(label))
      )
    case "label remove":
      return all(positionals.slice(0, -1), issue => !texts(issue["labels"]).includes(positionals.at(-1) ?? ""))
    case "dep add":
    case "link":
      return all([first], issue => linked(issue, second) || linked(issue, `app-${second}`))
    case "dep remove":
      return flags.has("type") ? undefined : all([first], issue => !linked(issue, second))
    case "update":
      return all(positionals, issue => {
        const is = (flag: string, field: string, text: (given: string) => string = given => given) => {
          const given = last(flag)
          return given === undefined || given === "-" || String(issue[field] ?? "") === text(given)
        }
        return (
          !flags.has("append-notes") &&
          is("status", "status") &&
          is("priority", "priority", given => given.trim().replace(/^p/i, "")) &&
          is("type", "issue_type") &&
          is("title", "title") &&
          is("description", "description") &&
          is("design", "design") &&
          is("notes", "notes") &&
          is("assignee", "assignee") &&
          is("external-ref", "external_ref") &&
          is("estimate", "estimated_minutes", given => String(Number(given))) &&
          Argv.listOf(flags.get("add-label") ?? []).every(label => texts(issue["labels"]).includes(label))
        )
      })
    default:
      return undefined
  }
}

// control characters but tab and line feed, what turns the direction of text, line separators, lone surrogates
const live =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/

const internal =
  /internal error|FiberFailure|UnhandledPromise|\bat [^\n]*[:(][^\n]*:\d+:\d+|\[object Object\]|Cannot read propert|is not a function|\bundefined\b/

const previews = /would|preview|dry.run|nothing was|nothing to|no .* found|no ready work|accepted/i

/** What is wrong with how a command line was answered. */
const problemsOf = (words: ReadonlyArray<string>, ran: Ran, before: State, after: State): ReadonlyArray<string> => {
  const reading = Argv.read(words)
  const { exitCode, stderr, stdout } = ran
  const problems: Array<string> = []
  const when = (isProblem: boolean, problem: string) => {
    if (isProblem) problems.push(problem)
  }
  const command = reading._tag === "Invocation" ? reading.command.path.join(" ") : ""
  const typed = words.join("\n")
  // the page of `graph` holds a program, which has words of its own; its data are in an element that has a type
  const said = stdout.replace(/<script>.*?<\/script>/gs, "")
  // what was typed may be quoted in an answer
  when(internal.test(`${said}\n${stderr}`) && !internal.test(typed), "an internal error")
  when(!Number.isInteger(exitCode) || exitCode < 0 || exitCode > 8 || exitCode === 7, `exit code ${exitCode}`)
  when(
    command !== "export" && live.test(stdout),
    `a live character on stdout: ${JSON.stringify(live.exec(stdout)?.[0])}`
  )
  when(live.test(stderr), `a live character on stderr: ${JSON.stringify(live.exec(stderr)?.[0])}`)
  when(
    exitCode !== 0 && stderr === "" && command !== "doctor" && command !== "validate",
    "a failure without a word on stderr"
  )
  if (Argv.isOn(reading.globals.get("json")) && command !== "export") {
    try {
      const document: unknown = JSON.parse(stdout)
      when(document === null, "null as the document")
      const isError = typeof document === "object" && document !== null && "error" in document
      when(isError && exitCode === 0, "an error as the document, and exit 0")
      when(!isError && [2, 6, 8].includes(exitCode), "no error as the document")
    } catch {
      problems.push("stdout is not one JSON document")
    }
  }
  when(exitCode === 0 && /^Error:/m.test(stderr), "exit 0, and an error on stderr")
  if (reading._tag !== "Invocation") {
    when(reading._tag === "Misread" && exitCode !== 2 && exitCode !== 4, `misread, and exit ${exitCode}`)
    when(changed(before, after), "changed something without a command")
    return problems
  }
  const isOn = (flag: string) => Argv.isOn(reading.flags.get(flag))
  const changes = changesIssues(reading.command, isOn)
  const did = changed(before, after)
  when(!changes && inBeads(before) !== inBeads(after), "a command that only reads changed something in .beads")
  when(
    Argv.isOn(reading.globals.get("readonly")) && inBeads(before) !== inBeads(after),
    "--readonly, and changed something"
  )
  const single = reading.positionals.length <= 1 || ["create", "dep add", "dep remove", "link"].includes(command)
  when(
    changes &&
      committed(before) !== committed(after) &&
      exitCode !== 0 &&
      (single || [2, 6, 8].includes(exitCode)) &&
      // what could be repaired is, and what could not makes the exit code
      command !== "doctor" &&
      command !== "dep" &&
      command !== "delete",
    `exit ${exitCode}, and changed something`
  )
  if (changes && exitCode === 0 && !did && !previews.test(`${stdout}${stderr}`)) {
    const actor = reading.globals.get("actor")?.at(-1) || "ann"
    when(holds(reading, after.issues, actor) === false, "exit 0, and nothing was done")
  }
  return problems
}

/** Store and file agree, and can be read. */
const soundness = (at: string): ReadonlyArray<string> => {
  const problems: Array<string> = []
  const beads = join(at, "project/.beads")
  const file = join(beads, "issues.jsonl")
  const text = existsSync(file) ? readFileSync(file, "utf8") : ""
  if (text !== "" && !text.endsWith("\n")) problems.push("the issue file ends in the middle of a line")
  const lines = text.split("\n").slice(0, -1)
  const database = new Database(join(beads, "beads.db"), { readonly: true })
  try {
    if (database.pragma("integrity_check", { simple: true }) !== "ok") problems.push("the store is damaged")
    const stored = database.prepare("select line from issues order by id").pluck().all() as ReadonlyArray<string>
    const marks = database.prepare("select count(*) from dirty_issues").pluck().get() as number
    const sorted = [...stored].sort()
    if (marks === 0 && JSON.stringify([...lines].sort()) !== JSON.stringify(sorted))
      problems.push("store and file differ")
    for (const line of lines) JSON.parse(line)
  } catch (error) {
    problems.push(String(error))
  } finally {
    database.close()
  }
  const left = readdirSync(beads).filter(name => /\.(tmp|aside)$|-journal$/.test(name))
  if (left.length > 0) problems.push(`left behind: ${left.join(", ")}`)
  return problems
}

const shown = (words: ReadonlyArray<string>) =>
  JSON.stringify(words.map(word => (word.length > 300 ? `${word.slice(0, 300)}… (${word.length})` : word)))

type Run = (at: string, words: ReadonlyArray<string>, input: string | Uint8Array) => Promise<Ran>

/** How many command lines one project is given, each on what the others left. */
const perProject = 20

const trying = async (duration: number, runs: Run, salt: number, fits: (words: ReadonlyArray<string>) => boolean) => {
  const from = await template()
  const problems: Array<string> = []
  const exits = new Map<number, number>()
  const commands = new Set<string>()
  const begun = performance.now()
  let done = 0
  for (let round = 0; performance.now() - begun < duration && problems.length < 8; round++) {
    const own = seed + round + salt
    const random: Random = randomOf(own)
    const at = join(from, "..", `work-${salt}-${round}`)
    cpSync(from, at, { recursive: true })
    let before = stateOf(at)
    for (let i = 0; i < perProject; i++) {
      const { command, words } = commandLine(random)
      const input = stdin(random)
      if (!fits(words)) continue
      const ran = await runs(join(at, "project"), words, input)
      const after = stateOf(at)
      for (const problem of problemsOf(words, ran, before, after)) {
        problems.push(
          `--seed ${own - salt}: ${problem}: bd ${shown(words)} < ${JSON.stringify(input).slice(0, 100)}: exit ${ran.exitCode}\n${ran.stdout.slice(0, 600)}\n${ran.stderr.slice(0, 600)}`
        )
      }
      commands.add(command.path.join(" "))
      exits.set(ran.exitCode, (exits.get(ran.exitCode) ?? 0) + 1)
      before = after
      done++
    }
    problems.push(...soundness(at).map(problem => `--seed ${own - salt}: ${problem}`))
    if (readdirSync(at).some(name => name !== "project" && !files.includes(`../${name}`)))
      problems.push("a file outside")
    rmSync(at, { recursive: true })
  }
  const codes = [...exits].sort(([a], [b]) => a - b).map(([code, count]) => `${code}: ${count}`)
  console.log(`seed ${seed}: ${done} command lines of ${commands.size} commands; exit codes ${codes.join(", ")}`)
  return { problems, done, exits }
}

/** Runs `bd` in this process; what goes to the console, past what the command answers, is no answer of ours. */
const inProcess: Run = async (at, words, input) => {
  // relative paths of files are the process's matter
  process.chdir(at)
  const { error, log } = console
  let past = ""
  console.log = console.error = (...args: ReadonlyArray<unknown>) => {
    past += `${args.map(String).join(" ")}\n`
  }
  try {
    const ran = await Effect.runPromise(bd(at, words, { stdin: input }))
    return past === "" ? ran : { ...ran, stderr: `${ran.stderr}internal error: on the console: ${past}` }
  } finally {
    console.log = log
    console.error = error
  }
}

it("G33: odd command lines in this process: told apart, refused or done, and never half of both", async () => {
  const here = process.cwd()
  try {
    const { done, exits, problems } = await trying(milliseconds(20_000) * 0.7, inProcess, 0, () => true)
    expect(problems).toEqual([])
    // refusals alone would prove little
    expect(exits.get(0) ?? 0).toBeGreaterThan(done / 10)
    expect(exits.get(2) ?? 0).toBeGreaterThan(0)
  } finally {
    process.chdir(here)
  }
})

it("G33: odd command lines as processes", async () => {
  const { exits, problems } = await trying(
    milliseconds(20_000) * 0.3,
    async (at, words, input) => {
      const ended = await runProcess(bdCommand(...words), {
        cwd: at,
        stdin: typeof input === "string" ? input : Buffer.from(input).toString("latin1"),
        env: { BD_ACTOR: "ann" }
      })
      return { exitCode: ended.exitCode ?? -1, stdout: ended.stdout, stderr: ended.stderr }
    },
    1_000_000,
    // the kernel takes no longer words
    words => words.every(word => word.length < 100_000)
  )
  expect(problems).toEqual([])
  expect(exits.get(0) ?? 0).toBeGreaterThan(0)
})

it("G33: what was answered wrongly once", async () => {
  const from = await copyOfTemplate()
  const here = process.cwd()
  try {
    for (const words of once) {
      const before = stateOf(from)
      const ran = await inProcess(join(from, "project"), words, "")
      expect([words, ...problemsOf(words, ran, before, stateOf(from))]).toEqual([words])
    }
  } finally {
    process.chdir(here)
  }
})

it("G33: words that are no UTF-8 are taken as text that is, and nothing breaks", async () => {
  const at = join(await copyOfTemplate(), "project")
  const shell = (line: string) =>
    runProcess(["bash", "-c", line, process.execPath, bdCommand()[1] ?? ""], { cwd: at, env: environment })
  for (const words of [
    "create $'\\xff\\xfe title'",
    "create title -d $'\\xc3\\x28'",
    "update app-1 --title $'\\xed\\xa0\\x80'",
    "label add app-1 $'\\xf0\\x9f\\x98'",
    "comment app-1 $'\\x80'",
    "show $'\\xff'",
    "list $'--\\xff'",
    "$'\\xff'",
    "search $'\\xff' --json",
    "create $'with \\x1b[31m and \\x07 and \\x9b'"
  ]) {
    const before = stateOf(join(at, ".."))
    const { exitCode = -1, stderr, stdout } = await shell(`"$0" "$1" ${words}`)
    expect(`${words}: ${exitCode}`).toMatch(/: [0-5]$/)
    expect(`${stdout}${stderr}`).not.toMatch(live)
    expect(`${stdout}${stderr}`).not.toMatch(internal)
    expect(inBeads(stateOf(join(at, ".."))) !== inBeads(before)).toBe(
      exitCode === 0 && !/^(show|list|search)/.test(words)
    )
  }
  expect(soundness(join(at, ".."))).toEqual([])
})
