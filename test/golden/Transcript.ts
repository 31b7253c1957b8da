/**
 * Golden transcripts: a session is a text file of what was typed and what `bd` answered. It is read for its commands,
 * run in a directory of its own, and written anew; the two texts must be equal.
 *
 *     #: a remark
 *     $ bd create Login --id app-login
 *     ✓ Created issue: app-login
 *     2> what went to stderr
 *     # exit 4
 *
 * Besides `bd` (with `NAME=value` before it, `<<END` lines for stdin, `< FILE`) there are `cat FILE`, `cat > FILE <<END`,
 * `touch`, `rm` and `git`. What differs from run to run is replaced in what is answered: ids that were not typed by
 * `app-n001`, …, which may be typed later on; times, days, durations, versions, the directory.
 */
import { execFileSync } from "node:child_process"
import { appendFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import * as path from "node:path"
import { Effect } from "effect"
import { bd } from "../cli/harness.ts"

export interface Step {
  /** Remarks and blank lines in front of it. */
  readonly before: ReadonlyArray<string>
  /** The line as typed, without `$ `. */
  readonly typed: string
  readonly env: Readonly<Record<string, string>>
  readonly words: ReadonlyArray<string>
  readonly from: string | undefined
  readonly to: { readonly file: string; readonly append: boolean } | undefined
  readonly heredoc: ReadonlyArray<string> | undefined
  readonly endMark: string
}

/** The words of a line as a shell takes them: quotes, backslashes; no expansion. */
export const shellWords = (line: string): ReadonlyArray<string> => {
  const words: Array<string> = []
  const pattern = /\s*((?:'[^']*'|"(?:\\.|[^"\\])*"|\\.|[^\s'"\\])+)/gy
  for (let match = pattern.exec(line); match !== null; match = pattern.exec(line)) {
    words.push(
      (match[1] ?? "").replace(/'([^']*)'|"((?:\\.|[^"\\])*)"|\\(.)/g, (_, single, double, escaped) =>
        single !== undefined ? single : double !== undefined ? double.replace(/\\(["\\$`])/g, "$1") : (escaped ?? "")
      )
    )
  }
  return words
}

/** The commands of a session. */
export const parse = (text: string): ReadonlyArray<Step> => {
  const steps: Array<Step> = []
  const lines = text.split("\n")
  let before: Array<string> = []
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? ""
    if (line.startsWith("#:")) before.push(line)
    if (!line.startsWith("$ ")) continue
    const typed = line.slice(2)
    const [, command = "", mark] = /^(.*?)(?:\s*<<'?(\w+)'?)?$/.exec(typed) ?? []
    let heredoc: Array<string> | undefined
    if (mark !== undefined) {
      heredoc = []
      for (at++; at < lines.length && lines[at] !== mark; at++) heredoc.push(lines[at] ?? "")
    }
    const words = [...shellWords(command)]
    const env: Record<string, string> = {}
    for (let match = /^([A-Z_]+)=(.*)$/.exec(words[0] ?? ""); match; match = /^([A-Z_]+)=(.*)$/.exec(words[0] ?? "")) {
      env[match[1] ?? ""] = match[2] ?? ""
      words.shift()
    }
    const redirected = (arrow: string) => {
      const where = words.indexOf(arrow)
      return where === -1 ? undefined : words.splice(where, 2)[1]
    }
    const from = redirected("<")
    const appended = redirected(">>")
    const written = redirected(">")
    const file = appended ?? written
    steps.push({
      before,
      typed,
      env,
      words,
      from,
      to: file === undefined ? undefined : { file, append: appended !== undefined },
      heredoc,
      endMark: mark ?? ""
    })
    before = []
  }
  return steps
}

/** The lines of a session that nobody typed. */
export const answers = (text: string): ReadonlyArray<string> => {
  const typed = new Set(
    parse(text).flatMap(({ before, heredoc = [], endMark, typed }) => [...before, `$ ${typed}`, ...heredoc, endMark])
  )
  return text.split("\n").filter(line => !typed.has(line))
}

/** Replaces what differs from run to run. */
const normalizer = (directory: string, session: string) => {
  const ids = new Map<string, string>()
  const typedIds = new Set(session.match(/\b[a-z]+-[0-9a-z]+(?:\.\d+)*/g) ?? [])
  const typedTimes = new Set([...session.split("\n").flatMap(typedTimesOf), "2026-01-31"])
  const stable = (id: string) => {
    const [root = id, ...children] = id.split(".")
    if (typedIds.has(id) && !/-n\d{3}/.test(id)) return id
    if (typedIds.has(root) && !/-n\d{3}/.test(root)) return id
    const known = ids.get(root) ?? `${root.split("-")[0]}-n${String(ids.size + 1).padStart(3, "0")}`
    ids.set(root, known)
    return [known, ...children].join(".")
  }
  return {
    typed: (word: string) => {
      let real = word
      for (const [id, name] of ids) real = real.replaceAll(name, id)
      return real
    },
    answered: (text: string) =>
      text
        .replaceAll(directory, "/project")
        .replace(/\b(?:app|web)-[0-9a-z]{4,8}(?:\.\d+)*\b/g, stable)
        .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)/g, time =>
          typedTimes.has(time) ? time : "<time>"
        )
        .replace(/\d{4}-\d\d-\d\d(?: \d\d:\d\d(?::\d\d)?)?/g, time => (typedTimes.has(time) ? time : "<time>"))
        .replace(/\b\d+ days ago/g, "<n> days ago")
        .replace(/effect-beads \d+\.\d+\.\d+[\w.-]*/g, "effect-beads <version>")
        .replace(/("effect_beads": ")[^"]*/g, "$1<version>")
        .replace(/("(?:commit|branch|build)": ")[^"]*/g, "$1<build>")
        .replace(/("duration": )[\d.e+-]+/g, "$1<n>")
        .replace(/\.[0-9a-f]{12}\.(backup|lines)\b/g, ".<hash>.$1")
  }
}

