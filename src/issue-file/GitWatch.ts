/**
 * Waiting for git, which replaces files without asking: until it has let go of its lock and, where it seems to be
 * between two steps of a command, a little longer (G16). Which signs it gives is told by `GitWork`.
 */
import * as Clock from "effect/Clock"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import { type Disk, type DiskFailure, together } from "./Disk.ts"
import { findGit, indexLock, isBetweenSteps, isStashing } from "./GitWork.ts"
import { GitAtWork } from "./IssueFileError.ts"

export interface GitWatch {
  /** Whether git holds its lock. Synchronous, throws `DiskFailure`; so does `isStashing`. */
  readonly isAtWork: () => boolean
  readonly isStashing: () => boolean
  /** While git is at work, but no longer than the timeout from `since` on, in milliseconds. */
  readonly wait: (since: number) => Effect.Effect<void, GitAtWork | DiskFailure>
  /** As `wait`, and until git seems to be through with what it does; but git that never rests holds nobody up. */
  readonly letFinish: (since: number) => Effect.Effect<void, GitAtWork | DiskFailure>
}

/** How long git that seems to be between two steps is waited for, in milliseconds. */
const patience = 300

/** While git works, or the file changes under a reader: 5, 10, 20, 40, then 50 ms, each a fifth more or less. */
export const polling = Schedule.exponential("5 millis").pipe(
  Schedule.union(Schedule.spaced("50 millis")),
  Schedule.jittered
)

/** For the work tree that `directory` lies in. `timeout` in milliseconds. */
export const make = Effect.fnUntraced(function* (disk: Disk, directory: string, timeout: number) {
  // git runs hooks under its own lock: to wait for it there would be to wait for ourselves
  const insideHook = Option.isSome(yield* Effect.orDie(Config.option(Config.string("GIT_INDEX_FILE"))))
  const git = yield* together(() => findGit(disk, directory))
  const watched = insideHook ? undefined : git
  const lock = watched === undefined ? undefined : indexLock(watched)

  const isAtWork = (): boolean => lock !== undefined && disk.stat(lock) !== undefined

  const wait = Effect.fnUntraced(function* (since: number) {
    const pauses = yield* Schedule.driver(polling)
    while (yield* together(isAtWork)) {
      const waited = (yield* Clock.currentTimeMillis) - since
      if (waited >= timeout) return yield* new GitAtWork({ lock: lock ?? "", waited })
      yield* Effect.ignore(pauses.next(undefined))
    }
  })

  /** When git, which never seemed to rest, may be waited for again. */
  let courteousFrom = 0

  const letFinish = Effect.fnUntraced(function* (since: number) {
    const began = yield* Clock.currentTimeMillis
    const pauses = yield* Schedule.driver(polling)
    for (;;) {
      yield* wait(since)
      const now = yield* Clock.currentTimeMillis
      if (now < courteousFrom) return
      if (!(yield* together(() => watched !== undefined && isBetweenSteps(disk, watched, now)))) return
      if (now - began >= patience) courteousFrom = now + timeout
      yield* Effect.ignore(pauses.next(undefined))
    }
  })

  const watch: GitWatch = {
    isAtWork,
    isStashing: () => watched !== undefined && isStashing(disk, watched),
    wait,
    letFinish
  }
  return watch
})
