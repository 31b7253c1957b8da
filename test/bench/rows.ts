/**
 * What is measured, and what it may cost: one row a line of the report.
 *
 * Costs are multiples of the row's floor. `must` is the budget, which `--gate` holds a row to; `want` is where it should get
 * to.
 */

export interface Budget {
  readonly must: number
  readonly want: number
}

/** What a process row runs on: a project of so many generated issues, of real ones, or none. */
export type Size = number | "real"

export interface ProcessRow {
  readonly name: string
  readonly size: Size
  readonly budget?: Budget
  /** The words after `bd`; `run` counts, `ids` are of living issues. */
  readonly words: (run: number, ids: ReadonlyArray<string>) => ReadonlyArray<string>
  /** So many of them at once, against as many bare Nodes. */
  readonly atOnce?: number
  /** What happens, untimed, before each run. */
  readonly before?: "pull" | "empty"
  /** As a share of the runs asked for, where one run is long. */
  readonly share?: number
}

export interface InsideRow {
  readonly name: string
  readonly size: number
  readonly what: "flush" | "markDirty"
  readonly budget?: Budget
}

const idAt = (run: number, ids: ReadonlyArray<string>): string => ids[(run * 7919) % ids.length] ?? ""

const create = (run: number) => ["create", `Measured ${run}`, "-d", "What a change costs.", "-p", "1", "--json"]

const sized = (
  size: Size,
  budgets: {
    readonly list?: Budget
    readonly read?: Budget
    readonly page?: Budget
    readonly change?: Budget
    readonly whole?: Budget
  },
  share = 1
): ReadonlyArray<ProcessRow> => {
  const row = (name: string, budget: Budget | undefined, words: ProcessRow["words"]): ProcessRow => ({
    name,
    size,
    share,
    words,
    ...(budget === undefined ? {} : { budget })
  })
  const filled = size !== 0
  return [
    // all there are: without a limit
    row("list", budgets.list, () => ["list"]),
    row("ready", budgets.read, () => ["ready"]),
    ...(filled ? [row("show", budgets.read, (run, ids) => ["show", idAt(run, ids)])] : []),
    ...(filled ? [row("list --json --limit 50", budgets.page, () => ["list", "--json", "--limit", "50"])] : []),
    ...(filled ? [row("list --json --limit 0", budgets.whole, () => ["list", "--json", "--limit", "0"])] : []),
    ...(filled ? [row("export", budgets.whole, () => ["export"])] : []),
    row("create", budgets.change, create),
    ...(filled
      ? [row("update", budgets.change, (run, ids) => ["update", idAt(run, ids), "--title", `Changed ${run}`])]
      : [])
  ]
}

/** Issues that an import brings, half of them with a dependency. */
export const importSize = 10_000

/** Lines that a pull changes. */
export const pulledLines = 10

export const processRows: ReadonlyArray<ProcessRow> = [
  { name: "--version", size: 0, words: () => ["--version"], budget: { must: 1.6, want: 1.2 } },
  { name: "--help", size: 0, words: () => ["--help"], budget: { must: 1.6, want: 1.2 } },
  ...sized(0, {
    list: { must: 2.2, want: 1.6 },
    read: { must: 2.2, want: 1.6 },
    change: { must: 2.6, want: 2.1 }
  }),
  ...sized(1_000, { read: { must: 2.4, want: 1.7 }, page: { must: 2.4, want: 1.7 }, change: { must: 2.8, want: 2.2 } }),
  ...sized("real", {}),
  ...sized(10_000, {
    read: { must: 2.6, want: 1.8 },
    page: { must: 2.6, want: 1.8 },
    whole: { must: 5, want: 4 },
    change: { must: 3.2, want: 2.5 }
  }),
  ...sized(
    100_000,
    { read: { must: 5, want: 3 }, page: { must: 5, want: 3 }, change: { must: 7, want: 5 } },
    // a project of this size takes long to set up, and its times vary less
    0.4
  ),
  {
    name: "ready after a pull of 10 lines",
    size: 10_000,
    words: () => ["ready"],
    before: "pull",
    budget: { must: 3.5, want: 2.5 }
  },
  {
    name: "import of 10,000 into an empty store",
    size: 10_000,
    words: () => ["import"],
    before: "empty",
    share: 0.2,
    budget: { must: 30, want: 15 }
  },
  {
    name: "30 creates at once",
    size: 0,
    words: create,
    atOnce: 30,
    share: 0.2,
    budget: { must: 2.8, want: 2.2 }
  }
]

export const insideRows: ReadonlyArray<InsideRow> = [
  { name: "flush of one change", size: 1_000, what: "flush" },
  { name: "flush of one change", size: 10_000, what: "flush", budget: { must: 1.5, want: 1.15 } },
  { name: "flush of one change", size: 100_000, what: "flush", budget: { must: 1.5, want: 1.15 } },
  { name: "markDirty, a million a second", size: 0, what: "markDirty", budget: { must: 2, want: 1 } }
]
