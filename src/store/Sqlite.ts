/**
 * The SQL edge: one connection of `@effect/sql-sqlite-node`, opened the way the store needs it, its errors made ours.
 *
 * better-sqlite3 runs on the event loop and so does its busy wait, hence the busy time-out is 0 and the waiting is a
 * `Schedule` round the attempt (G2). The library's own transaction helper begins deferred and turns a failing COMMIT
 * into a defect; `transaction` begins immediate and fails typed. The library's own way of running a statement takes a fiber
 * a hundred steps, and finds a transaction of any database in the context; `run` asks the connection itself.
 */
import { statSync } from "node:fs"
import * as Reactivity from "@effect/experimental/Reactivity"
import type { SqlError } from "@effect/sql/SqlError"
import * as Statement from "@effect/sql/Statement"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberRef from "effect/FiberRef"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { StoreError } from "./IssueStore.ts"
import * as SqliteClient from "./SqliteClient.ts"

export interface Sqlite {
  readonly path: string
  /** Makes statements, for `run` and `values` alone: run by themselves they die. */
  readonly sql: Statement.Constructor
  /** Runs a statement, waiting while the database is busy. */
  readonly run: <A>(statement: Statement.Statement<A>) => Effect.Effect<ReadonlyArray<A>, StoreError>
  /** As `run`; each row is the array of its columns. */
  readonly values: (
    statement: Statement.Statement<unknown>
  ) => Effect.Effect<ReadonlyArray<ReadonlyArray<unknown>>, StoreError>
  readonly transaction: <A, E, R>(body: Effect.Effect<A, E, R>) => Effect.Effect<A, E | StoreError, R>
  /** All that is read in it is of one moment. Keeps no writer waiting. */
  readonly snapshot: <A, E, R>(body: Effect.Effect<A, E, R>) => Effect.Effect<A, E | StoreError, R>
  /** For what reads much, and hardly any of it twice: keeps little of it in memory. */
  readonly once: <A, E, R>(body: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
}

const missingAddOn = "ADD_ON_MISSING"

/** What better-sqlite3 says where its add-on was not built, or not for this Node. */
const isAddOnMissing = (message: string): boolean =>
  /^Could not locate the bindings file|NODE_MODULE_VERSION|\.node: (?:cannot open|invalid ELF)/.test(message)

const causeOf = (error: unknown): { readonly code: string; readonly message: string } => {
  let at: unknown = error
  while (typeof at === "object" && at !== null) {
    if ("message" in at && isAddOnMissing(String(at.message))) {
      return {
        code: missingAddOn,
        message: `better-sqlite3 has no add-on for Node ${process.versions.node} here: run "npm rebuild better-sqlite3" where effect-beads is installed (it needs a C++ toolchain), or install effect-beads anew with install scripts allowed`
      }
    }
    if ("code" in at && typeof at.code === "string" && at.code.startsWith("SQLITE_")) {
      return { code: at.code, message: "message" in at ? String(at.message) : at.code }
    }
    if (!("cause" in at)) break
    at = at.cause
  }
  return { code: "", message: error instanceof Error ? error.message : String(error) }
}

const reasonOf = (code: string): StoreError["reason"] => {
  if (code === missingAddOn) return "missing"
  if (code.startsWith("SQLITE_BUSY") || code.startsWith("SQLITE_LOCKED")) return "busy"
  if (code.startsWith("SQLITE_FULL")) return "full"
  if (code.startsWith("SQLITE_CORRUPT") || code.startsWith("SQLITE_NOTADB")) return "corrupt"
  if (code.startsWith("SQLITE_READONLY")) return "readonly"
  return "io"
}

/** What a path leads to; nothing for a database in memory. By a stat alone: to open the file would drop SQLite's locks. */
const identity = (path: string): string => {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false })
  return stat === undefined ? "" : `${stat.dev}:${stat.ino}:${stat.birthtimeNs}`
}

/** All that has to be moved together. */
export const filesOf = (path: string): string => `${path}, ${path}-wal and ${path}-shm`

const adviceOf = (reason: StoreError["reason"], path: string): string =>
  reason === "corrupt"
    ? `; move ${filesOf(path)} aside (as many as there are), and the store is made anew from the issue file; changes that were not published yet are in the files moved`
    : ""

