/**
 * Real git and the built `bd` for the system tests: scratch places with repositories, clones and an environment of their
 * own (no configuration of whoever runs them, `bd` on PATH for the merge driver). All of it asynchronous.
 */
import { spawn } from "node:child_process"
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import Database from "better-sqlite3"

const program = fileURLToPath(new URL("../../dist/bin/bd.cjs", import.meta.url))

export interface Ran {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly cwd: string
  readonly env?: Readonly<Record<string, string>>
  readonly stdin?: string
}

/** A command run to its end. A signal counts as exit code -1. */
export const run = (command: string, words: ReadonlyArray<string>, { cwd, env = {}, stdin }: RunOptions) =>
  new Promise<Ran>((resolve, reject) => {
    const child = spawn(command, words, { cwd, env: { ...env } })
    const out: Array<Buffer> = []
    const err: Array<Buffer> = []
    child.stdout.on("data", (chunk: Buffer) => out.push(chunk))
    child.stderr.on("data", (chunk: Buffer) => err.push(chunk))
    child.on("error", reject)
    child.on("close", code =>
      resolve({
        exitCode: code ?? -1,
        stdout: Buffer.concat(out).toString("utf8"),
        stderr: Buffer.concat(err).toString("utf8")
      })
    )
    // a program may end without reading what it is given
    child.stdin.on("error", () => undefined)
    child.stdin.end(stdin ?? "")
  })

/** What a command answered; it must have ended well. */
const expectOk = (what: string, ran: Ran): Ran => {
  if (ran.exitCode !== 0) throw new Error(`${what}: exit ${ran.exitCode}\n${ran.stdout}${ran.stderr}`)
  return ran
}

/** An issue as `--json` or its line shows it. */
export interface Shown {
  readonly id: string
  readonly title: string
  readonly status: string
  readonly updated_at: string
  readonly labels?: ReadonlyArray<string>
  readonly dependencies?: ReadonlyArray<{ readonly depends_on_id: string; readonly type: string }>
  readonly comments?: ReadonlyArray<{ readonly text: string; readonly author: string }>
  readonly [key: string]: unknown
}

export interface Place {
  readonly root: string
  readonly env: Readonly<Record<string, string>>
  /** A repository of its own, `bd` not set up. */
  readonly repository: (name: string) => Promise<Clone>
  /** A bare repository that others are cloned from. */
  readonly bare: (name: string) => Promise<string>
  readonly clone: (from: string, name: string) => Promise<Clone>
  readonly remove: () => void
}

/** A work tree, and what is done in it. */
export interface Clone {
  readonly name: string
  readonly directory: string
  /** The issue file. */
  readonly file: string
  readonly env: Readonly<Record<string, string>>
  /** Fails unless git ends well. */
  readonly git: (...words: ReadonlyArray<string>) => Promise<string>
  readonly tryGit: (...words: ReadonlyArray<string>) => Promise<Ran>
  /** Fails unless bd ends well. */
  readonly bd: (...words: ReadonlyArray<string>) => Promise<Ran>
  readonly tryBd: (...words: ReadonlyArray<string>) => Promise<Ran>
  readonly commit: (message: string) => Promise<void>
}

const open = (name: string, directory: string, env: Readonly<Record<string, string>>): Clone => {
  const own = { ...env, BD_ACTOR: name }
  const tryGit = (...words: ReadonlyArray<string>) => run("git", words, { cwd: directory, env: own })
  const tryBd = (...words: ReadonlyArray<string>) =>
    run(process.execPath, [program, ...words], { cwd: directory, env: own })
  const git = async (...words: ReadonlyArray<string>) =>
    expectOk(`${name}: git ${words.join(" ")}`, await tryGit(...words)).stdout
  return {
    name,
    directory,
    file: join(directory, ".beads/issues.jsonl"),
    env: own,
    git,
    tryGit,
    tryBd,
    bd: async (...words) => expectOk(`${name}: bd ${words.join(" ")}`, await tryBd(...words)),
    commit: async message => {
      await git("add", "--all")
      await git("commit", "--quiet", "--allow-empty", "--message", message)
    }
  }
}

