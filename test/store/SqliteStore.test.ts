/** What the store promises of its file: settings, locks, refusals, what it leaves as it is. */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import Database from "better-sqlite3"
import { Deferred, Effect, Exit, Fiber, Option, TestClock } from "effect"
import * as IssueLines from "../../src/issue-file/IssueLines.ts"
import type { StoreError, Write } from "../../src/store/IssueStore.ts"
import initial from "../../src/store/migrations/0001_initial.ts"
import * as Sqlite from "../../src/store/Sqlite.ts"
import * as SqliteSchema from "../../src/store/SqliteSchema.ts"
import * as SqliteStore from "../../src/store/SqliteStore.ts"
import { recordOf } from "../recordOf.ts"

const temporaryDirectory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "store-"))),
  directory => Effect.sync(() => rmSync(directory, { recursive: true }))
)

const temporaryPath = Effect.map(temporaryDirectory, directory => join(directory, "beads.db"))

const dirty = (id: string): Write => ({
  record: recordOf(JSON.stringify({ id, title: "t", status: "open", priority: 2, issue_type: "task" })),
  state: { _tag: "dirty", base: undefined }
})

/** Every file of the database, byte for byte. */
const filesOf = (path: string) =>
  Object.fromEntries(
    readdirSync(join(path, ".."))
      .sort()
      .map(name => [name, readFileSync(join(path, "..", name)).toString("base64")])
  )

/** A database with a log, as a process that was killed leaves it. */
const leftByCrash = (path: string, fill: (database: Database.Database) => void) => {
  const origin = `${path}.origin`
  const database = new Database(origin)
  database.pragma("journal_mode = wal")
  fill(database)
  copyFileSync(origin, path)
  copyFileSync(`${origin}-wal`, `${path}-wal`)
  database.close()
  rmSync(origin)
}

const refusal = (path: string): Effect.Effect<StoreError> =>
  Effect.matchEffect(Effect.scoped(SqliteStore.make({ path })), {
    onFailure: Effect.succeed,
    onSuccess: () => Effect.dieMessage(`${path} was opened`)
  })

describe("opening", () => {
  it.scopedLive("G11: a commit is durable: WAL, every commit synced, keys enforced, no busy wait in SQLite", () =>
    Effect.gen(function* () {
      const { run, sql } = yield* SqliteSchema.open({ path: yield* temporaryPath })
      const pragma = (name: string) =>
        Effect.map(run(sql.unsafe<Record<string, unknown>>(`pragma ${name}`)), rows => Object.values(rows[0] ?? {})[0])
      assert.strictEqual(yield* pragma("journal_mode"), "wal")
      assert.strictEqual(yield* pragma("synchronous"), 2)
      assert.strictEqual(yield* pragma("foreign_keys"), 1)
      assert.isAtMost(Number(yield* pragma("busy_timeout")), 50)
    })
  )

  it.scopedLive("G25: foreign keys lead from child tables to their own issue only", () =>
    Effect.gen(function* () {
      const { run, sql } = yield* SqliteSchema.open({ path: ":memory:" })
      const keys = yield* run(sql<{ child: string; column: string; parent: string }>`select t.name as child,
        k."from" as "column", k."table" as parent from sqlite_schema t, pragma_foreign_key_list(t.name) k
        where t.type = 'table' order by 1`)
      assert.deepStrictEqual(
        keys.map(({ child, column, parent }) => `${child}.${column} -> ${parent}`),
        [
          "dependencies.issue_id -> issues",
          "dirty_issues.issue_id -> issues",
          "issue_versions.issue_id -> issues",
          "labels.issue_id -> issues",
          "version_parents.issue_id -> issues"
        ]
      )
    })
  )

  it.scopedLive("an empty file becomes a store; closing leaves one file", () =>
    Effect.gen(function* () {
      const path = yield* temporaryPath
      writeFileSync(path, "")
      yield* Effect.scoped(
        Effect.gen(function* () {
          const store = yield* SqliteStore.make({ path })
          yield* store.transaction(store.write([dirty("a-1")]))
        })
      )
      assert.deepStrictEqual(readdirSync(join(path, "..")), ["beads.db"])
      const store = yield* SqliteStore.make({ path })
      assert.strictEqual((yield* store.rows).length, 1)
    })
  )

  it.scopedLive("what a killed process committed is there, though only its log has it", () =>
    Effect.gen(function* () {
      const path = yield* temporaryPath
      yield* Effect.scoped(SqliteStore.make({ path }))
      const database = new Database(path)
      database.prepare("insert into metadata values ('full_export', '1')").run()
      const copy = `${path}-copy.db`
      copyFileSync(path, copy)
      copyFileSync(`${path}-wal`, `${copy}-wal`)
      database.close()
      assert.isAbove(statSync(`${copy}-wal`).size, 0)
      const store = yield* SqliteStore.make({ path: copy })
      assert.isTrue(yield* store.fullExportNeeded)
    })
  )

  it.scopedLive("G2: two that open a new store at once both get it", () =>
    Effect.gen(function* () {
      const path = yield* temporaryPath
      const stores = yield* Effect.all(
        Array.from({ length: 4 }, () => SqliteStore.make({ path })),
        { concurrency: "unbounded" }
      )
      for (const [i, store] of stores.entries()) yield* store.transaction(store.write([dirty(`a-${i}`)]))
      for (const store of stores) assert.strictEqual((yield* store.rows).length, 4)
    })
  )
})