/** A failure of SQLite as a `StoreError`. */
export const storeError =
  (path: string) =>
  (cause: unknown): StoreError => {
    const { code, message } = causeOf(cause)
    const reason = reasonOf(code)
    return new StoreError({
      path,
      reason,
      detail: (code === "" || code === missingAddOn ? message : `${message} (${code})`) + adviceOf(reason, path),
      cause
    })
  }

/**
 * How long the library keeps a prepared statement. It also keeps that preparing one failed, because the database was busy
 * just then: for its default, ten minutes, every attempt anew got that answer, and nothing was asked of the database.
 * Hence shorter than the pause between two attempts. `run` prepares each time.
 */
const preparedFor = "2 millis"

/** When to try again while another process is in the way. */
export const untilFree = (busyTimeout: Duration.DurationInput) =>
  Schedule.spaced("5 millis").pipe(
    Schedule.jittered,
    Schedule.upTo(Duration.decode(busyTimeout)),
    Schedule.whileInput((error: StoreError) => error.reason === "busy")
  )

const sql = Statement.make(
  Effect.dieMessage("a statement was not given to run"),
  Statement.makeCompilerSqlite(),
  [],
  undefined
)

type Restore = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

/** How many databases this process has opened. */
let databases = 0

/** What is kept of the file in memory, in KiB: better-sqlite3 has it so. */
const keptUsually = 16_000

/** The same while a page is hardly asked for twice: to touch fresh memory takes longer than to read again. */
const keptOnce = 1_000

/**
 * Opens a database. `busyTimeout` bounds the waiting for a lock of another process. The connection closes with the
 * scope. Fails with `StoreError` where the library dies: on a path that cannot be opened.
 */
