/** Layers in this process: a flush beside plain I/O of the same bytes, and marks by the second. */
import { createHash } from "node:crypto"
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  statSync,
  writeFileSync,
  writeSync
} from "node:fs"
import { join } from "node:path"
import { Effect, Layer } from "effect"
import { Exporter, FlushManager, FlushOptions, Tracker, Workspace } from "../../src/index.ts"
import { type Cost, type Measured, measured, timed } from "./measure.ts"
import { issueLines, livingIds } from "./project.ts"
import type { InsideRow } from "./rows.ts"

type Pair = readonly [cost: Cost, floor: Cost]

/** What no durable publish can do without: read, SHA-256, write, fsync, rename of the same bytes. Into a buffer that is
 * kept, so that it leaves no garbage for the flush after it to clear away. */
const plainIo = (from: string, to: string, buffer: Buffer): void => {
  const source = openSync(from, "r")
  const bytes = buffer.subarray(0, readSync(source, buffer))
  closeSync(source)
  if (bytes.length !== statSync(from).size) throw new Error(`${from} was not read whole`)
  createHash("sha256").update(bytes).digest("hex")
  const descriptor = openSync(`${to}.new`, "w")
  for (let offset = 0; offset < bytes.length; ) offset += writeSync(descriptor, bytes, offset)
  fsyncSync(descriptor)
  closeSync(descriptor)
  renameSync(`${to}.new`, to)
}

/** An incremental flush of one change, on a disk: publish, marks cleared, store committed. */
const flush = (size: number, runs: number, directory: string): Promise<Measured> => {
  mkdirSync(directory)
  const file = join(directory, "issues.jsonl")
  const lines = issueLines(size)
  const ids = livingIds(lines)
  writeFileSync(file, lines.join(""))
  const buffer = Buffer.alloc(statSync(file).size + (1 << 20))
  const sample = (run: number) =>
    Effect.gen(function* () {
      const tracker = yield* Tracker.Tracker
      const { flushNow } = yield* FlushManager.FlushManager
      yield* tracker.update(ids[(run * 7919) % ids.length] ?? "", { title: `Changed ${run}` })
      const floor = timed(() => plainIo(file, join(directory, "plain"), buffer))
      const start = performance.now()
      const report = yield* flushNow
      const time = performance.now() - start
      if (report.mode !== "incremental") return yield* Effect.dieMessage(`run ${run}: the flush was ${report.mode}`)
      return [{ time }, { time: floor }] as const
    })
  return Effect.gen(function* () {
    const pairs: Array<Pair> = []
    for (let run = -2; run < runs; run += 1) {
      const pair = yield* sample(run + 2)
      if (run >= 0) pairs.push(pair)
    }
    return measured(pairs)
  }).pipe(Effect.provide(Workspace.layer({ directory, flush: "never" })), Effect.runPromise)
}

const marks = 200_000

/** Marks from one fiber, the owner taking them in meanwhile; its floor is a million a second. */
const markDirty = (runs: number): Promise<Measured> => {
  const report = { mode: "unchanged", written: 0, removed: 0, bytes: 0, duration: 0 } as const
  const exporter = Layer.succeed(
    Exporter.Exporter,
    Exporter.Exporter.of({ flush: () => Effect.succeed(report), pending: Effect.succeed(false) })
  )
  const layer = FlushManager.layer.pipe(Layer.provide(FlushOptions.layer()), Layer.provide(exporter))
  const sample = Effect.gen(function* () {
    const manager = yield* FlushManager.FlushManager
    const start = performance.now()
    // without a pause after each, which `Effect.repeatN` makes, and which costs more than the mark
    let made = 0
    yield* Effect.whileLoop({
      while: () => made < marks,
      body: () => manager.markDirty(),
      step: () => {
        made += 1
      }
    })
    const time = performance.now() - start
    yield* manager.flushNow
    return [{ time }, { time: marks / 1_000 }] as const
  })
  return Effect.gen(function* () {
    const pairs: Array<Pair> = []
    for (let run = -2; run < runs; run += 1) {
      const pair = yield* sample
      if (run >= 0) pairs.push(pair)
    }
    return measured(pairs)
  }).pipe(Effect.provide(layer), Effect.runPromise)
}

let rows = 0

export const measure = (row: InsideRow, runs: number, scratch: string): Promise<Measured> =>
  row.what === "flush" ? flush(row.size, runs, join(scratch, `inside-${++rows}`)) : markDirty(runs)