/** The files that this process has open below a directory. */
const openBelow = (directory: string): ReadonlyArray<string> =>
  readdirSync("/proc/self/fd").flatMap(descriptor => {
    try {
      const target = readlinkSync(join("/proc/self/fd", descriptor))
      return target.startsWith(directory) ? [target] : []
    } catch {
      // that of the listing itself
      return []
    }
  })

describe("refusals leave every byte as it is", () => {
  it.scopedLive("contract: a database that is refused is closed at once, so that it can be taken over", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const path = join(directory, "beads.db")
      new Database(path).exec("create table issues (id text primary key)").close()
      // in a scope that goes on
      const { reason } = yield* Effect.flip(SqliteStore.make({ path }))
      assert.strictEqual(reason, "foreign")
      assert.deepStrictEqual(openBelow(directory), [])
    })
  )

  const cases: ReadonlyArray<readonly [string, StoreError["reason"], (path: string) => void]> = [
    [
      "a database of another program",
      "foreign",
      path => {
        const database = new Database(path)
        database.pragma("application_id = 7")
        database.close()
      }
    ],
    [
      "a classic bd database with its log",
      "foreign",
      path =>
        leftByCrash(path, database => {
          database.exec("create table issues (id text primary key, title text)")
          database.pragma("wal_checkpoint(truncate)")
          database.exec("insert into issues values ('bd-1', 'of the classic tool')")
        })
    ],
    [
      "a classic bd database that is all in its log",
      "foreign",
      path => leftByCrash(path, database => database.exec("create table issues (id text primary key, title text)"))
    ],
    [
      "a newer schema",
      "newer",
      path => {
        Effect.runSync(Effect.scoped(SqliteStore.make({ path })))
        const database = new Database(path)
        database.pragma("user_version = 99")
        database.close()
      }
    ],
    [
      "a newer schema with its log",
      "newer",
      path =>
        leftByCrash(path, database => {
          database.exec("create table t (x)")
          database.pragma(`application_id = ${0x62656164}`)
          database.pragma("user_version = 99")
        })
    ],
    ["no database at all", "corrupt", path => writeFileSync(path, "garbage ".repeat(4096))]
  ]
  it.scopedLive("G28: a store of the first schema is brought up to the newest, with all that is in it", () =>
    Effect.gen(function* () {
      const path = yield* temporaryPath
      const old = new Database(path)
      for (const statement of initial) old.exec(statement)
      old.pragma(`application_id = ${0x62656164}`)
      old.pragma("user_version = 1")
      old.exec(`insert into issues values ('a-1', '{"id":"a-1"}', 3, 't', 'open', 1, 'task', '', '', '', '')`)
      old.exec("insert into dirty_issues values ('a-1', 3, null)")
      old.close()
      // two at once: one migrates, the other finds it done
      const [store, other] = yield* Effect.all([SqliteStore.make({ path }), SqliteStore.make({ path })], {
        concurrency: "unbounded"
      })
      assert.deepEqual(yield* store.rows, yield* other.rows)
      assert.deepEqual(
        (yield* store.rows).map(({ id, mark, revision }) => ({ id, mark, revision })),
        [{ id: "a-1", mark: { revision: 3, base: undefined }, revision: 3 }]
      )
      assert.strictEqual((yield* store.schema).version, SqliteSchema.version)
      const migrated = new Database(path, { readonly: true })
      assert.strictEqual(migrated.pragma("user_version", { simple: true }), SqliteSchema.version)
      migrated.close()
    })
  )

  for (const [what, reason, make] of cases) {
    it.scopedLive(`G28: ${what} is refused: ${reason}`, () =>
      Effect.gen(function* () {
        const path = yield* temporaryPath
        make(path)
        const before = filesOf(path)
        const error = yield* refusal(path)
        assert.deepInclude(error, { _tag: "StoreError", reason, path })
        const after = filesOf(path)
        // the index of a log is rebuilt by whoever reads it, and holds nothing of its own
        delete after["beads.db-shm"]
        assert.deepStrictEqual(after, before)
      })
    )
  }

  it.scopedLive("a corrupt store is told with what to move aside, and never rebuilt", () =>
    Effect.gen(function* () {
      const path = yield* temporaryPath
      yield* Effect.scoped(
        Effect.flatMap(SqliteStore.make({ path }), store => store.transaction(store.write([dirty("a-1")])))
      )
      const bytes = readFileSync(path)
      bytes.fill(0xaa, 4096)
      writeFileSync(path, bytes)
      const read = Effect.scoped(Effect.flatMap(SqliteStore.make({ path }), store => store.rows))
      const error = yield* Effect.flip(read)
      assert.strictEqual(error.reason, "corrupt")
      for (const name of [path, `${path}-wal`, `${path}-shm`]) assert.include(error.message, name)
      assert.include(error.message, "move")
      assert.isTrue(bytes.equals(readFileSync(path)))
      assert.strictEqual((yield* Effect.flip(read)).reason, "corrupt")
    })
  )

  it.scopedLive("a path that cannot be opened is a typed error", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      mkdirSync(join(directory, "beads.db"))
      assert.strictEqual((yield* refusal(join(directory, "beads.db")))._tag, "StoreError")
      assert.strictEqual((yield* refusal(join(directory, "missing", "beads.db")))._tag, "StoreError")
      assert.isFalse(existsSync(join(directory, "missing")))
    })
  )
})

