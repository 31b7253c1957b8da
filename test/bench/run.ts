/**
 * The benchmark: `npm run bench -- [FLAG…]`. It measures what was built (`npm run build` first).
 *
 * Times on shared machines are noise. What counts are ratios in one run, each of a time to the floor measured directly
 * before or after it: a bare Node (`node -e 0`) for whole processes, plain I/O of the same bytes for a flush.
 */
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs"
import { cpus, tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import * as Inside from "./inside.ts"
import {
  bareNode,
  type Command,
  hideNodeVariables,
  type Measured,
  measureCommand,
  type Spread,
  spread
} from "./measure.ts"
import * as Processes from "./processes.ts"
import { type Budget, insideRows, processRows, type Size } from "./rows.ts"

const usage = `npm run bench -- [FLAG…]

  --runs N        pairs a row (default 15; a fifth of them where one run is long)
  --quick         5 pairs a row
  --size LIST     only these sizes: 0, 1000, 10000, 100000, real
  --only PATTERN  only rows whose name matches this regular expression
  --json FILE     write what was measured there, too
  --compare DIST  measure the bd of another build (its dist directory, where its dependencies are found) beside this one
  --beside BD     measure another bd, the one that this command starts, beside this one on the same work
  --gate          exit 1 if a row is above its must by more than a tenth even in the better quarter of its pairs
  --clean         hide the variables NODE_*: some make every start of Node dearer, and so all ratios smaller
  --dir DIR       measure on this file system (default: the system's directory for temporary files)`

/** What is let through above a budget: the noise of a shared machine. */
const margin = 0.1

const { values } = parseArgs({
  options: {
    runs: { type: "string" },
    quick: { type: "boolean", default: false },
    size: { type: "string" },
    only: { type: "string" },
    json: { type: "string" },
    compare: { type: "string" },
    beside: { type: "string" },
    gate: { type: "boolean", default: false },
    clean: { type: "boolean", default: false },
    dir: { type: "string" },
    help: { type: "boolean", default: false }
  }
})

const runs = Number(values.runs ?? (values.quick ? 5 : 15))
if (!Number.isInteger(runs) || runs < 1) throw new Error("--runs: a whole number from 1")
if (values.clean) hideNodeVariables()
const sizes = values.size?.split(",")
const pattern = new RegExp(values.only ?? "")
const isWanted = (row: { readonly name: string; readonly size: Size }): boolean =>
  pattern.test(row.name) && (sizes === undefined || sizes.includes(String(row.size)))

interface Line extends Measured {
  readonly layer: "process" | "inside"
  readonly name: string
  readonly size: Size
  readonly budget?: Budget | undefined
  readonly other?: Measured | undefined
  readonly oursToOther?: Measured | undefined
}

const figure = (value: number): string =>
  value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)
const range = ({ high, low }: Spread): string => `${figure(low)}–${figure(high)}`

const verdict = ({ budget, ratio: { median } }: Line): string => {
  if (budget === undefined) return ""
  if (median <= budget.want) return "as wanted"
  if (median <= budget.must) return "in budget"
  return "OVER"
}

const headings = ["", "issues", "ratio", "quartiles", "of CPU", "must", "want", "", "ms", "floor ms"]

const cells = (line: Line): ReadonlyArray<string> => [
  line.name,
  typeof line.size === "number" ? line.size.toLocaleString("en") : line.size,
  figure(line.ratio.median),
  range(line.ratio),
  line.cpu === undefined ? "" : figure(line.cpu),
  line.budget === undefined ? "" : String(line.budget.must),
  line.budget === undefined ? "" : String(line.budget.want),
  verdict(line),
  figure(line.time.median),
  figure(line.floor.median),
  ...(line.other === undefined || line.oursToOther === undefined
    ? []
    : [figure(line.other.ratio.median), figure(line.oursToOther.ratio.median), range(line.oursToOther.ratio)])
]

const widths = [38, 7, 7, 13, 7, 5, 5, 5, 9, 8, 9, 7, 7, 13]
const print = (row: ReadonlyArray<string>): void => {
  const padded = row.map((cell, index) => {
    const width = widths[index] ?? 0
    return index === 0 || index === 8 ? cell.padEnd(width) : cell.padStart(width)
  })
  console.log(padded.join(" ").trimEnd())
}

/** What all ratios of processes are to: a start of Node that does nothing, in milliseconds. */
const measureBareNode = async (scratch: string): Promise<Spread> => {
  const times: Array<number> = []
  const place = { cwd: scratch, output: join(scratch, "output") }
  for (let run = 0; run < 10; run += 1) times.push((await measureCommand(bareNode, place, undefined)).time)
  return spread(times)
}

const measureAll = async (scratch: string): Promise<ReadonlyArray<Line>> => {
  const root = fileURLToPath(new URL("../..", import.meta.url))
  const built = (directory: string): Command => {
    const program = resolve(directory, "bin/bd.cjs")
    statSync(program)
    return [process.execPath, program]
  }
  const other: Command | undefined =
    values.compare !== undefined ? built(values.compare) : values.beside !== undefined ? [values.beside] : undefined
  const measureProcess = Processes.make({ ours: built(join(root, "dist")), other }, scratch)
  const lines: Array<Line> = []
  const add = (line: Line) => {
    lines.push(line)
    print(cells(line))
  }
  print([...headings, ...(other === undefined ? [] : ["other", "ours/it", "quartiles"])])
  for (const row of processRows.filter(isWanted)) {
    const count = Math.max(3, Math.round(runs * (row.share ?? 1)))
    const { oursToOther, other, ours } = await measureProcess(row, count)
    add({ layer: "process", name: row.name, size: row.size, budget: row.budget, ...ours, other, oursToOther })
  }
  for (const row of insideRows.filter(isWanted)) {
    const result = await Inside.measure(row, runs, scratch)
    add({ layer: "inside", name: row.name, size: row.size, budget: row.budget, ...result })
  }
  return lines
}

const main = async (): Promise<void> => {
  const scratch = mkdtempSync(join(values.dir ?? tmpdir(), "bd-bench-"))
  try {
    const bare = await measureBareNode(scratch)
    console.log(`bare Node: ${figure(bare.median)} ms (${range(bare)})\n`)
    const lines = await measureAll(scratch)
    if (lines.length === 0) throw new Error("no row has this name and size")
    if (values.json !== undefined) {
      const machine = {
        node: process.version,
        platform: process.platform,
        cpus: cpus().length,
        model: cpus()[0]?.model
      }
      writeFileSync(
        values.json,
        `${JSON.stringify({ machine, clean: values.clean, bareNode: bare, lines }, undefined, 2)}\n`
      )
    }
    if (!values.gate) return
    const over = lines.flatMap(({ budget, name, ratio, size }) =>
      budget !== undefined && ratio.low > budget.must * (1 + margin)
        ? [`${name} (${size}): ${figure(ratio.low)} in the better quarter, allowed ${budget.must}`]
        : []
    )
    for (const text of over) console.error(text)
    if (over.length > 0) process.exitCode = 1
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

if (values.help) console.log(usage)
else await main()
