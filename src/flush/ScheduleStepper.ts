/** Walks a Schedule without sleeping, for an owner that must not wait. Schedules decide the rhythm of flushes (G3, G6). */
import * as Effect from "effect/Effect"
import type * as Schedule from "effect/Schedule"
import * as ScheduleDecision from "effect/ScheduleDecision"
import * as ScheduleIntervals from "effect/ScheduleIntervals"

export interface ScheduleStepper {
  /** Begins anew at the next step. */
  readonly reset: () => void
  /** Steps at the time `now`, and gives the time the schedule says to go on at; `now` if it has ended. Milliseconds. */
  readonly next: (now: number) => Effect.Effect<number>
}

export const makeStepper = (schedule: Schedule.Schedule<unknown>): ScheduleStepper => {
  let state: unknown = schedule.initial
  return {
    reset: () => {
      state = schedule.initial
    },
    next: now =>
      Effect.map(schedule.step(now, undefined, state), ([next, _, decision]) => {
        state = next
        return ScheduleDecision.isDone(decision) ? now : ScheduleIntervals.start(decision.intervals)
      })
  }
}