describe("an add-on that is not there", () => {
  it("contract: says what to do, in one line, and is not gone round: the issue file could not be read into memory either", () => {
    for (const message of [
      "Could not locate the bindings file. Tried:\n → /somewhere/build/better_sqlite3.node\n → /elsewhere",
      "The module '/x/better_sqlite3.node' was compiled against a different Node.js version using NODE_MODULE_VERSION 115."
    ]) {
      const error = Sqlite.storeError("beads.db")(new Error("wrapped", { cause: new Error(message) }))
      assert.strictEqual(error.reason, "missing")
      assert.include(error.message, 'run "npm rebuild better-sqlite3"')
      assert.notInclude(error.message, "\n")
      assert.isFalse(error.isOutOfOrder)
    }
  })
})

describe("two connections", () => {
  /** A store, and another connection that holds the write lock until `free`. */
  const contended = Effect.gen(function* () {
    const path = yield* temporaryPath
    const store = yield* SqliteStore.make({ path, busyTimeout: "1 seconds" })
    const other = yield* SqliteStore.make({ path })
    const free = yield* Deferred.make<void>()
    const held = yield* Deferred.make<void>()
    const holder = yield* Effect.fork(
      other.transaction(
        Effect.gen(function* () {
          yield* other.write([dirty("a-held")])
          yield* Deferred.succeed(held, undefined)
          yield* Deferred.await(free)
        })
      )
    )
    yield* Deferred.await(held)
    return { path, store, free: Effect.zipRight(Deferred.succeed(free, undefined), Fiber.join(holder)) }
  })

  it.scoped("G2: a busy store is waited for by a schedule, the event loop stays free", () =>
    Effect.gen(function* () {
      const { free, store } = yield* contended
      const began = process.hrtime.bigint()
      const waiting = yield* Effect.fork(store.transaction(store.write([dirty("a-1")])))
      yield* TestClock.adjust("500 millis")
      assert.isTrue(Option.isNone(yield* Fiber.poll(waiting)))
      // half a virtual second of attempts: had SQLite itself waited, each would have cost its time-out
      assert.isBelow(Number(process.hrtime.bigint() - began) / 1e6, 2_500)
      yield* free
      yield* TestClock.adjust("10 millis")
      yield* Fiber.join(waiting)
      assert.strictEqual((yield* store.rows).length, 2)
    })
  )

  it.scoped("G2: a statement that was first asked for while the database was busy is prepared when it is free", () =>
    Effect.gen(function* () {
      const path = yield* temporaryPath
      yield* Effect.scoped(SqliteStore.make({ path }))
      const other = new Database(path)
      other.pragma("locking_mode = exclusive")
      other.exec("begin exclusive")
      const { run, sql } = yield* Sqlite.open({ path, busyTimeout: "1 seconds" })
      // to prepare it the schema has to be read, and that is what fails
      const waiting = yield* Effect.fork(run(sql<{ n: number }>`select count(*) as n from issues`))
      yield* TestClock.adjust("500 millis")
      assert.isTrue(Option.isNone(yield* Fiber.poll(waiting)))
      other.close()
      yield* TestClock.adjust("10 millis")
      assert.isTrue(Option.isSome(yield* Fiber.poll(waiting)))
      assert.deepStrictEqual(yield* Fiber.join(waiting), [{ n: 0 }])
    })
  )

  it.scoped("G2: past the deadline it is a typed error, and nothing was written", () =>
    Effect.gen(function* () {
      const { free, store } = yield* contended
      const waiting = yield* Effect.fork(Effect.flip(store.transaction(store.write([dirty("a-1")]))))
      yield* TestClock.adjust("900 millis")
      assert.isTrue(Option.isNone(yield* Fiber.poll(waiting)))
      yield* TestClock.adjust("200 millis")
      const error = yield* Fiber.join(waiting)
      assert.deepInclude(error, { _tag: "StoreError", reason: "busy" })
      yield* free
      assert.deepStrictEqual(
        (yield* store.rows).map(({ id }) => id),
        ["a-held"]
      )
      // the connection is free again
      yield* store.transaction(store.write([dirty("a-1")]))
    })
  )

  it.scoped("G2: who waits can be interrupted, and leaves the connection free", () =>
    Effect.gen(function* () {
      const { free, store } = yield* contended
      const waiting = yield* Effect.fork(store.transaction(store.write([dirty("a-1")])))
      yield* TestClock.adjust("100 millis")
      yield* Fiber.interrupt(waiting)
      yield* free
      yield* store.transaction(store.write([dirty("a-2")]))
      assert.strictEqual((yield* store.rows).length, 2)
    })
  )

  it.scopedLive(
    "G2: a transaction takes the write lock when it begins, so none fails half-way for a stale snapshot",
    () =>
      Effect.gen(function* () {
        const path = yield* temporaryPath
        const store = yield* SqliteStore.make({ path })
        const other = new Database(path, { timeout: 0 })
        yield* Effect.addFinalizer(() => Effect.sync(() => other.close()))
        yield* store.transaction(
          Effect.gen(function* () {
            yield* store.rows
            // between a read and the write that follows from it nobody else can write
            assert.throws(() => other.exec("insert into metadata values ('x', 'y')"), /locked/)
            yield* store.write([dirty("a-1")])
          })
        )
        assert.strictEqual((yield* store.rows).length, 1)
      })
  )
})

