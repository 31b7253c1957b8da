/**
 * Real processes for the system tests: the built `bd` in scratch repositories, alone or under strace.
 *
 * What runs sees no configuration of whoever started the tests. All scratch directories of a test file go with it.
 */
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from "node:child_process"
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import Database from "better-sqlite3"
import { build } from "esbuild"
import { afterAll } from "vitest"

const root = fileURLToPath(new URL("../..", import.meta.url))

/** The program under test. */
export const program = join(root, "dist/bin/bd.cjs")

const newest = (directory: string): number =>
  Math.max(
    ...readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter(entry => entry.isFile())
      .map(entry => statSync(join(entry.parentPath, entry.name)).mtimeMs)
  )

if (!existsSync(program) || statSync(program).mtimeMs < newest(join(root, "src"))) {
  throw new Error("dist/ is older than src/: npm run build comes first (npm run test:system does it)")
}

let scratchRoot: string | undefined
afterAll(() => {
  if (scratchRoot !== undefined) rmSync(scratchRoot, { recursive: true, force: true })
})

/** A new directory, removed when the tests of this file are done. */
export const scratch = (): string => {
  scratchRoot ??= mkdtempSync(join(tmpdir(), "bd-system-"))
  return mkdtempSync(join(scratchRoot, "s-"))
}

export const environment: NodeJS.ProcessEnv = {
  PATH: process.env["PATH"],
  HOME: "/nonexistent",
  LC_ALL: "C.UTF-8",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_GLOBAL: "/dev/null",
  BD_ACTOR: "tester",
  // one thread for asynchronous file operations, so that strace's counts come out the same each time
  UV_THREADPOOL_SIZE: "1"
}

export interface StartOptions {
  readonly cwd: string
  readonly env?: NodeJS.ProcessEnv
  /** What it reads; stdin is closed after it. */
  readonly stdin?: string
}

export interface Ended {
  /** Undefined if a signal ended it. */
  readonly exitCode: number | undefined
  readonly signal: NodeJS.Signals | undefined
  readonly stdout: string
  readonly stderr: string
}

export interface Running {
  readonly child: ChildProcessWithoutNullStreams
  readonly ended: Promise<Ended>
  /** What it has said until now. */
  readonly said: () => { readonly stdout: string; readonly stderr: string }
}

export const start = (command: ReadonlyArray<string>, { cwd, env = {}, stdin = "" }: StartOptions): Running => {
  const [file = "", ...words] = command
  const child = spawn(file, words, { cwd, env: { ...environment, ...env } })
  const out: Array<Buffer> = []
  const err: Array<Buffer> = []
  child.stdout.on("data", (chunk: Buffer) => out.push(chunk))
  child.stderr.on("data", (chunk: Buffer) => err.push(chunk))
  // a program may end without reading what it is given
  child.stdin.on("error", () => undefined)
  child.stdin.end(stdin)
  const said = () => ({ stdout: Buffer.concat(out).toString("utf8"), stderr: Buffer.concat(err).toString("utf8") })
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on("error", reject)
    child.on("close", (code, signal) =>
      resolve({ exitCode: code ?? undefined, signal: signal ?? undefined, ...said() })
    )
  })
  return { child, ended, said }
}

export const run = (command: ReadonlyArray<string>, options: StartOptions): Promise<Ended> =>
  start(command, options).ended

/** What a command answered; it must have ended well. */
export const ok = (ended: Ended): Ended => {
  if (ended.exitCode === 0) return ended
  throw new Error(`exit ${ended.exitCode ?? ended.signal}\n${ended.stdout}${ended.stderr}`)
}

export const bdCommand = (...words: ReadonlyArray<string>): ReadonlyArray<string> => [
  process.execPath,
  program,
  ...words
]

/** A program of `test/system`, bundled so that it starts as `bd` does; the command line that runs it. */
export const bundled = async (name: string): Promise<ReadonlyArray<string>> => {
  const outfile = join(scratch(), "program.cjs")
  await build({
    entryPoints: [join(root, "test/system", name)],
    outfile,
    bundle: true,
    platform: "node",
    target: "node20",
    format: "cjs",
    external: ["better-sqlite3"],
    logLevel: "error"
  })
  // a bundle outside of the repository finds the native add-on there
  return ["env", `NODE_PATH=${join(root, "node_modules")}`, process.execPath, outfile]
}

