/** Whole processes timed in pairs, and what the pairs come to. */
import { type SpawnOptions, spawn, spawnSync } from "node:child_process"
import { closeSync, openSync, readFileSync } from "node:fs"

export interface Spread {
  readonly median: number
  /** Quartiles. */
  readonly low: number
  readonly high: number
}

/** What was measured: all times in milliseconds, `ratio` of a time to the floor of its own pair. */
export interface Measured {
  readonly runs: number
  readonly time: Spread
  readonly floor: Spread
  readonly ratio: Spread
  /** The same of processor time, over all pairs: what other programs do to the machine hardly shows in it. */
  readonly cpu: number | undefined
}

/** Milliseconds that something took, by the clock and, where the system tells, of processors. */
export interface Cost {
  readonly time: number
  readonly cpu?: number | undefined
}

export const spread = (values: ReadonlyArray<number>): Spread => {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share: number): number => {
    const place = share * (sorted.length - 1)
    const below = sorted[Math.floor(place)] ?? Number.NaN
    const above = sorted[Math.ceil(place)] ?? Number.NaN
    return below + (above - below) * (place - Math.floor(place))
  }
  return { median: at(0.5), low: at(0.25), high: at(0.75) }
}

const sum = (values: ReadonlyArray<number | undefined>): number =>
  values.reduce<number>((total, value) => total + (value ?? Number.NaN), 0)

/** What pairs of a cost and the floor beside it come to. */
export const measured = (pairs: ReadonlyArray<readonly [cost: Cost, floor: Cost]>): Measured => {
  const cpu = sum(pairs.map(([cost]) => cost.cpu)) / sum(pairs.map(([, floor]) => floor.cpu))
  return {
    runs: pairs.length,
    time: spread(pairs.map(([{ time }]) => time)),
    floor: spread(pairs.map(([, { time }]) => time)),
    ratio: spread(pairs.map(([cost, floor]) => cost.time / floor.time)),
    cpu: Number.isFinite(cpu) ? cpu : undefined
  }
}

/** Processor time of all children that have ended, in ms. It is told in steps of 10 ms, which even out over the runs. */
const childrenCpu = (): number | undefined => {
  try {
    // the 16th and 17th field, counted behind the name, which may hold spaces
    const fields = readFileSync("/proc/self/stat", "utf8").replace(/^.*\)/s, "").trim().split(" ")
    return (Number(fields[13]) + Number(fields[14])) * 10
  } catch {
    return undefined
  }
}

const costOf = async (work: () => void | Promise<void>): Promise<Cost> => {
  const before = childrenCpu()
  const start = performance.now()
  await work()
  const time = performance.now() - start
  const after = childrenCpu()
  return { time, cpu: before === undefined || after === undefined ? undefined : after - before }
}

export const timed = (work: () => void): number => {
  const start = performance.now()
  work()
  return performance.now() - start
}

/** The environment as it is, for both sides of a pair, without the settings that `bd` and git would read in it. */
const environment: NodeJS.ProcessEnv = {
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(BD|BEADS|GIT)_/.test(name))),
  HOME: "/nonexistent",
  LC_ALL: "C.UTF-8",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_GLOBAL: "/dev/null",
  BD_ACTOR: "bench"
}

/** Hides the variables that Node reads: some, such as `NODE_EXTRA_CA_CERTS`, make each start dearer, a bare one's too. */
export const hideNodeVariables = (): void => {
  for (const name of Object.keys(environment)) if (name.startsWith("NODE_")) delete environment[name]
}

export interface Place {
  readonly cwd: string
  /** Where the output goes: what is printed has to be written, and read by nobody. */
  readonly output: string
}

const options = (
  { cwd }: Place,
  descriptor: number
): SpawnOptions & { readonly stdio: ["ignore", number, "pipe"] } => ({
  cwd,
  env: environment,
  stdio: ["ignore", descriptor, "pipe"]
})

/** A program and its words. */
export type Command = readonly [program: string, ...words: ReadonlyArray<string>]

/** A Node that does nothing. */
export const bareNode: Command = [process.execPath, "-e", "0"]

/** The command failed: that is no measurement. */
export class Failed extends Error {
  override readonly name = "Failed"
}

const failure = (command: Command, status: number | null, told: string) =>
  new Failed(`${command.join(" ")} exited ${status}: ${told}`)

/** Runs a command. Fails with `Failed`. */
export const run = (command: Command, place: Place): void => {
  const [program, ...words] = command
  const descriptor = openSync(place.output, "w")
  try {
    const { error, status, stderr } = spawnSync(program, words, options(place, descriptor))
    if (error !== undefined) throw error
    if (status !== 0) throw failure(command, status, String(stderr))
  } finally {
    closeSync(descriptor)
  }
}

/** Runs so many at once, and waits for the last. */
const runAtOnce = async (count: number, command: Command, place: Place): Promise<void> => {
  const [program, ...words] = command
  const descriptor = openSync(place.output, "w")
  try {
    await Promise.all(
      Array.from({ length: count }, async () => {
        const child = spawn(program, words, options(place, descriptor))
        let told = ""
        child.stderr?.on("data", chunk => (told += String(chunk)))
        const status = await new Promise<number | null>((resolve, reject) => {
          child.on("error", reject)
          child.on("close", resolve)
        })
        if (status !== 0) throw failure(command, status, told)
      })
    )
  } finally {
    closeSync(descriptor)
  }
}

/** What a run costs, or so many at once. */
export const measureCommand = (command: Command, place: Place, atOnce: number | undefined): Promise<Cost> =>
  costOf(() => (atOnce === undefined ? run(command, place) : runAtOnce(atOnce, command, place)))