/** The times on the lines that were typed: those in answers are none of them. */
const typedTimesOf = (line: string): ReadonlyArray<string> =>
  line.startsWith("$ ") || line.startsWith("{")
    ? (line.match(/\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d))?/g) ?? []).flatMap(time => [
        time,
        time.slice(0, 10),
        time.slice(0, 16).replace("T", " ")
      ])
    : []

const shown = (text: string, mark = ""): ReadonlyArray<string> => {
  if (text === "") return []
  const whole = text.endsWith("\n")
  const lines = (whole ? text.slice(0, -1) : text).split("\n")
  const marked = lines.map(line => (mark === "" ? line.replace(/^(\$ |#:)/, "\\$1") : `${mark}${line}`))
  return whole ? marked : [...marked, "\\ no newline at the end"]
}

const tools = (at: string, step: Step): string => {
  const [name = "", ...args] = step.words
  const files = args.map(arg => path.resolve(at, arg))
  const input = step.heredoc?.map(line => `${line}\n`).join("")
  switch (name) {
    case "cat":
      return input ?? files.map(file => readFileSync(file, "utf8")).join("")
    case "rm":
      for (const file of files) rmSync(file, { recursive: true })
      return ""
    case "mkdir":
      for (const file of files) mkdirSync(file)
      return ""
    case "git":
      return execFileSync("git", args, { cwd: at, encoding: "utf8" })
    default:
      throw new Error(`a session cannot run ${name}`)
  }
}

/** One call of `bd` in a session. */
export interface Call {
  readonly words: ReadonlyArray<string>
  readonly env: Readonly<Record<string, string>>
  readonly stdout: string
  readonly exitCode: number
}

/** Runs a session in a directory, and gives it back with what is answered now; `called` sees each call of `bd`. */
export const run = (at: string, session: string, called: (call: Call) => void = () => {}) =>
  Effect.gen(function* () {
    const normal = normalizer(at, session)
    const written: Array<string> = []
    for (const step of parse(session)) {
      if (written.length > 0 && step.before.length > 0) written.push("")
      written.push(...step.before, `$ ${step.typed}`)
      if (step.heredoc !== undefined) written.push(...step.heredoc, step.endMark)
      let stdout = ""
      const [name, ...words] = step.words
      if (name === "bd") {
        const stdin =
          step.from !== undefined
            ? readFileSync(path.join(at, step.from))
            : normal.typed((step.heredoc ?? []).map(line => `${line}\n`).join(""))
        const ran = yield* bd(at, words.map(normal.typed), { stdin, env: step.env })
        stdout = ran.stdout
        called({ words, env: step.env, stdout, exitCode: ran.exitCode })
        if (step.to === undefined) written.push(...shown(normal.answered(stdout)))
        written.push(...shown(normal.answered(ran.stderr), "2> "))
        if (ran.exitCode !== 0) written.push(`# exit ${ran.exitCode}`)
      } else {
        stdout = tools(at, step)
        if (step.to === undefined) written.push(...shown(normal.answered(stdout)))
      }
      if (step.to !== undefined) {
        const put = step.to.append ? appendFileSync : writeFileSync
        put(path.join(at, step.to.file), normal.typed(stdout))
      }
    }
    return `${written.join("\n")}\n`
  })
