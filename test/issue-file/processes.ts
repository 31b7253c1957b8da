/** Real processes for the tests of lock and file: `child.ts` started with a task, spoken to over its pipes. */
import { type ChildProcess, spawn } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"
import { Effect } from "effect"

const child = fileURLToPath(new URL("./child.ts", import.meta.url))

/** By its full name: the tasks run in other working directories. */
const loader = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href

/** The command line that runs a task of `child.ts`. */
export const taskCommand = (...task: ReadonlyArray<string>): ReadonlyArray<string> => [
  process.execPath,
  "--import",
  loader,
  child,
  ...task
]

export interface Running {
  readonly process: ChildProcess
  /** Waits until its output contains `text`; dies if the process ends before. */
  readonly says: (text: string) => Effect.Effect<void>
  /** Its whole output, once it has ended. */
  readonly ended: Effect.Effect<{ readonly code: number | null; readonly output: string }>
}

/** A process that is killed with the scope. */
export const run = (command: ReadonlyArray<string>, environment: Record<string, string> = {}) =>
  Effect.acquireRelease(
    Effect.sync((): Running => {
      const [file = "", ...args] = command
      const process_ = spawn(file, args, { env: { ...process.env, ...environment }, stdio: ["pipe", "pipe", "pipe"] })
      let output = ""
      let end: { readonly code: number | null; readonly output: string } | undefined
      const watchers = new Set<() => void>()
      const hear = (chunk: unknown) => {
        output += String(chunk)
        for (const watcher of watchers) watcher()
      }
      process_.stdout.on("data", hear)
      process_.stderr.on("data", hear)
      process_.on("close", code => {
        end = { code, output }
        for (const watcher of watchers) watcher()
      })
      const when = <A>(look: () => Effect.Effect<A> | undefined) =>
        Effect.async<A>(resume => {
          const watcher = () => {
            const found = look()
            if (found === undefined) return
            watchers.delete(watcher)
            resume(found)
          }
          watchers.add(watcher)
          watcher()
        })
      return {
        process: process_,
        says: text =>
          when(() =>
            output.includes(text)
              ? Effect.void
              : end === undefined
                ? undefined
                : Effect.dieMessage(`ended (${end.code}) without saying ${text}: ${output}`)
          ),
        ended: when(() => (end === undefined ? undefined : Effect.succeed(end)))
      }
    }),
    ({ process: { pid, exitCode, signalCode } }) =>
      Effect.sync(() => {
        if (pid !== undefined && exitCode === null && signalCode === null) process.kill(pid, "SIGKILL")
      })
  )

export const runTask = (...task: ReadonlyArray<string>) => run(taskCommand(...task))

/** A directory of its own, removed with the scope. */
export const temporaryDirectory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "effect-beads-"))),
  directory => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
)