/** A scratch directory; `remove` it in the end. */
export const place = (): Place => {
  if (!existsSync(program)) throw new Error(`${program} is missing: npm run build`)
  const root = mkdtempSync(join(tmpdir(), "bd-git-"))
  const home = join(root, "home")
  const bin = join(root, "bin")
  mkdirSync(home)
  mkdirSync(bin)
  writeFileSync(join(bin, "bd"), `#!/bin/sh\nexec "${process.execPath}" "${program}" "$@"\n`, { mode: 0o755 })
  const env = {
    PATH: `${bin}:${process.env["PATH"] ?? ""}`,
    HOME: home,
    LC_ALL: "C",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_AUTHOR_NAME: "tester",
    GIT_AUTHOR_EMAIL: "tester@example.org",
    GIT_COMMITTER_NAME: "tester",
    GIT_COMMITTER_EMAIL: "tester@example.org",
    // a rebase or merge must not ask for a message
    GIT_EDITOR: "true"
  }
  const repository = async (name: string) => {
    const directory = join(root, name)
    mkdirSync(directory)
    const made = open(name, directory, env)
    await made.git("init", "--quiet", "--initial-branch=main")
    return made
  }
  return {
    root,
    env,
    repository,
    bare: async name => {
      const directory = join(root, name)
      expectOk(
        "git init",
        await run("git", ["init", "--quiet", "--bare", "--initial-branch=main", directory], { cwd: root, env })
      )
      return directory
    },
    clone: async (from, name) => {
      const directory = join(root, name)
      expectOk("git clone", await run("git", ["clone", "--quiet", from, directory], { cwd: root, env }))
      return open(name, directory, env)
    },
    remove: () => rmSync(root, { recursive: true, force: true })
  }
}

/** Another work tree of a repository: `git worktree add` has made the directory. */
export const at = (clone: Clone, name: string, directory: string): Clone => open(name, directory, clone.env)

/** The issues of a file, by id, as they stand in their lines. */
export const issuesIn = (file: string): ReadonlyMap<string, Shown> =>
  new Map(
    linesOf(file)
      .map(line => JSON.parse(line) as Shown)
      .map(issue => [issue.id, issue])
  )

export const linesOf = (file: string): ReadonlyArray<string> => {
  const text = readFileSync(file, "utf8")
  return text === "" ? [] : text.replace(/\n$/, "").split("\n")
}

/** The one issue that `bd show --json` answers with. */
export const show = async (clone: Clone, id: string): Promise<Shown> => {
  const { stdout } = await clone.bd("show", id, "--json", "--include-comments")
  const [issue] = JSON.parse(stdout) as ReadonlyArray<Shown>
  if (issue === undefined) throw new Error(`${id} is not shown`)
  return issue
}

/** The id of a new issue. */
export const create = async (clone: Clone, ...words: ReadonlyArray<string>): Promise<string> =>
  (JSON.parse((await clone.bd("create", ...words, "--json")).stdout) as Shown).id

/** What the store holds of the issues, and its marks; without what is this store's own (revisions, versions, events). */
export const storeOf = (clone: Clone) => {
  const database = new Database(join(clone.directory, ".beads/beads.db"), { readonly: true })
  try {
    const all = (sql: string): ReadonlyArray<unknown> => database.prepare(sql).all()
    return {
      issues: all(
        `select id, line, title, status, priority, issue_type, assignee, external_ref, created_at, updated_at
         from issues order by id`
      ),
      labels: all("select * from labels order by issue_id, label"),
      dependencies: all("select * from dependencies order by issue_id, depends_on_id, type"),
      marks: all("select issue_id from dirty_issues order by issue_id")
    }
  } finally {
    database.close()
  }
}

/** Identity and content of a file: equal only if nobody has written it meanwhile. */
export const fingerprint = (file: string) => {
  const { ino, mtimeNs, ctimeNs } = statSync(file, { bigint: true })
  return { ino, mtimeNs, ctimeNs, bytes: readFileSync(file, "utf8") }
}