describe("transactions", () => {
  it.scopedLive("G29: a commit that fails is a typed error, rolled back, and the next one goes through", () =>
    Effect.gen(function* () {
      const db = yield* SqliteSchema.open({ path: yield* temporaryPath })
      const count = Effect.map(db.run(db.sql<{ n: number }>`select count(*) as n from labels`), rows => rows[0]?.n)
      const error = yield* Effect.flip(
        db.transaction(
          Effect.gen(function* () {
            yield* db.run(db.sql`pragma defer_foreign_keys = on`)
            yield* db.run(db.sql`insert into labels values ('no such issue', 'x')`)
            // up to here nothing failed: it is the commit that does
            assert.strictEqual(yield* count, 1)
          })
        )
      )
      assert.deepInclude(error, { _tag: "StoreError", reason: "io" })
      assert.include(error.message, "FOREIGN KEY")
      assert.strictEqual(yield* count, 0)
      yield* db.transaction(db.run(db.sql`insert into metadata values ('x', 'y')`))
    })
  )

  it.scopedLive("G28: a statement of another fiber waits until a transaction has ended, and is no part of it", () =>
    Effect.gen(function* () {
      const db = yield* SqliteSchema.open({ path: yield* temporaryPath })
      const insert = (key: string) => db.run(db.sql`insert into metadata values (${key}, '')`)
      const began = yield* Deferred.make<void>()
      const end = yield* Deferred.make<void>()
      const body = Effect.all([insert("inside"), Deferred.succeed(began, undefined), Deferred.await(end)])
      const transaction = yield* Effect.fork(Effect.exit(db.transaction(Effect.zipRight(body, Effect.fail("no")))))
      yield* Deferred.await(began)
      const statement = yield* Effect.fork(insert("outside"))
      yield* Effect.yieldNow()
      yield* Deferred.succeed(end, undefined)
      yield* Fiber.join(statement)
      assert.isTrue(Exit.isFailure(yield* Fiber.join(transaction)))
      assert.deepStrictEqual(yield* db.run(db.sql`select key from metadata`), [{ key: "outside" }])
    })
  )

  it.scopedLive("G28: transactions of two databases do not get into each other", () =>
    Effect.gen(function* () {
      const one = yield* SqliteSchema.open({ path: yield* temporaryPath })
      const two = yield* SqliteSchema.open({ path: ":memory:" })
      const insert = ({ run, sql }: Sqlite.Sqlite, key: string) => run(sql`insert into metadata values (${key}, '')`)
      const keys = ({ run, sql }: Sqlite.Sqlite) =>
        Effect.map(run(sql<{ key: string }>`select key from metadata order by key`), rows => rows.map(({ key }) => key))
      const body = Effect.all([insert(one, "a"), two.transaction(Effect.all([insert(two, "b"), insert(one, "c")]))])
      yield* Effect.exit(one.transaction(Effect.zipRight(body, Effect.fail("no"))))
      assert.deepStrictEqual([yield* keys(one), yield* keys(two)], [[], ["b"]])
    })
  )

  it.scopedLive("G29: a full store is a typed error, rolled back", () =>
    Effect.gen(function* () {
      const db = yield* SqliteSchema.open({ path: yield* temporaryPath })
      yield* db.run(db.sql`pragma max_page_count = 1`)
      const insert = db.run(db.sql`insert into metadata values ('x', ${"y".repeat(1_000_000)})`)
      assert.strictEqual((yield* Effect.flip(db.transaction(insert))).reason, "full")
      assert.deepStrictEqual(yield* db.run(db.sql`select * from metadata`), [])
    })
  )
})

