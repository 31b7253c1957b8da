/** What the processes of these tests do; see `processes.ts`. The task is the first argument. */
import { readFileSync, writeFileSync } from "node:fs"
import { Effect, Option } from "effect"
import * as IssueFile from "../../src/issue-file/IssueFile.ts"
import * as IssueLock from "../../src/issue-file/IssueLock.ts"

const [task = "", path = "", ...rest] = process.argv.slice(2)

const say = (text: string) => Effect.sync(() => process.stdout.write(`${text}\n`))
const stdinClosed = Effect.async<void>(resume => {
  process.stdin.on("end", () => resume(Effect.void)).resume()
})

const lock = IssueLock.layer({ path, timeout: "60 seconds" })
const file = IssueFile.layer({ path, gitTimeout: "1 second" })

const withLock = <A, E, R>(section: Effect.Effect<A, E, R>) =>
  Effect.flatMap(IssueLock.IssueLock, ({ withLock }) => withLock(section))

const tasks: Record<string, Effect.Effect<unknown, unknown>> = {
  /** Holds the lock until stdin closes. */
  hold: withLock(Effect.zipRight(say("held"), stdinClosed)).pipe(Effect.provide(lock)),

  /** Adds 1 to the number in a file, so many times, each time under the lock and with a pause in the middle. */
  count: Effect.suspend(() => {
    const [counter = "", times = ""] = rest
    return Effect.repeatN(
      withLock(
        Effect.gen(function* () {
          const before = Number(readFileSync(counter, "utf8"))
          yield* Effect.yieldNow()
          yield* Effect.promise(() => new Promise(resolve => setImmediate(resolve)))
          writeFileSync(counter, String(before + 1))
        })
      ),
      Number(times) - 1
    )
  }).pipe(Effect.provide(lock)),

  /** Takes the lock once and says how that went. */
  "try-lock": withLock(say("taken")).pipe(
    Effect.catchAll(error => say(`${error._tag}: ${error.message}`)),
    Effect.provide(IssueLock.layer({ path, timeout: 0 }))
  ),

  /** Replaces the file by so many bytes of a letter, and says how that went. */
  replace: Effect.suspend(() => {
    const [letter = "", size = ""] = rest
    return Effect.gen(function* () {
      const issueFile = yield* IssueFile.IssueFile
      const before = yield* issueFile.read
      yield* say("ready")
      const { displaced } = yield* issueFile.replace(before, Buffer.alloc(Number(size), letter))
      yield* say(`replaced, displaced: ${Option.isSome(displaced)}`)
    })
  }).pipe(
    Effect.provide(file),
    Effect.catchAll(error =>
      say(error._tag === "IssueFileFailure" ? `failed: ${error.operation} ${error.code}` : `failed: ${error._tag}`)
    )
  ),

  /** Reads the file over and over until stdin closes, and says how many whole and how many broken ones it saw. */
  watch: Effect.suspend(() => {
    let whole = 0
    let broken = 0
    const look = Effect.sync(() => {
      try {
        const text = readFileSync(path, "latin1")
        if (/^(a{100000}|b{300000})$/.test(text)) whole++
        else broken++
      } catch {
        broken++
      }
      if (whole === 1) process.stdout.write("watching\n")
    })
    return Effect.race(
      Effect.forever(
        Effect.zipRight(
          look,
          Effect.promise(() => new Promise(setImmediate))
        )
      ),
      stdinClosed
    ).pipe(Effect.zipRight(Effect.suspend(() => say(`whole: ${whole > 1}, broken: ${broken}`))))
  })
}

await Effect.runPromise(tasks[task] ?? Effect.dieMessage(`no task ${task}`))
