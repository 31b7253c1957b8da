/**
 * Real git and the built `bd` for the system tests: scratch places with repositories, clones and an environment of their
 * own (no configuration of whoever runs them, `bd` on PATH for the merge driver). All of it asynchronous.
 */
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import Database from "better-sqlite3"
import { bdCommand, type Ended, environment, ok, program, run, scratch } from "./bd.ts"

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
  readonly env: NodeJS.ProcessEnv
  /** A repository of its own, `bd` not set up. */
  readonly repository: (name: string) => Promise<Clone>
  /** A bare repository that others are cloned from. */
  readonly bare: (name: string) => Promise<string>
  readonly clone: (from: string, name: string) => Promise<Clone>
}

/** A work tree, and what is done in it. */
export interface Clone {
  readonly name: string
  readonly directory: string
  /** The issue file. */
  readonly file: string
  readonly env: NodeJS.ProcessEnv
  /** Fails unless git ends well. */
  readonly git: (...words: ReadonlyArray<string>) => Promise<string>
  readonly tryGit: (...words: ReadonlyArray<string>) => Promise<Ended>
  /** Fails unless bd ends well. */
  readonly bd: (...words: ReadonlyArray<string>) => Promise<Ended>
  readonly tryBd: (...words: ReadonlyArray<string>) => Promise<Ended>
  readonly commit: (message: string) => Promise<void>
}

const wellEnded = (program: string, name: string, words: ReadonlyArray<string>, ended: Ended): Ended => {
  try {
    return ok(ended)
  } catch (cause) {
    throw new Error(`${name}: ${program} ${words.join(" ")}: ${String(cause)}`)
  }
}

const open = (name: string, directory: string, env: NodeJS.ProcessEnv): Clone => {
  const own = { ...env, BD_ACTOR: name }
  const tryGit = (...words: ReadonlyArray<string>) => run(["git", ...words], { cwd: directory, env: own })
  const tryBd = (...words: ReadonlyArray<string>) => run(bdCommand(...words), { cwd: directory, env: own })
  const git = async (...words: ReadonlyArray<string>) => wellEnded("git", name, words, await tryGit(...words)).stdout
  return {
    name,
    directory,
    file: join(directory, ".beads/issues.jsonl"),
    env: own,
    git,
    tryGit,
    tryBd,
    bd: async (...words) => wellEnded("bd", name, words, await tryBd(...words)),
    commit: async message => {
      await git("add", "--all")
      await git("commit", "--quiet", "--allow-empty", "--message", message)
    }
  }
}

/** A scratch directory for repositories, with `bd` on PATH, as git's merge driver needs it. */
export const place = (): Place => {
  const root = scratch()
  const bin = join(root, "bin")
  mkdirSync(bin)
  writeFileSync(join(bin, "bd"), `#!/bin/sh\nexec "${process.execPath}" "${program}" "$@"\n`, { mode: 0o755 })
  const env: NodeJS.ProcessEnv = {
    ...environment,
    PATH: `${bin}:${process.env["PATH"] ?? ""}`,
    GIT_AUTHOR_NAME: "tester",
    GIT_AUTHOR_EMAIL: "tester@example.org",
    GIT_COMMITTER_NAME: "tester",
    GIT_COMMITTER_EMAIL: "tester@example.org",
    // a rebase or merge must not ask for a message
    GIT_EDITOR: "true"
  }
  const git = async (...words: ReadonlyArray<string>) => ok(await run(["git", ...words], { cwd: root, env }))
  return {
    root,
    env,
    repository: async name => {
      await git("init", "--quiet", "--initial-branch=main", name)
      return open(name, join(root, name), env)
    },
    bare: async name => {
      await git("init", "--quiet", "--bare", "--initial-branch=main", name)
      return join(root, name)
    },
    clone: async (from, name) => {
      await git("clone", "--quiet", from, name)
      return open(name, join(root, name), env)
    }
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

/** Turns the event loop until it is so. */
export const until = async (so: () => boolean) => {
  while (!so()) await new Promise(resolve => setImmediate(resolve))
}