describe("touch", () => {
  it.scopedLive("a change shows in the database file, for those who watch it, while it is in the log alone", () =>
    Effect.gen(function* () {
      const path = yield* temporaryPath
      const store = yield* SqliteStore.make({ path })
      yield* store.transaction(store.write([dirty("a-1")]))
      const old = 1_000_000_000
      utimesSync(path, old, old)
      const bytes = readFileSync(path)
      yield* store.touch
      assert.isAbove(statSync(path).mtimeMs / 1000, old)
      assert.isTrue(bytes.equals(readFileSync(path)))
    })
  )

  it.scopedLive("the log does not grow for ever: SQLite moves it into the file as it gets long", () =>
    Effect.gen(function* () {
      const path = yield* temporaryPath
      const store = yield* SqliteStore.make({ path })
      for (let flush = 0; flush < 500; flush++) {
        yield* store.transaction(store.write([dirty(`a-${flush}`)]))
        yield* store.touch
      }
      assert.isBelow(statSync(`${path}-wal`).size, 6_000_000)
    })
  )
})

describe("a list in parts", () => {
  it.scopedLive("contract: is of one moment, whatever another process does between two parts", () =>
    Effect.gen(function* () {
      const path = yield* temporaryPath
      const store = yield* SqliteStore.make({ path })
      const ids = Array.from({ length: 1_100 }, (_, i) => `a-${String(i).padStart(4, "0")}`)
      yield* store.transaction(store.write(ids.map(dirty)))
      const other = new Database(path)
      yield* Effect.addFinalizer(() => Effect.sync(() => other.close()))
      let changed = 0
      const { parts, total } = yield* store.findParts({}, rows => {
        if (changed === 0)
          changed = other.prepare("delete from issues where id in ('a-0001', 'a-0600', 'a-1099')").run().changes
        return rows.map(({ id }) => id)
      })
      assert.strictEqual(changed, 3)
      // read by some hundred, made into something by a few
      assert.isAtMost(Math.max(...parts.map(part => part.length)), 50)
      assert.deepStrictEqual({ ids: parts.flat(), total }, { ids, total: 1_100 })
      assert.strictEqual((yield* store.find({})).total, 1_097)
    })
  )

  it.scopedLive("G15: lines are those of the rows, deleted ones too, in the order of the file, of one moment", () =>
    Effect.gen(function* () {
      const path = yield* temporaryPath
      const store = yield* SqliteStore.make({ path })
      const ids = [
        "z",
        "a-10",
        "a-1",
        "a-1.1",
        "\ufffd",
        "\u{10000}",
        ...Array.from({ length: 600 }, (_, i) => `n-${i}`)
      ]
      yield* store.transaction(store.write(ids.map(dirty)))
      yield* store.transaction(store.write([{ ...dirty("b"), record: recordOf('{"id":"b","status":"tombstone"}') }]))
      const other = new Database(path)
      yield* Effect.addFinalizer(() => Effect.sync(() => other.close()))
      const sorted = [...(yield* store.rows)].sort((a, b) => IssueLines.compareIds(a.id, b.id)).map(({ line }) => line)
      const parts = yield* store.lineParts(undefined, (lines, total) => {
        other.exec("delete from issues where id = 'z'")
        assert.strictEqual(total, 607)
        return lines
      })
      assert.deepStrictEqual(parts.flat(), sorted)
      assert.deepStrictEqual((yield* store.lineParts(["tombstone", "none"], lines => lines)).flat(), [
        '{"id":"b","status":"tombstone"}'
      ])
      assert.deepStrictEqual(yield* store.lineParts(["none"], lines => lines), [])
    })
  )

  it.scopedLive("G29: fails as a whole, and leaves nothing of it behind", () =>
    Effect.gen(function* () {
      const path = yield* temporaryPath
      const store = yield* SqliteStore.make({ path })
      yield* store.transaction(store.write([dirty("a-1")]))
      const exit = yield* Effect.exit(
        store.findParts({}, () => {
          throw new Error("no part")
        })
      )
      assert.isTrue(exit._tag === "Failure")
      // no transaction is left open: a change can begin one
      yield* store.transaction(store.write([dirty("a-2")]))
      assert.strictEqual((yield* store.find({})).total, 2)
    })
  )
})
