import {
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { createRequire } from "node:module"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Schedule, Scope } from "effect"
import { nodeDisk } from "../../src/issue-file/Disk.ts"
import * as IssueLock from "../../src/issue-file/IssueLock.ts"
import { run, runTask, taskCommand, temporaryDirectory } from "./processes.ts"

const lockIn = (directory: string) => join(directory, "issues.lock")

/** A second lock on one file stands for another process: SQLite keeps its connections apart. */
const makeLock = (path: string) => IssueLock.make({ path, timeout: "5 seconds" })

/** Where a link leads; nowhere if it is gone by now. */
const target = (link: string): string | undefined => {
  try {
    return readlinkSync(link)
  } catch {
    return undefined
  }
}

const isFree = (lock: { readonly withLockWithin: IssueLock.IssueLock["Type"]["withLockWithin"] }) =>
  lock.withLockWithin(0, Effect.void).pipe(
    Effect.as(true),
    Effect.catchTag("LockTimeout", () => Effect.succeed(false))
  )

describe("IssueLock within a process", () => {
  it.scopedLive("G13: sections run one at a time, in the order they came", () =>
    Effect.gen(function* () {
      const lock = yield* makeLock(lockIn(yield* temporaryDirectory))
      const order: Array<number> = []
      let inside = 0
      const section = (number: number) =>
        Effect.gen(function* () {
          assert.strictEqual(++inside, 1)
          order.push(number)
          yield* Effect.yieldNow()
          inside--
        })
      const numbers = Array.from({ length: 20 }, (_, number) => number)
      yield* Effect.forEach(numbers, number => lock.withLock(section(number)), { concurrency: "unbounded" })
      assert.deepStrictEqual(order, numbers)
    })
  )

  it.scopedLive("G13: a loop of sections does not keep another section of the process waiting", () =>
    Effect.gen(function* () {
      const lock = yield* makeLock(lockIn(yield* temporaryDirectory))
      const loop = yield* Effect.fork(Effect.forever(lock.withLock(Effect.yieldNow())))
      yield* Effect.yieldNow()
      yield* lock.withLockWithin("2 seconds", Effect.void)
      yield* Fiber.interrupt(loop)
    })
  )

  it.scopedLive("G13: a hold keeps the kernel's lock between sections, until its scope closes", () =>
    Effect.gen(function* () {
      const path = lockIn(yield* temporaryDirectory)
      const lock = yield* makeLock(path)
      const other = yield* makeLock(path)
      const scope = yield* Scope.make()
      yield* Scope.extend(lock.hold, scope)
      assert.isFalse(yield* isFree(other))
      yield* lock.withLock(lock.verify)
      assert.isFalse(yield* isFree(other), "between the sections")
      yield* Effect.scoped(lock.hold)
      assert.isFalse(yield* isFree(other), "after an inner hold")
      yield* lock
        .withLock(Scope.close(scope, Exit.void).pipe(Effect.zipRight(isFree(other))))
        .pipe(Effect.map(free => assert.isFalse(free, "a section outlives the hold")))
      assert.isTrue(yield* isFree(other))
      assert.strictEqual((yield* Effect.flip(lock.verify))._tag, "LockUnavailable")
    })
  )

  it.scopedLive("G13: interruption frees the lock only after the section has settled its I/O", () =>
    Effect.gen(function* () {
      const path = lockIn(yield* temporaryDirectory)
      const lock = yield* makeLock(path)
      const other = yield* makeLock(path)
      const started = yield* Deferred.make<void>()
      const settle = yield* Deferred.make<void>()
      const io = Effect.uninterruptible(Effect.zipRight(Deferred.succeed(started, undefined), Deferred.await(settle)))
      const fiber = yield* Effect.fork(lock.withLock(io))
      yield* Deferred.await(started)
      const interruption = yield* Effect.fork(Fiber.interrupt(fiber))
      // turns enough for a lock that is freed too early
      yield* Effect.repeatN(Effect.yieldNow(), 20)
      assert.isFalse(yield* isFree(other))
      yield* Deferred.succeed(settle, undefined)
      yield* Fiber.join(interruption)
      assert.isTrue(yield* isFree(other))
    })
  )

  it.scopedLive("G13: who stops waiting leaves nothing behind, whether it waited for a section or for a process", () =>
    Effect.gen(function* () {
      const path = lockIn(yield* temporaryDirectory)
      const lock = yield* makeLock(path)
      const other = yield* makeLock(path)
      const inSection = yield* lock.withLock(
        Effect.gen(function* () {
          const waiting = yield* Effect.fork(lock.withLock(Effect.void))
          yield* Effect.yieldNow()
          yield* Fiber.interrupt(waiting)
          return yield* Effect.flip(lock.withLockWithin("30 millis", Effect.void))
        })
      )
      assert.strictEqual(inSection._tag, "LockTimeout")
      const outside = yield* other.withLock(
        Effect.gen(function* () {
          const waiting = yield* Effect.fork(lock.withLock(Effect.void))
          yield* Effect.yieldNow()
          yield* Fiber.interrupt(waiting)
          return yield* Effect.flip(lock.withLockWithin("30 millis", Effect.void))
        })
      )
      assert.strictEqual(outside._tag, "LockTimeout")
      if (outside._tag === "LockTimeout") assert.isAtLeast(outside.waited, 30)
      assert.isTrue(yield* isFree(lock))
      assert.isTrue(yield* isFree(other))
    })
  )

  it.scopedLive("G13: a failing section frees the lock", () =>
    Effect.gen(function* () {
      const path = lockIn(yield* temporaryDirectory)
      const lock = yield* makeLock(path)
      assert.strictEqual(yield* Effect.flip(lock.withLock(Effect.fail("mine"))), "mine")
      assert.isTrue(yield* isFree(yield* makeLock(path)))
    })
  )
})