export const open = (options: {
  readonly path: string
  readonly busyTimeout: Duration.DurationInput
  /** Default false. A reader leaves database and log as they are, also when it closes. */
  readonly readonly?: boolean
}): Effect.Effect<Sqlite, StoreError, Scope.Scope> =>
  Effect.gen(function* () {
    const failed = storeError(options.path)
    const whileBusy = untilFree(options.busyTimeout)

    // the library opens the file in a constructor that throws
    const client = yield* SqliteClient.make({
      filename: options.path,
      disableWAL: true,
      readonly: options.readonly,
      prepareCacheTTL: preparedFor
    }).pipe(
      Effect.provideServiceEffect(Reactivity.Reactivity, Reactivity.make),
      Effect.catchAllDefect(cause => Effect.fail(failed(cause)))
    )
    const connection = yield* Effect.scoped(Effect.mapError(client.reserve, failed))

    /**
     * Who has the connection alone, and who waits for that, in order of arrival. (The library has a semaphore for it; a fiber
     * that is interrupted just when it gets the permit takes it along.)
     */
    const line: Array<Deferred.Deferred<void>> = []
    /** Statements outside of transactions that are on their way to the connection. */
    let underway = 0

    /** In the context of what runs inside a transaction of this database: whose turn that is. */
    const Inside = Context.GenericTag<"effect-beads/Sqlite/Inside", Deferred.Deferred<void>>(
      `effect-beads/Sqlite/Inside/${databases++}`
    )
    const isInside = (context: Context.Context<never>): boolean =>
      line[0] !== undefined && Option.getOrUndefined(Context.getOption(context, Inside)) === line[0]

    const lastUnderway = Effect.suspend(() =>
      underway === 0 ? Effect.void : Effect.repeat(Effect.yieldNow(), { while: () => underway > 0 })
    )

    /** Runs it, uninterruptible, when its turn has come; the waiting is as interruptible as the caller. */
    const alone = <A, E, R>(
      body: (turn: Deferred.Deferred<void>, restore: Restore) => Effect.Effect<A, E, R>
    ): Effect.Effect<A, E, R> =>
      Effect.uninterruptibleMask(restore =>
        Effect.withFiberRuntime(fiber => {
          const turn = Deferred.unsafeMake<void>(fiber.id())
          line.push(turn)
          const wait = line[0] === turn ? lastUnderway : Effect.zipRight(restore(Deferred.await(turn)), lastUnderway)
          const stepOut = Effect.suspend(() => {
            line.splice(line.indexOf(turn), 1)
            return line[0] === undefined ? Effect.void : Deferred.succeed(line[0], undefined)
          })
          return Effect.ensuring(
            Effect.flatMap(wait, () => body(turn, restore)),
            stepOut
          )
        })
      )

    /** Asks the connection, once no transaction is in the way, and again while another process is. */
    const ask = <A>(
      statement: Statement.Statement<unknown>,
      execute: (text: string, parameters: ReadonlyArray<unknown>) => Effect.Effect<A, SqlError>
    ): Effect.Effect<A, StoreError> =>
      Effect.withFiberRuntime(fiber => {
        const [text, parameters] = statement.compile()
        const now = Effect.suspend(() => {
          try {
            return Effect.mapError(execute(text, parameters), failed)
          } catch (cause) {
            // a statement is prepared at once, and that throws
            return Effect.fail(failed(cause))
          }
        })
        const attempt = Effect.uninterruptibleMask(restore => {
          if (isInside(fiber.currentContext)) return now
          if (line.length > 0) return restore(alone(() => now))
          // the fiber may give way to others before it comes there
          underway++
          return Effect.ensuring(
            now,
            Effect.sync(() => underway--)
          )
        })
        // the schedule is set up for the few statements that find the database busy, not for every one
        const patient = Effect.catchAll(attempt, error =>
          error.reason === "busy" ? Effect.retry(attempt, whileBusy) : Effect.fail(error)
        )
        if (!fiber.getFiberRef(FiberRef.currentTracerEnabled)) return patient
        return Effect.useSpan("sql.execute", { kind: "client", captureStackTrace: false }, span => {
          span.attribute("db.system.name", "sqlite")
          span.attribute("db.query.text", text)
          return patient
        })
      })

    const run = <A>(statement: Statement.Statement<A>) =>
      ask(
        statement,
        (text, parameters) =>
          connection.executeUnprepared(text, parameters, undefined) as Effect.Effect<ReadonlyArray<A>, SqlError>
      )

    yield* run(sql`pragma busy_timeout = 0`)

    const identify = Effect.try({ try: () => identity(options.path), catch: failed })
    const opened = yield* identify
    /** A `git clean` may have taken the file away: what is committed into a file without a name is lost. */
    const stillThere = Effect.flatMap(identify, found =>
      found === opened
        ? Effect.void
        : Effect.fail(
            new StoreError({
              path: options.path,
              reason: "replaced",
              detail: "the file was removed or replaced while it was open; open it anew"
            })
          )
    )

    const command = (text: string) => run(sql.unsafe(text))
    /** SQLite may have rolled back already. */
    const rollback = Effect.ignore(command("rollback"))

    const within = <A, E, R>(
      begin: "begin immediate" | "begin",
      body: Effect.Effect<A, E, R>
    ): Effect.Effect<A, E | StoreError, R> => {
      const transaction = (restore: Restore) =>
        Effect.gen(function* () {
          // interrupted, it may have begun
          yield* Effect.onExit(restore(command(begin)), exit => (Exit.isSuccess(exit) ? Effect.void : rollback))
          const exit = yield* Effect.exit(restore(Effect.zipRight(stillThere, body)))
          // a commit that fails, for a full disk, may leave the transaction open
          yield* Exit.isSuccess(exit) ? Effect.tapError(command("commit"), () => rollback) : rollback
          return yield* exit
        })
      return Effect.withFiberRuntime(fiber =>
        isInside(fiber.currentContext)
          ? Effect.dieMessage("a transaction inside one of the same database")
          : alone(
              (turn, restore) =>
                Effect.provideService(transaction(restore), Inside, turn) as Effect.Effect<A, E | StoreError, R>
            )
      )
    }

    const keep = (kibibytes: number) => Effect.ignore(run(sql.unsafe(`pragma cache_size = -${kibibytes}`)))
    const once = <A, E, R>(body: Effect.Effect<A, E, R>) =>
      Effect.ensuring(Effect.zipRight(keep(keptOnce), body), keep(keptUsually))

    return {
      path: options.path,
      sql,
      run,
      values: statement => ask(statement, (text, parameters) => connection.executeValues(text, parameters)),
      transaction: body => within("begin immediate", body),
      snapshot: body => within("begin", once(body)),
      once
    }
  })
