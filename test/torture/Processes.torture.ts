/**
 * Linearisability over processes: `bd` after `bd`, some killed on the way, beside an application that embeds the layers.
 * Whatever was answered must fit the order of the audit trail; what was acknowledged is stored and published.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { readdirSync } from "node:fs"
import { performance } from "node:perf_hooks"
import { createInterface } from "node:readline"
import Database from "better-sqlite3"
import { expect, it } from "vitest"
import {
  bd,
  bdCommand,
  bundled,
  leftovers,
  lines,
  ok,
  type Repository,
  repository,
  start,
  stored
} from "../system/bd.ts"
import { atLength, milliseconds, type Random, randomOf, seed } from "./budget.ts"
import { type Call, check, type Event, type Fields, importedFields, importedLine, type Operation } from "./history.ts"

const workers = atLength ? 24 : 8

/** Exit codes that an operation may have here. Any other is an error, also that the lock was waited for in vain. */
const foreseen = new Set([0, 3, 5])

/** One operation on issues that some worker knows of. */
const operationOf = (random: Random, known: ReadonlyArray<Fields>, token: string): Operation => {
  if (known.length < 3 || random.below(12) === 0) return { _tag: "create", title: `made by ${token}` }
  const issue = random.pick(known.slice(-12))
  const id = String(issue["id"])
  const choices: ReadonlyArray<() => Operation> = [
    () => ({ _tag: "set", id, field: random.pick(["title", "design"]), value: `set by ${token}` }),
    () => ({ _tag: "append", id, text: `noted by ${token}` }),
    () => ({ _tag: "append", id, text: `noted by ${token}` }),
    () => ({ _tag: "compare", id, stamp: String(issue["updated_at"]), value: `compared by ${token}` }),
    () => ({ _tag: "claim", id }),
    () => ({ _tag: "close", id, reason: `closed by ${token}` }),
    () => ({ _tag: "reopen", id }),
    () => ({ _tag: "delete", id }),
    () => ({ _tag: "undelete", id }),
    () => ({ _tag: "undelete", id }),
    () => ({ _tag: "label", id, label: random.pick(["red", "green", token]) }),
    () => ({ _tag: "link", id, on: String(random.pick(known)["id"]) }),
    () => ({ _tag: "comment", id, text: `said by ${token}` }),
    () => ({ _tag: "import", id: `t-${token}`, title: `imported by ${token}` }),
    () => ({ _tag: "show", id })
  ]
  const operation = random.pick(choices)()
  return operation._tag === "link" && operation.on === id ? { _tag: "show", id } : operation
}

const words = (operation: Operation): ReadonlyArray<string> => {
  switch (operation._tag) {
    case "create":
      return ["create", operation.title]
    case "set":
      return ["update", operation.id, `--${operation.field}`, operation.value]
    case "append":
      return ["update", operation.id, "--append-notes", operation.text]
    case "compare":
      return ["update", operation.id, "--design", operation.value, "--if-updated-at", operation.stamp]
    case "claim":
      return ["update", operation.id, "--claim"]
    case "close":
      return ["close", operation.id, "--reason", operation.reason]
    case "reopen":
      return ["reopen", operation.id]
    case "delete":
      return ["delete", operation.id, "--force"]
    case "undelete":
      return ["undelete", operation.id]
    case "label":
      return ["update", operation.id, "--add-label", operation.label]
    case "link":
      return ["dep", "add", operation.id, operation.on, "--type", "related"]
    case "comment":
      return ["comment", operation.id, operation.text]
    case "import":
      return ["import"]
    case "show":
      return ["show", operation.id]
  }
}

/** Operations whose `--json` is the issue, or an array of it. */
const showsIssue = new Set<Operation["_tag"]>([
  "create",
  "set",
  "append",
  "compare",
  "claim",
  "close",
  "reopen",
  "show"
])

const answerOf = (operation: Operation, stdout: string): Fields | undefined => {
  if (!showsIssue.has(operation._tag)) return undefined
  const document = JSON.parse(stdout) as Fields | ReadonlyArray<Fields>
  return Array.isArray(document) ? document[0] : (document as Fields)
}

type Perform = (actor: string, operation: Operation) => Promise<Pick<Call, "exitCode" | "answer">>

/** A `bd` of its own for the operation; one of so many is killed, at any time in what a call `takes`. */
const byProcess =
  (place: Repository, random: Random, takes: () => number): Perform =>
  async (actor, operation) => {
    const running = start(bdCommand(...words(operation), "--actor", actor, "--json", "--lock-timeout", "60s"), {
      cwd: place.directory,
      stdin: operation._tag === "import" ? importedLine(operation) : ""
    })
    const isVictim = random.below(16) === 0
    if (isVictim) {
      const timer = spawn("sleep", [String((takes() * random.below(160)) / 100_000)])
      timer.on("close", () => running.child.kill("SIGKILL"))
      void running.ended.then(() => timer.kill())
    }
    const { exitCode, signal, stderr, stdout } = await running.ended
    if (signal === "SIGKILL" && isVictim) return { exitCode: undefined }
    if (exitCode === undefined || !foreseen.has(exitCode)) {
      throw new Error(`${JSON.stringify(operation)}: exit ${exitCode ?? signal}\n${stderr}`)
    }
    return { exitCode, answer: exitCode === 0 ? answerOf(operation, stdout) : undefined }
  }

