/**
 * The commands of the README's "Use", typed one after the other into a new git repository, as its reader would.
 *
 * `ID` stands for the first issue that was created, `OTHER` for one more, made when it is first spoken of. `git commit`
 * asks for a message, and gets one from `GIT_EDITOR`.
 */
import assert from "node:assert/strict"
import { type SpawnSyncOptions, spawnSync } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"

/** Where and as whom commands are run. `PATH` has the `bd` under test. */
export interface Surroundings {
  readonly cwd: string
  readonly env: NodeJS.ProcessEnv
  /** Of whoever runs the tests, unless given. */
  readonly uid?: number | undefined
}

export interface Said {
  readonly stdout: string
  readonly stderr: string
}

/** Runs a line of shell; it must exit 0. */
export const shell = (line: string, { cwd, env, uid }: Surroundings): Said => {
  const options: SpawnSyncOptions = { cwd, env, ...(uid === undefined ? {} : { uid, gid: uid }) }
  const { error, signal, status, stderr, stdout } = spawnSync("sh", ["-c", line], {
    ...options,
    encoding: "utf8",
    maxBuffer: 1 << 26
  })
  if (error !== undefined) throw error
  assert.equal(status, 0, `${line}\nexit ${status ?? signal}\n${stdout}${stderr}`)
  return { stdout, stderr }
}

interface Line {
  readonly id: string
  readonly title: string
  readonly status: string
  readonly assignee?: string
  readonly close_reason?: string
  readonly dependencies?: ReadonlyArray<{ readonly depends_on_id: string }>
  readonly comments?: ReadonlyArray<{ readonly text: string }>
}

/** What a command must have done, once it exited 0. */
interface Effect {
  readonly of: RegExp
  readonly seen: (at: {
    readonly said: Said
    /** What of the command was in quotes. */
    readonly quoted: string
    readonly issue: Line
    readonly lines: ReadonlyArray<Line>
    readonly other: string
    readonly surroundings: Surroundings
  }) => void
}

const effects: ReadonlyArray<Effect> = [
  { of: /^bd init/, seen: ({ surroundings }) => assert(existsSync(join(surroundings.cwd, ".beads/config.yaml"))) },
  {
    of: /^bd create/,
    seen: ({ lines, quoted, said }) => {
      const created = lines.find(({ title }) => title === quoted)
      assert(created !== undefined, `no line of the title ${quoted}`)
      assert(said.stdout.includes(created.id), `the answer does not tell the id ${created.id}`)
    }
  },
  { of: /^bd ready$/, seen: ({ issue, said }) => assert(said.stdout.includes(issue.title)) },
  {
    of: /^bd ready --claim/,
    seen: ({ issue }) => {
      assert.equal(issue.status, "in_progress")
      assert.notEqual(issue.assignee ?? "", "")
    }
  },
  {
    of: /^bd dep add ID OTHER/,
    seen: ({ issue, other }) =>
      assert.deepEqual(
        issue.dependencies?.map(link => link.depends_on_id),
        [other]
      )
  },
  {
    of: /^bd comments add/,
    seen: ({ issue, quoted }) =>
      assert.deepEqual(
        issue.comments?.map(comment => comment.text),
        [quoted]
      )
  },
  {
    of: /^bd close/,
    seen: ({ issue, quoted }) => assert.deepEqual([issue.status, issue.close_reason], ["closed", quoted])
  },
  {
    of: /^bd delete ID$/,
    seen: ({ issue, said }) => {
      assert.equal(issue.status, "closed")
      assert(said.stdout.includes(issue.id))
    }
  },
  {
    of: /git commit/,
    seen: ({ surroundings }) => {
      const committed = shell("git show HEAD:.beads/issues.jsonl", surroundings).stdout
      assert.equal(committed, readFileSync(join(surroundings.cwd, ".beads/issues.jsonl"), "utf8"))
    }
  }
]

/** Types the commands in, in a repository of its own; fails at the first that does not do what it should. */
export const use = (commands: ReadonlyArray<string>, given: Surroundings): void => {
  const surroundings: Surroundings = {
    ...given,
    env: {
      ...given.env,
      GIT_EDITOR: "echo 'The first issues' >",
      GIT_AUTHOR_NAME: "Reader",
      GIT_AUTHOR_EMAIL: "reader@example.org",
      GIT_COMMITTER_NAME: "Reader",
      GIT_COMMITTER_EMAIL: "reader@example.org"
    }
  }
  const issueFile = join(surroundings.cwd, ".beads/issues.jsonl")
  const lines = (): ReadonlyArray<Line> =>
    (existsSync(issueFile) ? readFileSync(issueFile, "utf8") : "")
      .split("\n")
      .filter(line => line !== "")
      .map(line => JSON.parse(line) as Line)
  shell("git init --quiet", surroundings)
  let id = ""
  let other = ""
  for (const command of commands) {
    if (other === "" && /\bOTHER\b/.test(command)) {
      shell('bd create "Something else"', surroundings)
      other = lines().find(line => line.id !== id)?.id ?? ""
    }
    const said = shell(command.replaceAll(/\bID\b/g, id).replaceAll(/\bOTHER\b/g, other), surroundings)
    // neither a warning of Node's nor one of ours
    if (command.startsWith("bd ")) assert.equal(said.stderr, "", command)
    const now = lines()
    id ||= now[0]?.id ?? ""
    const quoted = /"([^"]*)"/.exec(command)?.[1] ?? ""
    const issue = now.find(line => line.id === id) ?? { id: "", title: "", status: "" }
    const effect = effects.find(({ of }) => of.test(command))
    assert(effect !== undefined, `${command}: test/smoke/use.ts does not say what it should do`)
    try {
      effect.seen({ said, quoted, issue, lines: now, other, surroundings })
    } catch (error) {
      throw new Error(`${command}: it did not do what it should\n${said.stdout}`, { cause: error })
    }
  }
}