describe("IssueLock between processes", () => {
  it.scopedLive(
    "G13: what three processes do under the lock adds up",
    () =>
      Effect.gen(function* () {
        const directory = yield* temporaryDirectory
        const counter = join(directory, "counter")
        writeFileSync(counter, "0")
        const counting = yield* Effect.forEach([1, 2, 3], () => runTask("count", lockIn(directory), counter, "60"))
        for (const process of counting) assert.deepStrictEqual(yield* process.ended, { code: 0, output: "" })
        assert.strictEqual(readFileSync(counter, "utf8"), "180")
        assert.deepStrictEqual(readdirSync(directory).sort(), ["counter", "issues.lock"])
      }),
    60_000
  )

  it.scopedLive(
    "G13: the kernel frees the lock of a process that is killed",
    () =>
      Effect.gen(function* () {
        const path = lockIn(yield* temporaryDirectory)
        const lock = yield* makeLock(path)
        const holder = yield* runTask("hold", path)
        yield* holder.says("held")
        assert.isFalse(yield* isFree(lock))
        holder.process.kill("SIGKILL")
        yield* holder.ended
        assert.isTrue(yield* isFree(lock))
      }),
    60_000
  )

  it.scopedLive(
    "G13 G2: a holder that hangs is waited for with a bound, and the waiting leaves the event loop free",
    () =>
      Effect.gen(function* () {
        const path = lockIn(yield* temporaryDirectory)
        const lock = yield* makeLock(path)
        const holder = yield* runTask("hold", path)
        yield* holder.says("held")
        holder.process.kill("SIGSTOP")
        const lags: Array<number> = []
        // three times: a busy machine delays as well, but not each time
        for (let time = 0; time < 3; time++) {
          let last = performance.now()
          let lag = 0
          const ticking = setInterval(() => {
            const now = performance.now()
            lag = Math.max(lag, now - last - 5)
            last = now
          }, 5)
          const error = yield* Effect.flip(lock.withLockWithin("600 millis", Effect.void)).pipe(
            Effect.ensuring(Effect.sync(() => clearInterval(ticking)))
          )
          assert.strictEqual(error._tag, "LockTimeout")
          if (error._tag === "LockTimeout") assert.isTrue(error.waited >= 600 && error.waited < 1500, `${error.waited}`)
          lags.push(lag)
        }
        assert.isBelow(Math.min(...lags), 100)
      }),
    60_000
  )
})