/** The application that embeds the layers. */
const embedded = (child: ChildProcess): Perform => {
  const waiting = new Map<number, (said: Pick<Call, "exitCode" | "answer">) => void>()
  let calls = 0
  if (child.stdout === null || child.stdin === null) throw new Error("the embedder has no streams")
  const { stdin } = child
  createInterface({ input: child.stdout }).on("line", line => {
    const { answer, call, exitCode } = JSON.parse(line) as { call: number; exitCode: number; answer?: Fields }
    waiting.get(call)?.({ exitCode, answer })
  })
  return (actor, operation) => {
    const call = calls++
    const answered = new Promise<Pick<Call, "exitCode" | "answer">>(resolve => waiting.set(call, resolve))
    stdin.write(`${JSON.stringify({ call, actor, operation })}\n`)
    return answered
  }
}

const eventsOf = ({ store }: Repository): ReadonlyArray<Event> => {
  const database = new Database(store, { fileMustExist: true })
  try {
    return database
      .prepare(
        "select issue_id issueId, event_type type, actor, old_value oldValue, new_value newValue from events order by id"
      )
      .all() as ReadonlyArray<Event>
  } finally {
    database.close()
  }
}

const torment = async (duration: number) => {
  const random = randomOf(seed)
  const place = await repository()
  const errors: Array<string> = []
  const [file = "", ...args] = [...(await bundled("../torture/embedder.ts")), place.beads]
  const application = spawn(file, args, { stdio: ["pipe", "pipe", "pipe"] })
  application.stderr.on("data", (chunk: Buffer) => errors.push(chunk.toString()))
  const ended = new Promise<number | null>(resolve => application.on("close", resolve))
  const inProcess = embedded(application)

  const calls: Array<Call> = []
  const known: Array<Fields> = []
  const begun = performance.now()
  const mean = () => calls.reduce((sum, { end, start }) => sum + end - start, 0) / Math.max(1, calls.length)
  /** Time is up, and whatever is to happen has happened. */
  const isEnough = () =>
    performance.now() - begun > duration &&
    calls.length > 60 &&
    calls.some(({ exitCode }) => exitCode === undefined) &&
    calls.some(({ exitCode }) => exitCode !== undefined && exitCode !== 0)
  const work = async (worker: number) => {
    const perform = worker < 2 ? inProcess : byProcess(place, random, mean)
    for (let n = 0; !isEnough(); n++) {
      const actor = `w${worker}-${n}`
      const operation = operationOf(random, known, actor)
      const start = performance.now()
      const came = await perform(actor, operation)
      calls.push({ actor, operation, start, end: performance.now(), ...came })
      if (came.answer !== undefined && operation._tag !== "show") known.push(came.answer)
      if (operation._tag === "import" && came.exitCode === 0) known.push(importedFields(operation))
    }
  }
  await Promise.all(Array.from({ length: workers }, (_, worker) => work(worker)))
  application.stdin.end()
  expect([await ended, errors]).toEqual([0, []])
  // a victim may have committed and not published: the next command does
  ok(await bd(place, "flush"))
  return { calls, place }
}

it(
  `G1, G11, G13, G28: ${workers} workers, processes and an application, linearisable by the audit trail`,
  async () => {
    const { calls, place } = await torment(milliseconds(12_000))
    const events = eventsOf(place)
    const { last, problems, ...figures } = check(calls, events)
    console.log(`seed ${seed}: ${calls.length} calls by ${workers} workers, ${events.length} events`, figures)
    expect(problems.slice(0, 10)).toEqual([])
    expect(figures.acknowledged).toBeGreaterThan(calls.length / 3)
    expect(figures.killed).toBeGreaterThan(0)
    expect(figures.refused).toBeGreaterThan(0)

    // acknowledged = stored = published
    const { integrity, lines: rows, marks } = stored(place)
    expect(integrity).toBe("ok")
    expect(marks).toEqual([])
    expect(rows.map(({ id }) => id)).toEqual([...last.keys()].sort())
    expect(rows.filter(({ id, line }) => last.get(id) !== undefined && last.get(id) !== line)).toEqual([])
    expect(lines(place)).toEqual(
      rows.toSorted((a, b) => Buffer.compare(Buffer.from(a.id), Buffer.from(b.id))).map(({ line }) => line)
    )
    expect(leftovers(place)).toEqual([])
    expect(readdirSync(place.beads).sort()).toEqual(
      [".gitignore", "beads.db", "config.yaml", "issues.jsonl", "issues.jsonl.lock", "metadata.json"].sort()
    )
  },
  milliseconds(12_000) + 240_000
)
