/**
 * beads-ui as it is installed from npm, on the built `bd`: its server as a process in a scratch repository, and a client
 * of its WebSocket that keeps the lists it is pushed, as the page does.
 *
 * Its package.json asks for Node 22; the server runs on 20 as well (npm only warns).
 */
import { spawnSync } from "node:child_process"
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { onTestFinished } from "vitest"
import { WebSocket } from "ws"
import { bd, environment, lines, ok, program, type Repository, repository, scratch, start } from "../bd.ts"

const server = join(fileURLToPath(new URL("../../..", import.meta.url)), "node_modules/beads-ui/server/index.js")

/** The name that git knows; beads-ui signs comments with it. */
export const author = "Ann Other"

/** What the servers of all finished tests of this file have sent. */
export const sentInAll: Array<ReadonlyArray<string>> = []

export interface BeadsUi {
  readonly repository: Repository
  readonly url: string
  /** What it says of calls that failed, and what it watches. */
  readonly log: () => string
}

/** A `bd` for PATH that notes the words it gets, each call as their number and the words, NUL after each of these. */
const notingBd = () => {
  const log = join(scratch(), "calls")
  const file = join(scratch(), "bin/bd")
  mkdirSync(dirname(file))
  writeFileSync(log, "")
  writeFileSync(file, `#!/bin/sh\nprintf '%s\\0' "$#" "$@" >>'${log}'\nexec '${process.execPath}' '${program}' "$@"\n`)
  chmodSync(file, 0o755)
  const sent = () => {
    const words = readFileSync(log, "utf8").split("\0").slice(0, -1)
    const calls: Array<ReadonlyArray<string>> = []
    while (words.length > 0) calls.push(words.splice(0, Number(words.shift())))
    return calls
  }
  return { directory: dirname(file), sent }
}

/** A port that nobody listens on. beads-ui does not tell the one it gets for port 0. */
const freePort = async (): Promise<number> => {
  const probe = createServer()
  await new Promise<void>(resolve => probe.listen(0, "127.0.0.1", resolve))
  const address = probe.address()
  await new Promise(resolve => probe.close(resolve))
  if (address === null || typeof address === "string") throw new Error("no port")
  return address.port
}

/** Starts the server in a new repository with issues of these titles; it ends with the test. */
export const beadsUi = async (titles: ReadonlyArray<string> = []): Promise<BeadsUi> => {
  const made = await repository(titles)
  const git = spawnSync("git", ["config", "user.name", author], { cwd: made.directory, env: environment })
  if (git.status !== 0) throw new Error(String(git.stderr))
  const { directory, sent } = notingBd()
  const port = await freePort()
  const running = start([process.execPath, server, "--port", String(port), "--debug"], {
    cwd: made.directory,
    env: { PATH: `${directory}:${process.env["PATH"] ?? ""}`, HOME: scratch() }
  })
  onTestFinished(async () => {
    running.child.kill()
    await running.ended
    sentInAll.push(...sent())
  })
  const listening = new Promise<"listening">(resolve => {
    running.child.stdout.on("data", () => {
      if (running.said().stdout.includes("listening on")) resolve("listening")
    })
  })
  const first = await Promise.race([listening, running.ended])
  if (first !== "listening") throw new Error(`beads-ui does not start: ${first.stderr}`)
  return { repository: made, url: `http://127.0.0.1:${port}`, log: () => running.said().stderr }
}

/** An issue as beads-ui hands it on: as `bd` shows it, its times as numbers. */
export interface UiIssue {
  readonly id: string
  readonly title?: string
  readonly status?: string
  readonly labels?: ReadonlyArray<string>
  readonly dependencies?: ReadonlyArray<{ readonly id: string; readonly dependency_type: string }>
  readonly dependents?: ReadonlyArray<{ readonly id: string; readonly dependency_type: string }>
  readonly [key: string]: unknown
}

type List = "all-issues" | "epics" | "blocked-issues" | "ready-issues" | "in-progress-issues" | "closed-issues"

/** What the server pushes about a list that was subscribed to. */
type Push =
  | { readonly type: "snapshot"; readonly id: string; readonly issues: ReadonlyArray<UiIssue> }
  | { readonly type: "upsert"; readonly id: string; readonly issue: UiIssue }
  | { readonly type: "delete"; readonly id: string; readonly issue_id: string }