describe("IssueLock and its file", () => {
  it.scopedLive("G13: a lock file that is taken away while it is held is noticed", () =>
    Effect.gen(function* () {
      const path = lockIn(yield* temporaryDirectory)
      const lock = yield* makeLock(path)
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* lock.hold
          yield* lock.verify
          rmSync(path)
          assert.strictEqual((yield* Effect.flip(lock.verify))._tag, "LockUnavailable")
          let ran = false
          const error = yield* Effect.flip(lock.withLock(Effect.sync(() => (ran = true))))
          assert.strictEqual(error._tag, "LockUnavailable")
          assert.isFalse(ran)
        })
      )
      yield* lock.withLock(lock.verify)
    })
  )

  for (const [moment, looks] of [
    ["before it is opened", 2],
    ["before it is locked", 3],
    ["while it is being locked", 4]
  ] as const) {
    it.scopedLive(`G13: a lock file that is replaced ${moment} is not the one that counts`, () =>
      Effect.gen(function* () {
        const path = lockIn(yield* temporaryDirectory)
        const other = yield* makeLock(path)
        yield* other.withLock(Effect.void)
        const elsewhere = yield* Scope.make()
        let count = 0
        let replaced = false
        const lock = yield* IssueLock.make(
          { path, timeout: 0 },
          {
            ...nodeDisk,
            stat: asked => {
              if (++count === looks) {
                // another process cleans up and takes the lock on the file it creates anew
                renameSync(path, `${path}.gone`)
                Effect.runSync(Scope.extend(other.hold, elsewhere))
                replaced = true
              }
              return nodeDisk.stat(asked)
            }
          }
        )
        const error = yield* Effect.flip(lock.withLock(Effect.void))
        assert.isTrue(replaced)
        assert.strictEqual(error._tag, "LockTimeout")
        yield* Scope.close(elsewhere, Exit.void)
        assert.isTrue(yield* isFree(lock))
      })
    )
  }

  it.scopedLive("G13: a lock file that is taken away while its holder is waited for is not waited for any longer", () =>
    Effect.gen(function* () {
      const path = lockIn(yield* temporaryDirectory)
      const holder = yield* makeLock(path)
      let looks = 0
      const lock = yield* IssueLock.make(
        { path, timeout: "5 seconds" },
        {
          ...nodeDisk,
          stat: asked => {
            looks++
            return nodeDisk.stat(asked)
          }
        }
      )
      yield* holder.hold
      const waiting = yield* Effect.fork(lock.withLock(lock.verify))
      yield* Effect.repeat(
        Effect.sync(() => looks),
        { until: count => count > 8, schedule: Schedule.spaced("1 millis") }
      )
      renameSync(path, `${path}.gone`)
      yield* Fiber.join(waiting)
      assert.strictEqual((yield* Effect.flip(holder.verify))._tag, "LockUnavailable")
    })
  )

  it.scopedLive("G13: a wait in vain leaves nothing open", () =>
    Effect.gen(function* () {
      const path = lockIn(yield* temporaryDirectory)
      const opened = () => readdirSync("/proc/self/fd").filter(fd => target(`/proc/self/fd/${fd}`) === path).length
      const other = yield* runTask("hold", path)
      yield* other.says("held")
      const lock = yield* IssueLock.make({ path, timeout: "100 millis" })
      const waiting = yield* Effect.fork(Effect.flip(lock.withLock(Effect.void)))
      yield* Effect.repeat(Effect.sync(opened), { until: count => count > 0, schedule: Schedule.spaced("1 millis") })
      assert.strictEqual((yield* Fiber.join(waiting))._tag, "LockTimeout")
      assert.strictEqual(opened(), 0)
    })
  )

  it.scopedLive("G13: without a directory there is no lock", () =>
    Effect.gen(function* () {
      const lock = yield* makeLock(join(yield* temporaryDirectory, "missing", "issues.lock"))
      const error = yield* Effect.flip(lock.withLock(Effect.void))
      assert.strictEqual(error._tag, "LockUnavailable")
      assert.include(error.message, "ENOENT")
    })
  )

  it.scopedLive("G33: what is not a regular file is not opened", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const target = join(directory, "target")
      writeFileSync(target, "")
      symlinkSync(target, join(directory, "link"))
      mkdirSync(join(directory, "directory"))
      for (const name of ["link", "directory"]) {
        const lock = yield* makeLock(join(directory, name))
        assert.strictEqual((yield* Effect.flip(lock.withLock(Effect.void)))._tag, "LockUnavailable")
      }
      assert.strictEqual(readFileSync(target, "utf8"), "")
    })
  )

  it.scopedLive("G13: a file that is no database is left alone", () =>
    Effect.gen(function* () {
      const path = lockIn(yield* temporaryDirectory)
      writeFileSync(path, "no database ".repeat(1000))
      const error = yield* Effect.flip((yield* makeLock(path)).withLock(Effect.void))
      assert.strictEqual(error._tag, "LockUnavailable")
      assert.strictEqual(readFileSync(path, "utf8"), "no database ".repeat(1000))
    })
  )

  it.scopedLive(
    "G13: on a read-only file system the lock is unavailable, not quietly shared",
    () =>
      Effect.gen(function* () {
        const directory = yield* temporaryDirectory
        const path = lockIn(directory)
        yield* (yield* makeLock(path)).withLock(Effect.void)
        const script = `mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && ! touch "$1/probe" && shift && exec "$@"`
        const readOnly = yield* run([
          ...["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh", directory],
          ...taskCommand("try-lock", path)
        ])
        const { output } = yield* readOnly.ended
        assert.match(output, /LockUnavailable: .*EROFS/)
      }),
    60_000
  )

  it.scopedLive(
    "G13: without permission the lock is unavailable",
    () =>
      Effect.gen(function* () {
        const directory = yield* temporaryDirectory
        const path = lockIn(directory)
        yield* (yield* makeLock(path)).withLock(Effect.void)
        const script = `chmod 444 "$1" && ! sh -c ': >> "$1"' sh "$1" && shift && exec "$@"`
        const drop = process.getuid?.() === 0 ? ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] : []
        const denied = yield* run([...drop, "sh", "-c", script, "sh", path, ...taskCommand("try-lock", path)])
        const { output } = yield* denied.ended
        assert.match(output, /LockUnavailable: .*EACCES/)
      }),
    60_000
  )

  it("G13: store and lock use one copy of SQLite, or closing one would drop the locks of the other", () => {
    const here = createRequire(import.meta.url)
    const client = createRequire(here.resolve("@effect/sql-sqlite-node"))
    assert.strictEqual(here.resolve("better-sqlite3"), client.resolve("better-sqlite3"))
  })
})
