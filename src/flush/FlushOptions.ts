/**
 * How patient the flush manager is, as a service: read once, at a layer; the manager sees plain values.
 *
 * The two rhythms are Schedules made from the options: `debounceSchedule` (G3) and `retrySchedule` (G6).
 */
import * as Config from "effect/Config"
import * as ConfigError from "effect/ConfigError"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"

export class FlushOptions extends Context.Tag("effect-beads/FlushOptions")<
  FlushOptions,
  {
    /**
     * How long it must be quiet after a mark before a flush starts; each mark restarts it. A duration, or a Schedule
     * that is stepped at each mark and begins anew with the first mark after a flush (one that ends: flush at once).
     * Default 5 seconds. More: fewer, larger writes of the file; less: the file follows sooner, and a burst of changes
     * rewrites it more often.
     */
    readonly debounce: Duration.DurationInput | Schedule.Schedule<unknown>
    /**
     * Whether the window starts short (`adaptiveDebounce`) and grows with the length of the burst, up to `debounce`.
     * Default false. On: a single change is in the file soon; a burst begins with one early flush more. Without effect
     * if `debounce` is a Schedule.
     */
    readonly adaptive: boolean
    /** The shortest window when `adaptive` is on. A duration, default 500 ms. Costs as `debounce` does. */
    readonly adaptiveDebounce: Duration.DurationInput
    /**
     * The longest a mark waits for its flush while further marks keep coming. A duration, default 30 seconds. More:
     * fewer writes under steady load; less: the file lags less behind. Below `debounce` it is the window.
     */
    readonly maxDelay: Duration.DurationInput
    /**
     * This many unflushed marks start a flush without waiting. A count, at least 1, default 1,000. More: fewer writes
     * in a mass change; less: a smaller gap between store and file, and more writes.
     */
    readonly maxMarks: number
    /**
     * The wait after the first failed flush; it doubles with each further one. A duration, default 1 second. More: a
     * passing fault is noticed as gone later; less: more attempts, and more warnings, while it lasts.
     */
    readonly retryBase: Duration.DurationInput
    /** The longest wait between attempts. A duration, default 30 seconds. Costs as `retryBase` does. */
    readonly retryCap: Duration.DurationInput
    /**
     * The longest a shutdown takes, the last flush included. A duration, default 30 seconds. More: a slow disk or a busy
     * lock is waited for; less: the process ends sooner, and what it marked may wait in the store for the next one.
     */
    readonly shutdownTimeout: Duration.DurationInput
    /**
     * Whether marks that an earlier run left in the store are looked for at the start, and flushed as if made then.
     * Default true. Costs one query. A command that only reads turns it off, since a read never writes the file (G15).
     */
    readonly resume: boolean
    /**
     * Whether a flush that failed is tried again by itself, after `retryBase` and at shutdown. Default true. Off, for who
     * tells of a failure and ends, as a command does: the marks of a failed flush wait for the next process, unless
     * `flushNow` is called again or another mark is made. So what was said of them stays true, and a lasting fault is
     * waited for once.
     */
    readonly retries: boolean
  }
>() {}

/** The values that hold where nothing else is said. */
export const defaults: FlushOptions["Type"] = {
  debounce: Duration.seconds(5),
  adaptive: false,
  adaptiveDebounce: Duration.millis(500),
  maxDelay: Duration.seconds(30),
  maxMarks: 1_000,
  retryBase: Duration.seconds(1),
  retryCap: Duration.seconds(30),
  shutdownTimeout: Duration.seconds(30),
  resume: true,
  retries: true
}

/** The debounce window: stepped at each mark, it says when the flush is due if no other mark comes. */
export const debounceSchedule = (options: FlushOptions["Type"]): Schedule.Schedule<unknown> => {
  if (Schedule.isSchedule(options.debounce)) return options.debounce
  const debounce = Duration.decode(options.debounce)
  if (!options.adaptive) return Schedule.spaced(debounce)
  // The window is as long as the burst has lasted: it depends on the times of the marks alone, not on their number,
  // which one change that touches ten issues would inflate.
  return Schedule.elapsed.pipe(
    Schedule.addDelay(burst => Duration.min(Duration.max(burst, options.adaptiveDebounce), debounce))
  )
}