interface Message {
  readonly id: string
  readonly type: string
  readonly ok: boolean
  readonly payload?: unknown
  readonly error?: { readonly code: string; readonly message: string }
}

export interface Client {
  /** Sends a request; the payload of its answer, or an error with the message that the page would show. */
  readonly ask: (type: string, payload?: unknown) => Promise<unknown>
  /** Subscribes to a list under its own name; what is pushed of it from then on is in `list`. */
  readonly subscribe: (type: List) => Promise<ReadonlyArray<UiIssue>>
  /** As `subscribe`, of one issue. */
  readonly detail: (id: string) => Promise<UiIssue>
  readonly list: (type: List) => ReadonlyArray<UiIssue>
  readonly shown: (id: string) => UiIssue | undefined
  /** Waits until what was pushed makes it so. */
  readonly until: (so: () => boolean) => Promise<void>
}

/** Connects to the server; the connection ends with the test. */
export const connect = async ({ log, url }: BeadsUi): Promise<Client> => {
  const socket = new WebSocket(`${url.replace("http", "ws")}/ws`)
  const lists = new Map<string, Map<string, UiIssue>>()
  const answers = new Map<string, (message: Message) => void>()
  const waiting = new Set<() => void>()
  let asked = 0

  const apply = (push: Push) => {
    const list = lists.get(push.id) ?? new Map<string, UiIssue>()
    lists.set(push.id, list)
    if (push.type === "snapshot") {
      list.clear()
      for (const issue of push.issues) list.set(issue.id, issue)
    } else if (push.type === "upsert") list.set(push.issue.id, push.issue)
    else list.delete(push.issue_id)
  }
  socket.on("message", data => {
    const message = JSON.parse(String(data)) as Message
    if (["snapshot", "upsert", "delete"].includes(message.type)) apply(message.payload as Push)
    else answers.get(message.id)?.(message)
    for (const look of waiting) look()
  })
  await new Promise((resolve, reject) => {
    socket.on("open", resolve)
    socket.on("error", reject)
  })
  onTestFinished(() => socket.terminate())

  const ask = (type: string, payload: unknown = {}) =>
    new Promise<unknown>((resolve, reject) => {
      const id = `q${asked++}`
      answers.set(id, message => {
        answers.delete(id)
        if (message.ok) resolve(message.payload)
        else reject(new Error(message.error?.message ?? `no message\n${log()}`))
      })
      socket.send(JSON.stringify({ id, type, payload }))
    })
  const all = (id: string) => [...(lists.get(id)?.values() ?? [])]
  const shown = (id: string) => lists.get(`detail:${id}`)?.get(id)
  return {
    ask,
    subscribe: async type => {
      await ask("subscribe-list", { id: type, type })
      return all(type)
    },
    detail: async id => {
      await ask("subscribe-list", { id: `detail:${id}`, type: "issue-detail", params: { id } })
      const issue = shown(id)
      if (issue === undefined) throw new Error(`${id} is not shown`)
      return issue
    },
    list: all,
    shown,
    until: so =>
      new Promise((resolve, reject) => {
        const tooLate = AbortSignal.timeout(100_000)
        const look = () => {
          if (!so() && !tooLate.aborted) return
          waiting.delete(look)
          if (tooLate.aborted) reject(new Error(`not pushed in 100 s: ${String(so)}\n${log()}`))
          else resolve()
        }
        waiting.add(look)
        tooLate.addEventListener("abort", look)
        look()
      })
  }
}

/** The issue as it stands in the issue file. */
export const lineOf = (made: Repository, id: string): UiIssue => {
  const line = lines(made)
    .map(text => JSON.parse(text) as UiIssue)
    .find(issue => issue.id === id)
  if (line === undefined) throw new Error(`${id} is not in the issue file`)
  return line
}

/** The issue as another shell sees it. */
export const shownTo = async (made: Repository, id: string): Promise<UiIssue> => {
  const [shown] = JSON.parse(ok(await bd(made, "show", id, "--json")).stdout) as ReadonlyArray<UiIssue>
  if (shown === undefined) throw new Error(`${id} is not shown`)
  return shown
}
