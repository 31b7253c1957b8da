/** The SQL edge where fibers interrupt one another and share a connection: at any step of theirs. */
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Deferred, Effect, Exit, Fiber, Scheduler } from "effect"
import * as Sqlite from "../../src/store/Sqlite.ts"

const directory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "sqlite-"))),
  made => Effect.sync(() => rmSync(made, { recursive: true }))
)

const opened = Sqlite.open({ path: ":memory:", busyTimeout: "2 seconds" })

const count = ({ run, sql }: Sqlite.Sqlite) =>
  Effect.map(run(sql<{ n: number }>`select count(*) as n from t`), rows => rows[0]?.n)

/** So many steps of a fiber, which gives way to others after 2,048 of them. */
const steps = (many: number) => {
  let done = 0
  return Effect.whileLoop({
    while: () => done < many,
    body: () => Effect.void,
    step: () => {
      done++
    }
  })
}

/** Interrupts a fiber at its step of this number, and lets it go on as after giving way to others. */
const interruptingAt = (target: number) => {
  let step = 0
  let hit = false
  const scheduler: Scheduler.Scheduler = {
    scheduleTask: (task, priority) => Scheduler.defaultScheduler.scheduleTask(task, priority),
    shouldYield: fiber => {
      if (++step !== target) return false
      hit = true
      Scheduler.defaultScheduler.scheduleTask(() => fiber.unsafeInterruptAsFork(fiber.id()), 0)
      return 0
    }
  }
  return { scheduler, wasHit: () => hit }
}

describe("transactions of a connection that fibers share", () => {
  it.scopedLive("G28: interrupted at any step, one is there whole or not at all, and the next one goes through", () =>
    Effect.gen(function* () {
      const db = yield* opened
      const { run, sql, transaction } = db
      yield* run(sql`create table t (a)`)
      const outcomes = new Set<string>()
      for (let target = 1, wasHit = true; wasHit; target++) {
        yield* transaction(run(sql`delete from t`))
        const interrupting = interruptingAt(target)
        const two = Effect.zipRight(run(sql`insert into t values (1)`), run(sql`insert into t values (2)`))
        const fiber = yield* Effect.fork(Effect.withScheduler(transaction(two), interrupting.scheduler))
        const exit = yield* Fiber.await(fiber)
        wasHit = interrupting.wasHit()
        const rows = yield* transaction(count(db))
        outcomes.add(`${exit._tag} ${rows}`)
        if (Exit.isSuccess(exit)) assert.strictEqual(rows, 2, `step ${target}`)
        else assert.isTrue(Cause.isInterruptedOnly(exit.cause), `step ${target}: ${exit.cause}`)
      }
      assert.deepStrictEqual([...outcomes].sort(), ["Failure 0", "Failure 2", "Success 2"])
    }).pipe(Effect.withTracerEnabled(false))
  )

  it.scopedLive("G28: a statement of another fiber, wherever it gives way, is no part of one", () =>
    Effect.gen(function* () {
      const db = yield* opened
      const { run, sql, transaction } = db
      yield* run(sql`create table t (a)`)
      const other = Effect.gen(function* () {
        yield* run(sql`insert into t values ('uncommitted')`)
        for (let i = 0; i < 20; i++) yield* Effect.yieldNow()
        return yield* Effect.fail("no")
      })
      for (let many = 1_950; many < 2_048; many++) {
        const reading = yield* Effect.fork(Effect.zipRight(steps(many), count(db)))
        yield* Effect.yieldNow()
        yield* Effect.exit(transaction(other))
        assert.strictEqual(yield* Fiber.join(reading), 0, `read after ${many} steps`)
        const writing = yield* Effect.fork(Effect.zipRight(steps(many), run(sql`insert into t values ('said')`)))
        yield* Effect.yieldNow()
        yield* Effect.exit(transaction(other))
        yield* Fiber.join(writing)
        assert.strictEqual(yield* count(db), 1, `written after ${many} steps`)
        yield* run(sql`delete from t`)
      }
    }).pipe(Effect.withTracerEnabled(false))
  )

  it.scopedLive(
    "G29: a file that cannot be looked at is a typed error, rolled back, and the next one goes through",
    () =>
      Effect.gen(function* () {
        const place = join(yield* directory, "beads")
        mkdirSync(place)
        const db = yield* Sqlite.open({ path: join(place, "x.db"), busyTimeout: "2 seconds" })
        yield* db.run(db.sql`create table t (a)`)
        renameSync(place, `${place}.away`)
        symlinkSync("beads", place)
        const error = yield* Effect.flip(db.transaction(Effect.void))
        assert.deepInclude(error, { _tag: "StoreError", reason: "io" })
        assert.include(error.message, "ELOOP")
        unlinkSync(place)
        renameSync(`${place}.away`, place)
        yield* db.transaction(db.run(db.sql`insert into t values (1)`))
      })
  )

  it.scopedLive("G2: who waits for one of another fiber can be interrupted", () =>
    Effect.gen(function* () {
      const { transaction } = yield* opened
      const began = yield* Deferred.make<void>()
      const end = yield* Deferred.make<void>()
      yield* Effect.forkScoped(transaction(Effect.zipRight(Deferred.succeed(began, undefined), Deferred.await(end))))
      yield* Deferred.await(began)
      const waited = yield* Effect.timeoutOption(transaction(Effect.void), "50 millis")
      yield* Deferred.succeed(end, undefined)
      assert.strictEqual(waited._tag, "None")
      yield* transaction(Effect.void)
    })
  )

  it.scopedLive("one inside another is a defect, not a wait without end", () =>
    Effect.gen(function* () {
      const { snapshot, transaction } = yield* opened
      for (const inner of [transaction(Effect.void), snapshot(Effect.void)]) {
        const exit = yield* Effect.exit(transaction(inner))
        assert.isTrue(Exit.isFailure(exit) && Cause.isDie(exit.cause))
      }
      yield* transaction(Effect.void)
    })
  )
})