/** The wait after each failure in a row: exponential, capped, without end. */
export const retrySchedule = (options: FlushOptions["Type"]): Schedule.Schedule<unknown> =>
  Schedule.exponential(options.retryBase).pipe(Schedule.union(Schedule.spaced(options.retryCap)))

/** Options with the given ones in place of the defaults. */
export const layer = (options?: Partial<FlushOptions["Type"]>): Layer.Layer<FlushOptions> =>
  Layer.succeed(FlushOptions, { ...defaults, ...options })

/**
 * The options from configuration (environment): `BD_FLUSH_DEBOUNCE`, `BD_FLUSH_ADAPTIVE`, `BD_FLUSH_ADAPTIVE_DEBOUNCE`,
 * `BD_FLUSH_MAX_DELAY`, `BD_FLUSH_MAX_MARKS`, `BD_FLUSH_RETRY_BASE`, `BD_FLUSH_RETRY_CAP`, `BD_FLUSH_SHUTDOWN_TIMEOUT`.
 * Durations as `5s`, `500ms`, `2m` or `5 seconds`. What is given in code goes before them.
 */
export const layerConfig = (
  options?: Partial<FlushOptions["Type"]>
): Layer.Layer<FlushOptions, ConfigError.ConfigError> =>
  Layer.effect(
    FlushOptions,
    Config.map(config, values => ({ ...values, ...options }))
  )

const duration = (name: string, fallback: Duration.DurationInput) =>
  Config.string(name).pipe(
    Config.mapOrFail(text =>
      Option.match(parseDuration(text.trim()), {
        onNone: () => Either.left(ConfigError.InvalidData([], `${name}: a duration such as 5s or 500ms, not ${text}`)),
        onSome: value => Either.right(value)
      })
    ),
    Config.withDefault(Duration.decode(fallback))
  )

const units: Record<string, Duration.Unit> = { ms: "millis", s: "seconds", m: "minutes", h: "hours" }

const parseDuration = (text: string): Option.Option<Duration.Duration> => {
  // Classic bd reads this variable as Go writes durations.
  const short = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text)
  const long = short === null ? text : `${short[1]} ${units[short[2] ?? ""]}`
  return Option.filter(Duration.decodeUnknown(long), value => !text.startsWith("-") && Duration.isDuration(value))
}

/** All options, read from configuration, with the defaults for those not set. */
export const config: Config.Config<FlushOptions["Type"]> = Config.all({
  debounce: duration("BD_FLUSH_DEBOUNCE", Duration.seconds(5)),
  adaptive: Config.boolean("BD_FLUSH_ADAPTIVE").pipe(Config.withDefault(defaults.adaptive)),
  adaptiveDebounce: duration("BD_FLUSH_ADAPTIVE_DEBOUNCE", defaults.adaptiveDebounce),
  maxDelay: duration("BD_FLUSH_MAX_DELAY", defaults.maxDelay),
  maxMarks: Config.integer("BD_FLUSH_MAX_MARKS").pipe(
    Config.validate({ message: "BD_FLUSH_MAX_MARKS: a whole number from 1", validation: count => count >= 1 }),
    Config.withDefault(defaults.maxMarks)
  ),
  retryBase: duration("BD_FLUSH_RETRY_BASE", defaults.retryBase),
  retryCap: duration("BD_FLUSH_RETRY_CAP", defaults.retryCap),
  shutdownTimeout: duration("BD_FLUSH_SHUTDOWN_TIMEOUT", defaults.shutdownTimeout),
  resume: Config.succeed(defaults.resume),
  retries: Config.succeed(defaults.retries)
})
