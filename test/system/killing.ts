/**
 * Every system call of a command as a place to kill it at.
 *
 * strace's `when=k` counts the calls of one name in each thread by itself. The main thread (SQLite, and all that is
 * synchronous) is traced alone. The one thread of the pool (asynchronous file operations) is traced along with the
 * others, and `padding` lets its counts begin where theirs have long ended, so that an ordinal means one call only.
 */
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { type Ended, type StartOptions, scratch, strace } from "./bd.ts"

/** A call before which a process can be killed. */
export interface KillPoint {
  readonly thread: "main" | "pool"
  readonly name: string
  readonly ordinal: number
  /** As strace shows it. */
  readonly call: string
  /** Whether the call may change what another process finds. Growing `-shm` by pages of zeros is not counted. */
  readonly changing: boolean
}

export const describePoint = ({ thread, name, ordinal, call }: Omit<KillPoint, "changing">): string =>
  `${thread} ${name} #${ordinal}: ${call.slice(0, 160)}`

const padding = { NODE_OPTIONS: `--require ${fileURLToPath(new URL("padding.cjs", import.meta.url))}` }

/** Names that the main thread uses as well, and often. */
const padded = new Set(["openat", "fsync", "pread64", "write", "close", "mkdir", "rename", "unlink"])

const changing =
  /^(pwrite64|write|fsync|fdatasync|ftruncate|fallocate|rename|renameat|renameat2|link|linkat|symlink|unlink|unlinkat|mkdir|rmdir|fchmod|fchown|utimensat)\(/
const creating = /^openat\(.*O_CREAT/

interface Call {
  readonly task: string
  readonly name: string
  readonly ordinal: number
  readonly call: string
}

/** What the command answers, on stdout. */
export const isAnswer = ({ call }: Pick<KillPoint, "call">): boolean => call.startsWith("write(1<")

/**
 * The calls of a log, counted by thread and name. `-f` puts the thread before each. Answers are counted by themselves:
 * the main thread also writes to wake its own loop, as often as it happens to.
 */
const parse = (log: string, withTasks: boolean): ReadonlyArray<Call> => {
  const counts = new Map<string, number>()
  return log.split("\n").flatMap(line => {
    const [, task = "", call = "", name = ""] =
      (withTasks ? /^(\d+) +((\w+)\(.*)$/ : /^()((\w+)\(.*)$/).exec(line) ?? []
    if (name === "") return []
    const ordinal = (counts.get(`${task} ${name}`) ?? 0) + 1
    counts.set(`${task} ${name}`, ordinal)
    if (!isAnswer({ call })) return [{ task, name, ordinal, call }]
    const answer = (counts.get("answer") ?? 0) + 1
    counts.set("answer", answer)
    return [{ task, name, ordinal: answer, call }]
  })
}

const isState = ({ call }: Call): boolean => call.includes("/.beads")

const toPoint =
  (thread: KillPoint["thread"]) =>
  (call: Call): KillPoint => ({
    thread,
    name: call.name,
    ordinal: call.ordinal,
    call: call.call,
    changing: isState(call) && !call.call.includes("-shm>") && (changing.test(call.call) || creating.test(call.call))
  })

// threads of V8 come and go as they like, so what serves them has no steady ordinal
const unsteady = new Set([
  "futex",
  "mmap",
  "munmap",
  "mprotect",
  "madvise",
  "brk",
  "epoll_pwait",
  "read",
  "exit_group",
  "getpid"
])

/**
 * The calls of the main thread. V8 opens two files of its own as it starts, in this thread or in another as it happens, and
 * then the ordinals of what is opened later are others: so it is looked until two looks agree.
 */
const mainCalls = async (command: ReadonlyArray<string>, prepare: () => StartOptions): Promise<ReadonlyArray<Call>> => {
  const seen = new Set<string>()
  for (let look = 1; ; look++) {
    const calls = parse((await strace(["-y", "-s", "16"], command, prepare())).log, false)
    const opened = calls.flatMap(call => (call.name === "openat" ? [openedFile(call)] : [])).join()
    if (seen.has(opened) || look === 5) return calls
    seen.add(opened)
  }
}

/** The name of the file that a call opens, but for what differs from run to run. */
export const openedFile = ({ call }: Pick<KillPoint, "call">): string =>
  (/"(?:[^"]*\/)?([^"/]*)"/.exec(call)?.[1] ?? "").replace(/\d+\.[0-9a-f]+\.tmp$/, "tmp")

/**
 * The kill points of a command, from its first look into `.beads` on, or from the first call that matches. What the
 * pool does cannot be set in order with that: then its calls count only where they change something.
 */
export const killPoints = async (
  command: ReadonlyArray<string>,
  prepare: () => StartOptions,
  from?: RegExp
): Promise<ReadonlyArray<KillPoint>> => {
  const main = await mainCalls(command, prepare)
  const first = main.findIndex(each => (from === undefined ? isState(each) : from.test(each.call)))
  if (first < 0 && from !== undefined) throw new Error(`no call to begin with: ${from}`)
  // a command that works with small files alone leaves them all to the pool
  const points = (first < 0 ? [] : main.slice(first)).filter(
    ({ name, call }) => !unsteady.has(name) && !call.includes("eventfd")
  )

  const ofPool = async (names: Iterable<string>, env: NodeJS.ProcessEnv) => {
    const options = ["-f", "-y", "-s", "16", "-e", `trace=${[...names].join()}`]
    const prepared = prepare()
    const { log } = await strace(options, command, { ...prepared, env: { ...prepared.env, ...env } })
    const calls = parse(log, true)
    const mainTask = calls[0]?.task
    return calls.filter(call => call.task !== mainTask && isState(call))
  }
  const all = [
    ...points.map(toPoint("main")),
    ...[...(await ofPool(padded, padding)), ...(await ofPool(["getdents64"], {}))]
      .map(toPoint("pool"))
      .filter(point => from === undefined || point.changing)
  ]
  if (all.length === 0) throw new Error("no call in .beads")
  return all
}

/** How to run a command under strace so that something befalls it there, or there and at each such call after it. */
export const injection = ({ name, ordinal, thread }: KillPoint, what: string, times: "once" | "onwards" = "once") => {
  const following = thread === "pool"
  const when = `when=${ordinal}${times === "once" ? "" : "+"}`
  return {
    env: following && padded.has(name) ? padding : {},
    options: [
      ...(following ? ["-f"] : []),
      ...["-y", "-s", "16", "-e", `trace=${name}`, "-e", `inject=${name}:${what}:${when}`]
    ]
  }
}

/** As `strace`, of the calls alone that write its answer: that goes into a file, so that strace can tell them. */
const straceAnswers: typeof strace = async (options, command, startOptions) => {
  const answers = join(scratch(), "answers")
  writeFileSync(answers, "")
  const intoFile = ["sh", "-c", 'exec "$@" > "$0"', answers, ...command]
  const traced = await strace(["-P", answers, ...options], intoFile, startOptions)
  return { ...traced, stdout: readFileSync(answers, "utf8") }
}

/** The run came to its end: it did not make this call, as it may depend on the time how often it looks. */
export class NotKilled extends Error {}

/** Runs a command until it is killed there. `call`: the one it did not come to make, as strace saw it this time. */
export const killedAt = async (
  point: KillPoint,
  command: ReadonlyArray<string>,
  options: StartOptions
): Promise<Ended & { readonly call: string }> => {
  const injected = injection(point, "signal=KILL")
  const killed = isAnswer(point)
    ? await straceAnswers(injected.options, command, options)
    : await strace(injected.options, command, { ...options, env: { ...options.env, ...injected.env } })
  const call = parse(killed.log, point.thread === "pool").findLast(each => each.ordinal === point.ordinal)?.call
  if (killed.signal !== "SIGKILL" || !killed.log.includes("+++ killed by SIGKILL +++") || call === undefined) {
    throw new NotKilled(`was not killed (exit ${killed.exitCode ?? killed.signal}): ${killed.stderr}`)
  }
  return { ...killed, call }
}

/** So many at a time, in order; what each came to. */
export const inParallel = async <A, B>(
  width: number,
  items: ReadonlyArray<A>,
  attempt: (item: A) => Promise<B>
): Promise<ReadonlyArray<B>> => {
  const results = new Map<number, B>()
  const entries = items.entries()
  const work = async () => {
    for (const [index, item] of entries) results.set(index, await attempt(item))
  }
  await Promise.all(Array.from({ length: width }, work))
  return items.flatMap((_, index) => (results.has(index) ? [results.get(index) as B] : []))
}