/** An issue as its line or `--json` shows it; whatever else it has. */
export interface Shown {
  readonly id: string
  readonly title: string
  readonly labels?: ReadonlyArray<string>
}

/** A git repository with a `.beads`. */
export interface Repository {
  readonly directory: string
  readonly beads: string
  readonly issueFile: string
  readonly store: string
}

export const repositoryAt = (directory: string): Repository => {
  const beads = join(directory, ".beads")
  return { directory, beads, issueFile: join(beads, "issues.jsonl"), store: join(beads, "beads.db") }
}

/** Runs `bd` in a repository. */
export const bd = ({ directory }: Repository, ...words: ReadonlyArray<string>): Promise<Ended> =>
  run(bdCommand(...words), { cwd: directory })

/** A new repository with issues of the given titles. */
export const repository = async (titles: ReadonlyArray<string> = [], directory = scratch()): Promise<Repository> => {
  mkdirSync(directory, { recursive: true })
  const git = spawnSync("git", ["init", "--quiet", "--template="], { cwd: directory, env: environment })
  if (git.status !== 0) throw new Error(String(git.stderr))
  const made = repositoryAt(directory)
  ok(await bd(made, "init", "--prefix", "t"))
  for (const title of titles) ok(await bd(made, "create", title))
  return made
}

/** Another repository in the very same state; none of its processes may be running. */
export const copyOf = ({ directory }: Repository, to = join(scratch(), "copy")): Repository => {
  cpSync(directory, to, { recursive: true, preserveTimestamps: true })
  return repositoryAt(to)
}

/** The lines of the issue file; none if there is no file. Fails if the last one is cut off. */
export const lines = ({ issueFile }: Repository): ReadonlyArray<string> => {
  if (!existsSync(issueFile)) return []
  const text = readFileSync(issueFile, "utf8")
  if (text !== "" && !text.endsWith("\n")) throw new Error(`${issueFile} ends in the middle of a line`)
  return text.split("\n").slice(0, -1)
}

export const issues = (repository: Repository): ReadonlyArray<Shown> =>
  lines(repository).map(line => JSON.parse(line) as Shown)

/** What `bd list --json` shows; it must end well. */
export const listed = async (repository: Repository): Promise<ReadonlyArray<Shown>> =>
  JSON.parse(ok(await bd(repository, "list", "--json")).stdout) as ReadonlyArray<Shown>

/** What stands in the store. Opening it may recover it: look after the program did. */
export const stored = ({ store }: Repository) => {
  const database = new Database(store, { fileMustExist: true })
  try {
    return {
      lines: database.prepare("select id, line from issues order by id").all() as ReadonlyArray<{
        readonly id: string
        readonly line: string
      }>,
      marks: database.prepare("select * from dirty_issues").all(),
      integrity: database.pragma("integrity_check", { simple: true })
    }
  } finally {
    database.close()
  }
}

/** Temp and aside files, which no command that ended well may leave. */
export const leftovers = ({ beads }: Repository): ReadonlyArray<string> =>
  readdirSync(beads).filter(name => name.endsWith(".tmp") || name.endsWith(".aside") || name.endsWith("-journal"))

export interface Traced extends Ended {
  /** strace's log. */
  readonly log: string
}

/** Runs a command under strace with these options (`-f`, `-e trace=…`, `-e inject=…`). */
export const strace = async (
  options: ReadonlyArray<string>,
  command: ReadonlyArray<string>,
  startOptions: StartOptions
): Promise<Traced> => {
  const logFile = join(scratch(), "strace.log")
  const ended = await run(["strace", "-qq", "-o", logFile, ...options, "--", ...command], startOptions)
  if (!existsSync(logFile)) throw new Error(`strace did not run: ${ended.stderr}`)
  return { ...ended, log: readFileSync(logFile, "utf8") }
}
