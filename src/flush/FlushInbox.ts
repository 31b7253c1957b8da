/**
 * The queue of commands of the flush manager, in order. Marks that follow each other are one message until the owner
 * takes it: a million in a row cost one (G2). What a caller writes is that message, not yet delivered, never the
 * owner's state; no mark overtakes another command or falls behind it.
 *
 * Knows nothing of what the commands mean.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"

/** Neighbouring marks, as one message. Times are milliseconds. */
export interface Marks {
  readonly _tag: "MarkDirty"
  readonly first: number
  last: number
  count: number
  full: boolean
}

export interface FlushInbox<Command> {
  /** Whether the command was taken in; false once the inbox is closed. Synchronous, so that nothing comes between. */
  readonly offer: (command: Command) => boolean
  readonly mark: (at: number, full: boolean) => void
  /** For the owner alone, and never raced: a lost race loses the command. */
  readonly take: Effect.Effect<Command | Marks>
  /** Messages not taken yet. */
  readonly depth: () => number
  /** Refuses from now on; gives what was not taken. */
  readonly close: Effect.Effect<Iterable<Command | Marks>>
  /** Whether a mark came after `close`. */
  readonly refusedMarks: () => boolean
}

export const make = <Command>(): Effect.Effect<FlushInbox<Command>> =>
  Effect.gen(function* () {
    const queue = yield* Queue.unbounded<Command | Marks>()
    let open = true
    let refusedMarks = false
    /** The last message, as long as more marks may join it. */
    let tail: Marks | undefined

    return {
      offer: command => {
        tail = undefined
        return open && queue.unsafeOffer(command)
      },
      mark: (at, full) => {
        if (tail !== undefined) {
          tail.last = at
          tail.count += 1
          tail.full = tail.full || full
        } else if (open) {
          tail = { _tag: "MarkDirty", first: at, last: at, count: 1, full }
          queue.unsafeOffer(tail)
        } else {
          refusedMarks = true
        }
      },
      take: Effect.map(Queue.take(queue), command => {
        if (command === tail) tail = undefined
        return command
      }),
      // Negative while the owner waits.
      depth: () =>
        Math.max(
          0,
          Option.getOrElse(queue.unsafeSize(), () => 0)
        ),
      close: Effect.suspend(() => {
        open = false
        tail = undefined
        return Effect.tap(Queue.takeAll(queue), () => Queue.shutdown(queue))
      }),
      refusedMarks: () => refusedMarks
    }
  })
